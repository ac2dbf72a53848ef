/** What a traced task has of its tracing (kernel/ptrace.c, include/linux/ptrace.h). */

import type { SignalInfo } from "../signals/siginfo.js";
import type { ExitStatus, Task } from "../task.js";

export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_TRACEFORK = 2;
export const PTRACE_O_TRACEVFORK = 4;
export const PTRACE_O_TRACECLONE = 8;
export const PTRACE_O_TRACEEXEC = 0x10;
export const PTRACE_O_TRACEVFORKDONE = 0x20;
export const PTRACE_O_TRACEEXIT = 0x40;
export const PTRACE_O_TRACESECCOMP = 0x80;
export const PTRACE_O_EXITKILL = 0x10_0000;
export const PTRACE_O_SUSPEND_SECCOMP = 0x20_0000;
export const PTRACE_O_MASK = 0xff | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP;

export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
export const PTRACE_EVENT_EXIT = 6;
export const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;

/** How a tracee goes on: PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_SYSEMU. */
export type ResumeMode = "continue" | "syscall" | "step" | "emulate" | "emulate-step";

/** Where a tracee stands still. */
export interface TraceStop {
  /** "entry" and "exit" of a system call are syscall-stops; "group" is a stop of the whole process. */
  readonly kind: "signal" | "entry" | "exit" | "event" | "group";
  /** The upper part of wait's status word: signal, with 0x80 under TRACESYSGOOD, and the event from bit 8 on. */
  readonly code: number;
  /** What PTRACE_GETSIGINFO gives, and PTRACE_SETSIGINFO changes; of a signal-stop, what may be delivered. */
  info: SignalInfo;
  /** wait has not told it yet. */
  unreported: boolean;
}

/** What is left to do of what a stop interrupted. */
export type Unfinished =
  /** A call; emulated: the tracer does it; traced: it has answered seccomp's question. */
  | { readonly kind: "execute"; readonly emulated: boolean; readonly traced?: boolean }
  | { readonly kind: "exit-stop" }
  | { readonly kind: "exit-task"; readonly status: ExitStatus }
  | { readonly kind: "exit-process"; readonly status: ExitStatus };

export class Tracing {
  stop: TraceStop | null = null;
  mode: ResumeMode = "continue";
  /** PTRACE_GETEVENTMSG: a child's number, an exit status word; 1 or 2 at a call's entry or exit; else 0. */
  eventMessage = 0;
  /** PTRACE_INTERRUPT, or attached by PTRACE_SEIZE to a new child: stops at the next boundary. */
  interrupted = false;
  /** PTRACE_LISTEN: stays in its group-stop, but hears of SIGCONT. */
  listening = false;
  /** The stop of its process (Process.stops) that it was let go on past. */
  passedStop = 0;
  /** It has told its tracer of the end (PTRACE_EVENT_EXIT). */
  exitReported = false;
  /** Ended, and its tracer has not waited for it: the status word of a thread. */
  ended: number | null = null;

  constructor(
    public tracer: Task,
    readonly seized: boolean,
    public options: number,
  ) {}

  has(option: number): boolean {
    return (this.options & option) !== 0;
  }
}
