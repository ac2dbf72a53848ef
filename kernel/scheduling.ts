/** A task's scheduling attributes (sched(7)). They are kept and reported; turns do not depend on them. */

import type { Task } from "./task.js";

export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;

export const MIN_NICE = -20;
export const MAX_NICE = 19;

/** Nanoseconds of a slice of an ordinary task with one processor (sysctl_sched_base_slice). */
const BASE_SLICE = 700_000;

/** SCHED_FIFO or SCHED_RR. */
export function isRealtime(policy: number): boolean {
  return policy === SCHED_FIFO || policy === SCHED_RR;
}

/** SCHED_OTHER or SCHED_BATCH: where the nice value counts. */
export function isFair(policy: number): boolean {
  return policy === SCHED_OTHER || policy === SCHED_BATCH;
}

/** Nanoseconds of the task's slice, which only tasks without real-time policy have. */
export function sliceOf(task: Task): number {
  return task.customSlice === 0 ? BASE_SLICE : task.customSlice;
}

/** What a new task takes over (sched_fork): all, or with SCHED_RESET_ON_FORK no more than an ordinary task has. */
export function inheritScheduling(parent: Task, child: Task): void {
  const { policy, nice, realtimePriority, resetOnFork, customSlice, ioPriority } = parent;
  Object.assign(child, { policy, nice, realtimePriority, customSlice, ioPriority });
  if (!resetOnFork) return;
  if (isRealtime(policy)) Object.assign(child, { policy: SCHED_OTHER, nice: 0, realtimePriority: 0 });
  else child.nice = Math.max(0, nice);
  child.customSlice = 0;
}
