import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** huge-pages.c says in sealab what it says on Linux 6.18.44, where transparent huge pages are for who advises them. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "huge-pages");
const program = compiledWithGlibc(join(import.meta.dirname, "huge-pages.c"));

describe.skipIf(program === undefined)("huge pages (huge-pages.c, skipped without gcc)", () => {
  it("forks, partial unmapping, protection, keys, seals, moves and discards answer as Linux 6.18 does", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(join(RECORDED, "linux-6.18.txt"), "utf8"));
  });
});
