/**
 * A debugger outside of the machine, as the kernel sees it: asked where a tracer inside would be told, so that
 * nothing of it is in the guest. Where an answer is true the run returns "stopped", and the task goes on from there.
 */

import type { SignalInfo } from "./signals/siginfo.js";
import type { Task } from "./task.js";

export type ForkKind = "fork" | "vfork" | "clone";

export interface KernelDebugger {
  /** May the task run at all, or is it held back? */
  mayRun(task: Task): boolean;
  /** Some task is held back: time does not pass for those that are not, when they all wait. */
  readonly holdsTasks: boolean;
  /** The processor went to this task. */
  switched(task: Task): void;
  /** Before the task runs code of its own; true: it has executed the one instruction that it was let go for. */
  stopsBefore(task: Task): boolean;
  /** It runs one instruction only. */
  steps(task: Task): boolean;
  /** The CPU stopped at a breakpoint, or behind an instruction that met a watchpoint. */
  stoppedAt(task: Task, reason: "breakpoint" | "watchpoint"): void;
  /** Before a signal takes effect; true: it waits until the debugger says what becomes of it (task.injected). */
  holdsSignal(task: Task, info: SignalInfo): boolean;
  /** A handler was entered; nothing of it has run. */
  enteredHandler(task: Task): void;
  /** Whether a system call's entry or exit is a stop. */
  stopsAtCall(task: Task, at: "entry" | "exit"): boolean;
  /** Before the child runs. */
  forked(parent: Task, child: Task, kind: ForkKind): void;
  /** A vfork's child has left the memory that it was lent. */
  vforkDone(task: Task): void;
}
