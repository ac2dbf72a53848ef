import type { WaitRecord } from "../wait.js";
import type { Inode } from "./inode.js";
import { findConflict } from "./locks.js";
import type { Lease } from "./locks.js";

/** Whoever waits, as far as this file looks at it: a task. */
interface Sleeper {
  readonly waiting: WaitRecord | null;
}

interface LockWait {
  readonly record: WaitRecord;
  readonly inode: Inode;
  readonly lease: Lease;
}

/** As many steps as Linux looks along a chain of waiters (MAX_DEADLK_ITERATIONS). */
const LONGEST_CHAIN = 10;

/** The tasks that wait for POSIX record locks: what F_SETLKW looks through before it adds one that could never end. */
export class LockWaits {
  private readonly waits = new Map<Sleeper, LockWait>();

  /** The task sleeps over `record` until it can have the lock. It need not say when it no longer does. */
  add(task: Sleeper, record: WaitRecord, inode: Inode, lease: Lease): void {
    for (const [other, wait] of this.waits) if (other.waiting !== wait.record) this.waits.delete(other);
    this.waits.set(task, { record, inode, lease });
  }

  /** Does the owner of `conflict` wait, by whatever detours, for the owner of `wanted`? (posix_locks_deadlock) */
  deadlock(wanted: Lease, conflict: Lease): boolean {
    let blocker: Lease | undefined = conflict;
    for (let step = 0; step < LONGEST_CHAIN && blocker?.style === "posix"; step++) {
      if (blocker.owner === wanted.owner) return true;
      const wait = this.waitOf(blocker.owner);
      if (!wait) return false;
      blocker = findConflict(wait.inode.locks, wait.lease);
    }
    return blocker?.style === "posix" && blocker.owner === wanted.owner;
  }

  private waitOf(owner: number): LockWait | undefined {
    for (const [task, wait] of this.waits)
      if (wait.lease.owner === owner && task.waiting === wait.record) return wait;
    return undefined;
  }
}
