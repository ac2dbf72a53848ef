/**
 * A debugger outside of the machine, as the kernel sees it: asked where a tracer inside would be told, so that
 * nothing of it is in the guest. Where an answer is true the run returns "stopped", and the task goes on from there.
 */

import type { ExitReason } from "./processor.js";
import type { SignalInfo } from "./signals/siginfo.js";
import type { Task } from "./task.js";

export type CpuStop = Exclude<ExitReason, "budget" | "syscall" | "interrupt" | "exception">;

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
  /** How many instructions it may run before `stopsBefore` is asked again: at least 1, Infinity. */
  allowance(task: Task): number;
  /**
   * The CPU stopped at a breakpoint, behind an instruction that met a watchpoint, or behind one that wrote PKRU. False:
   * it goes on (from a breakpoint only if the CPU is told to pass it).
   */
  stoppedAt(task: Task, reason: CpuStop): boolean;
  /** Before a signal takes effect; true: it stops, with the signal as task.injected, which a debugger may change. */
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
