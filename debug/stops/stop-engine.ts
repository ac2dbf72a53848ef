import type { Cpu } from "../../cpu/cpu.js";
import { StopPoints } from "../../cpu/stop-points.js";
import type { CpuStop, ForkKind, KernelDebugger } from "../../kernel/debugger.js";
import type { FaultRaised } from "../../kernel/events.js";
import type { Kernel } from "../../kernel/kernel.js";
import { RAX } from "../../kernel/processor.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";
import { callNumber } from "../../kernel/syscall-dispatch.js";
import type { Task } from "../../kernel/task.js";
import type { StopPolicy } from "./stop-policy.js";
import { compareMoments, type Moment } from "../timeline/moment.js";

export interface EnteredCall {
  readonly moment: Moment;
  readonly number: number;
}

export interface ThreadGoal {
  readonly tid: number;
  readonly instructions: number;
  /** It stops at the entry of a signal's handler, too. */
  readonly handlers: boolean;
}

/** What the engine knows beside the machine; a snapshot of the machine goes with one of these. */
export interface EngineState {
  readonly count: number;
  readonly happened: number;
  readonly atUser: boolean;
  /** By thread: what its call is to return, whatever it returns. */
  readonly forced: ReadonlyMap<number, bigint>;
  /** By thread: its last system call, and where it was entered. */
  readonly entered: ReadonlyMap<number, EnteredCall>;
  /** Threads that are held back. */
  readonly held: readonly number[];
}

/**
 * Stands between the kernel and what a user wants to stop at, and counts what happens, so that each moment of the run
 * has a name. Events have odd numbers; the boundary at which a task goes on in user mode after k of them is 2k.
 */
export class StopEngine implements KernelDebugger {
  /** What policies put into the CPU. */
  readonly points = new StopPoints();
  /** Nobody is asked: the run is on its way to somewhere. */
  quiet = false;
  /** The policy has wanted a stop since this was last set to false. */
  wanted = false;
  /** The run stops here, or at the first moment behind it. */
  target: Moment | null = null;
  /** The run stops before that thread executes another instruction than it has retired so many. */
  thread: ThreadGoal | null = null;
  forced = new Map<number, bigint>();
  entered = new Map<number, EnteredCall>();
  private held: ReadonlySet<number> = new Set();
  /** The instruction count that `happened` counts from. */
  private count = 0;
  private happened = 0;
  private atUser = true;
  private readonly detach: (() => void)[];

  constructor(
    private readonly kernel: Kernel,
    private readonly cpu: Cpu,
    private asked: StopPolicy,
  ) {
    kernel.debugger = this;
    this.detach = [
      kernel.events.on("fault", (fault) => this.faulted(fault)),
      kernel.events.on("refusal", (refusal) => {
        if (!this.quiet) this.request(this.policy.stopsAtRefusal(refusal));
      }),
      kernel.events.on("area", (change) => {
        if (!this.quiet) this.request(this.policy.stopsAtArea(change));
      }),
      kernel.events.on("exec", ({ task, path }) => {
        if (!this.quiet) this.request(this.policy.executed(task, path));
      }),
      kernel.events.on("exit", ({ task }) => this.exited(task)),
    ];
  }

  /** The machine goes on as if there had never been a debugger. */
  close(): void {
    for (const off of this.detach) off();
    this.kernel.debugger = null;
    this.kernel.scheduler.mayRun = null;
    this.cpu.stopPoints = null;
  }

  get policy(): StopPolicy {
    return this.asked;
  }

  /** From now on another one is asked. */
  set policy(policy: StopPolicy) {
    if (policy === this.asked) return;
    this.asked.arm(false);
    this.asked = policy;
  }

  get position(): Moment {
    const instructions = this.cpu.instructions;
    const happened = this.happenedHere();
    const events = happened === 0 ? 0 : this.atUser ? 2 * happened : 2 * happened - 1;
    return { instructions, events };
  }

  /** Before the instruction that has just been executed. */
  get beforeInstruction(): Moment {
    const instructions = this.cpu.instructions - 1;
    return { instructions, events: this.count === instructions ? 2 * this.happened : 0 };
  }

  get state(): EngineState {
    const { count, happened, atUser } = this;
    const { forced, entered, held } = this;
    return {
      count,
      happened,
      atUser,
      forced: new Map(forced),
      entered: new Map(entered),
      held: [...held],
    };
  }

  set state(state: EngineState) {
    this.count = state.count;
    this.happened = state.happened;
    this.atUser = state.atUser;
    this.forced = new Map(state.forced);
    this.entered = new Map(state.entered);
    this.hold(state.held);
  }

  /** These threads do not run. */
  hold(threads: readonly number[]): void {
    this.held = new Set(threads);
    this.kernel.scheduler.mayRun = threads.length === 0 ? null : (task) => this.mayRun(task);
  }

  /** Somebody outside changed the machine here. */
  edited(): void {
    this.note();
  }

  /** The next instruction is executed though a breakpoint is there. */
  passBreakpoint(): void {
    if (this.cpu.stopPoints !== null) this.cpu.stopPoints.passed = this.cpu.instructions;
  }

  get reached(): boolean {
    return this.target !== null && compareMoments(this.position, this.target) >= 0;
  }

  /** The call that a task is in or comes from: what it entered, where it is not made at all. */
  callOf(task: Task): number {
    if (task.originalRaxLow !== -1) return callNumber(task);
    return this.entered.get(task.tid)?.number ?? 0xffff_ffff;
  }

  private judge(stops: boolean): boolean {
    if (stops) this.wanted = true;
    return stops;
  }

  /** The run stops at the next boundary. */
  request(stops = true): void {
    if (!stops) return;
    this.wanted = true;
    this.kernel.requestStop();
  }

  private requestIfReached(): void {
    if (this.reached) this.kernel.requestStop();
  }

  private happenedHere(): number {
    return this.count === this.cpu.instructions ? this.happened : 0;
  }

  private note(): void {
    this.happened = this.happenedHere() + 1;
    this.count = this.cpu.instructions;
    this.atUser = false;
  }

  // The kernel's questions.

  get holdsTasks(): boolean {
    return this.held.size > 0;
  }

  mayRun(task: Task): boolean {
    return !this.held.has(task.tid);
  }

  switched(task: Task): void {
    this.note();
    const { stopPoints } = this.cpu;
    if (stopPoints !== null) stopPoints.passed = -1;
    if (!this.quiet) this.policy.switched(task);
    this.requestIfReached();
  }

  stopsBefore(task: Task): boolean {
    this.atUser = true;
    const { thread } = this;
    if (thread !== null && thread.tid === task.tid && task.instructions >= thread.instructions)
      return this.judge(true);
    if (this.reached) return true;
    return !this.quiet && this.judge(this.policy.stopsBefore(task));
  }

  allowance(task: Task): number {
    const { target, thread } = this;
    let wanted = this.quiet ? Infinity : this.policy.allowance(task);
    if (thread?.tid === task.tid) wanted = Math.min(wanted, thread.instructions - task.instructions);
    if (target === null) return wanted;
    const left = target.instructions - this.cpu.instructions;
    if (left <= 0) return wanted;
    // Just behind the instruction, before anything else that it may be followed by.
    if (left === 1 && target.events === 0) this.kernel.requestStop();
    return Math.min(left, wanted);
  }

  stoppedAt(task: Task, reason: CpuStop): boolean {
    if (reason === "breakpoint") this.atUser = true;
    if (!this.quiet && this.judge(this.policy.stoppedAt(task, reason))) return true;
    if (reason === "breakpoint") this.passBreakpoint();
    return this.reached;
  }

  holdsSignal(task: Task, info: SignalInfo): boolean {
    this.note();
    return (!this.quiet && this.judge(this.policy.stopsAtSignal(task, info))) || this.reached;
  }

  enteredHandler(task: Task): void {
    this.note();
    if (!this.quiet) this.policy.enteredHandler(task);
    if (this.thread?.tid === task.tid && this.thread.handlers) this.request();
    this.requestIfReached();
  }

  stopsAtCall(task: Task, at: "entry" | "exit"): boolean {
    this.note();
    if (at === "entry") this.entered.set(task.tid, { moment: this.position, number: callNumber(task) });
    const forced = at === "exit" ? this.forced.get(task.tid) : undefined;
    if (forced !== undefined) {
      this.forced.delete(task.tid);
      this.kernel.cpu.registers.set(RAX, BigInt.asUintN(64, forced));
      task.interruptedBy = 0;
    }
    return (!this.quiet && this.judge(this.policy.stopsAtCall(task, at))) || this.reached;
  }

  forked(parent: Task, child: Task, kind: ForkKind): void {
    this.note();
    if (!this.quiet) this.request(this.policy.forked(parent, child, kind));
    this.requestIfReached();
  }

  vforkDone(task: Task): void {
    this.note();
    if (!this.quiet) this.request(this.policy.vforkDone(task));
    this.requestIfReached();
  }

  // The kernel's events.

  private faulted(fault: FaultRaised): void {
    this.note();
    if (!this.quiet) this.request(this.policy.stopsAtFault(fault));
    this.requestIfReached();
  }

  private exited(task: Task): void {
    this.note();
    this.entered.delete(task.tid);
    this.forced.delete(task.tid);
    if (!this.quiet) this.policy.exited(task);
    const { process } = task;
    if (process.exit !== null && !this.quiet) this.request(this.policy.ended(process));
    this.requestIfReached();
  }
}
