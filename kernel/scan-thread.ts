/** A thread of the kernel that looks through memory (ksmd, khugepaged), on its timers: it scans some pages, then sleeps. */

import type { Clock } from "./clock.js";
import type { ScanDaemon } from "./mm/ksm/same-pages.js";
import type { TimerEntry, TimerQueue, TimerTarget } from "./timer-queue.js";

/** What such a thread does. */
export interface Scanner {
  /** There is something to do. */
  readonly active: boolean;
  /** Who is to be told when that comes to be so. */
  daemon: ScanDaemon | null;
  /** From the first work to the first turn: the sleep in which that finds the thread. */
  readonly startMilliseconds: number;
  /** Looks at some pages. @returns how many, and how long to sleep then */
  turn(): { readonly pages: number; readonly milliseconds: number };
}

/** Nanoseconds that looking at a page takes, and what a turn takes at least: also without sleep, time has to pass. */
const PAGE_NANOSECONDS = 1000;
const LEAST_NANOSECONDS = 1_000_000;

export class ScanThread implements ScanDaemon, TimerTarget {
  private timer: TimerEntry | null = null;

  constructor(
    private readonly scanner: Scanner,
    private readonly clock: Clock,
    private readonly timers: TimerQueue,
  ) {
    scanner.daemon = this;
  }

  /** It has a timer: scanning alone does not make time pass where nobody can run. */
  get isWaiting(): boolean {
    return this.timer !== null;
  }

  wake(): void {
    this.sleep(this.scanner.startMilliseconds * 1_000_000);
  }

  paceChanged(): void {
    if (this.timer === null) return;
    this.timers.cancel(this.timer);
    this.timer = null;
    this.sleep(0);
  }

  private sleep(nanoseconds: number): void {
    if (this.timer === null && this.scanner.active)
      this.timer = this.timers.add(this.clock.monotonic() + nanoseconds, this);
  }

  expired(now: number): void {
    this.timer = null;
    if (!this.scanner.active) return;
    const { pages, milliseconds } = this.scanner.turn();
    const pause = Math.max(LEAST_NANOSECONDS, pages * PAGE_NANOSECONDS + milliseconds * 1_000_000);
    if (this.scanner.active) this.timer = this.timers.add(now + pause, this);
  }
}
