/**
 * The kernel: tasks, the run loop, and the ways from user mode into it. A run is a row of steps: let the CPU run,
 * serve what made it stop, deliver signals, go on.
 */

import type { FrameAllocator } from "../mmu/frame-allocator.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { DEFAULT_REALTIME_ORIGIN, VirtualClock, type Clock } from "./clock.js";
import { hasCapability, CAP_IPC_LOCK, userCredentials, type Credentials } from "./credentials.js";
import { EFAULT } from "./errno.js";
import { KernelEvents } from "./events.js";
import { execute, type ExecFailure, type ExecutableFiles } from "./exec/exec.js";
import { raiseException } from "./exceptions.js";
import { Vdso, type VdsoImage } from "./exec/vdso.js";
import type { FileTable } from "./fs/file-table.js";
import type { FsContext } from "./fs/fs-context.js";
import type { Host } from "./host.js";
import { Limits, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK } from "./limits.js";
import { AddressSpace } from "./mm/address-space.js";
import {
  createEnvironment,
  type MemoryLimits,
  type MmEnvironment,
  type MmSettings,
} from "./mm/environment.js";
import { UserMemory } from "./mm/user-memory.js";
import { RAX, type Processor } from "./processor.js";
import type { Provenance, Refusal } from "./refusal.js";
import { LINUX_6_18, type Release } from "./release.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "./restart.js";
import { deliverSignals } from "./signals/deliver.js";
import { sendSignal } from "./signals/send.js";
import type { SignalInfo } from "./signals/siginfo.js";
import { SignalSet } from "./signals/signal-set.js";
import { XSAVE_BYTES, XSAVE_BYTES_NO_PKU } from "./signals/frame.js";
import { writeRemainder } from "./sleep-remainder.js";
import { BLOCKED, NO_RESULT, type SyscallDispatch } from "./syscall-dispatch.js";
import { Process, Task, type ExitStatus } from "./task.js";
import { fireTimers } from "./timer-signals.js";
import { IntervalTimers } from "./timers.js";

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
  readonly release?: Release;
  /** A virtual clock from 2026 on unless told. */
  readonly clock?: Clock;
  /** Without one no vDSO is mapped, as with Linux's `vdso=0`. */
  readonly vdso?: VdsoImage;
  readonly hostname?: string;
  /** sysctls of the mm. */
  readonly mmSettings?: Partial<MmSettings>;
  /** The mm's rules where they differ from the default release and model. */
  readonly mm?: Partial<Pick<MmEnvironment, "release" | "sealing" | "settings">>;
  readonly firstPid?: number;
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
   * goes on by itself (on a virtual clock, `advanceClock` carries it there). Neither: for a signal from outside.
   */
  | { readonly reason: "blocked"; readonly input: boolean; readonly deadline: number | null };

const BUDGET: RunResult = { reason: "budget" };
const STOPPED: RunResult = { reason: "stopped" };
/** On a host's clock, how many instructions may pass before timers are looked at. */
const TIMER_SLICE = 200_000;
const SYSCALL_BYTES = 2;
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
  readonly events = new KernelEvents();
  readonly tasks = new Map<number, Task>();
  hostname: string;
  domainname = "(none)";
  current!: Task;
  /** The refusal behind the last fault that became a signal; null when nobody listens or there was none. */
  lastFaultRefusal: Refusal | null = null;
  /** System calls served. */
  syscalls = 0;
  readonly #dispatch: SyscallDispatch;
  readonly #mmParts: NonNullable<KernelOptions["mm"]>;
  readonly #mmSettings: Partial<MmSettings>;
  readonly #commit = { pages: 0 };
  readonly #reaped = new WeakSet<AddressSpace>();
  #nextAsid = 1;
  #nextPid: number;
  #stopRequested = false;
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
    this.release = options.release ?? LINUX_6_18;
    this.clock = options.clock ?? new VirtualClock(options.cpu, DEFAULT_REALTIME_ORIGIN);
    this.vdso = options.vdso === undefined ? null : new Vdso(options.frames, this.clock, options.vdso);
    this.clock.watcher = this.vdso;
    this.hostname = options.hostname ?? "sealab";
    this.#dispatch = options.dispatch;
    this.#mmParts = options.mm ?? {};
    this.#mmSettings = options.mmSettings ?? {};
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
    const process = new Process(this.#nextPid++, 1, limits, new IntervalTimers());
    const mm = this.newAddressSpace(credentials, limits);
    const task = new Task({
      tid: process.pid,
      process,
      mm,
      user: new UserMemory(mm),
      files: options.files,
      fs: options.fs,
      credentials,
    });
    process.tasks.push(task);
    this.tasks.set(task.tid, task);
    this.current = task;
    this.activate(mm);
    const failure = execute(this, task, options.path, options.argv, options.env);
    if (failure !== null && !failure.fatal) this.reap(task);
    return failure;
  }

  /** An empty address space that shares the process's limits. */
  newAddressSpace(credentials: Credentials, limits: Limits, personality = 0): AddressSpace {
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
      capabilities: {
        ipcLock: hasCapability(credentials, CAP_IPC_LOCK),
        rawIo: hasCapability(credentials, 17),
        sysAdmin: hasCapability(credentials, 21),
      },
      commit: this.#commit,
      machine: {
        pkru: () => this.cpu.registers.pkru,
        setPkru: (value) => this.setPkru(value),
        provenance: () => this.provenance(),
        pkruWrittenBy: () => this.#pkruWriter(),
        syscall: () => (this.#inSyscall ? this.#dispatch.nameOf(this.#number) : undefined),
      },
      ...this.#mmParts,
    });
    Object.assign(environment.settings, this.#mmSettings);
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
    return new AddressSpace(environment, this.#nextAsid++);
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
    const { cpu } = this;
    const limit = cpu.instructions + maxInstructions;
    for (;;) {
      const task = this.current;
      const { process } = task;
      if (process.exit !== null) return { reason: "exited", status: process.exit };
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return STOPPED;
      }
      if (process.stopped !== 0) return { reason: "suspended", signal: process.stopped };
      if (process.timers.armed) fireTimers(this, task);
      if (task.waiting !== null) {
        const blocked = this.#goOnWaiting(task);
        if (blocked !== null) return blocked;
        continue;
      }
      if (task.signals.attention) {
        deliverSignals(this, task, 0);
        continue;
      }
      let budget = limit - cpu.instructions;
      if (budget <= 0) return BUDGET;
      if (process.timers.armed) budget = Math.min(budget, this.#untilTimer(task));
      if (this.#runUser(task, budget)) return STOPPED;
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
      task.process.exit === null &&
      cpu.instructions < limit
    );
    return false;
  }

  /** Instructions until a timer of the task may expire, at least 1. */
  #untilTimer(task: Task): number {
    const { timers } = task.process;
    const cpuLeft = timers.next("cpu") - task.instructions;
    const clockLeft = this.clock.virtual ? timers.next("monotonic") - this.clock.monotonic() : TIMER_SLICE;
    return Math.max(1, Math.ceil(Math.min(cpuLeft, clockLeft)));
  }

  /** A SYSCALL instruction. */
  #serve(task: Task): void {
    const { registers } = this.cpu;
    this.syscalls++;
    task.originalRaxLow = registers.low(RAX);
    task.originalRaxHigh = registers.high(RAX);
    this.#execute(task, false);
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

  /** Writes a result to RAX; a call that asks for its restart has signals delivered at once, as only these cause it. */
  #finish(task: Task, result: number | bigint): void {
    const { registers } = this.cpu;
    if (typeof result === "bigint") registers.set(RAX, BigInt.asUintN(64, result));
    else {
      registers.setNumber(RAX, result);
      if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK) deliverSignals(this, task, -result);
    }
  }

  /** A blocked task: executes its call again where that makes sense; else says why the run ends. */
  #goOnWaiting(task: Task): RunResult | null {
    const wait = task.waiting!;
    if (task.signals.attention) {
      this.#interrupt(task);
      return null;
    }
    const now = this.clock.monotonic();
    const late = wait.deadline !== null && now >= wait.deadline;
    if (late || this.#mayGoOn(task)) {
      wait.timedOut = late;
      this.#execute(task, true);
      if (task.waiting !== wait || late) return null;
      // Nothing has come of it: as before.
    }
    const timer = task.process.timers.next("monotonic");
    const wake = Math.min(wait.deadline ?? Infinity, timer);
    const input = wait.kind === "file" && wait.host;
    if (wake !== Infinity && this.clock.virtual && !input) {
      this.clock.advanceTo(wake);
      return null;
    }
    return { reason: "blocked", input, deadline: wake === Infinity ? null : wake };
  }

  #mayGoOn(task: Task): boolean {
    const wait = task.waiting!;
    switch (wait.kind) {
      case "file":
        return !wait.host || this.host.stdin.ready();
      case "futex":
        return wait.woken;
      case "signal": {
        const { pending, waitedFor } = task.signals;
        if (waitedFor === null) return false;
        const others = new SignalSet();
        others.lo = ~waitedFor.lo;
        others.hi = ~waitedFor.hi;
        return pending.set.anyOutside(others) || task.process.pending.set.anyOutside(others);
      }
      default:
        return false;
    }
  }

  /** A signal ends a wait. */
  #interrupt(task: Task): void {
    const wait = task.waiting!;
    task.waiting = null;
    task.signals.waitedFor = null;
    if (wait.kind === "file" && wait.progress > 0) {
      this.#reportInterrupted(task, BigInt(wait.progress));
      this.cpu.registers.setNumber(RAX, wait.progress);
      return;
    }
    const bad = wait.interrupted === ERESTART_RESTARTBLOCK && !writeRemainder(this, task);
    const code = bad ? EFAULT : wait.interrupted;
    this.#reportInterrupted(task, BigInt(-code));
    this.cpu.registers.setNumber(RAX, -code);
    deliverSignals(this, task, code >= ERESTARTSYS ? code : 0);
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

  /** Forgets a task and gives its memory back; of an ended one it can be looked at until then. */
  reap(task: Task): void {
    this.tasks.delete(task.tid);
    if (this.#reaped.has(task.mm)) return;
    this.#reaped.add(task.mm);
    task.mm.release();
  }

  /** Ends a process and closes its files. Its memory stays, for whoever wants to look, until `reap`. */
  exitProcess(task: Task, status: ExitStatus): void {
    const { process } = task;
    if (process.exit !== null) return;
    process.exit = status;
    if (this.events.listening.exit) {
      this.events.emit("exit", {
        task,
        status: status.code,
        signal: status.signal,
        core: status.core,
        instruction: this.cpu.instructions,
      });
    }
    for (const each of process.tasks) {
      each.waiting = null;
      this.tasks.delete(each.tid);
    }
    task.files.closeAll();
    task.mm.syncFiles();
  }
}
