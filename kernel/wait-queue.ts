/** Who is to be told when something may have become ready (Linux's wait_queue_head_t). */

/** A task that sleeps, or something that watches for others, as an epoll item does. */
export interface Waiter {
  /**
   * It may be ready now. Whoever is woken looks for itself: being woken for nothing does no harm.
   * @param events POLL* bits that have come to hold; 0: any
   */
  wake(events: number): void;
}

/** What watches without taking anything away: an epoll item (ep_poll_callback). */
export interface Watcher {
  /** As a Waiter's. @returns true if that woke somebody, which is enough where the watcher is an exclusive one */
  wake(events: number): boolean;
}

/**
 * The waiters of one thing: a pipe, a socket, the children of a process. Tasks are woken in the order in which they
 * came, and stay until they are taken out. Watchers are told before them, the newest first, as Linux puts them at the
 * head of its list; of the exclusive ones, which it puts at the end, only the first that has a use for it.
 */
export class WaitQueue {
  private readonly waiters = new Set<Waiter>();
  private readonly watchers = new Set<Watcher>();
  private readonly exclusive = new Set<Watcher>();

  add(waiter: Waiter): void {
    this.waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.waiters.delete(waiter);
  }

  addWatcher(watcher: Watcher, exclusive: boolean): void {
    (exclusive ? this.exclusive : this.watchers).add(watcher);
  }

  removeWatcher(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.exclusive.delete(watcher);
  }

  get size(): number {
    return this.waiters.size + this.watchers.size + this.exclusive.size;
  }

  /**
   * To be called after whatever may let a waiter go on: bytes came, room came, an end closed.
   * @param events POLL* bits that have come to hold, where only some have (POLLIN after bytes came, POLLOUT after room
   *   did): an edge-triggered epoll item for others must not see it. 0: any (also: an end closed)
   * @param all also every exclusive watcher, as when an end closed
   */
  wake(events = 0, all = events === 0): void {
    if (this.watchers.size > 0) for (const watcher of [...this.watchers].reverse()) watcher.wake(events);
    if (this.waiters.size > 0) for (const waiter of [...this.waiters]) waiter.wake(events);
    if (this.exclusive.size > 0)
      for (const watcher of [...this.exclusive]) if (watcher.wake(events) && !all) break;
  }
}
