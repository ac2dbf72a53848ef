/** What is to happen at a monotonic time: deadlines of waits, interval timers, timerfds. */

export interface TimerTarget {
  /** Its time has come. @param now monotonic nanoseconds, at or after that time */
  expired(now: number): void;
}

export interface TimerEntry {
  /** Monotonic nanoseconds. */
  readonly time: number;
  /** Orders entries of the same time as they were added. */
  readonly sequence: number;
  /** Null once it has fired or was cancelled. */
  target: TimerTarget | null;
}

const before = (a: TimerEntry, b: TimerEntry): boolean =>
  a.time < b.time || (a.time === b.time && a.sequence < b.sequence);

/** A binary heap; cancelled entries stay in it until they come to its top. */
export class TimerQueue {
  private readonly heap: TimerEntry[] = [];
  private sequence = 0;
  private live = 0;

  /** @param time monotonic nanoseconds, finite */
  add(time: number, target: TimerTarget): TimerEntry {
    const entry: TimerEntry = { time, sequence: this.sequence++, target };
    const heap = this.heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
    this.live++;
    return entry;
  }

  cancel(entry: TimerEntry): void {
    if (entry.target === null) return;
    entry.target = null;
    this.live--;
    if (this.heap.length > 64 && this.live * 4 < this.heap.length) this.rebuild();
    else this.trim();
  }

  /** The earliest time, or Infinity. */
  get next(): number {
    return this.heap[0]?.time ?? Infinity;
  }

  /** Entries that have neither fired nor been cancelled. */
  get size(): number {
    return this.live;
  }

  /** Tells every target whose time has come, earliest first; a target may add entries, also for times past. */
  fire(now: number): void {
    for (let first = this.heap[0]; first !== undefined && first.time <= now; first = this.heap[0]) {
      this.removeFirst();
      const { target } = first;
      if (target === null) continue;
      first.target = null;
      this.live--;
      target.expired(now);
    }
    this.trim();
  }

  /** `next` is exact: no cancelled entry lies on top. */
  private trim(): void {
    while (this.heap.length > 0 && this.heap[0]!.target === null) this.removeFirst();
  }

  private rebuild(): void {
    const kept = this.heap.filter((entry) => entry.target !== null).sort((a, b) => (before(a, b) ? -1 : 1));
    this.heap.length = 0;
    // A sorted list is a heap.
    for (const entry of kept) this.heap.push(entry);
  }

  private removeFirst(): void {
    const heap = this.heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
