/** A thread that waits for somebody to answer its page fault through a userfaultfd. */

import type { Kernel } from "./kernel.js";
import type { FaultForUser } from "./mm/fault-outcome.js";
import type { UserfaultContext, UserfaultEvent, UserfaultWait } from "./mm/userfault/context.js";
import { isKilled } from "./signals/send.js";
import type { Task } from "./task.js";
import type { InKernel } from "./userfault-copies.js";

export interface UserfaultSleep {
  readonly context: UserfaultContext;
  readonly wait: UserfaultWait | UserfaultEvent;
  /** Null: at an instruction of the program. */
  readonly inKernel: InKernel | null;
}

/** Puts the running task to sleep at the instruction that faulted. */
export function waitForUserfault(kernel: Kernel, task: Task, fault: FaultForUser): void {
  const { context, address, flags } = fault;
  task.userfault = { context, wait: context.sleep(task, task.tid, address, flags), inKernel: null };
  kernel.scheduler.sleep(task, "asleep");
}

/** A sleeper was woken. @returns true where it sleeps on; false where it tries again, or sees to its signals first */
export function sleepsOnUserfault(kernel: Kernel, task: Task, { context, wait }: UserfaultSleep): boolean {
  const goesOn =
    wait.woken || context.released || task.signals.attention || task.interruptedBy !== 0 || isKilled(task);
  if (goesOn) leaveUserfault(task);
  else kernel.scheduler.sleep(task, "asleep");
  return !goesOn;
}

/** The task waits for no answer any more, and will not do what it had put off. */
export function abandonUserfault(kernel: Kernel, task: Task): void {
  const inKernel = task.userfault?.inKernel;
  if (inKernel?.kind === "late") kernel.userfaults?.abandon(inKernel);
  leaveUserfault(task);
}

/** The task waits for no answer any more. */
export function leaveUserfault(task: Task): void {
  task.userfault?.context.leave(task.userfault.wait);
  task.userfault = null;
}

/** It sleeps until somebody has read of what it did, which only a fatal signal ends. */
export function waitsForEvent(sleep: UserfaultSleep | null): boolean {
  return sleep !== null && "event" in sleep.wait;
}
