import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** armed-moves.c says in sealab what it says on Linux: 6.18.44, which moves several areas, and Debian's 6.12. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "userfaults");
const program = compiledWithGlibc(join(import.meta.dirname, "armed-moves.c"));

it.skipIf(program === undefined).each(["6.18", "6.12"])(
  "areas that are watched do not move together with others: Linux %s (without gcc: skipped)",
  (kernel) => {
    const args = [CLI, "run", "--kernel", kernel, "--", program!];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8", timeout: PATIENCE_MS });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(join(RECORDED, `armed-moves-linux-${kernel}.txt`), "utf8"));
  },
);
