/** What a task gives up of its futexes when it leaves its memory (kernel/fork.c exit_mm_release, exec_mm_release). */

import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { findFutexKey } from "./key.js";
import { passOnPiStates } from "./pi.js";
import { exitRobustList } from "./robust-list.js";
import { FUTEX_BITSET_MATCH_ANY } from "./uapi.js";

/**
 * At exit and exec, while the task still has its old memory: robust locks, PI locks, the word of set_tid_address(2).
 * User memory is touched as the task may touch it: its address space has to be the active one, PKRU its own.
 */
export function leaveFutexes(kernel: Kernel, task: Task): void {
  exitRobustList(kernel, task);
  passOnPiStates(kernel, task);
  clearChildTid(kernel, task);
}

/** Clears the word of set_tid_address(2) and wakes one who waits for it, if others still use the memory. */
export function clearChildTid(kernel: Kernel, task: Task): void {
  const address = task.clearChildTid;
  task.clearChildTid = 0;
  if (address === 0 || task.mm.users < 2) return;
  task.user.writeU32(address, 0);
  const key = findFutexKey(task.user, address, address >>> 0, { shared: true, numa: false }, false);
  if (typeof key !== "number") kernel.futexes.wake(key, 1, FUTEX_BITSET_MATCH_ANY);
}
