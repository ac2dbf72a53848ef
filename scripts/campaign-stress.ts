/** Runs the chaos of tests/kernel/threads/ for a range of seeds: campaign-stress FIRST LAST [INSTRUCTIONS]. */
import { runChaos } from "../tests/kernel/threads/chaos-run.js";

const [first = 0, last = 99, instructions = 1_000_000] = process.argv.slice(2).map(Number);
const SLICE = 50_000;
let bad = 0;
for (let seed = first; seed <= last; seed++) {
  try {
    const { problems } = runChaos(seed, instructions, SLICE);
    if (problems.length > 0) bad++;
    for (const problem of problems.slice(0, 8)) console.log(problem);
  } catch (error) {
    bad++;
    console.log(`seed ${seed}:`, error);
  }
}
console.log(`${last - first + 1} seeds of ${instructions} instructions, ${bad} with problems`);
process.exitCode = bad > 0 ? 1 : 0;
