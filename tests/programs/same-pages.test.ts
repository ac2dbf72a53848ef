import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { start } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";
import { expectGoesOn } from "./saved-runs.js";

/** same-pages.c says in sealab what it says on real Linux: Debian's 6.12. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "same-pages", "linux-6.12.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "same-pages.c"));

describe.skipIf(program === undefined)("merging of same pages (same-pages.c, skipped without gcc)", () => {
  it("merges, counts, shows and unmerges pages as Linux 6.12 does", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", "6.12", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });

  it("goes on the same in a machine that was saved, with every reference accounted for", () => {
    const elf = readFileSync(program!);
    let merged = 0;
    expectGoesOn(
      () => start(elf),
      [0.2, 0.35, 0.5, 0.65, 0.8],
      (ended, { kernel }) => expect(ended.kernel.samePages.pagesScanned).toBe(kernel.samePages.pagesScanned),
      ({ kernel }) => {
        expect(checkMachine(kernel)).toEqual([]);
        merged += kernel.samePages.pagesShared;
      },
    );
    expect(merged).toBeGreaterThan(0);
  });
});
