/**
 * The kernel: tasks, the run loop, and the ways from user mode into it. A run is a row of steps: let the CPU run,
 * serve what made it stop, deliver signals, go on.
 */

import type { FrameAllocator } from "../mmu/frame-allocator.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { DEFAULT_REALTIME_ORIGIN, VirtualClock, type Clock } from "./clock.js";
import { CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_SYS_RAWIO } from "./capabilities.js";
import { checkCpuLimit, cpuLimitAt } from "./cpu-limit.js";
import { hasCapability, userCredentials, type Credentials } from "./credentials.js";
import { EFAULT, ENOSYS } from "./errno.js";
import { KernelEvents } from "./events.js";
import { execute, type ExecFailure, type ExecutableFiles } from "./exec/exec.js";
import { Network } from "./net/network.js";
import { raiseException } from "./exceptions.js";
import { Vdso, type VdsoImage } from "./exec/vdso.js";
import type { FileTable } from "./fs/file-table.js";
import type { FsContext } from "./fs/fs-context.js";
import { FutexTable } from "./futex/table.js";
import type { Host } from "./host.js";
import { Limits, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK } from "./limits.js";
import { Ipc } from "./ipc/ipc.js";
import { commit, uncommit } from "./mm/accounting.js";
import { AddressSpace } from "./mm/address-space.js";
import {
  createEnvironment,
  DEFAULT_SETTINGS,
  type MmCapabilities,
  type MemoryLimits,
  type MmEnvironment,
  type MmSettings,
} from "./mm/environment.js";
import { killForMemory } from "./out-of-memory.js";
import { UserMemory } from "./mm/user-memory.js";
import { RAX, type Processor } from "./processor.js";
import type { Provenance, Refusal } from "./refusal.js";
import { DEFAULT_RELEASE, type Release } from "./release.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "./restart.js";
import { rseqReturn } from "./rseq.js";
import { deliverSignals } from "./signals/deliver.js";
import { sendSignal } from "./signals/send.js";
import type { SignalInfo } from "./signals/siginfo.js";
import { SignalSet } from "./signals/signal-set.js";
import { XSAVE_BYTES, XSAVE_BYTES_NO_PKU } from "./signals/frame.js";
import { writeRemainder, writeTimeLeft } from "./sleep-remainder.js";
import { exitProcess, exitTask } from "./exit.js";
import { CLONE_VM } from "./clone-flags.js";
import { Scheduler, type SchedulerOptions } from "./scheduler.js";
import { sleepNoMore, sleepOn } from "./sleep.js";
import { reportStep, stepsNow, stopForSyscall, stopsAtSyscalls, stopWithEvent } from "./ptrace/stop.js";
import { PTRACE_EVENT_STOP, type Tracing, type Unfinished } from "./ptrace/tracing.js";
import { BLOCKED, NO_RESULT, type SyscallDispatch } from "./syscall-dispatch.js";
import type { WaitRecord } from "./wait.js";
import { Process, Task, type ExitStatus } from "./task.js";
import { TimerQueue } from "./timer-queue.js";
import { fireCpuTimers, ProcessTimer } from "./timer-signals.js";
import { IntervalTimers } from "./timers.js";
import { SIGKILL, SIGTRAP } from "./signals/numbers.js";

export interface KernelOptions {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly mmu: Mmu;
  readonly cpu: Processor;
  readonly host: Host;
  readonly dispatch: SyscallDispatch;
  /** Finds programs for execve. */
  readonly files: ExecutableFiles;
  /** Protection keys are on; true unless told. */
  readonly pku?: boolean;
  /** 6.18 unless told. */
  readonly release?: Release;
  /** A virtual clock from 2026 on unless told. */
  readonly clock?: Clock;
  /** Without one no vDSO is mapped, as with Linux's `vdso=0`. */
  readonly vdso?: VdsoImage;
  readonly hostname?: string;
  /** sysctls of the mm. */
  readonly mmSettings?: Partial<MmSettings>;
  /** The mm's model of sealing, where it is not Linux's. */
  readonly mm?: Partial<Pick<MmEnvironment, "sealing">>;
  readonly firstPid?: number;
  /** How tasks take turns. */
  readonly schedule?: SchedulerOptions;
  /** Processes that outlive the first one go on; otherwise they are killed with it, as by the end of a container. */
  readonly waitForAll?: boolean;
  /** At so many tasks, zombies among them, there is no fork and no new thread any more; 4096 unless told. */
  readonly maxTasks?: number;
}

export interface StartOptions {
  /** Path of the program in the guest's tree. Strings are latin-1: one character, one byte. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly files: FileTable;
  readonly fs: FsContext;
  readonly credentials?: Credentials;
}

export type RunResult =
  | { readonly reason: "exited"; readonly status: ExitStatus }
  /** The instructions allowed have been retired. */
  | { readonly reason: "budget" }
  /** `requestStop` was called. */
  | { readonly reason: "stopped" }
  /** A stop signal stopped it, and nobody is there to continue it. */
  | { readonly reason: "suspended"; readonly signal: number }
  /**
   * It waits. `input`: for the host's input (run again when there is some). `deadline`: at that monotonic time it
   * goes on by itself (on a virtual clock, `advanceClock` carries it there). Neither: for a signal from outside, and
   * without one for ever (kernel/wait-reason.ts says for what).
   */
  | { readonly reason: "blocked"; readonly input: boolean; readonly deadline: number | null };

const BUDGET: RunResult = { reason: "budget" };
const STOPPED: RunResult = { reason: "stopped" };
/** On a host's clock, how many instructions may pass before timers are looked at. */
const TIMER_SLICE = 200_000;
const SYSCALL_BYTES = 2;
/** Waits for a condition, which a signal does not undo. */
const LOOKS_FIRST: ReadonlySet<WaitRecord["kind"]> = new Set(["file", "open", "queue", "child"]);
/** Numbers below this are not given out again (RESERVED_PIDS). */
const RESERVED_PIDS = 300;
/** pid_max of a 64-bit Linux. */
export const PID_MAX = 4_194_304;
const DEFAULT_MAX_TASKS = 4096;
const READ_IMPLIES_EXEC = 0x40_0000;

export class Kernel {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly mmu: Mmu;
  readonly cpu: Processor;
  readonly host: Host;
  readonly files: ExecutableFiles;
  readonly pku: boolean;
  /** AT_HWCAP: EDX of CPUID leaf 1. */
  readonly hwcap: number;
  readonly release: Release;
  readonly clock: Clock;
  readonly vdso: Vdso | null;
  /** /proc/sys/vm, as all address spaces have it. */
  readonly mmSettings: MmSettings;
  readonly events = new KernelEvents();
  readonly network = new Network();
  readonly futexes = new FutexTable();
  /** System V shared memory, semaphores and message queues. */
  readonly ipc: Ipc;
  /** Every number that is a task's, ended leaders of living or unwaited-for processes included. */
  readonly tasks = new Map<number, Task>();
  /** Every process that has not been waited for. */
  readonly processes = new Map<number, Process>();
  readonly scheduler: Scheduler;
  readonly timerQueue = new TimerQueue();
  /** Tasks that wait for the host's input. */
  readonly hostWaiters = new Set<Task>();
  readonly waitForAll: boolean;
  /** The first process: how it ends is how the run ends. */
  init!: Process;
  hostname: string;
  domainname = "(none)";
  readonly maxTasks: number;
  current!: Task;
  /** The refusal behind the last fault that became a signal; null when nobody listens or there was none. */
  lastFaultRefusal: Refusal | null = null;
  /** System calls served. */
  syscalls = 0;
  readonly #dispatch: SyscallDispatch;
  readonly #mmParts: NonNullable<KernelOptions["mm"]>;
  readonly #commit = { pages: 0 };
  readonly #reaped = new WeakSet<AddressSpace>();
  /** Bytes of a context that was loaded: the next one is saved in them. */
  #spareContext: Uint8Array | null = null;
  #nextAsid = 1;
  #nextPid: number;
  #stopRequested = false;
  /** The earliest timer when the running task's budget was made: an earlier one ends its run. */
  #timersSeen = Infinity;
  #inSyscall = false;
  /** The kernel's own last write of PKRU. */
  #pkruSet: Provenance | undefined;
  /** The current call's number, for refusals. */
  #number = 0;

  constructor(options: KernelOptions) {
    this.memory = options.memory;
    this.frames = options.frames;
    this.mmu = options.mmu;
    this.cpu = options.cpu;
    this.host = options.host;
    this.files = options.files;
    this.pku = options.pku ?? true;
    this.hwcap = options.cpu.model.cpuid(1, 0).edx;
    this.release = options.release ?? DEFAULT_RELEASE;
    this.clock = options.clock ?? new VirtualClock(options.cpu, DEFAULT_REALTIME_ORIGIN);
    this.vdso = options.vdso === undefined ? null : new Vdso(options.frames, this.clock, options.vdso);
    this.clock.watcher = this.vdso;
    this.ipc = new Ipc({
      frames: this.frames,
      time: () => Math.floor((Number(this.clock.realtimeOrigin) + this.clock.monotonic()) / 1e9),
      pid: () => this.current.pid,
      mayCommit: (pages) => {
        const { mm } = this.current;
        const may = commit(mm, pages);
        if (may) uncommit(mm, pages);
        return may;
      },
    });
    this.hostname = options.hostname ?? "sealab";
    this.maxTasks = options.maxTasks ?? DEFAULT_MAX_TASKS;
    this.#dispatch = options.dispatch;
    this.#mmParts = options.mm ?? {};
    this.mmSettings = { ...DEFAULT_SETTINGS, ...options.mmSettings };
    this.scheduler = new Scheduler(options.schedule);
    this.waitForAll = options.waitForAll ?? false;
    this.#nextPid = options.firstPid ?? 1000;
  }

  /** Bytes of the XSAVE area in a signal frame. */
  get xsaveBytes(): number {
    return this.pku ? XSAVE_BYTES : XSAVE_BYTES_NO_PKU;
  }

  /** Makes the first process and puts a program into it; null, or why it cannot run. */
  start(options: StartOptions): ExecFailure | null {
    const credentials = options.credentials ?? userCredentials(0, 0);
    const limits = new Limits(this.memory.ramBytes);
    const process = new Process({ pid: this.newPid(), parent: null, limits, timers: new IntervalTimers() });
    const mm = this.newAddressSpace(limits);
    if (mm === null) throw new RangeError("guest memory has no room for a page table");
    mm.hold();
    // For whoever looks at it after its end.
    mm.hold();
    const task = new Task({
      tid: process.pid,
      process,
      mm,
      user: new UserMemory(mm),
      files: options.files,
      fs: options.fs,
      credentials,
      scheduler: this.scheduler,
    });
    process.tasks.push(task);
    process.leader = task;
    this.init = process;
    this.tasks.set(task.tid, task);
    this.processes.set(process.pid, process);
    options.fs.namespace.terminals.adopt(process);
    this.current = task;
    this.activate(mm);
    const failure = execute(this, task, { path: options.path }, options.argv, options.env);
    if (failure === null) {
      task.wake();
      this.scheduler.pick(this.cpu.instructions);
    } else if (!failure.fatal) this.reap(task);
    return failure;
  }

  /** What the mm asks of whoever calls: capabilities are a thread's, not an address space's. */
  readonly #capabilities = this.#callersCapabilities();

  #callersCapabilities(): MmCapabilities {
    const has = (capability: number): boolean => hasCapability(this.current.credentials, capability);
    return {
      get ipcLock() {
        return has(CAP_IPC_LOCK);
      },
      get rawIo() {
        return has(CAP_SYS_RAWIO);
      },
      get sysAdmin() {
        return has(CAP_SYS_ADMIN);
      },
    };
  }

  /** The next free number for a task (alloc_pid): they go up, and start again above 300 at PID_MAX. */
  newPid(): number {
    do {
      if (this.#nextPid >= PID_MAX) this.#nextPid = RESERVED_PIDS;
      this.#nextPid++;
    } while (this.tasks.has(this.#nextPid - 1));
    return this.#nextPid - 1;
  }

  /** The number given out last. */
  get lastPid(): number {
    return this.#nextPid - 1;
  }

  /** An empty address space that shares the process's limits; null when no frame is left for its root. */
  newAddressSpace(limits: Limits, personality = 0): AddressSpace | null {
    return AddressSpace.create(this.#environment(limits, personality), this.#nextAsid++);
  }

  /** A copy of a task's memory for a forked process with those limits; null when frames or the commit limit end. */
  copyAddressSpace(task: Task, limits: Limits): AddressSpace | null {
    const copy = task.mm.fork(this.#environment(limits, task.personality), this.#nextAsid++);
    return typeof copy === "number" ? null : copy;
  }

  #environment(limits: Limits, personality: number): MmEnvironment {
    const memoryLimits: MemoryLimits = {
      get as() {
        return limits.soft(RLIMIT_AS);
      },
      get data() {
        return limits.soft(RLIMIT_DATA);
      },
      get dataMax() {
        return limits.get(RLIMIT_DATA).hard;
      },
      get stack() {
        return limits.soft(RLIMIT_STACK);
      },
      get memlock() {
        return limits.soft(RLIMIT_MEMLOCK);
      },
    };
    const environment = createEnvironment({
      frames: this.frames,
      mmu: this.mmu,
      pku: this.pku,
      limits: memoryLimits,
      capabilities: this.#capabilities,
      commit: this.#commit,
      outOfMemory: (mm) => killForMemory(this, mm),
      machine: {
        pkru: () => this.cpu.registers.pkru,
        setPkru: (value) => this.setPkru(value),
        provenance: () => this.provenance(),
        pkruWrittenBy: () => this.#pkruWriter(),
        syscall: () => (this.#inSyscall ? this.#dispatch.nameOf(this.#number) : undefined),
      },
      release: this.release.rules,
      settings: this.mmSettings,
      ...this.#mmParts,
    });
    environment.readImpliesExec = (personality & READ_IMPLIES_EXEC) !== 0;
    // Objects are built only while somebody listens: the sinks are looked up at each use.
    const { events } = this;
    Object.defineProperty(environment, "onRefusal", {
      get: () =>
        events.listening.refusal || events.listening.fault || events.listening.signal
          ? this.#onRefusal
          : null,
    });
    Object.defineProperty(environment, "onAreaChange", {
      get: () => (events.listening.area ? this.#onAreaChange : null),
    });
    return environment;
  }

  readonly #onRefusal = (refusal: Refusal): void => this.events.emit("refusal", refusal);
  readonly #onAreaChange = (change: Parameters<NonNullable<MmEnvironment["onAreaChange"]>>[0]): void =>
    this.events.emit("area", change);

  /** Where the machine is now: of a system call, the SYSCALL instruction. */
  provenance(): Provenance {
    const { registers, instructions } = this.cpu;
    return {
      instruction: this.#inSyscall ? instructions - 1 : instructions,
      rip: this.#inSyscall ? registers.rip - SYSCALL_BYTES : registers.rip,
      tid: this.current.tid,
    };
  }

  #pkruWriter(): Provenance | undefined {
    const { instruction, rip } = this.cpu.pkruWriter;
    if (this.#pkruSet !== undefined && this.#pkruSet.instruction >= instruction) return this.#pkruSet;
    return instruction === 0 ? undefined : { instruction, rip, tid: this.current.tid };
  }

  /** Makes a task's address space the one that the CPU runs in. */
  activate(mm: AddressSpace): void {
    mm.activate();
    this.cpu.asid = mm.asid;
  }

  /**
   * Writes PKRU for the running task, and remembers that it was the kernel.
   * @param by on what occasion; the present system call, where it is not said
   */
  setPkru(value: number, by?: string): void {
    this.cpu.registers.pkru = value;
    this.#pkruSet = {
      ...this.provenance(),
      by: by ?? (this.#inSyscall ? this.#dispatch.nameOf(this.#number) : "execve"),
    };
  }

  /** Tasks that have not ended. */
  get livingTasks(): number {
    let count = 0;
    for (const { tasks } of this.processes.values()) count += tasks.length;
    return count;
  }

  /** A call's name, for messages. */
  syscallName(number: number): string {
    return this.#dispatch.nameOf(number);
  }

  /** Makes `run` return "stopped" at the next boundary; for listeners. */
  requestStop(): void {
    this.#stopRequested = true;
  }

  /** Carries a virtual clock to a time (of "blocked"), so that the next run goes on. */
  advanceClock(time: number): void {
    this.clock.advanceTo(time);
  }

  /** A signal from outside, as Ctrl-C sends SIGINT, to the task's process. 0 or a negative errno. */
  sendSignal(task: Task, info: SignalInfo): number {
    return sendSignal(task, info, true);
  }

  /**
   * Runs until at most `maxInstructions` more have been retired. Exact: a run that stops by "budget" has retired
   * that many.
   */
  run(maxInstructions: number): RunResult {
    const { cpu, scheduler } = this;
    const limit = cpu.instructions + maxInstructions;
    for (;;) {
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return STOPPED;
      }
      if (this.processes.size === 0) return { reason: "exited", status: this.init.exit! };
      this.#wakeDue();
      const task = scheduler.pick(cpu.instructions);
      if (task === null) {
        const result = this.#idle();
        if (result !== null) return result;
        continue;
      }
      if (task !== this.current) this.#switchTo(task);
      const { process } = task;
      if (task.tracing !== null && this.#stoppedByTracer(task, task.tracing)) continue;
      if (process.stopped !== 0 && task.tracing === null && !this.#killed(task)) {
        scheduler.sleep(task, "asleep");
        continue;
      }
      if (task.unfinished.length > 0 && !this.#killed(task)) {
        this.#goOnUnfinished(task, task.unfinished.shift()!);
        continue;
      }
      if (task.waiting !== null) {
        this.#goOnWaiting(task);
        continue;
      }
      if (task.rseq?.preempted === true) rseqReturn(this, task);
      if (task.signals.attention || task.interruptedBy !== 0 || task.injected !== null) {
        deliverSignals(this, task, task.interruptedBy);
        continue;
      }
      const now = cpu.instructions;
      if (now >= limit) return BUDGET;
      const until = Math.min(
        limit,
        scheduler.waiting > 0 ? scheduler.sliceEnd : Infinity,
        now + this.#untilTimer(task),
        stepsNow(task) ? now + 1 : Infinity,
      );
      if (this.#runUser(task, until - now)) return STOPPED;
      if (stepsNow(task) && cpu.instructions === now + 1) reportStep(this, task);
      if (process.timers.usesCpu) fireCpuTimers(this, task);
      if (process.usage.instructions >= cpuLimitAt(process)) checkCpuLimit(process);
    }
  }

  /** A tracee stands still, or has to stop now; false where it goes on. */
  #stoppedByTracer(task: Task, tracing: Tracing): boolean {
    const { process } = task;
    if (this.#killed(task)) {
      tracing.stop = null;
      return false;
    }
    if (tracing.stop !== null) {
      this.scheduler.sleep(task, "asleep");
      return true;
    }
    const joins = process.stopped !== 0 && tracing.passedStop !== process.stops;
    if (joins || tracing.interrupted) {
      if (task.waiting !== null) {
        this.#interrupt(task);
        sleepNoMore(this, task);
      }
      tracing.interrupted = false;
      if (joins) tracing.passedStop = process.stops;
      const event = tracing.seized ? PTRACE_EVENT_STOP : 0;
      stopWithEvent(this, task, event, process.stopped === 0 ? SIGTRAP : process.stopped);
      return true;
    }
    return false;
  }

  /** Takes up what a tracer's stop put off. */
  #goOnUnfinished(task: Task, step: Unfinished): void {
    switch (step.kind) {
      case "execute":
        // A tracer may have cancelled the call, or does it itself.
        if (task.noSyscall || task.tracing?.mode.startsWith("emulate") === true) this.#syscallDone(task);
        else this.#execute(task, false);
        break;
      case "exit-stop":
        this.#syscallDone(task);
        break;
      case "exit-task":
        exitTask(this, task, step.status.code);
        break;
      case "exit-process":
        exitProcess(this, task, step.status);
        break;
    }
  }

  /** A system call has ended: a tracer may want to see that, after what else it has been told. */
  #syscallDone(task: Task): void {
    if (task.tracing === null || task.state === "dead" || !stopsAtSyscalls(task, "exit")) return;
    // A call that ends the task has no exit.
    if (task.unfinished.some(({ kind }) => kind === "exit-task" || kind === "exit-process")) return;
    if (task.tracing.stop === null) stopForSyscall(this, task, "exit");
    else task.unfinished.push({ kind: "exit-stop" });
  }

  /** Timers that have expired and input that has come wake their tasks. */
  #wakeDue(): void {
    if (this.timerQueue.next !== Infinity) {
      const now = this.clock.monotonic();
      if (this.timerQueue.next <= now) this.timerQueue.fire(now);
    }
    if (this.hostWaiters.size > 0 && this.host.stdin.ready())
      for (const task of [...this.hostWaiters]) task.wake();
  }

  /** Nobody can run: carries a virtual clock to the next timer, else says what the run waits for. */
  #idle(): RunResult | null {
    const next = this.timerQueue.next;
    const input = this.hostWaiters.size > 0;
    if (next !== Infinity && this.clock.virtual && !input) {
      this.clock.advanceTo(next);
      return null;
    }
    const { init } = this;
    if (next === Infinity && !input && init.stopped !== 0)
      return { reason: "suspended", signal: init.stopped };
    return { reason: "blocked", input, deadline: next === Infinity ? null : next };
  }

  #killed(task: Task): boolean {
    return task.signals.pending.set.has(SIGKILL) || task.process.pending.set.has(SIGKILL);
  }

  /** The processor goes to another task: its registers, its page tables. */
  #switchTo(task: Task): void {
    const { cpu, current } = this;
    if (current.state !== "dead") {
      current.context = cpu.saveContext(this.#spareContext ?? undefined);
      this.#spareContext = null;
      const writer = current.pkruWriter;
      writer.instruction = cpu.pkruWriter.instruction;
      writer.rip = cpu.pkruWriter.rip;
      writer.set = this.#pkruSet;
    }
    this.current = task;
    this.activate(task.mm);
    if (task.context !== null) {
      cpu.loadContext(task.context);
      this.#spareContext = task.context;
      task.context = null;
    }
    cpu.pkruWriter.instruction = task.pkruWriter.instruction;
    cpu.pkruWriter.rip = task.pkruWriter.rip;
    this.#pkruSet = task.pkruWriter.set;
    if (task.setChildTid !== 0) {
      task.user.writeU32(task.setChildTid, task.tid);
      task.setChildTid = 0;
    }
  }

  /** Runs the CPU and serves system calls until something other than a plain call happens; true to stop. */
  #runUser(task: Task, budget: number): boolean {
    const { cpu } = this;
    const limit = cpu.instructions + budget;
    const { signals } = task;
    do {
      const before = cpu.instructions;
      const reason = cpu.run(limit - before);
      task.instructions += cpu.instructions - before;
      task.process.usage.instructions += cpu.instructions - before;
      if (reason === "syscall") this.#serve(task);
      else if (reason === "exception") {
        raiseException(this, task);
        return false;
      } else return false;
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return true;
      }
    } while (
      !signals.attention &&
      task.waiting === null &&
      task.state === "ready" &&
      task.interruptedBy === 0 &&
      !this.scheduler.yielding &&
      this.timerQueue.next >= this.#timersSeen &&
      cpu.instructions < limit
    );
    return false;
  }

  /** Instructions until a timer may expire, at least 1. */
  #untilTimer(task: Task): number {
    const next = (this.#timersSeen = this.timerQueue.next);
    let left = Infinity;
    if (next !== Infinity || this.hostWaiters.size > 0)
      left = this.clock.virtual && next !== Infinity ? next - this.clock.monotonic() : TIMER_SLICE;
    const { process } = task;
    left = Math.min(left, cpuLimitAt(process) - process.usage.instructions);
    if (process.timers.usesCpu)
      left = Math.min(left, process.timers.next("cpu") - process.usage.instructions);
    return Math.max(1, Math.ceil(left));
  }

  /** A process's interval or POSIX timers were set: they are looked at when the first is due. */
  timersChanged(process: Process): void {
    if (process.timerEntry !== null) this.timerQueue.cancel(process.timerEntry);
    const next = process.timers.next("monotonic");
    process.timerEntry =
      next === Infinity || process.zombie ? null : this.timerQueue.add(next, new ProcessTimer(this, process));
  }

  /** A SYSCALL instruction. */
  #serve(task: Task): void {
    const { registers } = this.cpu;
    this.syscalls++;
    task.originalRaxLow = registers.low(RAX);
    task.originalRaxHigh = registers.high(RAX);
    task.noSyscall = false;
    if (task.tracing !== null && stopsAtSyscalls(task, "entry")) {
      registers.setNumber(RAX, -ENOSYS);
      task.unfinished.push({ kind: "execute" });
      stopForSyscall(this, task, "entry");
    } else this.#execute(task, false);
  }

  /** Executes the call whose number is in the task's record, and puts its result where it belongs. */
  #execute(task: Task, resumed: boolean): void {
    const number = task.originalRaxLow >>> 0;
    const { listening } = this.events;
    this.#number = number;
    this.#inSyscall = true;
    if (listening.syscallEnter || listening.syscallExit) {
      this.#executeTraced(task, number, resumed);
    } else {
      const result = this.#dispatch.execute(this, task, number);
      if (result !== BLOCKED && result !== NO_RESULT) this.#finish(task, result);
    }
    this.#inSyscall = false;
    if (task.waiting !== null) sleepOn(this, task);
    else {
      if (task.registered !== null) sleepNoMore(this, task);
      if (task.tracing !== null) this.#syscallDone(task);
    }
  }

  #executeTraced(task: Task, number: number, resumed: boolean): void {
    const { registers } = this.cpu;
    const args = [7, 6, 2, 10, 8, 9].map((register) => BigInt.asUintN(64, registers.get(register)));
    const name = this.#dispatch.nameOf(number);
    const enter = { task, number, name, args, instruction: this.cpu.instructions, resumed };
    if (this.events.listening.syscallEnter) this.events.emit("syscallEnter", enter);
    const result = this.#dispatch.execute(this, task, number);
    if (result === BLOCKED) return;
    if (this.events.listening.syscallExit) {
      this.events.emit("syscallExit", { ...enter, result: result === NO_RESULT ? null : BigInt(result) });
    }
    if (result !== NO_RESULT) this.#finish(task, result);
  }

  /** Writes a result to RAX; a call that asks for its restart has signals delivered next, as only these cause it. */
  #finish(task: Task, result: number | bigint): void {
    const { registers } = this.cpu;
    if (typeof result === "bigint") registers.set(RAX, BigInt.asUintN(64, result));
    else {
      registers.setNumber(RAX, result);
      if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK) task.interruptedBy = -result;
    }
  }

  /** A waiting task was woken: executes its call again where that makes sense. */
  #goOnWaiting(task: Task): void {
    const wait = task.waiting!;
    task.signals.recalculate();
    // A futex wait that was woken has succeeded, whatever else there is; so has a semop(2) done by others.
    const woken = (wait.kind === "futex" && wait.woken) || (wait.kind === "queue" && wait.done === true);
    if (task.signals.attention && !woken && (wait.interrupted !== 0 || this.#killed(task))) {
      // What has come counts before the signal, as Linux looks at its condition before it gives a wait up.
      if (LOOKS_FIRST.has(wait.kind) && !this.#killed(task)) {
        this.#execute(task, true);
        if (task.waiting === null || !task.signals.attention) return;
      }
      this.#interrupt(task);
      sleepNoMore(this, task);
      return;
    }
    const late = wait.deadline !== null && this.clock.monotonic() >= wait.deadline;
    if (late || this.#mayGoOn(task)) {
      wait.timedOut = late;
      this.#execute(task, true);
    } else sleepOn(this, task);
  }

  #mayGoOn(task: Task): boolean {
    const wait = task.waiting!;
    switch (wait.kind) {
      case "file":
      case "open":
      case "queue":
      case "child":
      case "vfork":
        return true;
      case "futex":
        return wait.woken || wait.realtime !== null;
      case "signal": {
        const { pending, waitedFor } = task.signals;
        if (waitedFor === null) return false;
        const others = new SignalSet();
        others.lo = ~waitedFor.lo;
        others.hi = ~waitedFor.hi;
        return pending.set.anyOutside(others) || task.process.pending.set.anyOutside(others);
      }
      case "sleep":
        return false;
    }
  }

  /** A signal ends a wait. */
  #interrupt(task: Task): void {
    const wait = task.waiting!;
    task.waiting = null;
    task.signals.waitedFor = null;
    if (wait.interrupted === 0) return;
    if (wait.kind === "file" && wait.progress > 0) {
      this.#reportInterrupted(task, BigInt(wait.progress));
      this.cpu.registers.setNumber(RAX, wait.progress);
      if (task.tracing !== null) this.#syscallDone(task);
      return;
    }
    if (wait.kind === "file") writeTimeLeft(this, task, wait);
    const bad = wait.interrupted === ERESTART_RESTARTBLOCK && !writeRemainder(this, task);
    const code = bad ? EFAULT : wait.interrupted;
    this.#reportInterrupted(task, BigInt(-code));
    this.cpu.registers.setNumber(RAX, -code);
    task.interruptedBy = code >= ERESTARTSYS ? code : 0;
    if (task.tracing !== null) this.#syscallDone(task);
  }

  #reportInterrupted(task: Task, result: bigint): void {
    if (!this.events.listening.syscallExit) return;
    const { registers } = this.cpu;
    const number = task.originalRaxLow >>> 0;
    this.events.emit("syscallExit", {
      task,
      number,
      name: this.#dispatch.nameOf(number),
      args: [7, 6, 2, 10, 8, 9].map((register) => BigInt.asUintN(64, registers.get(register))),
      instruction: this.cpu.instructions,
      resumed: true,
      result,
    });
  }

  /** Lets another ready task run first (sched_yield(2)). */
  yield(): void {
    this.scheduler.yielding = true;
  }

  /** clone has made a task: what other rooms do about it. */
  onFork(_parent: Task, child: Task, flags: number): void {
    if ((flags & CLONE_VM) === 0) child.robustList = 0n;
  }

  /** The last task of a process has ended; nobody has been told yet. */
  onProcessEnd(_process: Process): void {}

  /** The first process's memory outlives it, so that it can be looked at; execve gives it another. */
  keepForInspection(old: AddressSpace, next: AddressSpace): void {
    next.hold();
    old.drop();
  }

  /** A task leaves its memory, which goes with the last one. */
  dropMemory(task: Task): void {
    task.mm.drop();
  }

  /** The process has been waited for, or nobody will: its number is free. */
  forget(process: Process): void {
    this.processes.delete(process.pid);
    this.tasks.delete(process.leader.tid);
    process.parent?.children.delete(process);
    if (this.processes.size === 0) this.#standStill();
  }

  /** All is over: the first process is what can be looked at. */
  #standStill(): void {
    this.current = this.init.leader;
    this.activate(this.current.mm);
  }

  /** Gives the memory of an ended first process back; it can be looked at until then. */
  reap(task: Task): void {
    this.tasks.delete(task.tid);
    this.processes.delete(task.pid);
    if (this.#reaped.has(task.mm)) return;
    this.#reaped.add(task.mm);
    while (task.mm.users > 0) task.mm.drop();
  }

  /** exit(2). @param code 0 to 255 */
  exitTask(task: Task, code: number): void {
    exitTask(this, task, code);
  }

  /** Ends a process with all its tasks. */
  exitProcess(task: Task, status: ExitStatus): void {
    exitProcess(this, task, status);
  }
}
