/** The timers of a process: setitimer's three and timer_create's, as records. */

export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

export interface Timer {
  /** Time of the next expiry on its clock, nanoseconds; Infinity when disarmed. */
  expires: number;
  /** Nanoseconds between expiries; 0: once. */
  interval: number;
  /**
   * It has expired and goes on when its signal is taken, at the next multiple of its interval: an expiry costs nothing
   * while nobody takes the signal. Timers on processor time are never held.
   */
  held: boolean;
}

/** On which time a timer runs. */
export type TimerClock = "monotonic" | "cpu";

export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD_ID = 4;

export interface PosixTimer extends Timer {
  readonly id: number;
  readonly clockId: number;
  readonly clock: TimerClock;
  readonly notify: number;
  readonly signal: number;
  readonly value: bigint;
  /** SIGEV_THREAD_ID's thread, else 0. */
  readonly tid: number;
  /** Expiries not signalled since the last signal was taken. */
  overrun: number;
}

export class IntervalTimers {
  readonly interval: Timer[] = [0, 1, 2].map(() => ({ expires: Infinity, interval: 0, held: false }));
  readonly posix = new Map<number, PosixTimer>();
  private nextId = 0;

  newId(): number {
    return this.nextId++;
  }

  /** The earliest expiry on a clock, or Infinity. */
  next(clock: TimerClock): number {
    const real = this.interval[ITIMER_REAL]!;
    let first =
      clock === "monotonic"
        ? real.held
          ? Infinity
          : real.expires
        : Math.min(this.interval[ITIMER_VIRTUAL]!.expires, this.interval[ITIMER_PROF]!.expires);
    for (const timer of this.posix.values())
      if (timer.clock === clock && !timer.held) first = Math.min(first, timer.expires);
    return first;
  }

  /** True while one that runs on processor time is armed. */
  get usesCpu(): boolean {
    return this.next("cpu") !== Infinity;
  }

  /** execve removes POSIX timers and keeps the interval timers (execve(2)). */
  executed(): void {
    this.posix.clear();
  }
}

/** Moves an expired timer on; the number of expiries that `now` has passed. */
export function expire(timer: Timer, now: number): number {
  if (timer.expires > now || timer.held) return 0;
  if (timer.interval === 0) {
    timer.expires = Infinity;
    return 1;
  }
  const times = Math.floor((now - timer.expires) / timer.interval) + 1;
  timer.expires += times * timer.interval;
  return times;
}

/** Likewise for one that goes on only when its signal is taken: 1 if it has expired. */
export function expireOnce(timer: Timer, now: number): number {
  if (timer.expires > now || timer.held) return 0;
  if (timer.interval === 0) timer.expires = Infinity;
  else timer.held = true;
  return 1;
}

/** The signal of a held timer was taken: the expiries passed since the one that it told of. */
export function goOn(timer: Timer, now: number): number {
  if (!timer.held) return 0;
  timer.held = false;
  return expire(timer, now) - 1;
}
