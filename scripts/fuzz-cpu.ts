/**
 * A campaign of random code in two tiers: bundle with esbuild and run with node, `[--flow] [COUNT [SEED]]`; 100,000
 * unless told. Random bytes, in the interpreter and in the reference evaluator; with --flow programs with branches and
 * loops, in the interpreter and compiled. Prints where the tiers part; the exit status is 1 if they do.
 */
import { RandomCode } from "../tests/cpu/random-code.js";
import { RandomFlow } from "../tests/cpu/random-flow.js";

const numbers = process.argv.slice(2).filter((argument) => argument !== "--flow");
const count = Number(numbers[0] ?? 100_000);
const seed = Number(numbers[1] ?? Date.now() % 2 ** 31);
const code = process.argv.includes("--flow") ? new RandomFlow(seed) : new RandomCode(seed);
let differences = 0;
for (let i = 0; i < count; i++) {
  const difference = code.next();
  if (difference === null) continue;
  differences++;
  console.log(difference);
}
console.log(`${count} programs, seed ${seed}: ${differences} end otherwise`);
process.exitCode = differences === 0 ? 0 : 1;
