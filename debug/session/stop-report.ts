import type { RunResult } from "../../kernel/run-loop.js";
import type { ExitStatus } from "../../kernel/task.js";
import type { Happening, ThreadName } from "../stops/happening.js";
import type { Moment } from "../timeline/moment.js";

/** Why the session stands where it stands. */
export type StopReason =
  /** One or more breaks were met. */
  | "break"
  /** The step, `finish`, or the address asked for. */
  | "step"
  /** What "to-next" or "to-last" looked for. */
  | "found"
  /** go-to has arrived. */
  | "arrived"
  /** The first moment that is known: nothing is before it. */
  | "beginning"
  /** The program has ended; it can still be looked at, and gone back. */
  | "ended"
  /** Every task waits, and nothing but input or a signal from outside will wake one. */
  | "blocked"
  /** A stop signal stopped the program, and nobody is there to continue it. */
  | "suspended"
  /** session.interrupt(). */
  | "interrupted"
  /** The instructions allowed in all (SessionOptions.maxInstructions) are used up. */
  | "limit"
  /** Nothing more is in the record that is replayed (SessionOptions.recordEnd). */
  | "end-of-record";

export interface StopReport {
  readonly reason: StopReason;
  readonly direction: "forwards" | "backwards";
  readonly moment: Moment;
  /** The thread that stopped: the session's thread from now on. */
  readonly thread: ThreadName & { readonly name: string };
  /** The next instruction's address. */
  readonly rip: number;
  /** Ids of the breaks that were met. */
  readonly breaks: readonly number[];
  /** What happened at this moment that was asked for; of several the first one first. */
  readonly happenings: readonly Happening[];
  /** Where reason is "ended". */
  readonly status?: ExitStatus;
  /** Where reason is "blocked" or "suspended". */
  readonly result?: RunResult;
}

/** Where a motion stands after `advance`. */
export type Progress =
  | { readonly state: "stopped"; readonly report: StopReport }
  /** Call `advance` again. */
  | { readonly state: "running" }
  /**
   * All tasks wait, in the live part of the run: for input (call `advance` when there is some), or for that monotonic
   * time (on a virtual clock `session.passTime(deadline)` carries it there, at once or when the user has waited as long).
   */
  | { readonly state: "waiting"; readonly input: boolean; readonly deadline: number | null }
  /** It looks through the past; `at` goes down to 0. */
  | { readonly state: "searching"; readonly at: number };

/** An answer to "last-write". */
export interface WriteFound {
  /** Just before the write: go-to leads there. */
  readonly moment: Moment;
  readonly thread: ThreadName;
  /** The instruction; of the kernel's writes the SYSCALL or the instruction that faulted. */
  readonly rip: number;
  readonly by: "instruction" | "kernel";
  /** The system call, where the kernel wrote. */
  readonly call?: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** An answer to "last-change-of-entry". */
export interface EntryChangeFound {
  /** Just before the change. */
  readonly moment: Moment;
  readonly thread: ThreadName;
  readonly rip: number;
  readonly by: "processor" | "kernel";
  readonly call?: string;
  /** All 64 bits, as `0x8800000012345067`; `0x0`: none. */
  readonly before: string;
  readonly after: string;
}

/** An answer to "changes-of-call". */
export interface CallChanges {
  readonly call: string;
  readonly entry: Moment;
  readonly exit: Moment;
  /** Lines of /proc/PID/maps that are no more, and that are new; sealed areas end with ` sealed`, keys with ` key N`. */
  readonly areas: { readonly gone: readonly string[]; readonly come: readonly string[] };
  /** Of pages whose leaf entry is another now, ascending. */
  readonly entries: readonly { readonly address: number; readonly before: string; readonly after: string }[];
  /** Descriptors: what was open, what is; null for closed. */
  readonly files: readonly {
    readonly descriptor: number;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  readonly pkru: { readonly before: number; readonly after: number };
}
