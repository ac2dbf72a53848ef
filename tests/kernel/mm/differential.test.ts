import { readFileSync } from "node:fs";
import { platform, release } from "node:os";
import { describe, expect, it } from "vitest";
import { generate, generateForks } from "../../../debug/fuzz/generate.js";
import { runInSealab, runNatively } from "./differential/run.js";

/*
 * Random programs of memory calls, accesses and copies by the kernel on this very machine, where it can judge.
 * tests/debug/fuzz.test.ts compares many more with recorded answers; docs/fuzz.md tells of longer campaigns.
 */

/** The host can judge: 6.18 with keys, and it lets us have a pid namespace. */
function hostJudges(): boolean {
  if (platform() !== "linux" || !release().startsWith("6.18.") || process.getuid?.() !== 0) return false;
  if (!/^flags.*\bospke\b/m.test(readFileSync("/proc/cpuinfo", "latin1"))) return false;
  return !runNatively(generate(0))[0]?.startsWith("native:");
}

describe.runIf(hostJudges())("memory calls as this machine answers them", () => {
  it.each([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007])("seed %i", (seed) => {
    const operations = generate(seed);
    expect(runInSealab(operations)).toEqual(runNatively(operations));
  });
  it.each([2000, 2001, 2002, 2003, 2004, 2005])("several processes, seed %i", (seed) => {
    const operations = generateForks(seed);
    expect(runInSealab(operations)).toEqual(runNatively(operations));
  });
});
