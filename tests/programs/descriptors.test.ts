import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** LAR, LSL, VERR and VERW over all selectors, as on a real processor under Linux 6.18 (descriptors.c). */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "descriptors", "linux-6.18.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "descriptors.c"));

describe.skipIf(program === undefined)("descriptors (descriptors.c, skipped without gcc)", () => {
  it("tells of every selector what Linux's descriptors say", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });
});
