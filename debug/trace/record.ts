import type { Refusal } from "../../kernel/refusal.js";

/** One argument of a traced call. */
export interface TracedArgument {
  readonly name: string;
  /** All 64 bits, unsigned, as `0x...`. */
  readonly value: string;
  /** As the text trace shows it. */
  readonly text: string;
}

interface Place {
  /** The thread. */
  readonly tid: number;
  /** Its process. */
  readonly pid: number;
  /** `[pid  1003] ` while there is more than one thread, else empty: what a text trace puts before its line. */
  readonly prefix: string;
  /** Instructions retired by the machine before it. */
  readonly instruction: number;
  /** The line of the text trace. */
  readonly text: string;
}

/** The program began: what execve(2) would have been called with. */
export interface TracedExec extends Place {
  readonly type: "exec";
  readonly path: string;
  readonly entry: number;
}

export interface TracedSyscall extends Place {
  readonly type: "syscall";
  readonly number: number;
  readonly name: string;
  readonly args: readonly TracedArgument[];
  /** Decimal, signed; null where the call does not return. -1 never stands here for an error: `errno` does. */
  readonly result: string | null;
  /** `EPERM`, when the call failed. */
  readonly errno?: string;
  /** Why it failed, when the kernel says. */
  readonly refusal?: Refusal;
  /** The rest of its line, where an "unfinished" record has begun it. */
  readonly resumed?: string;
}

/** Another thread is heard of while this one is in a system call: the first part of the call's line. */
export interface TracedUnfinished extends Place {
  readonly type: "unfinished";
  readonly name: string;
}

export interface TracedSignal extends Place {
  readonly type: "signal";
  readonly signal: string;
  readonly code: string;
  readonly address?: string;
  readonly key?: number;
  /** What becomes of it: a handler runs, it ends the program, it is ignored. */
  readonly outcome: string;
  readonly rip: number;
  readonly refusal?: Refusal;
}

export interface TracedExit extends Place {
  readonly type: "exit";
  readonly status: number;
  readonly signal?: string;
  readonly core: boolean;
}

export type TraceRecord = TracedExec | TracedSyscall | TracedUnfinished | TracedSignal | TracedExit;
