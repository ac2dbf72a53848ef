import { withRegisters } from "../../kernel/ptrace/registers.js";
import type { ExitStatus, Task } from "../../kernel/task.js";
import type { RunResult } from "../../kernel/run-loop.js";
import { GuestMemory } from "../guest-memory.js";
import { decodeInstructions } from "../disassemble.js";
import type { Machine } from "../machine.js";
import type { BreakPolicy } from "../stops/break-policy.js";
import type { StopEngine } from "../stops/stop-engine.js";
import type { StopSpec } from "../stops/stop-spec.js";
import type { Hit, Wanted } from "../stops/wanted.js";
import { compareMoments, type Moment } from "../timeline/moment.js";
import type { RecordEnd } from "../recording/record-end.js";
import type { Timeline } from "../timeline/timeline.js";
import type { BreakTable } from "./break-table.js";
import type { Progress } from "./stop-report.js";
import type { Step } from "./trail.js";

/** How a leg of a motion ended. */
export type Arrival =
  | { readonly kind: "hits"; readonly hits: readonly Hit[] }
  /** Where it wanted to go. */
  | { readonly kind: "there" }
  | { readonly kind: "ended"; readonly status: ExitStatus }
  | { readonly kind: "blocked" | "suspended"; readonly result: RunResult }
  | { readonly kind: "interrupted" | "limit" | "beginning" | "end-of-record" };

export type Leg<T = Arrival> = Generator<Progress, T, void>;

export interface Instruction {
  readonly flow: "call" | "return" | "other";
  /** In bytes. */
  readonly length: number;
}

const RUNNING: Progress = { state: "running" };
const THERE: Arrival = { kind: "there" };
const LONGEST_INSTRUCTION = 15;
const RSP = 4;

/**
 * The legs that motions are made of, each to be gone in pieces: between two of them the caller looks at its user. What
 * is under way here is the debugger's, not the machine's state.
 */
export class Traveller {
  /** Instructions that the present piece may still run. */
  left = 0;
  interrupted = false;
  /** Nobody will bring input: a wait for it is an end. */
  givesUp = false;

  constructor(
    readonly machine: Machine,
    readonly timeline: Timeline,
    readonly engine: StopEngine,
    readonly policy: BreakPolicy,
    readonly breaks: BreakTable,
    private readonly maxInstructions: number,
    private readonly recordEnd: RecordEnd | null = null,
  ) {}

  /** The end that the run must have; none once the user has made it another run. */
  private get expectedEnd(): RecordEnd | null {
    return this.timeline.wasChanged ? null : this.recordEnd;
  }

  task(tid: number): Task {
    const { kernel } = this.machine;
    return kernel.tasks.get(tid) ?? kernel.current;
  }

  /** What a motion looks for, as the stops have it. */
  goal(what: StopSpec, tid: number | null, holds: () => boolean = () => true): Wanted {
    return { id: 0, what, pid: this.machine.task.process.pid, thread: tid, holds };
  }

  /**
   * Forwards to an enabled break or one of the goals.
   * @param steps the thread stops when it has retired so many instructions more, or enters a handler
   */
  *forwards(goals: readonly Wanted[], steps: { tid: number; count: number } | null = null): Leg {
    const { engine, policy } = this;
    policy.begin([...this.breaks.wanted(), ...goals]);
    for (;;) {
      engine.passBreakpoint();
      engine.thread =
        steps === null
          ? null
          : { tid: steps.tid, instructions: this.task(steps.tid).instructions + steps.count, handlers: true };
      const arrival: Arrival = yield* this.live();
      engine.thread = null;
      if (arrival.kind !== "hits") return arrival;
      const hits = arrival.hits.filter(({ id }) => id === 0 || this.breaks.met(id));
      // The step itself has no hit of its own.
      if (hits.length > 0) return { kind: "hits", hits };
      if (arrival.hits.length === 0) return THERE;
    }
  }

  /** Runs on until the engine is stopped: hits are what the policy has met. */
  private *live(): Leg {
    const { machine, timeline, policy } = this;
    for (;;) {
      if (this.interrupted) return { kind: "interrupted" };
      const before = machine.instructions;
      const allowed = this.maxInstructions - before;
      if (allowed <= 0) return { kind: "limit" };
      const end = this.expectedEnd;
      if (end !== null && (end.left < 0 || (end.reached && end.cut))) {
        end.check();
        return { kind: "end-of-record" };
      }
      // One more than the record has: the program's own end comes with none or with it.
      const known = end === null ? Infinity : Math.max(1, end.left);
      const result = timeline.run(Math.min(this.left, allowed, known), false);
      this.left -= machine.instructions - before;
      switch (result.reason) {
        case "stopped":
          return { kind: "hits", hits: policy.take() };
        case "exited": {
          end?.checkEnding("the program ends");
          const hits = policy.take();
          return hits.length > 0 ? { kind: "hits", hits } : { kind: "ended", status: result.status };
        }
        case "suspended":
          end?.checkEnding("it is stopped");
          return { kind: "suspended", result };
        case "blocked":
          if (this.givesUp || (!result.input && result.deadline === null)) {
            end?.checkEnding("it waits for ever");
            return { kind: "blocked", result };
          }
          yield { state: "waiting", input: result.input, deadline: result.deadline };
          break;
        default:
          yield RUNNING;
      }
    }
  }

  /** To a moment, back or forwards, past all breaks. */
  *to(goal: Moment): Leg {
    this.timeline.approach(goal);
    for (;;) {
      const before = this.machine.instructions;
      const result = this.timeline.proceed(goal, this.left);
      this.left -= this.machine.instructions - before;
      if (result.reason === "reached") return THERE;
      const end = yield* this.passed(result);
      if (end !== null) return end;
    }
  }

  /**
   * Goes the last part of the run a second time where it is long, and leaves snapshots shortly before its end: so the
   * first step back is as quick as the next. The machine is afterwards where it was, whatever the user presses.
   */
  *shortenWayBack(): Leg<void> {
    const { timeline } = this;
    if (!timeline.longWayBack) return;
    const { now } = timeline;
    timeline.restore(timeline.checkpoints.before(now));
    for (;;) {
      const arrival = yield* this.to(now);
      if (arrival.kind !== "interrupted") return;
      this.interrupted = false;
    }
  }

  /** To where user code goes on with that many instructions retired. */
  *toCount(instructions: number): Leg {
    const arrival = yield* this.to({ instructions, events: 0 });
    if (arrival.kind !== "there") return arrival;
    this.timeline.run(0, true);
    return THERE;
  }

  /** What a quiet run ended in that is not its goal: null where it goes on. */
  private *passed(result: ReturnType<Timeline["run"]>): Leg<Arrival | null> {
    switch (result.reason) {
      case "exited":
        return { kind: "ended", status: result.status };
      case "suspended":
        return { kind: "suspended", result };
      case "blocked":
        if (this.givesUp || (!result.input && result.deadline === null)) return { kind: "blocked", result };
        yield { state: "waiting", input: result.input, deadline: result.deadline };
        return null;
      default:
        if (this.interrupted) return { kind: "interrupted" };
        yield RUNNING;
        return null;
    }
  }

  /**
   * The last time before `limit` that one of these was met; null: never. The machine is somewhere else then.
   * "interrupted" where the user had enough.
   */
  *lastHit(
    limit: Moment,
    wanted: readonly Wanted[],
  ): Leg<{ readonly hits: readonly Hit[]; readonly landing: Moment } | "interrupted" | null> {
    const { timeline, policy, engine, machine } = this;
    const starts = timeline.checkpoints.all().filter(({ moment }) => compareMoments(moment, limit) < 0);
    let end = limit;
    for (let at = starts.length - 1; at >= 0; at--) {
      const start = starts[at]!;
      timeline.restore(start);
      policy.begin(wanted);
      let last: { hits: Hit[]; landing: Moment } | null = null;
      for (;;) {
        const before = machine.instructions;
        const result = timeline.run(this.left, false, end);
        this.left -= machine.instructions - before;
        const hits = policy.take();
        for (const hit of hits) {
          const landing = hit.before ?? timeline.now;
          if (compareMoments(landing, limit) >= 0) continue;
          if (last !== null && compareMoments(last.landing, landing) === 0) last.hits.push(hit);
          else last = { hits: [hit], landing };
        }
        if (result.reason === "budget") {
          if (this.interrupted) return "interrupted";
          yield { state: "searching", at: machine.instructions };
        } else if (result.reason !== "stopped") break;
        if (result.reason === "stopped") engine.passBreakpoint();
      }
      if (last !== null) return last;
      end = start.moment;
    }
    return null;
  }

  /** Back or on to where a thread has retired that many instructions; "beginning" where that is too early. */
  *toThreadCount(tid: number, instructions: number): Leg {
    const { timeline, engine, machine } = this;
    const { now } = timeline;
    const usable = timeline.checkpoints
      .all()
      .filter(
        ({ moment, threads }) => compareMoments(moment, now) < 0 && (threads.get(tid) ?? 0) <= instructions,
      );
    const from = usable.at(-1);
    if (instructions < 0 || from === undefined) {
      yield* this.to(timeline.beginning);
      return { kind: "beginning" };
    }
    timeline.restore(from);
    for (;;) {
      const left = instructions - this.taskInstructions(tid);
      const halt = NEAR.find((distance) => left > 2 * distance) ?? 0;
      engine.thread = { tid, instructions: instructions - halt, handlers: false };
      const before = machine.instructions;
      const result = timeline.run(this.left, true, null);
      this.left -= machine.instructions - before;
      engine.thread = null;
      if (result.reason === "stopped") {
        if (halt === 0) return THERE;
        timeline.checkpoint();
        continue;
      }
      const end = yield* this.passed(result);
      if (end !== null) return end;
    }
  }

  private taskInstructions(tid: number): number {
    return this.machine.kernel.tasks.get(tid)?.instructions ?? 0;
  }

  /**
   * The instructions of a thread from so many before now up to now, the last one being what it executes next. The
   * machine is afterwards where it was.
   */
  *trail(tid: number, most: number): Leg<readonly Step[] | Arrival> {
    const { timeline, machine } = this;
    const now = timeline.now;
    const total = this.task(tid).instructions;
    const arrival = yield* this.toThreadCount(tid, Math.max(0, total - most));
    if (arrival.kind === "interrupted") return arrival;
    const steps: Step[] = [];
    const decoded = new Map<number, Instruction>();
    const { engine } = this;
    while (compareMoments(timeline.now, now) < 0) {
      const task = machine.kernel.tasks.get(tid);
      if (task !== undefined && task === machine.task && timeline.now.events % 2 === 0)
        steps.push(this.stepHere(task, decoded));
      engine.thread = { tid, instructions: (task?.instructions ?? 0) + 1, handlers: false };
      const result = timeline.run(Infinity, true, now);
      engine.thread = null;
      if (result.reason !== "stopped") break;
      if (steps.length % 10_000 === 0) {
        if (this.interrupted) return { kind: "interrupted" };
        yield { state: "searching", at: machine.instructions };
      }
    }
    const last = this.task(tid);
    steps.push(this.stepHere(last, decoded));
    return steps;
  }

  private stepHere(task: Task, decoded: Map<number, Instruction>): Step {
    const { registers } = this.machine.kernel.cpu;
    const { rip } = registers;
    let instruction = decoded.get(rip);
    if (instruction === undefined) {
      instruction = this.instructionAt(task, rip);
      decoded.set(rip, instruction);
    }
    return { moment: this.timeline.now, rip, rsp: registers.number(RSP), flow: instruction.flow };
  }

  instructionAt(task: Task, rip: number): Instruction {
    const memory = new GuestMemory(this.machine.kernel.memory, () => task.mm, true);
    const { cpu } = this.machine.kernel;
    const [address, bits] = withRegisters(
      this.machine.kernel,
      task,
      () => [cpu.codeAddress(rip), cpu.mode] as const,
    );
    const [found] = decodeInstructions(memory.read(address, LONGEST_INSTRUCTION), address, 1, bits);
    const text = found?.text ?? "";
    const flow = text.startsWith("call") ? "call" : text.startsWith("ret") ? "return" : "other";
    return { flow, length: found?.length ?? 1 };
  }

  get rsp(): number {
    return this.machine.kernel.cpu.registers.number(RSP);
  }

  get rip(): number {
    return this.machine.kernel.cpu.registers.rip;
  }
}

/** On a way back there will be snapshots this many instructions before its end. */
const NEAR = [1_000_000, 100_000, 10_000, 1_000];
