import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compiledWithGlibc } from "./obtain.js";

/** holes.c says in sealab what it says on Linux 6.18.44 and Debian's 6.12. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "caches", "holes-linux-6.18.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "holes.c"));

it.skipIf(program === undefined)(
  "SEEK_DATA and SEEK_HOLE find pages that are there (without gcc: skipped)",
  () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--", program!], {
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  },
);
