/** How a task's wait for futexes ends. */

import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import type { FutexWait } from "../wait.js";
import { finishPi } from "./pi.js";

/**
 * Takes the task out of the queues it stands in; for a wait that was answered already nothing is left to do. To be
 * called whenever a record of kind "futex" is given up.
 */
export function leaveFutexWait(kernel: Kernel, task: Task, wait: FutexWait): void {
  for (const waiter of wait.waiters) {
    if (waiter.queue === null) continue;
    if (waiter.pi === null) kernel.futexes.remove(waiter);
    else finishPi(kernel, task.user, waiter);
  }
}
