/** FUTEX_CMP_REQUEUE_PI: from a condition variable's futex to the PI mutex behind it (kernel/futex/requeue.c). */

import { EAGAIN, EDEADLK, EINVAL } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { UserMemory } from "../mm/user-memory.js";
import { sameFutex, type FutexKey } from "./key.js";
import { tryLock, wouldDeadlock } from "./pi.js";
import type { FutexWaiter, PiState } from "./waiter.js";

/**
 * Locks the PI futex for the first waiter, or lets it wait there, and moves up to `move` more. What the caller has
 * compared already is not compared again.
 * @returns how many were woken and moved; -EINVAL: a waiter that does not want that PI futex; else as `tryLock` and
 *   -EDEADLK, after having done those before it
 */
export function requeuePi(
  kernel: Kernel,
  user: UserMemory,
  from: FutexKey,
  to: FutexKey,
  address: number,
  move: number,
): number {
  const { futexes } = kernel;
  const waiters = [...(futexes.find(from)?.waiters ?? [])];
  const first = waiters[0];
  if (first === undefined) return 0;
  if (!wants(first, to)) return -EINVAL;
  const attempt = tryLock(kernel, user, address, to, first.task, move > 0);
  if (typeof attempt === "number") return attempt;
  let done = 0;
  if (attempt.acquired) {
    first.requeueTo = null;
    futexes.wakeWaiter(first);
    waiters.shift();
    done++;
  }
  const { state } = attempt;
  let error = 0;
  for (const waiter of waiters) {
    if (state === null || done - 1 >= move) break;
    error = wants(waiter, to) ? queueFor(kernel, waiter, to, state) : -EINVAL;
    if (error !== 0) break;
    done++;
  }
  if (state !== null) futexes.release(state);
  return error === 0 ? done : error;
}

/** Only FUTEX_WAIT_REQUEUE_PI's waiters, and only to the futex that they named. */
function wants(waiter: FutexWaiter, to: FutexKey): boolean {
  return waiter.pi === null && waiter.requeueTo !== null && sameFutex(waiter.requeueTo, to);
}

function queueFor(kernel: Kernel, waiter: FutexWaiter, to: FutexKey, state: PiState): number {
  if (wouldDeadlock(waiter.task, state)) return -EDEADLK;
  waiter.requeueTo = null;
  kernel.futexes.move(waiter, to);
  waiter.pi = state;
  const { waiting } = waiter.task;
  // From here on a signal cannot make the call again: the first word has changed.
  if (waiting?.kind === "futex") waiting.interrupted = EAGAIN;
  return 0;
}
