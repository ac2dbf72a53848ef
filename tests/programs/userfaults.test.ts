import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** userfaults.c says in sealab what it says on real Linux: the answers of 6.18.44 and of Debian's 6.12. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "userfaults");
const program = compiledWithGlibc(join(import.meta.dirname, "userfaults.c"));

describe.skipIf(program === undefined)("userfaultfd (userfaults.c, skipped without gcc)", () => {
  it.each(["6.18", "6.12"])("requests, waiting threads and protected pages are as on Linux %s", (kernel) => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", kernel, "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(join(RECORDED, `linux-${kernel}.txt`), "utf8"));
  });
});
