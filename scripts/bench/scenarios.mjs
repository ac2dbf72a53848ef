// What `sealab check` takes for the whole library of scenarios, and for ten steps of one.
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { cli } from "./machines.mjs";

const LIBRARY = fileURLToPath(new URL("../../userland/scenarios", import.meta.url));
const ROUNDS = 5;

/** Prints a line: the best of several runs. */
export function scenarios() {
  let best = Infinity;
  let said = "";
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const { stdout, status } = spawnSync(process.execPath, [cli, "check", LIBRARY], { encoding: "utf8" });
    if (status !== 0) throw new Error(`scenarios: ${stdout}`);
    best = Math.min(best, performance.now() - began);
    said = stdout.trimEnd().split("\n").at(-1);
  }
  const [, files, steps] = /^(\d+) scenarios.*; (\d+) answers/.exec(said);
  const each = (best / Number(steps)) * 10;
  console.log(
    `\nsealab check: ${files} scenarios, ${steps} steps, in ${(best / 1000).toFixed(2)} s; ten steps in ${each.toFixed(1)} ms, start-up included`,
  );
}
