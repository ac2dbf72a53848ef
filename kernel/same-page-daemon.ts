/** The thread that merges pages (ksmd), on the kernel's timers: it scans some pages, then sleeps. */

import type { Clock } from "./clock.js";
import type { SamePages, ScanDaemon } from "./mm/ksm/same-pages.js";
import type { TimerEntry, TimerQueue, TimerTarget } from "./timer-queue.js";

/** Nanoseconds that looking at a page takes, and what a turn takes at least: also without sleep, time has to pass. */
const PAGE_NANOSECONDS = 1000;
const LEAST_NANOSECONDS = 1_000_000;

export class SamePageDaemon implements ScanDaemon, TimerTarget {
  private timer: TimerEntry | null = null;

  constructor(
    private readonly samePages: SamePages,
    private readonly clock: Clock,
    private readonly timers: TimerQueue,
  ) {
    samePages.daemon = this;
  }

  /** Nothing else is to happen at any time: merging alone does not make time pass where nobody can run. */
  get isOnlyTimer(): boolean {
    return this.timer !== null && this.timers.size === 1;
  }

  wake(): void {
    if (this.timer === null && this.samePages.active)
      this.timer = this.timers.add(this.clock.monotonic(), this);
  }

  paceChanged(): void {
    if (this.timer === null) return;
    this.timers.cancel(this.timer);
    this.timer = null;
    this.wake();
  }

  expired(now: number): void {
    this.timer = null;
    const { samePages } = this;
    if (!samePages.active) return;
    const { pagesToScan, sleepMilliseconds } = samePages.settings;
    const work = samePages.scan(pagesToScan) * PAGE_NANOSECONDS;
    const pause = Math.max(LEAST_NANOSECONDS, work + sleepMilliseconds * 1_000_000);
    if (samePages.active) this.timer = this.timers.add(now + pause, this);
  }
}
