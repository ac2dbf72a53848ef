import type { Machine } from "../../../debug/machine.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";

/** Address spaces with more areas than this are checked after every 500th call only. */
const MANY_AREAS = 100;
const INTERVAL = 500;

/**
 * Holds areas, page tables, frames and counters of a machine against each other after every system call.
 * @returns what contradicts, filled while the machine runs: the first call that found something, and what
 */
export function checkEachCall(machine: Machine): string[] {
  const problems: string[] = [];
  let calls = 0;
  machine.on("syscallExit", ({ name }) => {
    if (problems.length > 0) return;
    if (machine.task.mm.tree.count > MANY_AREAS && ++calls % INTERVAL !== 0) return;
    const wrong = checkMachine(machine.kernel, [machine.kernel.init.leader.mm]);
    if (wrong.length > 0) problems.push(`after ${name}:`, ...wrong);
  });
  return problems;
}
