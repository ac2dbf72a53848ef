/** A task: one thread of execution, and the process (thread group) it belongs to. */

import type { ControlGroup } from "./cgroup/control-group.js";
import type { TaskBreakpoints } from "./debug-registers/slots.js";
import type { DebugRegisters } from "./debug-registers/traced.js";
import type { Credentials } from "./credentials.js";
import type { ProgramSealing } from "./exec/seal-program.js";
import type { FileTable } from "./fs/file-table.js";
import type { FsContext } from "./fs/fs-context.js";
import type { RingFile } from "./io-uring/ring-file.js";
import type { Limits } from "./limits.js";
import type { AddressSpace } from "./mm/address-space.js";
import type { MemoryPolicy } from "./mm/memory-policy.js";
import type { UserMemory } from "./mm/user-memory.js";
import type { Provenance } from "./refusal.js";
import type { Tracing, Unfinished } from "./ptrace/tracing.js";
import type { RestartCode } from "./restart.js";
import type { RestartableSequences } from "./rseq.js";
import type { SeccompState } from "./seccomp/filter.js";
import type { SeccompNotification } from "./seccomp/listener.js";
import type { Scheduler } from "./scheduler.js";
import { SIGCHLD } from "./signals/numbers.js";
import type { SignalInfo } from "./signals/siginfo.js";
import { PendingSignals, SignalHandlers, SignalState } from "./signals/state.js";
import type { IntervalTimers } from "./timers.js";
import type { TimerEntry } from "./timer-queue.js";
import type { Terminal } from "./tty/terminal.js";
import type { UprobeTask } from "./uprobes/hit.js";
import type { UserDispatch } from "./user-dispatch.js";
import type { UserfaultSleep } from "./userfault-wait.js";
import { WaitQueue, type Waiter } from "./wait-queue.js";
import type { WaitRecord } from "./wait.js";

/** How a process ended. */
export interface ExitStatus {
  /** 0 to 255; meaningless when a signal ended it. */
  readonly code: number;
  readonly signal: number | null;
  /** True where Linux sets the core flag of the wait status. */
  readonly core: boolean;
}

/** Consumption of processor time and memory, for getrusage(2) and wait4(2). */
export interface Usage {
  /** Instructions retired: nanoseconds of processor time. */
  instructions: number;
  minorFaults: number;
  majorFaults: number;
  /** Most resident pages at one time. */
  maxResident: number;
}

export const noUsage = (): Usage => ({ instructions: 0, minorFaults: 0, majorFaults: 0, maxResident: 0 });

export interface ProcessParts {
  /** Every process of the machine. */
  readonly population: ReadonlyMap<number, Process>;
  readonly pid: number;
  readonly parent: Process | null;
  readonly limits: Limits;
  readonly timers: IntervalTimers;
  readonly handlers?: SignalHandlers;
}

/** What the tasks of one thread group share. */
export class Process {
  readonly pid: number;
  /** Every process of the machine, this one among them. */
  readonly population: ReadonlyMap<number, Process>;
  handlers: SignalHandlers;
  readonly pending = new PendingSignals();
  /** Those that have not ended, the oldest first. */
  readonly tasks: Task[] = [];
  /** The task whose number is the pid; it stays, ended, as long as the process is known. */
  leader!: Task;
  /** Null: the world outside, which takes every orphan in and asks nothing of it. */
  parent: Process | null;
  /** The thread that made it: at its end the parent-death signal is sent. */
  parentTask: Task | null = null;
  readonly children = new Set<Process>();
  /** Woken when a child ends, stops or goes on. */
  readonly childQueue = new WaitQueue();
  /** Woken when the process has ended, or has left a memory that vfork lent it. */
  readonly exitQueue = new WaitQueue();
  processGroup: number;
  session: number;
  /** What /dev/tty is. Its session's other processes may have another, or none (signal->tty). */
  controllingTerminal: Terminal | null = null;
  /** The foreground group of a terminal that hung up: it hears of the session leader's end (tty_old_pgrp); or 0. */
  hungUpGroup = 0;
  /** What it tells its parent when it ends; 0: nothing. */
  exitSignal = SIGCHLD;
  /** Set when the process begins to end. */
  exit: ExitStatus | null = null;
  /** All its tasks have ended, and its parent has not asked. */
  zombie = false;
  /** The memory is lent by a parent that waits (CLONE_VFORK). */
  vforked = false;
  /** The signal that stopped it, or 0. */
  stopped = 0;
  /** Stops so far: a tracee that was let go on past one does not stop for it again. */
  stops = 0;
  /** Its end is told to its tracer first, and to its parent when that has heard of it. */
  heldByTracer = false;
  /** A change of `stopped` that wait has not told yet. */
  unreported: "stopped" | "continued" | null = null;
  /** It has executed a program since it was forked: setpgid(2) of its parent is too late. */
  executed = false;
  /** PR_SET_DUMPABLE; 1 (SUID_DUMP_USER) for a program that the user may read. */
  dumpable = 1;
  childSubreaper = false;
  /** Its next programs' [vdso] and the like are sealed (PR_SET_MSEAL_SYSTEM_MAPPINGS). */
  sealsSpecialMappings = false;
  /** What is being sealed of its program without its asking. */
  sealing: ProgramSealing | null = null;
  /** /proc/PID/oom_score_adj, -1000 to 1000. */
  oomScoreAdj = 0;
  /** Below it only CAP_SYS_RESOURCE may set it (oom_score_adj_min). */
  oomScoreAdjMin = 0;
  /** Of all its tasks so far. */
  readonly usage = noUsage();
  /** Of children that were waited for, and of theirs. */
  readonly childrenUsage = noUsage();
  readonly limits: Limits;
  readonly timers: IntervalTimers;
  /** When its timers are next looked at. */
  timerEntry: TimerEntry | null = null;
  /** Monotonic nanoseconds. */
  startTime = 0;

  constructor(parts: ProcessParts) {
    this.pid = parts.pid;
    this.population = parts.population;
    this.parent = parts.parent;
    this.limits = parts.limits;
    this.timers = parts.timers;
    this.handlers = parts.handlers ?? new SignalHandlers();
    this.processGroup = parts.parent?.processGroup ?? parts.pid;
    this.session = parts.parent?.session ?? parts.pid;
  }

  /** What getppid(2) gives: 1 where the parent is the world outside. */
  get parentPid(): number {
    return this.parent?.pid ?? 1;
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
  readonly scheduler: Scheduler;
}

export interface PkruWriters {
  instruction: number;
  rip: number;
  set: Provenance | undefined;
}

/** "ready": it runs or stands in the run queue. "asleep": something will wake it. "dead": it has ended. */
export type TaskState = "ready" | "asleep" | "dead";

/** Something put off until its task is about to go on. */
export interface TaskWork {
  run(): void;
}

export class Task implements Waiter {
  /** execve gives the caller its leader's. */
  tid: number;
  readonly process: Process;
  /** Replaced by execve. */
  mm: AddressSpace;
  /** The address space as this task may touch it. */
  user: UserMemory;
  files: FileTable;
  fs: FsContext;
  /** The record is never changed, only replaced (see credentials.ts), so that clone may share it. */
  credentials: Credentials;
  readonly signals: SignalState;
  /** At most 15 bytes (TASK_COMM_LEN - 1), as latin-1. */
  comm = "";
  /** Absolute path of the program, for /proc/self/exe. */
  executable = "";
  /** For /proc/self/auxv. */
  auxv: Uint8Array = new Uint8Array();
  state: TaskState = "asleep";
  /** Its control group; null: the root. */
  group: ControlGroup | null = null;
  /** Its group is frozen: it does not go on. `frozen`: it has come to a stop for that. */
  freezing = false;
  frozen = false;
  /** Its registers while another task has the processor. */
  context: Uint8Array | null = null;
  /** Its entries of the GDT, two words each (kernel/segments/thread-area.ts); null: all empty. */
  tls: Uint32Array | null = null;
  /** The kernel has written its selectors, or what they name may have changed: they are loaded before it goes on. */
  selectorsChanged = false;
  /** Who last wrote its PKRU: a WRPKRU, and the kernel. */
  readonly pkruWriter: PkruWriters = { instruction: 0, rip: 0, set: undefined };
  waiting: WaitRecord | null = null;
  /** Its page fault waits for a userfaultfd's answer. */
  userfault: UserfaultSleep | null = null;
  /** Its breakpoints in debug registers; null: it never had any. */
  breakpoints: TaskBreakpoints | null = null;
  /** The debug registers as its tracer sees them; null: nobody touched them. */
  debugRegisters: DebugRegisters | null = null;
  /** What it has of uprobes; null: it met none. */
  uprobes: UprobeTask | null = null;
  /** The record that its queues and its deadline were set for. */
  registered: WaitRecord | null = null;
  deadline: TimerEntry | null = null;
  /** What is done in its name before it goes on (task_work); the first one first. */
  readonly work: TaskWork[] = [];
  /** The rings it has submitted to; null: none ever. */
  rings: Set<RingFile> | null = null;
  /** What restart_syscall(2) goes on with; null: nothing, EINTR. */
  restart: RestartBlock | null = null;
  /** Who traces it, and how; null: nobody. */
  tracing: Tracing | null = null;
  /** Tasks that this one traces. */
  readonly tracees = new Set<Task>();
  /** Steps that a tracer's stop put off: taken when the task goes on, the first one first. */
  readonly unfinished: Unfinished[] = [];
  /** A signal that a tracer let through: delivered without another stop. */
  injected: SignalInfo | null = null;
  /** It came into the kernel by no system call, or a tracer says so (orig_rax, as an int, is -1). */
  noSyscall = true;
  /** How its interrupted call ended, until it is known whether a handler runs. */
  interruptedBy: RestartCode = 0;
  /** RAX at the last SYSCALL, as two halves, for restarts; the call's number is the low one. */
  originalRaxLow = 0;
  originalRaxHigh = 0;
  /** Its present or last call is one of 32-bit programs, by INT 0x80 (TS_COMPAT). */
  ia32Call = false;
  /** set_tid_address: cleared and woken at exit; 0 for none. */
  clearChildTid = 0;
  /** CLONE_CHILD_SETTID: written when it first runs; 0 for none. */
  setChildTid = 0;
  robustList = 0n;
  /** What rseq(2) has registered; null: nothing. */
  rseq: RestartableSequences | null = null;
  /** The last vector, error code and fault address, as signal frames show them (thread.trap_nr, error_code, cr2). */
  trapNumber = 0;
  trapErrorCode = 0;
  faultAddress = 0n;
  /** A fault pushed RFLAGS with RF set: the next signal frame shows it (SDM vol. 3, 18.3.1.1). */
  resumeFlag = false;
  parentDeathSignal = 0;
  noNewPrivileges = false;
  /** null: none. */
  seccomp: SeccompState | null = null;
  /** Its call waits for a seccomp listener's answer. */
  notification: SeccompNotification | null = null;
  /** PR_SET_SYSCALL_USER_DISPATCH; null: off. */
  userDispatch: UserDispatch | null = null;
  /** It became a user with more tasks than RLIMIT_NPROC allows (PF_NPROC_EXCEEDED). */
  processLimitExceeded = false;
  timerSlackNanoseconds = 50_000;
  /** What PR_SET_TIMERSLACK with 0 goes back to: the slack of whoever made it. */
  defaultTimerSlackNanoseconds = 50_000;
  personality = 0;
  nice = 0;
  /** SCHED_*. */
  policy = 0;
  realtimePriority = 0;
  /** SCHED_RESET_ON_FORK: children start as ordinary tasks. */
  resetOnFork = false;
  /** Nanoseconds asked for with sched_setattr(2); 0: the usual slice. */
  customSlice = 0;
  /** ioprio_set(2): class and level; 0: from the nice value. */
  ioPriority = 0;
  /** set_mempolicy(2); null: the default one. */
  memoryPolicy: MemoryPolicy | null = null;
  /** Instructions retired while this task ran. */
  instructions = 0;
  /** Page faults of its turns that are over, and what its address space had counted when this one began (thread-faults.ts). */
  minorFaults = 0;
  faultsAtTurn = 0;
  /** `instructions` when it last slept: RLIMIT_RTTIME counts from there. */
  sleptAt = 0;
  private readonly scheduler: Scheduler;

  constructor(parts: TaskParts) {
    this.tid = parts.tid;
    this.process = parts.process;
    this.mm = parts.mm;
    this.user = parts.user;
    this.files = parts.files;
    this.fs = parts.fs;
    this.credentials = parts.credentials;
    this.scheduler = parts.scheduler;
    this.signals = new SignalState(parts.process);
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

  /** Lets a sleeper look again whether it may go on. */
  wake(_events?: number): void {
    this.scheduler.wake(this);
  }

  /** Its deadline has come. */
  expired(): void {
    this.deadline = null;
    this.wake();
  }
}

/** An interrupted call that goes on with what is left of its time (restart_syscall(2)). */
export type RestartBlock =
  | {
      readonly kind: "nanosleep";
      readonly deadline: number;
      readonly remainder: bigint;
      /** The remainder's struct timespec has 32-bit words. */
      readonly short?: boolean;
    }
  | { readonly kind: "poll"; readonly deadline: number | null }
  | FutexRestart;

/** FUTEX_WAIT or FUTEX_WAIT_BITSET with a time. */
export interface FutexRestart {
  readonly kind: "futex";
  readonly address: bigint;
  readonly shared: boolean;
  readonly value: number;
  readonly bitset: number;
  /** Monotonic nanoseconds. */
  readonly deadline: number;
  /** The same on CLOCK_REALTIME where that is the clock, else null. */
  readonly realtime: bigint | null;
}
