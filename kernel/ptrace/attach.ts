/** Who traces whom: the beginning and the end of it (kernel/ptrace.c ptrace_attach, ptrace_detach, exit_ptrace). */

import { EPERM } from "../errno.js";
import { mayAccess } from "../ptrace-access.js";
import { SIGKILL, SIGSTOP } from "../signals/numbers.js";
import { kernelSignal, sendSignal } from "../signals/send.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { stopWithEvent } from "./stop.js";
import { PTRACE_O_EXITKILL, Tracing } from "./tracing.js";

/** PTRACE_TRACEME: the parent becomes the tracer; -EPERM with one already, or without a parent in the machine. */
export function traceMe(task: Task): number {
  const tracer = task.process.parentTask;
  if (task.tracing !== null || tracer === null) return -EPERM;
  begin(tracer, task, new Tracing(tracer, false, 0));
  return 0;
}

/** PTRACE_ATTACH (which sends SIGSTOP) and PTRACE_SEIZE (which does not): 0 or -EPERM. */
export function attach(kernel: Kernel, tracer: Task, task: Task, seize: boolean, options: number): number {
  if (task.process === tracer.process || task.tracing !== null || task.state === "dead") return -EPERM;
  if (!mayAccess(tracer, task, "real")) return -EPERM;
  const tracing = new Tracing(tracer, seize, options);
  begin(tracer, task, tracing);
  if (!seize) sendSignal(task, kernelSignal(SIGSTOP), false);
  const { process } = task;
  if (process.stopped === 0) return 0;
  // A task that is stopped already stops once more, for its tracer: one that waits for
  // nothing at once after PTRACE_ATTACH (JOBCTL_TRAPPING).
  if (!seize && task.waiting === null && task.unfinished.length === 0) {
    tracing.passedStop = process.stops;
    stopWithEvent(kernel, task, 0, process.stopped);
  } else task.wake();
  return 0;
}

export function begin(tracer: Task, task: Task, tracing: Tracing): void {
  task.tracing = tracing;
  tracer.tracees.add(task);
}

/** The task is nobody's any more, and goes on; stopped processes stay stopped. */
export function detach(task: Task): void {
  const { tracing } = task;
  if (tracing === null) return;
  tracing.tracer.tracees.delete(task);
  task.tracing = null;
  task.wake();
}

/** A new child of a traced task that asked for it: traced by the same tracer, and stopped before it runs. */
export function attachChild(parent: Task, child: Task): void {
  const { tracer, seized, options } = parent.tracing!;
  const tracing = new Tracing(tracer, seized, options);
  begin(tracer, child, tracing);
  if (seized) tracing.interrupted = true;
  else sendSignal(child, kernelSignal(SIGSTOP), false);
}

/**
 * A tracer ends: its tracees are let go, or killed where PTRACE_O_EXITKILL asked for that.
 * @returns those that had ended and were still to be told of
 */
export function releaseTracees(tracer: Task): Task[] {
  const ended: Task[] = [];
  for (const task of [...tracer.tracees]) {
    const { tracing } = task;
    detach(task);
    if (tracing?.has(PTRACE_O_EXITKILL) === true) sendSignal(task, kernelSignal(SIGKILL), true);
    if (task.state === "dead") ended.push(task);
  }
  return ended;
}
