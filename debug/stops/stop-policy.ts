import type { CpuStop, ForkKind } from "../../kernel/debugger.js";
import type { FaultRaised } from "../../kernel/events.js";
import type { AreaChange } from "../../kernel/mm/environment.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";
import type { Process, Task } from "../../kernel/task.js";

/** What a debugger's user wants to stop at. Each question's answer is whether the run stops there. */
export interface StopPolicy {
  /** Puts what is wanted into the CPU, or (armed false) takes it out, to pass over everything. */
  arm(armed: boolean): void;
  /** The processor went to this task. */
  switched(task: Task): void;
  /** It is about to run code of its own. */
  stopsBefore(task: Task): boolean;
  allowance(task: Task): number;
  stoppedAt(task: Task, reason: CpuStop): boolean;
  stopsAtSignal(task: Task, info: SignalInfo): boolean;
  enteredHandler(task: Task): void;
  stopsAtCall(task: Task, at: "entry" | "exit"): boolean;
  stopsAtFault(fault: FaultRaised): boolean;
  stopsAtRefusal(refusal: Refusal): boolean;
  stopsAtArea(change: AreaChange): boolean;
  forked(parent: Task, child: Task, kind: ForkKind): boolean;
  vforkDone(task: Task): boolean;
  executed(task: Task, path: string): boolean;
  /** A process has ended. */
  ended(process: Process): boolean;
  /** A thread has ended. */
  exited(task: Task): void;
}
