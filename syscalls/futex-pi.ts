/** The PI operations of futex(2) that lock, unlock and wait (kernel/futex/pi.c, requeue.c). */

import { EAGAIN, EFAULT, EINVAL, ETIMEDOUT } from "../kernel/errno.js";
import { sameFutex, type FutexFlags } from "../kernel/futex/key.js";
import { finishPi, lockPi, unlockPi } from "../kernel/futex/pi.js";
import { FUTEX_BITSET_MATCH_ANY } from "../kernel/futex/uapi.js";
import { newWaiter } from "../kernel/futex/waiter.js";
import { ERESTARTNOINTR } from "../kernel/restart.js";
import type { FutexWait } from "../kernel/wait.js";
import type { SyscallCall } from "./call.js";
import { futexKey, goOnWaiting, resumedFutex, sleepForFutex, type Until } from "./futex-wait.js";
import type { HandlerResult } from "./table.js";

/** A time that has passed already is -ETIMEDOUT only once it is known that there is something to wait for. */
const isOver = (call: SyscallCall, { deadline }: Until): boolean =>
  deadline !== null && call.kernel.clock.monotonic() >= deadline;

/** FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI; errors: the key's, `lockPi`'s, -ETIMEDOUT. */
export function lockPiFutex(
  call: SyscallCall,
  flags: FutexFlags,
  until: Until,
  tryOnly: boolean,
): HandlerResult {
  const { kernel, task, user } = call;
  const resumed = resumedFutex(call);
  if (resumed !== null) return goOnLocking(call, resumed);
  const key = futexKey(call, call.u64(0), flags, true);
  if (typeof key === "number") return key;
  const locked = lockPi(kernel, task, user, call.n(0), key, tryOnly);
  if (typeof locked === "number") return locked;
  if (isOver(call, until)) {
    finishPi(kernel, user, locked);
    return -ETIMEDOUT;
  }
  return sleepForFutex(call, [locked], call.n(0), until, ERESTARTNOINTR);
}

/** Goes on with a wait for a PI futex: 0 with the lock, -ETIMEDOUT, or it waits on. */
function goOnLocking(call: SyscallCall, wait: FutexWait): HandlerResult {
  const waiter = wait.waiters[0]!;
  if (waiter.acquired) return finishPi(call.kernel, call.user, waiter);
  return goOnWaiting(call, wait) ?? 0;
}

export function unlockPiFutex(call: SyscallCall, flags: FutexFlags): HandlerResult {
  const { kernel, task, user } = call;
  return unlockPi(kernel, task, user, call.n(0), () => futexKey(call, call.u64(0), flags, true));
}

/**
 * FUTEX_WAIT_REQUEUE_PI: waits on the first futex until it is requeued to the second, a PI futex, and has that. A
 * signal makes the call again before it is requeued; after that it is -EAGAIN.
 */
export function waitRequeuePi(call: SyscallCall, flags: FutexFlags, until: Until): HandlerResult {
  const { kernel, task, user } = call;
  const resumed = resumedFutex(call);
  if (resumed !== null) return goOnLocking(call, resumed);
  if (call.u64(0) === call.u64(4)) return -EINVAL;
  const target = futexKey(call, call.u64(4), flags, true);
  if (typeof target === "number") return target;
  const key = futexKey(call, call.u64(0), flags, false);
  if (typeof key === "number") return key;
  const value = user.readU32(call.word(0));
  if (value === null) return -EFAULT;
  if (value !== call.u32(2)) return -EAGAIN;
  if (sameFutex(key, target)) return -EINVAL;
  if (isOver(call, until)) return -ETIMEDOUT;
  const waiter = newWaiter(task, FUTEX_BITSET_MATCH_ANY, { address: call.n(4), requeueTo: target });
  kernel.futexes.add(waiter, key);
  return sleepForFutex(call, [waiter], call.n(0), until, ERESTARTNOINTR);
}
