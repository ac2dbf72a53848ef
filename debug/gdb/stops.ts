/** What a debugger wants to stop at, and what it was stopped by. */

import type { Cpu } from "../../cpu/cpu.js";
import { StopPoints, type Watch } from "../../cpu/stop-points.js";
import type { CpuStop, ForkKind, KernelDebugger } from "../../kernel/debugger.js";
import type { Kernel } from "../../kernel/kernel.js";
import { RAX } from "../../kernel/processor.js";
import { withRegisters } from "../../kernel/ptrace/registers.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "../../kernel/restart.js";
import { kernelSignal } from "../../kernel/signals/send.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";
import type { ExitStatus, Process, Task } from "../../kernel/task.js";

export type StopEvent =
  | { readonly kind: "signal"; readonly task: Task; readonly info: SignalInfo }
  | { readonly kind: "breakpoint"; readonly task: Task; readonly hardware: boolean }
  | { readonly kind: "watchpoint"; readonly task: Task; readonly watch: Watch; readonly address: number }
  /** One instruction was executed, or those of a range. */
  | { readonly kind: "step"; readonly task: Task }
  /** The user's Ctrl-C. */
  | { readonly kind: "interrupt"; readonly task: Task }
  | { readonly kind: "entry" | "exit"; readonly task: Task; readonly number: number }
  | { readonly kind: "fork" | "vfork"; readonly task: Task; readonly child: Task }
  | { readonly kind: "vfork-done"; readonly task: Task }
  | { readonly kind: "exec"; readonly task: Task; readonly path: string }
  | { readonly kind: "ended"; readonly process: Process; readonly status: ExitStatus };

/** How a thread goes on. */
export type Action =
  | { readonly kind: "continue"; readonly signal: number }
  /** Until RIP is out of [start, end), or for one instruction where they are equal. */
  | { readonly kind: "step"; readonly signal: number; readonly start: number; readonly end: number }
  | { readonly kind: "hold" };

/** What is set in a process that is debugged. */
export class Inferior {
  readonly software = new Set<number>();
  readonly hardware = new Set<number>();
  watches: Watch[] = [];
  /** System calls to stop at. */
  calls: "all" | ReadonlySet<number> = new Set();

  constructor(readonly process: Process) {}

  /** A forked process begins with what its parent has. */
  copyFor(process: Process): Inferior {
    const copy = new Inferior(process);
    for (const address of this.software) copy.software.add(address);
    for (const address of this.hardware) copy.hardware.add(address);
    copy.watches = [...this.watches];
    copy.calls = this.calls;
    return copy;
  }

  clear(): void {
    this.software.clear();
    this.hardware.clear();
    this.watches = [];
  }
}

interface Step {
  /** The task's instructions when it began. */
  from: number;
  readonly start: number;
  readonly end: number;
  inHandler: boolean;
}

const HOLD: Action = { kind: "hold" };

export class Stops implements KernelDebugger {
  /** What happened and has not been told, the first one first. */
  readonly events: StopEvent[] = [];
  readonly inferiors = new Map<Process, Inferior>();
  /** Signals (Linux's numbers) that are delivered without a stop. */
  passed: ReadonlySet<number> = new Set();
  /** Which children the debugger wants to hear of. */
  follows = { fork: false, vfork: false, exec: false };
  holdsTasks = false;
  private decide: (task: Task) => Action = () => ({ kind: "continue", signal: 0 });
  private readonly stepping = new Map<Task, Step>();
  /** Tasks whose call's entry was told: its exit will be. */
  private readonly inCall = new Set<Task>();
  /** Tasks whose registers were written since they stopped. */
  private readonly written = new Set<Task>();
  private readonly points = new StopPoints();
  private readonly detach: (() => void)[];

  constructor(
    private readonly kernel: Kernel,
    private readonly cpu: Cpu,
  ) {
    kernel.debugger = this;
    this.inferiors.set(kernel.init, new Inferior(kernel.init));
    this.detach = [
      kernel.events.on("exec", ({ task, path }) => this.executed(task, path)),
      kernel.events.on("exit", ({ task }) => this.exited(task)),
    ];
  }

  /** The machine goes on as if there had never been a debugger. */
  close(): void {
    for (const off of this.detach) off();
    this.inferiors.clear();
    this.kernel.debugger = null;
    this.kernel.scheduler.mayRun = null;
    this.cpu.stopPoints = null;
  }

  /** The threads that are debugged, alive, by process. */
  tasks(): Task[] {
    return [...this.inferiors.keys()].flatMap(({ tasks }) => tasks);
  }

  /** Lets the machine go on, each thread as `decide` says. */
  resume(decide: (task: Task) => Action): void {
    const decided = new Map<Task, Action>();
    for (const task of this.tasks()) {
      const action = decide(task);
      decided.set(task, action);
      if (action.kind === "hold") continue;
      this.restartCall(task);
      if (action.signal !== 0 && task.injected === null) {
        this.kernel.interruptWait(task);
        task.injected = kernelSignal(action.signal);
      }
    }
    this.stepping.clear();
    for (const [task, action] of decided)
      if (action.kind === "step")
        this.stepping.set(task, {
          from: task.instructions,
          start: action.start,
          end: action.end,
          inHandler: false,
        });
    this.decide = decide;
    this.holdsTasks = [...decided.values()].some(({ kind }) => kind === "hold");
    this.kernel.scheduler.mayRun = this.holdsTasks ? (task) => this.mayRun(task) : null;
    this.arm();
  }

  /** A held signal of a task: what becomes of it. 0 drops it. */
  settle(event: StopEvent, signal: number): void {
    if (event.kind !== "signal" || signal === event.info.signo) return;
    event.task.injected = signal === 0 ? null : kernelSignal(signal);
  }

  /** A call that was interrupted is made again where the registers, which may have been restored, still say so. */
  private restartCall(task: Task): void {
    if (!this.written.delete(task) || task.noSyscall) return;
    const { kernel } = this;
    const result = withRegisters(kernel, task, () => BigInt.asIntN(64, kernel.cpu.registers.get(RAX)));
    const code = -Number(result);
    if (code >= ERESTARTSYS && code <= ERESTART_RESTARTBLOCK) task.interruptedBy = code;
  }

  wrote(task: Task): void {
    this.written.add(task);
  }

  /** Puts all stops into the CPU; without any it has nothing to look at. */
  private arm(): void {
    const { cpu } = this;
    const all = [...this.inferiors.values()];
    const addresses = all.flatMap(({ software, hardware }) => [...software, ...hardware]);
    const watches = all.flatMap((inferior) => inferior.watches);
    if (addresses.length === 0 && watches.length === 0) {
      if (cpu.stopPoints !== null) cpu.stopPoints.breakpoints = new Set();
      if (cpu.stopPoints !== null) cpu.stopPoints.watches = [];
      return;
    }
    cpu.stopPoints ??= this.points;
    cpu.addBoundaries(addresses);
    for (const watch of watches) cpu.addWatch(watch);
    if (this.kernel.current.state !== "dead") this.switched(this.kernel.current);
  }

  mayRun(task: Task): boolean {
    return !this.inferiors.has(task.process) || this.actionFor(task).kind !== "hold";
  }

  private actionFor(task: Task): Action {
    return this.decide(task) ?? HOLD;
  }

  switched(task: Task): void {
    const { stopPoints } = this.cpu;
    if (stopPoints === null) return;
    const inferior = this.inferiors.get(task.process);
    stopPoints.breakpoints = new Set(
      inferior === undefined ? [] : [...inferior.software, ...inferior.hardware],
    );
    stopPoints.watches = inferior?.watches ?? [];
  }

  stopsBefore(task: Task): boolean {
    const step = this.stepping.get(task);
    if (step === undefined || (task.instructions === step.from && !step.inHandler)) return false;
    const { rip } = this.kernel.cpu.registers;
    if (!step.inHandler && rip >= step.start && rip < step.end) {
      step.from = task.instructions;
      return false;
    }
    this.stepping.delete(task);
    this.events.push({ kind: "step", task });
    return true;
  }

  allowance(task: Task): number {
    return this.stepping.has(task) ? 1 : Infinity;
  }

  stoppedAt(task: Task, reason: CpuStop): boolean {
    const hit = this.cpu.stopPoints?.hit ?? null;
    if (reason === "watchpoint" && hit !== null) {
      this.events.push({ kind: "watchpoint", task, watch: hit.watch, address: hit.address });
      return true;
    }
    const inferior = this.inferiors.get(task.process);
    const hardware = inferior?.software.has(this.kernel.cpu.registers.rip) !== true;
    this.events.push({ kind: "breakpoint", task, hardware });
    return true;
  }

  holdsSignal(task: Task, info: SignalInfo): boolean {
    if (!this.inferiors.has(task.process) || this.passed.has(info.signo)) return false;
    this.events.push({ kind: "signal", task, info });
    return true;
  }

  enteredHandler(task: Task): void {
    const step = this.stepping.get(task);
    if (step !== undefined) step.inHandler = true;
  }

  stopsAtCall(task: Task, at: "entry" | "exit"): boolean {
    const number = task.originalRaxLow >>> 0;
    if (at === "exit" && !this.inCall.delete(task)) return false;
    const calls = this.inferiors.get(task.process)?.calls;
    if (calls === undefined || (calls !== "all" && !calls.has(number))) return false;
    if (at === "entry") this.inCall.add(task);
    this.events.push({ kind: at, task, number });
    return true;
  }

  forked(parent: Task, child: Task, kind: ForkKind): void {
    const inferior = this.inferiors.get(parent.process);
    if (inferior === undefined || child.process === parent.process) return;
    const reported = kind === "vfork" ? "vfork" : "fork";
    if (!this.follows[reported]) return;
    this.inferiors.set(child.process, inferior.copyFor(child.process));
    this.events.push({ kind: reported, task: parent, child });
    this.kernel.requestStop();
  }

  vforkDone(task: Task): void {
    if (!this.inferiors.has(task.process) || !this.follows.vfork) return;
    this.events.push({ kind: "vfork-done", task });
    this.kernel.requestStop();
  }

  private executed(task: Task, path: string): void {
    const inferior = this.inferiors.get(task.process);
    if (inferior === undefined) return;
    // They were the old program's.
    inferior.clear();
    this.stepping.delete(task);
    this.arm();
    if (!this.follows.exec) return;
    this.events.push({ kind: "exec", task, path });
    this.kernel.requestStop();
  }

  private exited(task: Task): void {
    const { process } = task;
    this.stepping.delete(task);
    this.inCall.delete(task);
    if (process.exit === null || !this.inferiors.delete(process)) return;
    this.events.push({ kind: "ended", process, status: process.exit });
    this.kernel.requestStop();
  }
}
