import type { Machine } from "../debug/machine.js";
import type { Logger } from "./logger.js";
import type { RunOptions } from "./run-options.js";

/** Starts what the options want to see of a run: the log, --trace, --explain. The function given ends it. */
export async function startObserving(
  machine: Machine,
  options: RunOptions,
  log: Logger | null,
): Promise<() => void> {
  if (log !== null) (await import("./logger.js")).logMachine(log, machine);
  if (options.trace === null && !options.explain) return () => {};
  return (await import("./observers.js")).observe(machine, options);
}
