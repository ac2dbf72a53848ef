/** A moment since 1970: whole seconds (negative before it) and 0 to 999,999,999 nanoseconds. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const BILLION = 1_000_000_000n;

export function timestampOf(nanoseconds: bigint): Timestamp {
  let rest = nanoseconds % BILLION;
  if (rest < 0n) rest += BILLION;
  return { seconds: Number((nanoseconds - rest) / BILLION), nanoseconds: Number(rest) };
}

export function isLater(a: Timestamp, b: Timestamp): boolean {
  return a.seconds > b.seconds || (a.seconds === b.seconds && a.nanoseconds > b.nanoseconds);
}
