/** How a task goes to sleep over a wait record, and leaves it. */

import { leaveFutexWait } from "./futex/wait.js";
import type { Kernel } from "./kernel.js";
import type { Task } from "./task.js";

/** The call has left a record in `task.waiting`: its queues and its deadline wake the task. */
export function sleepOn(kernel: Kernel, task: Task): void {
  const wait = task.waiting!;
  if (task.registered !== wait) {
    sleepNoMore(kernel, task);
    task.registered = wait;
    for (const queue of wait.queues ?? []) queue.add(task);
    if (wait.kind === "file" && wait.host) kernel.hostWaiters.add(task);
    if (wait.deadline !== null && wait.deadline !== Infinity)
      task.deadline = kernel.timerQueue.add(wait.deadline, task);
  }
  // A signal that the call itself unblocked (ppoll, sigsuspend) ends the wait before it begins.
  if (task.signals.attention && wait.interrupted !== 0) return;
  task.sleptAt = task.instructions;
  kernel.scheduler.sleep(task, "asleep");
}

/** The wait has ended: nobody wakes the task for it any more. */
export function sleepNoMore(kernel: Kernel, task: Task): void {
  const { registered } = task;
  if (registered === null) return;
  task.registered = null;
  if (registered.kind === "open" && !registered.installed) registered.fifo.release();
  if (registered.kind === "futex") leaveFutexWait(kernel, task, registered);
  for (const queue of registered.queues ?? []) queue.remove(task);
  if (registered.kind === "file") for (const file of registered.files?.values() ?? []) file.release();
  kernel.hostWaiters.delete(task);
  if (task.deadline !== null) kernel.timerQueue.cancel(task.deadline);
  task.deadline = null;
}
