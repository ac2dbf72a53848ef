/** Waiting for futexes: what FUTEX_WAIT, futex_wait(2) and futex_waitv(2) have in common (kernel/futex/waitwake.c). */

import { EAGAIN, EFAULT, EINVAL, ETIMEDOUT } from "../kernel/errno.js";
import { findFutexKey, type FutexFlags, type FutexKey } from "../kernel/futex/key.js";
import { newWaiter, type FutexWaiter } from "../kernel/futex/waiter.js";
import { leaveFutexWait } from "../kernel/futex/wait.js";
import { wordOf, type Word } from "../kernel/mm/word.js";
import type { Kernel } from "../kernel/kernel.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { FutexWait } from "../kernel/wait.js";
import type { SyscallCall } from "./call.js";
import { readTimespecExact } from "./structs.js";
import type { HandlerResult } from "./table.js";

/** When a wait ends by itself. */
export interface Until {
  /** Monotonic nanoseconds; null: never. */
  readonly deadline: number | null;
  /** The same on CLOCK_REALTIME where the wait follows that clock. */
  readonly realtime: bigint | null;
}

export const FOR_EVER: Until = { deadline: null, realtime: null };

/** Which clock a struct timespec is of, or how long from now it is. */
export type TimeBase = "relative" | "monotonic" | "realtime";

/** The time at a pointer, which may be null; -EFAULT, -EINVAL. */
export function readUntil(call: SyscallCall, pointer: Word, base: TimeBase): Until | number {
  if (pointer === 0) return FOR_EVER;
  const given = readTimespecExact(call.user, pointer);
  if (typeof given === "number") return given;
  const { clock } = call.kernel;
  if (base === "realtime") return { deadline: Number(given - clock.realtimeOrigin), realtime: given };
  return { deadline: Number(given) + (base === "relative" ? clock.monotonic() : 0), realtime: null };
}

/** The key of the word that a 64-bit address names; -EINVAL, -EFAULT. */
export function futexKey(
  call: SyscallCall,
  address: bigint,
  flags: FutexFlags,
  writes: boolean,
): FutexKey | number {
  const word = wordOf(address);
  if (typeof word === "number") return findFutexKey(call.user, word, word >>> 0, flags, writes);
  return findFutexKey(call.user, Infinity, Number(BigInt.asUintN(32, address)), flags, writes);
}

/** Puts the caller to sleep over its places in queues. */
export function sleepForFutex(
  call: SyscallCall,
  waiters: readonly FutexWaiter[],
  address: number,
  until: Until,
  interrupted: number,
): typeof BLOCKED {
  const { deadline, realtime } = until;
  const wait: FutexWait = {
    kind: "futex",
    address,
    waiters,
    woken: false,
    deadline,
    realtime,
    timedOut: false,
    interrupted,
    // Whoever sets the clock moves the deadline.
    queues: realtime === null ? [] : [call.kernel.clock.wasSet],
  };
  call.task.waiting = wait;
  return BLOCKED;
}

/** The record of a wait for futexes that this execution goes on with; null at the first execution. */
export function resumedFutex(call: SyscallCall): FutexWait | null {
  return call.resumed?.kind === "futex" ? call.resumed : null;
}

/**
 * An execution after the first: null if the task was woken, -ETIMEDOUT after its deadline (both out of all queues),
 * else it sleeps on.
 */
export function goOnWaiting(call: SyscallCall, wait: FutexWait): number | typeof BLOCKED | null {
  if (!wait.woken && wait.realtime !== null) followClock(call, wait, wait.realtime);
  if (!wait.woken && !isLate(call.kernel, wait)) {
    call.task.waiting = wait;
    return BLOCKED;
  }
  leaveFutexWait(call.kernel, call.task, wait);
  return wait.woken ? null : -ETIMEDOUT;
}

/** CLOCK_REALTIME may have been set: the wait ends when it shows the time asked for. */
function followClock({ kernel, task }: SyscallCall, wait: FutexWait, realtime: bigint): void {
  const deadline = Number(realtime - kernel.clock.realtimeOrigin);
  if (deadline === wait.deadline) return;
  wait.deadline = deadline;
  if (task.deadline !== null) kernel.timerQueue.cancel(task.deadline);
  task.deadline = kernel.timerQueue.add(deadline, task);
}

const isLate = (kernel: Kernel, { deadline }: Until): boolean =>
  deadline !== null && kernel.clock.monotonic() >= deadline;

export interface WaitRequest extends Until {
  readonly address: bigint;
  readonly flags: FutexFlags;
  readonly value: number;
  readonly bitset: number;
  /** With a time, a wait that a signal interrupts goes on through restart_syscall(2). */
  readonly restarts: boolean;
}

/**
 * Waits while the word has a value. In this order: -EINVAL for an empty bitset; the key's errors; -EFAULT; -EAGAIN for
 * another value; -ETIMEDOUT.
 */
export function waitForFutex(call: SyscallCall, request: WaitRequest): HandlerResult {
  const { task, kernel } = call;
  const resumed = resumedFutex(call);
  if (resumed !== null) {
    const result = goOnWaiting(call, resumed) ?? 0;
    if (result !== BLOCKED) task.restart = null;
    return result;
  }
  const { address, flags, value, bitset, deadline, realtime } = request;
  if (bitset === 0) return -EINVAL;
  const key = futexKey(call, address, flags, false);
  if (typeof key === "number") return key;
  const present = call.user.readU32(wordOf(address));
  if (present === null) return -EFAULT;
  if (present !== value) return -EAGAIN;
  if (isLate(kernel, request)) return -ETIMEDOUT;
  const waiter = newWaiter(task, bitset);
  kernel.futexes.add(waiter, key);
  const restarts = request.restarts && deadline !== null;
  if (restarts)
    task.restart = { kind: "futex", address, shared: flags.shared, value, bitset, deadline, realtime };
  return sleepForFutex(
    call,
    [waiter],
    Number(address),
    request,
    restarts ? ERESTART_RESTARTBLOCK : ERESTARTSYS,
  );
}

/** restart_syscall(2) of a wait with a time: the word is looked at anew (futex_wait_restart). */
export function restartFutex(call: SyscallCall): HandlerResult {
  const block = call.task.restart;
  if (block?.kind !== "futex") return -EINVAL;
  return waitForFutex(call, { ...block, flags: { shared: block.shared, numa: false }, restarts: true });
}
