/** What executes decoded blocks. */

import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { interpreterModule } from "./interpreter-module.js";

/** Runs a set of records until it leaves: the interpreter, or the reference evaluator in its place. */
export interface Executor {
  run(record: number): number;
  /** Compiled regions by their number; without it nothing is compiled. */
  readonly regions?: WebAssembly.Table;
}
export interface ExecutorImports {
  slow(argument: number): number;
  callout(number: number, record: number): number;
}
export type ExecutorFactory = (memory: PhysicalMemory, imports: ExecutorImports) => Executor;

/** The usual one, in WebAssembly. */
export function interpreter(memory: PhysicalMemory, imports: ExecutorImports): Executor {
  const instance = new WebAssembly.Instance(interpreterModule(), {
    m: { memory: memory.memory, slow: imports.slow, callout: imports.callout },
  });
  return {
    run: instance.exports["run"] as (record: number) => number,
    regions: instance.exports["regions"] as WebAssembly.Table,
  };
}
