/** What a blocked task waits for: a plain record, so that a machine can be taken apart and put together. */

/** What the call gives when a signal ends the wait (a positive number: EINTR or one of kernel/restart.ts). */
export type InterruptCode = number;

interface WaitBase {
  /** Monotonic nanoseconds at which the call is executed again with `timedOut` set; null: never. */
  deadline: number | null;
  /** Becomes true when the deadline has passed, before the call is executed again. */
  timedOut: boolean;
  readonly interrupted: InterruptCode;
}

/** For a file: executed again when `kernel.wake` is called or, if `host` is set, when the host may have input. */
export interface FileWait extends WaitBase {
  readonly kind: "file";
  readonly fds: readonly number[];
  /** True if one of them depends on the host (standard input): the run loop must then leave to the host. */
  readonly host: boolean;
  /** Bytes already moved, for a call that has done a part. */
  progress: number;
}

/** For nothing but time (nanosleep, and select or poll without descriptors). */
export interface SleepWait extends WaitBase {
  readonly kind: "sleep";
}

/** For a signal (pause, rt_sigsuspend, rt_sigtimedwait). `set`: signals that rt_sigtimedwait takes. */
export interface SignalWait extends WaitBase {
  readonly kind: "signal";
}

/** For a futex word. */
export interface FutexWait extends WaitBase {
  readonly kind: "futex";
  readonly address: number;
  readonly bitset: number;
  woken: boolean;
}

/** For a child. */
export interface ChildWait extends WaitBase {
  readonly kind: "child";
}

export type WaitRecord = FileWait | SleepWait | SignalWait | FutexWait | ChildWait;
