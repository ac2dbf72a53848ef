import type { Task } from "../task.js";
import type { FutexKey } from "./key.js";

/** The waiters of one futex, those of higher priority first, else in the order in which they came. */
export interface FutexQueue {
  readonly key: FutexKey;
  readonly waiters: FutexWaiter[];
}

/** A task's place in the queue of one futex (futex_q). */
export interface FutexWaiter {
  readonly task: Task;
  /** Null once it was woken, or has left. */
  queue: FutexQueue | null;
  readonly bitset: number;
  /** 0 to 98 for real-time policies, 100 for all others: low comes first. */
  readonly priority: number;
  /** FUTEX_WAIT_REQUEUE_PI: where it is to be requeued; null once it was. */
  requeueTo: FutexKey | null;
  /** The lock that it waits for in a PI operation. */
  pi: PiState | null;
  /** Where the waiting task sees the PI futex, bytes. */
  readonly piAddress: number;
  /** It has been given the lock, and has not run since. */
  acquired: boolean;
}

/**
 * What the kernel knows of a PI futex while somebody waits for it (futex_pi_state): the waiters stand in the futex's
 * queue. No priority is lent: with one processor and time slices an owner gets its turn.
 */
export interface PiState {
  readonly key: FutexKey;
  /** Whom the futex word names; null from the owner's end until the next one has put itself in. */
  owner: Task | null;
  /** Who really has it (the rt_mutex's owner). */
  holder: Task;
}

const LOWEST = 100;
const MAX_REALTIME = 99;

export function newWaiter(
  task: Task,
  bitset: number,
  pi: { readonly address: number; readonly requeueTo: FutexKey | null } | null = null,
): FutexWaiter {
  const { realtimePriority } = task;
  return {
    task,
    queue: null,
    bitset,
    priority: realtimePriority > 0 ? MAX_REALTIME - realtimePriority : LOWEST,
    requeueTo: pi?.requeueTo ?? null,
    pi: null,
    piAddress: pi?.address ?? 0,
    acquired: false,
  };
}
