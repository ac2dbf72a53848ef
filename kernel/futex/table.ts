/** The futexes that somebody waits on. What an operation costs depends on its futex's waiters alone. */

import { EINVAL } from "../errno.js";
import type { Task } from "../task.js";
import { sameFutex, type FutexKey } from "./key.js";
import type { FutexQueue, FutexWaiter, PiState } from "./waiter.js";

export class FutexTable {
  private readonly queues = new Map<FutexKey["owner"], Map<number, FutexQueue>>();
  private readonly owned = new Map<Task, Set<PiState>>();

  find(key: FutexKey): FutexQueue | undefined {
    return this.queues.get(key.owner)?.get(key.offset);
  }

  /** Futexes with waiters. */
  get size(): number {
    let count = 0;
    for (const queues of this.queues.values()) count += queues.size;
    return count;
  }

  add(waiter: FutexWaiter, key: FutexKey): void {
    let queues = this.queues.get(key.owner);
    if (queues === undefined) this.queues.set(key.owner, (queues = new Map()));
    let queue = queues.get(key.offset);
    if (queue === undefined) queues.set(key.offset, (queue = { key, waiters: [] }));
    const { waiters } = queue;
    let at = waiters.length;
    while (at > 0 && waiters[at - 1].priority > waiter.priority) at--;
    waiters.splice(at, 0, waiter);
    waiter.queue = queue;
  }

  /** Takes a waiter out of its queue, if it stands in one; a PI state that nobody else needs ends. */
  remove(waiter: FutexWaiter): void {
    const { queue, pi } = waiter;
    if (queue === null) return;
    waiter.queue = null;
    queue.waiters.splice(queue.waiters.indexOf(waiter), 1);
    if (pi !== null) this.release(pi);
    if (queue.waiters.length > 0) return;
    const { owner, offset } = queue.key;
    const queues = this.queues.get(owner)!;
    queues.delete(offset);
    if (queues.size === 0) this.queues.delete(owner);
  }

  /**
   * Wakes waiters whose bitset has a bit in common (futex_wake).
   * @param count as Linux counts: one is woken before it is looked at
   * @returns how many; -EINVAL at a waiter of a PI operation, after waking those before it
   */
  wake(key: FutexKey, count: number, bitset: number): number {
    const queue = this.find(key);
    if (queue === undefined) return 0;
    let woken = 0;
    for (const waiter of [...queue.waiters]) {
      if (waiter.pi !== null || waiter.requeueTo !== null) return -EINVAL;
      if ((waiter.bitset & bitset) === 0) continue;
      this.wakeWaiter(waiter);
      if (++woken >= count) break;
    }
    return woken;
  }

  wakeWaiter(waiter: FutexWaiter): void {
    this.remove(waiter);
    this.rouse(waiter.task);
  }

  /** Lets the task's call go on with what it waited for. */
  rouse(task: Task): void {
    if (task.waiting?.kind === "futex") task.waiting.woken = true;
    task.wake();
  }

  /**
   * Wakes the first `wake` waiters and moves the next `move` to another futex (futex_requeue without PI).
   * @returns how many of both; -EINVAL at a waiter of a PI operation, after doing those before it
   */
  requeue(from: FutexKey, to: FutexKey, wake: number, move: number): number {
    const queue = this.find(from);
    if (queue === undefined) return 0;
    let done = 0;
    for (const waiter of [...queue.waiters]) {
      if (done - wake >= move) break;
      if (waiter.pi !== null || waiter.requeueTo !== null) return -EINVAL;
      if (++done <= wake) this.wakeWaiter(waiter);
      else if (!sameFutex(from, to)) this.move(waiter, to);
    }
    return done;
  }

  move(waiter: FutexWaiter, to: FutexKey): void {
    this.remove(waiter);
    this.add(waiter, to);
  }

  // PI states, by the task that the futex word names.

  newState(key: FutexKey, owner: Task): PiState {
    const state: PiState = { key, owner: null, holder: owner };
    this.setOwner(state, owner);
    return state;
  }

  setOwner(state: PiState, owner: Task | null): void {
    if (state.owner !== null) {
      const states = this.owned.get(state.owner)!;
      states.delete(state);
      if (states.size === 0) this.owned.delete(state.owner);
    }
    state.owner = owner;
    if (owner === null) return;
    const states = this.owned.get(owner);
    if (states === undefined) this.owned.set(owner, new Set([state]));
    else states.add(state);
  }

  statesOf(task: Task): readonly PiState[] {
    return [...(this.owned.get(task) ?? [])];
  }

  /** Forgets a state that no waiter needs any more. */
  release(state: PiState): void {
    if (this.find(state.key)?.waiters.some((waiter) => waiter.pi === state) !== true)
      this.setOwner(state, null);
  }
}
