/** The machine's time. By default it is virtual: it moves with retired instructions, and jumps where all sleep. */

import { WaitQueue } from "./wait-queue.js";

/** Is told when a virtual clock has jumped or been set. */
export interface ClockWatcher {
  clockChanged(): void;
}

/** Nanoseconds. A monotonic time is a plain number: exact for the first 104 days. */
export interface Clock {
  /** True if time stands still between instructions, so that a sleeper may be carried to its deadline. */
  readonly virtual: boolean;
  /** A virtual clock that is carried along with the host's: a sleeper must really wait. */
  readonly carried: boolean;
  /** How far the monotonic time is ahead of the time stamp counter; 0 where that is no clock. */
  readonly skipped: number;
  watcher: ClockWatcher | null;
  /** Woken when somebody has set the real time: timers on it are then due earlier or later (clock_was_set). */
  readonly wasSet: WaitQueue;
  /** Since the machine started. */
  monotonic(): number;
  /** What CLOCK_REALTIME showed at monotonic 0, in nanoseconds since 1970; clock_settime(2) moves it. */
  realtimeOrigin: bigint;
  /** Carries a virtual clock to `time`, never back. Nothing on a host's clock. */
  advanceTo(time: number): void;
}

/** One instruction takes one nanosecond. */
export class VirtualClock implements Clock {
  readonly virtual = true;
  watcher: ClockWatcher | null = null;
  readonly wasSet = new WaitQueue();
  /** Nanoseconds that were slept away. */
  private skippedTime = 0;
  private origin: bigint;

  constructor(
    private readonly cpu: { readonly instructions: number },
    realtimeOrigin: bigint,
    readonly carried = false,
  ) {
    this.origin = realtimeOrigin;
  }

  get skipped(): number {
    return this.skippedTime;
  }

  get realtimeOrigin(): bigint {
    return this.origin;
  }

  set realtimeOrigin(origin: bigint) {
    this.origin = origin;
    this.watcher?.clockChanged();
    this.wasSet.wake();
  }

  monotonic(): number {
    return this.cpu.instructions + this.skippedTime;
  }

  advanceTo(time: number): void {
    const ahead = time - this.monotonic();
    if (ahead <= 0) return;
    this.skippedTime += ahead;
    this.watcher?.clockChanged();
  }
}

/** The host's own time. */
export class HostClock implements Clock {
  readonly virtual = false;
  readonly carried = false;
  readonly skipped = 0;
  watcher: ClockWatcher | null = null;
  readonly wasSet = new WaitQueue();
  private origin: bigint;
  private start: bigint;

  constructor(private readonly host: { realtimeNanoseconds(): bigint; monotonicNanoseconds(): bigint }) {
    this.origin = host.realtimeNanoseconds();
    this.start = host.monotonicNanoseconds();
  }

  get realtimeOrigin(): bigint {
    return this.origin;
  }

  set realtimeOrigin(origin: bigint) {
    this.origin = origin;
    this.wasSet.wake();
  }

  monotonic(): number {
    return Number(this.host.monotonicNanoseconds() - this.start);
  }

  /** Goes on at a monotonic time, for a machine that was saved then; the date is the host's. */
  resume(monotonic: number): void {
    this.start = this.host.monotonicNanoseconds() - BigInt(Math.floor(monotonic));
    this.origin = this.host.realtimeNanoseconds() - BigInt(Math.floor(monotonic));
  }

  advanceTo(): void {
    // The host's time cannot be moved: its sleeper must really wait.
  }
}

/** A virtual clock starts here unless told: 1 January 2026, 00:00 UTC. */
export const DEFAULT_REALTIME_ORIGIN = 1_767_225_600_000_000_000n;
