import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compiledWithGlibc } from "./obtain.js";

/** droppable-locks.c says in sealab what it says on Debian's 6.12 (and on 6.18.44, which marks no soft-dirty areas). */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "lazy-free", "droppable-locks-linux-6.12.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "droppable-locks.c"));

it.skipIf(program === undefined)(
  "droppable memory is brought in by MCL_FUTURE and never locked (without gcc: skipped)",
  () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--", program!], {
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  },
);
