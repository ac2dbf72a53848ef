/**
 * Robust futexes: the list of locks that a thread has, in its own memory, and what the kernel does with it when the
 * thread ends (kernel/futex/core.c exit_robust_list, handle_futex_death).
 */

import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { findFutexKey } from "./key.js";
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_OWNER_DIED,
  FUTEX_TID_MASK,
  FUTEX_WAITERS,
  ROBUST_LIST_LIMIT,
} from "./uapi.js";

const HEAD_OFFSET = 8;
const HEAD_PENDING = 16;

interface Entry {
  readonly address: bigint;
  /** Bit 0 of the pointer: a PI futex. */
  readonly pi: boolean;
}

/**
 * Walks the list with at most ROBUST_LIST_LIMIT entries, and the operation that was going on: marks what the task
 * still has with FUTEX_OWNER_DIED and wakes one waiter each. Memory that cannot be read ends it.
 */
export function exitRobustList(kernel: Kernel, task: Task): void {
  const head = task.robustList;
  task.robustList = 0n;
  if (head === 0n) return;
  let entry = fetchEntry(task, head);
  const offset = task.user.readI64(head + BigInt(HEAD_OFFSET));
  const pending = fetchEntry(task, head + BigInt(HEAD_PENDING));
  if (entry === null || offset === null || pending === null) return;
  for (let left = ROBUST_LIST_LIMIT; entry.address !== head && left > 0; left--) {
    // The futex may be gone once its lock was given up: what comes after it is looked at before.
    const next = fetchEntry(task, entry.address);
    if (entry.address !== pending.address && !giveUp(kernel, task, entry, offset, false)) return;
    if (next === null) return;
    entry = next;
  }
  if (pending.address !== 0n) giveUp(kernel, task, pending, offset, true);
}

function fetchEntry(task: Task, at: bigint): Entry | null {
  const pointer = task.user.readU64(at);
  return pointer === null ? null : { address: pointer & ~1n, pi: (pointer & 1n) !== 0n };
}

/** One lock of a task that ends; false where its word cannot be reached. */
function giveUp(kernel: Kernel, task: Task, entry: Entry, offset: bigint, pending: boolean): boolean {
  const address = Number(BigInt.asUintN(64, entry.address + offset));
  if (address % 4 !== 0) return false;
  const value = task.user.readU32(address);
  if (value === null) return false;
  const tid = value & FUTEX_TID_MASK;
  // It was unlocked already, but perhaps without its waiter being woken.
  if (pending && !entry.pi && tid === 0) {
    wakeOne(kernel, task, address);
    return true;
  }
  if (tid !== task.tid) return true;
  if (!task.user.writeU32(address, ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0)) return false;
  // A PI futex's waiters are passed to with its state.
  if (!entry.pi && (value & FUTEX_WAITERS) !== 0) wakeOne(kernel, task, address);
  return true;
}

function wakeOne(kernel: Kernel, task: Task, address: number): void {
  const key = findFutexKey(task.user, address, address >>> 0, { shared: true, numa: false }, false);
  if (typeof key !== "number") kernel.futexes.wake(key, 1, FUTEX_BITSET_MATCH_ANY);
}
