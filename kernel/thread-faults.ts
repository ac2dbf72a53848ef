/**
 * Page faults of one thread (current->min_flt). Address spaces count them; whose they are is told by who has the turn on
 * the processor.
 */
import type { Task } from "./task.js";

/** Its minor faults so far; right for whoever has the turn now and for whoever waits. */
export function minorFaultsOf(task: Task, hasTurn: boolean): number {
  return task.minorFaults + (hasTurn ? sinceTurn(task) : 0);
}

/** None are missed but those before an execve in the same turn. */
function sinceTurn(task: Task): number {
  return Math.max(0, task.mm.stats.minorFaults - task.faultsAtTurn);
}

export function turnEnds(task: Task): void {
  task.minorFaults += sinceTurn(task);
}

export function turnBegins(task: Task): void {
  task.faultsAtTurn = task.mm.stats.minorFaults;
}
