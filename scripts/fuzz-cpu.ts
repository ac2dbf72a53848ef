/**
 * A campaign of random bytes as code, in the interpreter and in the reference evaluator: bundle with esbuild and run
 * with node, `[COUNT [SEED]]`; 100,000 unless told. Prints where the tiers part; the exit status is 1 if they do.
 */
import { RandomCode } from "../tests/cpu/random-code.js";

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const code = new RandomCode(seed);
let differences = 0;
for (let i = 0; i < count; i++) {
  const difference = code.next();
  if (difference === null) continue;
  differences++;
  console.log(difference);
}
console.log(`${count} programs, seed ${seed}: ${differences} end otherwise`);
process.exitCode = differences === 0 ? 0 : 1;
