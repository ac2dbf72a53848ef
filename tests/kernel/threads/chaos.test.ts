import { describe, expect, it } from "vitest";
import { runChaos } from "./chaos-run.js";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const INSTRUCTIONS = 250_000;
const SLICE = 25_000;

describe("processes and threads that do anything at random", () => {
  it.each(SEEDS)("leave nothing behind: seed %i", { timeout: 60_000 }, (seed) => {
    const run = runChaos(seed, INSTRUCTIONS, SLICE);
    expect(run.problems).toEqual([]);
    expect(run.instructions).toBe(INSTRUCTIONS);
    expect(run.syscalls).toBeGreaterThan(2000);
    expect(run.tasks).toBeGreaterThan(1040);
  });

  it("are the same run for the same seed", { timeout: 60_000 }, () => {
    expect(runChaos(11, 100_000, 10_000)).toEqual(runChaos(11, 100_000, 33_333));
  });
});
