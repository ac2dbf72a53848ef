/** Advisory locks of one inode: POSIX (owner = file table), open-file-description and flock ones. */

export type LockStyle = "posix" | "description" | "flock";

export interface Lease {
  readonly style: LockStyle;
  /** Identity of the file table or open file description. */
  readonly owner: number;
  readonly pid: number;
  readonly exclusive: boolean;
  /** Bytes [start, end); end is Infinity for "to the end of the file". */
  readonly start: number;
  readonly end: number;
}

/** POSIX and description locks exclude each other; flock ones live apart (fs/locks.c). */
function sameWorld(a: LockStyle, b: LockStyle): boolean {
  return (a === "flock") === (b === "flock");
}

function sameOwner(a: Lease, b: Lease): boolean {
  return a.style === b.style && a.owner === b.owner;
}

/** The first lock of somebody else that stands in the way. */
export function findConflict(locks: readonly Lease[], wanted: Lease): Lease | undefined {
  return locks
    .filter(
      (lock) =>
        sameWorld(lock.style, wanted.style) &&
        !sameOwner(lock, wanted) &&
        (lock.exclusive || wanted.exclusive) &&
        lock.start < wanted.end &&
        wanted.start < lock.end,
    )
    .sort((a, b) => a.start - b.start)[0];
}

/** The first lock of the owner in a range. */
export function findOwn(locks: readonly Lease[], range: Lease): Lease | undefined {
  return locks
    .filter((lock) => sameOwner(lock, range) && lock.start < range.end && range.start < lock.end)
    .sort((a, b) => a.start - b.start)[0];
}

/** The locks after the owner has given up a range. */
export function withoutRange(locks: readonly Lease[], range: Lease): Lease[] {
  return locks.flatMap((lock) => {
    if (!sameOwner(lock, range) || lock.end <= range.start || range.end <= lock.start) return [lock];
    const rest: Lease[] = [];
    if (lock.start < range.start) rest.push({ ...lock, end: range.start });
    if (lock.end > range.end) rest.push({ ...lock, start: range.end });
    return rest;
  });
}

/** The locks after `added`, which must not conflict: it replaces what its owner had there, and joins neighbours. */
export function withLock(locks: readonly Lease[], added: Lease): Lease[] {
  const rest = withoutRange(locks, added);
  let { start, end } = added;
  const kept = rest.filter((lock) => {
    const joins =
      sameOwner(lock, added) && lock.exclusive === added.exclusive && lock.end >= start && lock.start <= end;
    if (joins) {
      start = Math.min(start, lock.start);
      end = Math.max(end, lock.end);
    }
    return !joins;
  });
  return [...kept, { ...added, start, end }];
}

/** The locks without any of this owner. */
export function withoutOwner(locks: readonly Lease[], style: LockStyle, owner: number): Lease[] {
  return locks.filter((lock) => lock.style !== style || lock.owner !== owner);
}
