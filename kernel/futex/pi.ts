/**
 * PI futexes: a word that holds the owner's TID, and a kernel that passes it on (kernel/futex/pi.c). Unlocking gives
 * the lock to the first waiter at once.
 */

import { EAGAIN, EDEADLK, EFAULT, EINVAL, EPERM, ESRCH } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { UserMemory } from "../mm/user-memory.js";
import type { Task } from "../task.js";
import type { FutexKey } from "./key.js";
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from "./uapi.js";
import { newWaiter, type FutexWaiter, type PiState } from "./waiter.js";

/** Owners that wait for owners: more than this many count as a ring (max_lock_depth). */
const MAX_CHAIN = 1024;

/** How an attempt to lock ended. `state`: what waiters are to hang on; null when there is none. */
export interface LockAttempt {
  readonly acquired: boolean;
  readonly state: PiState | null;
}

/**
 * Takes a free PI futex for a task by writing its TID, or finds out who has it and sets FUTEX_WAITERS
 * (futex_lock_pi_atomic).
 * @param forWaiters others are to be queued behind the task: FUTEX_WAITERS is set and a state made in any case
 * @returns -EFAULT; -EDEADLK: the word names the task itself; -EINVAL: word and kernel contradict each other, or
 *   somebody waits there without PI; -ESRCH: the word names nobody
 */
export function tryLock(
  kernel: Kernel,
  user: UserMemory,
  address: number,
  key: FutexKey,
  task: Task,
  forWaiters: boolean,
): LockAttempt | number {
  const { futexes } = kernel;
  const word = user.withoutWaiting();
  const value = word.readU32(address);
  if (value === null) return -EFAULT;
  const tid = value & FUTEX_TID_MASK;
  if (tid === task.tid) return -EDEADLK;
  const first = futexes.find(key)?.waiters[0];
  if (first !== undefined) {
    const state = first.pi;
    return state !== null && agrees(state, value) ? { acquired: false, state } : -EINVAL;
  }
  if (tid === 0) {
    const taken = (value & FUTEX_OWNER_DIED) | task.tid | (forWaiters ? FUTEX_WAITERS : 0);
    if (!word.writeU32(address, taken >>> 0)) return -EFAULT;
    return { acquired: true, state: forWaiters ? futexes.newState(key, task) : null };
  }
  if (!word.writeU32(address, (value | FUTEX_WAITERS) >>> 0)) return -EFAULT;
  const owner = kernel.tasks.get(tid);
  if (owner === undefined || owner.state === "dead") return -ESRCH;
  return { acquired: false, state: futexes.newState(key, owner) };
}

/** Whether the word may stand as it is beside what the kernel knows (attach_to_pi_state's table of cases). */
function agrees(state: PiState, value: number): boolean {
  const tid = value & FUTEX_TID_MASK;
  if ((value & FUTEX_OWNER_DIED) !== 0) {
    if (state.owner === null) return tid === 0;
    if (tid === 0) return true;
  } else if (state.owner === null) return false;
  return tid === state.owner.tid;
}

/** Whether a task that began to wait for the state would wait for itself. */
export function wouldDeadlock(task: Task, state: PiState): boolean {
  let holder = state.holder;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    if (holder === task) return true;
    const wait = holder.waiting;
    const waiter = wait?.kind === "futex" ? wait.waiters[0] : undefined;
    if (waiter === undefined || waiter.pi === null || waiter.acquired) return false;
    holder = waiter.pi.holder;
  }
  return true;
}

/**
 * FUTEX_LOCK_PI and FUTEX_TRYLOCK_PI. Errors as `tryLock`; -EAGAIN: somebody has it and `tryOnly` is set; -EDEADLK
 * also where the owner waits, through others perhaps, for a lock of the caller.
 * @returns 0, an error, or the caller's place in the queue
 */
export function lockPi(
  kernel: Kernel,
  task: Task,
  user: UserMemory,
  address: number,
  key: FutexKey,
  tryOnly: boolean,
): FutexWaiter | number {
  const attempt = tryLock(kernel, user, address, key, task, false);
  if (typeof attempt === "number") return attempt;
  if (attempt.acquired) return 0;
  const state = attempt.state!;
  if (tryOnly || wouldDeadlock(task, state)) {
    kernel.futexes.release(state);
    return tryOnly ? -EAGAIN : -EDEADLK;
  }
  const waiter = newWaiter(task, 0, { address, requeueTo: null });
  kernel.futexes.add(waiter, key);
  waiter.pi = state;
  return waiter;
}

/**
 * FUTEX_UNLOCK_PI. -EPERM: the word does not name the caller; -EINVAL: somebody waits without PI, or for another
 * owner. `findKey` is asked after the first of these, as in Linux.
 */
export function unlockPi(
  kernel: Kernel,
  task: Task,
  user: UserMemory,
  address: number,
  findKey: () => FutexKey | number,
): number {
  const { futexes } = kernel;
  const value = user.readU32(address);
  if (value === null) return -EFAULT;
  if ((value & FUTEX_TID_MASK) !== task.tid) return -EPERM;
  const key = findKey();
  if (typeof key === "number") return key;
  const queue = futexes.find(key);
  const word = user.withoutWaiting();
  if (queue === undefined) return word.writeU32(address, 0) ? 0 : -EFAULT;
  const state = queue.waiters[0].pi;
  if (state === null || state.owner !== task) return -EINVAL;
  const heir = queue.waiters.find((waiter) => waiter.pi === state && !waiter.acquired);
  if (heir === undefined) return word.writeU32(address, 0) ? 0 : -EFAULT;
  if (!word.writeU32(address, (FUTEX_WAITERS | heir.task.tid) >>> 0)) return -EFAULT;
  futexes.setOwner(state, heir.task);
  give(kernel, state, heir);
  return 0;
}

/** The waiter has the lock from now on; it stays in the queue until its task has run. */
function give(kernel: Kernel, state: PiState, heir: FutexWaiter): void {
  state.holder = heir.task;
  heir.acquired = true;
  kernel.futexes.rouse(heir.task);
}

/**
 * The end of a wait for a PI futex, in the waiting task: leaves the queue and, where the last owner ended without
 * unlocking, puts the task's TID into the word (fixup_pi_owner).
 * @returns 0 with the lock, -EFAULT where the word cannot be written any more
 */
export function finishPi(kernel: Kernel, user: UserMemory, waiter: FutexWaiter): number {
  const state = waiter.pi!;
  let result = 0;
  if (waiter.acquired && state.owner !== waiter.task) {
    const died = state.owner === null ? FUTEX_OWNER_DIED : 0;
    const word = user.withoutWaiting();
    const value = word.readU32(waiter.piAddress);
    const taken = ((value ?? 0) & FUTEX_OWNER_DIED) | died | FUTEX_WAITERS | waiter.task.tid;
    if (value === null || !word.writeU32(waiter.piAddress, taken >>> 0)) result = -EFAULT;
    kernel.futexes.setOwner(state, waiter.task);
  }
  kernel.futexes.remove(waiter);
  return result;
}

/** A task ends: what it has goes to the first who waits for it (exit_pi_state_list). */
export function passOnPiStates(kernel: Kernel, task: Task): void {
  const { futexes } = kernel;
  for (const state of futexes.statesOf(task)) {
    futexes.setOwner(state, null);
    const heir = futexes.find(state.key)?.waiters.find((waiter) => waiter.pi === state && !waiter.acquired);
    if (heir !== undefined) give(kernel, state, heir);
  }
}
