import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { start } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";
import { expectGoesOn } from "./saved-runs.js";

/** lazy-free.c says in sealab what it says on real Linux: Debian's 6.12, and 6.18.44 says the same. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "lazy-free", "linux-6.12.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "lazy-free.c"));

describe.skipIf(program === undefined)("lazy-free pages (lazy-free.c, skipped without gcc)", () => {
  it("MADV_FREE, MADV_PAGEOUT and MAP_DROPPABLE show in smaps and in the bytes as on Linux", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });

  it("go on the same in a machine that was saved", () => {
    const elf = readFileSync(program!);
    const whole = expectGoesOn(
      () => start(elf),
      [0.3, 0.6, 0.9],
      (ended, { kernel }) => expect(ended.kernel.vmEvents).toEqual(kernel.vmEvents),
    );
    expect(whole.machine.kernel.vmEvents.pglazyfreed).toBeGreaterThan(0);
  });
});
