import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** huge-sizes.c says in sealab what it says on Debian's 6.12.117. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "huge-pages", "sizes-6.12.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "huge-sizes.c"));

describe.skipIf(program === undefined)("sizes of huge pages (huge-sizes.c, skipped without gcc)", () => {
  it("a write brings in the largest block that is turned on and has room", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", "6.12", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });
});
