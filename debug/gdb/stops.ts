/** What gdb wants to stop at, and what it was stopped by. */

import type { Cpu } from "../../cpu/cpu.js";
import type { StopPoints, Watch } from "../../cpu/stop-points.js";
import type { CpuStop, ForkKind } from "../../kernel/debugger.js";
import type { Kernel } from "../../kernel/kernel.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";
import { callNumber } from "../../kernel/syscall-dispatch.js";
import type { ExitStatus, Process, Task } from "../../kernel/task.js";
import type { StopPolicy } from "../stops/stop-policy.js";

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
  | { readonly kind: "ended"; readonly process: Process; readonly status: ExitStatus }
  /** Nothing is known of what was before. */
  | { readonly kind: "beginning"; readonly task: Task };

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

  /** What is set, for the process that has this one's place. */
  movedTo(process: Process): Inferior {
    return process === this.process ? this : this.copyFor(process);
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

export class Stops implements StopPolicy {
  /** What happened and has not been told, the first one first. */
  readonly events: StopEvent[] = [];
  readonly inferiors = new Map<Process, Inferior>();
  /** Signals (Linux's numbers) that are delivered without a stop. */
  passed: ReadonlySet<number> = new Set();
  /** Which children the debugger wants to hear of. */
  follows = { fork: false, vfork: false, exec: false };
  private readonly stepping = new Map<number, Step>();
  /** Threads whose call's entry was told: its exit will be. */
  private readonly inCall = new Set<number>();

  constructor(
    private readonly kernel: Kernel,
    private readonly cpu: Cpu,
    private readonly points: StopPoints,
  ) {
    this.inferiors.set(kernel.init, new Inferior(kernel.init));
  }

  /** The threads that are debugged, alive, by process. */
  tasks(): Task[] {
    return [...this.inferiors.keys()].flatMap(({ tasks }) => tasks);
  }

  /** From here on each thread goes on as it was decided. */
  begin(decided: ReadonlyMap<Task, Action>): void {
    this.stepping.clear();
    for (const [task, action] of decided)
      if (action.kind === "step")
        this.stepping.set(task.tid, {
          from: task.instructions,
          start: action.start,
          end: action.end,
          inHandler: false,
        });
    this.arm(true);
  }

  /** The machine was put back: what was not there then is not debugged. */
  wentBack(): void {
    this.events.length = 0;
    this.stepping.clear();
    this.inCall.clear();
    for (const process of [...this.inferiors.keys()])
      if (this.kernel.processes.get(process.pid) !== process) this.inferiors.delete(process);
  }

  /**
   * The last part of the run was gone a second time: what began in it has the same number and is another object.
   */
  wentOverAgain(): void {
    const { kernel, inferiors, events } = this;
    const known = [...inferiors.values()];
    inferiors.clear();
    for (const inferior of known) {
      const process = kernel.processes.get(inferior.process.pid);
      if (process !== undefined) inferiors.set(process, inferior.movedTo(process));
    }
    const again = (task: Task): Task => kernel.tasks.get(task.tid) ?? task;
    for (const [i, event] of events.entries()) {
      if (event.kind === "ended") continue;
      const task = again(event.task);
      events[i] =
        event.kind === "fork" || event.kind === "vfork"
          ? { ...event, task, child: again(event.child) }
          : { ...event, task };
    }
  }

  /** Puts all stops into the CPU; without any it has nothing to look at. */
  arm(armed: boolean): void {
    const { cpu, points } = this;
    const all = armed ? [...this.inferiors.values()] : [];
    const addresses = all.flatMap(({ software, hardware }) => [...software, ...hardware]);
    const watches = all.flatMap((inferior) => inferior.watches);
    points.breakpoints = new Set();
    points.watches = [];
    points.passed = -1;
    if (addresses.length === 0 && watches.length === 0) return;
    cpu.stopPoints = points;
    cpu.addBoundaries(addresses);
    for (const watch of watches) cpu.addWatch(watch);
    if (this.kernel.current.state !== "dead") this.switched(this.kernel.current);
  }

  switched(task: Task): void {
    const inferior = this.inferiors.get(task.process);
    this.points.breakpoints = new Set(
      inferior === undefined ? [] : [...inferior.software, ...inferior.hardware],
    );
    this.points.watches = inferior?.watches ?? [];
  }

  stopsBefore(task: Task): boolean {
    const step = this.stepping.get(task.tid);
    if (step === undefined || (task.instructions === step.from && !step.inHandler)) return false;
    const { rip } = this.kernel.cpu.registers;
    if (!step.inHandler && rip >= step.start && rip < step.end) {
      step.from = task.instructions;
      return false;
    }
    this.stepping.delete(task.tid);
    this.events.push({ kind: "step", task });
    return true;
  }

  allowance(task: Task): number {
    return this.stepping.has(task.tid) ? 1 : Infinity;
  }

  stoppedAt(task: Task, reason: CpuStop): boolean {
    const { hit } = this.points;
    if (reason === "pkru") return false;
    if (reason === "watchpoint" && hit !== null) {
      this.events.push({ kind: "watchpoint", task, watch: hit.watch, address: hit.address });
      return true;
    }
    const inferior = this.inferiors.get(task.process);
    const hardware = inferior?.software.has(this.kernel.cpu.registers.rip) !== true;
    this.events.push({ kind: "breakpoint", task, hardware });
    return true;
  }

  stopsAtSignal(task: Task, info: SignalInfo): boolean {
    if (!this.inferiors.has(task.process) || this.passed.has(info.signo)) return false;
    this.events.push({ kind: "signal", task, info });
    return true;
  }

  enteredHandler(task: Task): void {
    const step = this.stepping.get(task.tid);
    if (step !== undefined) step.inHandler = true;
  }

  stopsAtCall(task: Task, at: "entry" | "exit"): boolean {
    const number = task.originalRaxLow >>> 0;
    if (at === "exit" && !this.inCall.delete(task.tid)) return false;
    const calls = this.inferiors.get(task.process)?.calls;
    if (calls === undefined || (calls !== "all" && !calls.has(callNumber(task)))) return false;
    if (at === "entry") this.inCall.add(task.tid);
    this.events.push({ kind: at, task, number });
    return true;
  }

  stopsAtFault(): boolean {
    return false;
  }

  stopsAtRefusal(): boolean {
    return false;
  }

  stopsAtArea(): boolean {
    return false;
  }

  forked(parent: Task, child: Task, kind: ForkKind): boolean {
    const inferior = this.inferiors.get(parent.process);
    if (inferior === undefined || child.process === parent.process) return false;
    const reported = kind === "vfork" ? "vfork" : "fork";
    if (!this.follows[reported]) return false;
    this.inferiors.set(child.process, inferior.copyFor(child.process));
    this.events.push({ kind: reported, task: parent, child });
    return true;
  }

  vforkDone(task: Task): boolean {
    if (!this.inferiors.has(task.process) || !this.follows.vfork) return false;
    this.events.push({ kind: "vfork-done", task });
    return true;
  }

  executed(task: Task, path: string): boolean {
    const inferior = this.inferiors.get(task.process);
    if (inferior === undefined) return false;
    // They were the old program's.
    inferior.clear();
    this.stepping.delete(task.tid);
    this.arm(true);
    if (!this.follows.exec) return false;
    this.events.push({ kind: "exec", task, path });
    return true;
  }

  exited(task: Task): void {
    this.stepping.delete(task.tid);
    this.inCall.delete(task.tid);
  }

  ended(process: Process): boolean {
    if (!this.inferiors.delete(process)) return false;
    this.events.push({ kind: "ended", process, status: process.exit! });
    return true;
  }
}
