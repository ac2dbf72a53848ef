import { describe, expect, it } from "vitest";
import { runChaos } from "./chaos-run.js";

const SEEDS = [1, 2, 3, 6];
const INSTRUCTIONS = 120_000;
const SLICE = 30_000;

describe("processes and threads that do anything at random", () => {
  it.each(SEEDS)("leave nothing behind: seed %i", (seed) => {
    const run = runChaos(seed, INSTRUCTIONS, SLICE);
    expect(run.problems).toEqual([]);
    expect(run.instructions).toBe(INSTRUCTIONS);
    expect(run.syscalls).toBeGreaterThan(1000);
    expect(run.tasks).toBeGreaterThan(1020);
  });

  it("are the same run for the same seed", () => {
    expect(runChaos(11, 60_000, 15_000)).toEqual(runChaos(11, 60_000, 22_222));
  });
});
