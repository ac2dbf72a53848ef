/** What a blocked task waits for: a plain record, so that a machine can be taken apart and put together. */

import type { FutexWaiter } from "./futex/waiter.js";
import type { OpenFile } from "./fs/open-file.js";
import type { PipeFile } from "./fs/pipe.js";
import type { Word } from "./mm/word.js";
import type { WaitQueue } from "./wait-queue.js";

/** What the call gives when a signal ends the wait (a positive number: EINTR or one of kernel/restart.ts). */
export type InterruptCode = number;

interface WaitBase {
  /** Monotonic nanoseconds at which the call is executed again with `timedOut` set; null: never. */
  deadline: number | null;
  /** Becomes true when the deadline has passed, before the call is executed again. */
  timedOut: boolean;
  /** 0: only a fatal signal ends the wait, and ends the task. */
  readonly interrupted: InterruptCode;
  /** Whose `wake` lets the call be executed again. */
  readonly queues?: readonly WaitQueue[];
}

/** For a file: executed again when `kernel.wake` is called or, if `host` is set, when the host may have input. */
export interface FileWait extends WaitBase {
  readonly kind: "file";
  readonly fds: readonly number[];
  /** Held while it waits: the files that those numbers named at first, whatever they name meanwhile (fdget). */
  readonly files?: ReadonlyMap<number, OpenFile>;
  /** True if one of them depends on the host (standard input): the run loop must then leave to the host. */
  readonly host: boolean;
  /** Bytes already moved, for a call that has done a part. */
  progress: number;
  /** Where the time left goes when a signal ends the wait (select, ppoll), and the nanoseconds of its second field. */
  timeLeft?: { readonly address: Word; readonly unit: 1 | 1000 };
}

/** For nothing but time (nanosleep, and select or poll without descriptors). */
export interface SleepWait extends WaitBase {
  readonly kind: "sleep";
}

/** For a signal (pause, rt_sigsuspend, rt_sigtimedwait). `set`: signals that rt_sigtimedwait takes. */
export interface SignalWait extends WaitBase {
  readonly kind: "signal";
}

/** For a futex word, or one of several (kernel/futex/). */
export interface FutexWait extends WaitBase {
  readonly kind: "futex";
  /** The (first) word's, bytes. */
  readonly address: number;
  readonly waiters: readonly FutexWaiter[];
  /** Somebody has woken it: whatever else happened, the call is executed again. */
  woken: boolean;
  interrupted: InterruptCode;
  /** CLOCK_REALTIME at which the wait ends, nanoseconds; null where the deadline does not follow that clock. */
  readonly realtime: bigint | null;
}

/** For a child. */
export interface ChildWait extends WaitBase {
  readonly kind: "child";
}

/** vfork(2)'s parent: until the child has executed a program or ended. */
export interface VforkWait extends WaitBase {
  readonly kind: "vfork";
  readonly pid: number;
}

/** For a fifo's other end, in open(2). */
export interface OpenWait extends WaitBase {
  readonly kind: "open";
  /** Its own end, which the other side already sees. */
  readonly fifo: PipeFile;
  /** How often the other end had been opened: it may come and go again. */
  readonly otherOpens: number;
  /** The end became a descriptor; otherwise it closes with the wait. */
  installed: boolean;
}

/** For something that is no open file: a lock, a message queue. */
export interface QueueWait extends WaitBase {
  readonly kind: "queue";
  /** One word or two, for whoever asks what the task waits for. */
  readonly reason: string;
  interrupted: InterruptCode;
  /** It has been done on the task's behalf: the call succeeds, whatever signal came since. */
  done?: boolean;
}

export type WaitRecord =
  FileWait | SleepWait | SignalWait | FutexWait | ChildWait | VforkWait | OpenWait | QueueWait;
