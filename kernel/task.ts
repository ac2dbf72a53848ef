/** A task: one thread of execution, and the process (thread group) it belongs to. */

import type { Credentials } from "./credentials.js";
import type { FileTable } from "./fs/file-table.js";
import type { FsContext } from "./fs/fs-context.js";
import type { Limits } from "./limits.js";
import type { AddressSpace } from "./mm/address-space.js";
import type { UserMemory } from "./mm/user-memory.js";
import { PendingSignals, SignalHandlers, SignalState } from "./signals/state.js";
import type { IntervalTimers } from "./timers.js";
import type { WaitRecord } from "./wait.js";

/** How a process ended. */
export interface ExitStatus {
  /** 0 to 255; meaningless when a signal ended it. */
  readonly code: number;
  readonly signal: number | null;
  /** True where Linux sets the core flag of the wait status. */
  readonly core: boolean;
}

/** What the tasks of one thread group share. */
export class Process {
  readonly handlers = new SignalHandlers();
  readonly pending = new PendingSignals();
  readonly tasks: Task[] = [];
  processGroup: number;
  session: number;
  exit: ExitStatus | null = null;
  /** The signal that stopped it, or 0. */
  stopped = 0;
  /** PR_SET_DUMPABLE; 1 (SUID_DUMP_USER) for a program that the user may read. */
  dumpable = 1;
  /** MEMBARRIER_CMD_REGISTER_* that were given. */
  membarriers = 0;

  constructor(
    readonly pid: number,
    readonly parentPid: number,
    readonly limits: Limits,
    readonly timers: IntervalTimers,
  ) {
    this.processGroup = pid;
    this.session = pid;
  }
}

export interface TaskParts {
  readonly tid: number;
  readonly process: Process;
  readonly mm: AddressSpace;
  readonly user: UserMemory;
  readonly files: FileTable;
  readonly fs: FsContext;
  readonly credentials: Credentials;
}

export class Task {
  readonly tid: number;
  readonly process: Process;
  /** Replaced by execve. */
  mm: AddressSpace;
  /** The address space as this task may touch it. */
  user: UserMemory;
  files: FileTable;
  fs: FsContext;
  credentials: Credentials;
  readonly signals: SignalState;
  /** At most 15 bytes (TASK_COMM_LEN - 1), as latin-1. */
  comm = "";
  /** Absolute path of the program, for /proc/self/exe. */
  executable = "";
  /** For /proc/self/auxv. */
  auxv: Uint8Array = new Uint8Array();
  waiting: WaitRecord | null = null;
  /** What restart_syscall(2) goes on with; null: nothing, EINTR. */
  restart: RestartBlock | null = null;
  /** RAX at the last SYSCALL, as two halves, for restarts; the call's number is the low one. */
  originalRaxLow = 0;
  originalRaxHigh = 0;
  /** set_tid_address: cleared and woken at exit; 0 for none. */
  clearChildTid = 0;
  robustList = 0n;
  /** The last vector, error code and fault address, as signal frames show them (thread.trap_nr, error_code, cr2). */
  trapNumber = 0;
  trapErrorCode = 0;
  faultAddress = 0n;
  /** A fault pushed RFLAGS with RF set: the next signal frame shows it (SDM vol. 3, 18.3.1.1). */
  resumeFlag = false;
  parentDeathSignal = 0;
  noNewPrivileges = false;
  timerSlackNanoseconds = 50_000;
  personality = 0;
  nice = 0;
  /** SCHED_*. */
  policy = 0;
  realtimePriority = 0;
  childSubreaper = false;
  /** prctl(PR_SET_THP_DISABLE). */
  hugePagesDisabled = false;
  /** prctl(PR_SET_MDWE) with PR_MDWE_NO_INHERIT. */
  mdweNotInherited = false;
  /** Instructions retired while this task ran. */
  instructions = 0;

  constructor(parts: TaskParts) {
    this.tid = parts.tid;
    this.process = parts.process;
    this.mm = parts.mm;
    this.user = parts.user;
    this.files = parts.files;
    this.fs = parts.fs;
    this.credentials = parts.credentials;
    this.signals = new SignalState(parts.process.handlers, parts.process.pending);
  }

  /** What getpid(2) gives: the thread group's number. */
  get pid(): number {
    return this.process.pid;
  }

  get limits(): Limits {
    return this.process.limits;
  }

  get exitStatus(): ExitStatus | null {
    return this.process.exit;
  }
}

/** An interrupted call that goes on with what is left of its time (restart_syscall(2)). */
export type RestartBlock =
  | { readonly kind: "nanosleep"; readonly deadline: number; readonly remainder: bigint }
  | { readonly kind: "futex"; readonly deadline: number | null };
