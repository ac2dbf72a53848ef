/**
 * A point of a run. `instructions` have been retired by the machine, and since the last one `events` things have
 * happened: system calls entered and left, faults, signals, changes of task. So a call's entry and its exit are two
 * moments of one count. The same run has the same things at the same moments, whatever stops are set.
 */
export interface Moment {
  readonly instructions: number;
  readonly events: number;
}

/** Negative where a is before b, 0 where they are the same. */
export function compareMoments(a: Moment, b: Moment): number {
  return a.instructions - b.instructions || a.events - b.events;
}
