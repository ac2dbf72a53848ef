/** How many tasks a user and the machine may have (RLIMIT_NPROC, --max-tasks). */

import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "./capabilities.js";
import { hasCapability } from "./credentials.js";
import { EAGAIN } from "./errno.js";
import type { Kernel } from "./kernel.js";
import { RLIMIT_NPROC } from "./limits.js";
import type { Task } from "./task.js";

/** Tasks of a real user id: threads, and processes that have ended but were not waited for. */
function tasksOfUser(kernel: Kernel, uid: number): number {
  let count = 0;
  for (const task of kernel.tasks.values()) if (task.credentials.uid === uid) count++;
  return count;
}

/** May the task have one more child or thread? 0 or -EAGAIN (copy_process). */
export function mayFork(kernel: Kernel, task: Task): number {
  const { credentials } = task;
  const exempt =
    credentials.uid === 0 ||
    hasCapability(credentials, CAP_SYS_RESOURCE) ||
    hasCapability(credentials, CAP_SYS_ADMIN);
  if (!exempt) {
    const limit = task.limits.soft(RLIMIT_NPROC);
    if (limit !== Infinity && tasksOfUser(kernel, credentials.uid) + 1 > limit) return -EAGAIN;
  }
  task.processLimitExceeded = false;
  return kernel.tasks.size >= kernel.maxTasks ? -EAGAIN : 0;
}

/**
 * A task has become another user, whose limit its number may exceed: that is no error, but the next execve is one
 * (flag_nproc_exceeded).
 */
export function noteProcessLimit(kernel: Kernel, task: Task): void {
  const { uid } = task.credentials;
  task.processLimitExceeded = uid !== 0 && isOverLimit(kernel, task);
}

/** 0, or -EAGAIN for a task that became a user with too many (do_execveat_common). Clears the mark. */
export function mayExecute(kernel: Kernel, task: Task): number {
  if (task.processLimitExceeded && isOverLimit(kernel, task)) return -EAGAIN;
  task.processLimitExceeded = false;
  return 0;
}

function isOverLimit(kernel: Kernel, task: Task): boolean {
  return tasksOfUser(kernel, task.credentials.uid) > task.limits.soft(RLIMIT_NPROC);
}
