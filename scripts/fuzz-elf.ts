/**
 * A campaign of broken programs: node scripts/fuzz-elf.ts bundled by esbuild, `[COUNT [SEED]]`; 100,000 unless told.
 * Prints how they ended, and the heap before and after.
 */

import fc from "fast-check";
import { brokenProgram, ElfFuzzer } from "../tests/kernel/exec/elf-fuzzer.js";

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const fuzzer = new ElfFuzzer();
const started = Date.now();
const before = process.memoryUsage().heapUsed;
fc.assert(
  fc.property(brokenProgram, (program) => void fuzzer.run(program.bytes)),
  { numRuns: count, seed, endOnFailure: true },
);
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
console.log(`${count} programs, seed ${seed}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
for (const [outcome, times] of fuzzer.outcomes) console.log(`${String(times).padStart(8)} ${outcome}`);
globalThis.gc?.();
console.log(`heap ${megabytes(before)} before, ${megabytes(process.memoryUsage().heapUsed)} after`);
