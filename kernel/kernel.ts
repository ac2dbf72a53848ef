/**
 * The kernel: what its tasks share, and how they come and go. run-loop.ts lets them run, system-calls.ts serves them.
 */

import type { FrameAllocator } from "../mmu/frame-allocator.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { DEFAULT_REALTIME_ORIGIN, VirtualClock, type Clock } from "./clock.js";
import type { BreakpointSlots } from "./debug-registers/slots.js";
import type { KernelDebugger } from "./debugger.js";
import { EntryWatch } from "./entry-watch.js";
import { KernelEvents, type KernelEventName } from "./events.js";
import { type ExecFailure, type ExecutableFiles } from "./exec/exec.js";
import type { SealElf } from "./exec/seal-program.js";
import { Vdso } from "./exec/vdso.js";
import { exitProcess, exitTask } from "./exit.js";
import { startFirstProcess } from "./first-process.js";
import { FutexTable } from "./futex/table.js";
import type { Host } from "./host.js";
import { Ipc } from "./ipc/ipc.js";
import { ipcMachine } from "./ipc-machine.js";
import { Limits } from "./limits.js";
import type { Waiter } from "./wait-queue.js";
import { environmentFor } from "./mm-environment.js";
import { PinnedFrames } from "./mm/pins.js";
import { ControlGroups } from "./cgroup/control-groups.js";
import { AddressSpace } from "./mm/address-space.js";
import {
  noEvents,
  settingsFor,
  type MmEnvironment,
  type MmSettings,
  type VmEvents,
} from "./mm/environment.js";
import { Khugepaged } from "./mm/huge/khugepaged.js";
import { bootHugePages, type HugePagePools } from "./mm/hugetlb/pools.js";
import { SwapSpace } from "./mm/swap/swap-space.js";
import { SamePages } from "./mm/ksm/same-pages.js";
import { Network } from "./net/network.js";
import { PidAllocator } from "./pid-allocator.js";
import { DEFAULT_PARAMETERS, type KernelParameters } from "./parameters.js";
import type { PerfEvents } from "./perf/events.js";
import type { OutsideEvents } from "./outside.js";
import type { Processor } from "./processor.js";
import type { Provenance, Refusal } from "./refusal.js";
import { DEFAULT_RELEASE, type Release } from "./release.js";
import { RunLoop, type RunResult } from "./run-loop.js";
import { ScanThread } from "./scan-thread.js";
import { Scheduler } from "./scheduler.js";
import { SegmentTables } from "./segments/tables.js";
import { XSAVE_BYTES, XSAVE_BYTES_NO_PKU } from "./signals/frame.js";
import { withRegisters } from "./ptrace/registers.js";
import { sendSignal } from "./signals/send.js";
import type { SignalInfo } from "./signals/siginfo.js";
import type { SyscallDispatch } from "./syscall-dispatch.js";
import { sleepNoMore } from "./sleep.js";
import { SystemCalls } from "./system-calls.js";
import { Process, Task, type ExitStatus } from "./task.js";
import type { KernelUserfaults } from "./userfault-copies.js";
import { TimerQueue } from "./timer-queue.js";
import { ProcessTimer } from "./timer-signals.js";
import type { Uprobes } from "./uprobes/uprobes.js";
import type { KernelOptions, StartOptions } from "./kernel-options.js";

const SYSCALL_BYTES = 2;
/** CPUID 0x80000001: EDX: the processor has pages of 1 GiB. */
const CPUID_PDPE1GB = 1 << 26;
const DEFAULT_MAX_TASKS = 4096;

export class Kernel {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly pins: PinnedFrames;
  readonly hugePages: HugePagePools;
  readonly swap: SwapSpace;
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
  readonly parameters: KernelParameters;
  readonly sealElf: SealElf | null;
  /** /proc/sys/vm, as all address spaces have it. */
  readonly mmSettings: MmSettings;
  /** What was written to settings in /proc/sys and /sys that nothing depends on. */
  readonly tunables = new Map<string, string>();
  readonly events = new KernelEvents();
  /** A debugger outside of the machine; null: there is none. */
  debugger: KernelDebugger | null = null;
  /** What comes from outside by itself, where that is recorded; null: it comes as the driver calls. */
  outside: OutsideEvents | null = null;
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
  /** Pages of the same content, and the thread that merges them. */
  readonly samePages: SamePages;
  readonly khugepaged = new Khugepaged();
  /** The kernel's threads that look through memory. */
  readonly scanThreads: readonly ScanThread[];
  /** The kernel's own page faults that wait for a userfaultfd; null before anybody asked for them. */
  userfaults: KernelUserfaults | null = null;
  /** Breakpoints that hold for every task; null before there were any at all. */
  breakpoints: BreakpointSlots | null = null;
  /** Events that are counted; null before anybody asked for one. */
  perf: PerfEvents | null = null;
  /** Probed places of files; null before anybody asked for one. */
  uprobes: Uprobes | null = null;
  /** Tasks that wait for the host's input. */
  readonly hostWaiters = new Set<Waiter>();
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
  /** `run` has not returned: listeners are called now. */
  inRun = false;
  readonly dispatch: SyscallDispatch;
  private readonly mmParts: NonNullable<KernelOptions["mm"]>;
  private readonly commit = { pages: 0 };
  /** What /proc/vmstat counts. */
  readonly vmEvents: VmEvents = noEvents();
  readonly cgroups = new ControlGroups(this);
  private nextAsid = 1;
  /** Numbers of tasks. */
  readonly pids: PidAllocator;
  private readonly calls: SystemCalls;
  private readonly loop: RunLoop;
  /** The kernel's own last write of the running task's PKRU. */
  pkruSet: Provenance | undefined;

  constructor(options: KernelOptions) {
    this.memory = options.memory;
    this.frames = options.frames;
    this.pins = new PinnedFrames(options.frames);
    this.swap = new SwapSpace(options.frames);
    this.mmu = options.mmu;
    this.cpu = options.cpu;
    this.host = options.host;
    this.files = options.files;
    this.pku = options.pku ?? true;
    this.hwcap = options.cpu.model.cpuid(1, 0).edx;
    this.release = options.release ?? DEFAULT_RELEASE;
    this.clock = options.clock ?? new VirtualClock(options.cpu, DEFAULT_REALTIME_ORIGIN);
    this.parameters = options.parameters ?? DEFAULT_PARAMETERS;
    const gigantic = (options.cpu.model.cpuid(0x8000_0001, 0).edx & CPUID_PDPE1GB) !== 0;
    this.hugePages = bootHugePages(options.frames, gigantic, this.parameters.hugetlb);
    this.sealElf = options.sealElf ?? null;
    this.vdso =
      options.vdso === undefined || !this.parameters.vdso
        ? null
        : new Vdso(options.frames, this.clock, options.vdso);
    this.clock.watcher = this.vdso;
    this.samePages = new SamePages(this.frames);
    // Where huge pages are in use khugepaged is asleep between two turns; ksmd starts when it is turned on.
    this.scanThreads = [
      new ScanThread(this.samePages, this.clock, this.timerQueue),
      new ScanThread(this.khugepaged, this.clock, this.timerQueue),
    ];
    this.ipc = new Ipc(ipcMachine(this));
    this.hostname = options.hostname ?? "sealab";
    this.maxTasks = options.maxTasks ?? DEFAULT_MAX_TASKS;
    this.dispatch = options.dispatch;
    this.mmParts = options.mm ?? {};
    const { hugePages } = this.parameters;
    this.mmSettings = { ...settingsFor(this.frames.total), hugePages, ...options.mmSettings };
    const shared = this.mmSettings.sharedMemory.settings;
    shared.events = this.vmEvents;
    shared.splitsUnevenly = this.release.rules.blocksSplitUnevenly;
    this.scheduler = new Scheduler(options.schedule);
    this.waitForAll = options.waitForAll ?? false;
    this.pids = new PidAllocator(this.tasks, options.firstPid ?? 1000);
    this.events.onListening = (name, listening) => this.listen(name, listening);
    options.cpu.descriptorTables = new SegmentTables(this);
    options.cpu.opensInt80 = true;
    this.calls = new SystemCalls(this, options.dispatch);
    this.loop = new RunLoop(this, this.calls);
  }

  /** Bytes of the XSAVE area in a signal frame. */
  get xsaveBytes(): number {
    return this.pku ? XSAVE_BYTES : XSAVE_BYTES_NO_PKU;
  }

  /** Makes the first process and puts a program into it; null, or why it cannot run. */
  start(options: StartOptions): ExecFailure | null {
    return startFirstProcess(this, options);
  }

  /** An empty address space that shares the process's limits; null when no frame is left for its root. */
  newAddressSpace(limits: Limits, personality = 0): AddressSpace | null {
    return AddressSpace.create(this.environment(limits, personality), this.nextAsid++);
  }

  /** A copy of a task's memory for a forked process with those limits; null when frames or the commit limit end. */
  copyAddressSpace(task: Task, limits: Limits): AddressSpace | null {
    const copy = task.mm.fork(this.environment(limits, task.personality), this.nextAsid++);
    return typeof copy === "number" ? null : copy;
  }

  /** The model of sealing of a machine that has another than Linux's. */
  get sealing(): MmEnvironment["sealing"] | undefined {
    return this.mmParts.sealing;
  }

  private environment(limits: Limits, personality: number): MmEnvironment {
    return environmentFor(this, limits, personality, {
      commit: this.commit,
      vmEvents: this.vmEvents,
      ...this.mmParts,
    });
  }

  /** Where the machine is now: of a system call, the SYSCALL instruction. */
  provenance(): Provenance {
    const { registers, instructions } = this.cpu;
    const inCall = this.calls.running !== null;
    return {
      instruction: inCall ? instructions - 1 : instructions,
      rip: inCall ? registers.rip - SYSCALL_BYTES : registers.rip,
      tid: this.current.tid,
    };
  }

  /** Who last wrote the running task's PKRU; undefined when nobody has. */
  pkruWriter(): Provenance | undefined {
    const { instruction, rip } = this.cpu.pkruWriter;
    if (this.pkruSet !== undefined && this.pkruSet.instruction >= instruction) return this.pkruSet;
    return instruction === 0 ? undefined : { instruction, rip, tid: this.current.tid };
  }

  /** Makes a task's address space the one that the CPU runs in. */
  activate(mm: AddressSpace): void {
    mm.activate();
    this.cpu.asid = mm.asid;
    this.events.entryWatch?.follow(mm);
  }

  /**
   * Writes PKRU for the running task, and remembers that it was the kernel.
   * @param by on what occasion; the present system call, where it is not said
   */
  setPkru(value: number, by?: string): void {
    const { registers } = this.cpu;
    const before = registers.pkru;
    registers.pkru = value;
    const written = { ...this.provenance(), by: by ?? this.runningCall() ?? "execve" };
    this.pkruSet = written;
    if (!this.events.listening.pkru) return;
    const { instruction, rip } = written;
    this.events.emit("pkru", {
      task: this.current,
      before,
      after: registers.pkru,
      instruction,
      rip,
      by: written.by,
    });
  }

  /** What is only looked at while somebody listens. */
  private listen(name: KernelEventName, listening: boolean): void {
    const { events } = this;
    if (name === "pkru") this.cpu.listenToPkru(listening);
    if (name !== "pte") return;
    events.entryWatch?.end();
    events.entryWatch = listening
      ? new EntryWatch(this.memory, (change) => events.emit("pte", change))
      : null;
    if (this.tasks.size > 0) events.entryWatch?.follow(this.current.mm);
  }

  /** The machine's state has become another, all at once: what was learnt for listeners is learnt anew. */
  stateReplaced(): void {
    if (this.events.entryWatch !== null) this.listen("pte", true);
  }

  /** Executes a call without a SYSCALL instruction, which no tracer sees; it must never wait. */
  emulateCall(task: Task, number: number): number | bigint {
    return this.calls.emulate(task, number);
  }

  /** The system call that is being executed now. */
  runningCall(): string | undefined {
    const { running } = this.calls;
    return running === null ? undefined : this.dispatch.nameOf(running);
  }

  /** Tasks that have not ended. */
  get livingTasks(): number {
    let count = 0;
    for (const { tasks } of this.processes.values()) count += tasks.length;
    return count;
  }

  /** A task could run now. */
  get anyReady(): boolean {
    return this.scheduler.running !== null || this.scheduler.waiting > 0;
  }

  /** A call's name, for messages. */
  syscallName(number: number): string {
    return this.dispatch.nameOf(number);
  }

  /** Makes `run` return "stopped" at the next boundary; for listeners. */
  requestStop(): void {
    this.loop.stopRequested = true;
  }

  /** As requestStop, where a debugger stops a task at the entry of its call. */
  stoppedAtEntry(task: Task): void {
    this.loop.stoppedAtEntry(task);
  }

  /**
   * Runs until at most `maxInstructions` more have been retired. Exact: a run that stops by "budget" has retired
   * that many.
   */
  run(maxInstructions: number): RunResult {
    this.inRun = true;
    try {
      return this.loop.run(maxInstructions);
    } finally {
      this.inRun = false;
    }
  }

  /** Gives a task's wait up as a signal does, so that its registers can be changed: the call is made again later. */
  interruptWait(task: Task): void {
    if (task.waiting === null) return;
    withRegisters(this, task, () => this.calls.interrupt(task));
    sleepNoMore(this, task);
    task.wake();
  }

  /** Carries a virtual clock to a time (of "blocked"), so that the next run goes on. */
  advanceClock(time: number): void {
    this.clock.advanceTo(time);
  }

  /** A signal from outside, as Ctrl-C sends SIGINT, to the task's process. 0 or a negative errno. */
  sendSignal(task: Task, info: SignalInfo): number {
    return sendSignal(task, info, true);
  }

  /** A process's interval or POSIX timers were set: they are looked at when the first is due. */
  timersChanged(process: Process): void {
    if (process.timerEntry !== null) this.timerQueue.cancel(process.timerEntry);
    const next = process.timers.next("monotonic");
    process.timerEntry =
      next === Infinity || process.zombie ? null : this.timerQueue.add(next, new ProcessTimer(this, process));
    this.deadlinesChanged();
  }

  /** A limit or timer of processor time was set: the running task's budget is made again at its next boundary. */
  deadlinesChanged(): void {
    this.loop.deadlinesChanged = true;
  }

  /** Lets another ready task run first (sched_yield(2)). */
  yield(): void {
    this.scheduler.yielding = true;
  }

  /** The first process's memory outlives it, so that it can be looked at; execve gives it another. */
  keepForInspection(old: AddressSpace, next: AddressSpace): void {
    next.hold();
    old.drop();
  }

  /** The process has been waited for, or nobody will: its number is free. */
  forget(process: Process): void {
    this.processes.delete(process.pid);
    this.tasks.delete(process.leader.tid);
    process.parent?.children.delete(process);
    if (this.processes.size === 0) this.standStill();
  }

  /** All is over: the first process is what can be looked at. */
  private standStill(): void {
    const { leader } = this.init;
    this.current = leader;
    this.activate(leader.mm);
    if (leader.context !== null) this.cpu.loadContext(leader.context);
    leader.context = null;
  }

  /** Gives the memory of an ended first process back; it can be looked at until then. */
  reap(task: Task): void {
    this.tasks.delete(task.tid);
    this.processes.delete(task.pid);
    if (task.mm.reaped) return;
    task.mm.reaped = true;
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
