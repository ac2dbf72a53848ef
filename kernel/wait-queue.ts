/** Who is to be told when something may have become ready (Linux's wait_queue_head_t). */

/** A task that sleeps, or something that watches for others, as an epoll item does. */
export interface Waiter {
  /** It may be ready now. Whoever is woken looks for itself: being woken for nothing does no harm. */
  wake(): void;
}

/**
 * The waiters of one thing: a pipe, a socket, the children of a process. They are woken in the order in which they
 * came, and stay until they are taken out.
 */
export class WaitQueue {
  readonly #waiters = new Set<Waiter>();

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** To be called after whatever may let a waiter go on: bytes came, room came, an end closed. */
  wake(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of [...this.#waiters]) waiter.wake();
  }
}
