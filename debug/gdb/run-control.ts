/** Running and stopping for gdb, forwards and back. */

import type { RunResult } from "../../kernel/run-loop.js";
import type { Process, Task } from "../../kernel/task.js";
import type { Machine } from "../machine.js";
import { BreakTable } from "../session/break-table.js";
import { Traveller, type Arrival, type Leg } from "../session/traveller.js";
import { BreakPolicy } from "../stops/break-policy.js";
import { StopEngine } from "../stops/stop-engine.js";
import type { Hit, Wanted } from "../stops/wanted.js";
import type { Edit } from "../timeline/edit.js";
import { Timeline, type TimelineOptions } from "../timeline/timeline.js";
import { Stops, type Action, type StopEvent } from "./stops.js";

/** How the conversation ended: gdb let the programs go, or killed the first one. */
export type Outcome = "detached" | "killed";

/** The machine as gdb runs it: `advance` while `running`. */
export class RunControl {
  /** While true `advance` is to be called. */
  running = false;
  outcome: Outcome | null = null;
  /** What gdb was told last; null while it runs. */
  last: StopEvent | null = null;
  readonly stops: Stops;
  private readonly engine: StopEngine;
  private readonly timeline: Timeline;
  /** Asked while the past is searched. */
  private readonly past: BreakPolicy;
  private readonly way: Traveller;
  private wayBack: Leg<StopEvent | null> | null = null;

  /** @param tell something has happened that gdb waits for; null: all that was debugged has ended */
  constructor(
    private readonly machine: Machine,
    private readonly tell: (event: StopEvent | null) => void,
    timeline: TimelineOptions = {},
  ) {
    const { kernel, cpu } = machine;
    this.past = new BreakPolicy(machine);
    this.engine = new StopEngine(kernel, cpu, this.past);
    this.past.engine = this.engine;
    this.stops = new Stops(kernel, cpu, this.engine.points);
    this.engine.policy = this.stops;
    this.timeline = new Timeline(machine, this.engine, timeline);
    this.way = new Traveller(
      machine,
      this.timeline,
      this.engine,
      this.past,
      new BreakTable(machine),
      Infinity,
    );
  }

  /** No process is debugged any more, and gdb has been told so. */
  get isOver(): boolean {
    return this.stops.inferiors.size === 0 && this.stops.events.length === 0 && !this.running;
  }

  /** What the last client had set is gone. */
  restart(): void {
    this.stand();
    this.stops.passed = new Set();
    this.stops.follows = { fork: false, vfork: false, exec: false };
    for (const inferior of this.stops.inferiors.values()) {
      inferior.clear();
      inferior.calls = new Set();
    }
  }

  private stand(): void {
    this.running = false;
    this.wayBack = null;
    this.engine.policy = this.stops;
  }

  /** The machine goes on without a debugger. */
  close(): void {
    this.stand();
    this.stops.inferiors.clear();
    this.engine.hold([]);
    this.engine.close();
  }

  /** Changes something of the program: what was known of its future is forgotten. False where it cannot be. */
  change(edit: Edit): boolean {
    return this.timeline.change(edit);
  }

  /** Looks at the machine in ways that may change it: it is afterwards as it was, and nothing of it is recorded. */
  aside<T>(look: () => T): T {
    const { machine } = this;
    const before = machine.snapshot();
    try {
      return machine.aside(look);
    } finally {
      machine.restore(before);
    }
  }

  /** Lets the machine go on, each thread as `decide` says. */
  resume(decide: (task: Task) => Action): void {
    const { stops, last } = this;
    if (last?.kind === "signal" && last.task.state !== "dead" && stops.inferiors.has(last.task.process)) {
      const action = decide(last.task);
      const signal = action.kind === "hold" ? 0 : action.signal;
      if (signal !== last.info.signo) this.change({ kind: "signal", tid: last.task.tid, signal });
    }
    this.last = null;
    if (stops.events.length > 0) {
      this.tellNext();
      return;
    }
    const decided = new Map<Task, Action>();
    for (const task of stops.tasks()) decided.set(task, decide(task));
    for (const [task, action] of decided)
      if (action.kind !== "hold" && action.signal !== 0 && task.injected === null)
        this.change({ kind: "inject", tid: task.tid, signal: action.signal });
    this.hold([...decided].filter(([, { kind }]) => kind === "hold").map(([{ tid }]) => tid));
    stops.begin(decided);
    this.running = true;
  }

  private hold(threads: readonly number[]): void {
    const { held } = this.engine.state;
    if (held.length === threads.length && threads.every((tid) => held.includes(tid))) return;
    this.change({ kind: "hold", threads });
  }

  /** Back by one instruction of the thread, or to the last stop. */
  reverse(task: Task, how: "step" | "continue"): void {
    this.last = null;
    this.stops.events.length = 0;
    this.way.interrupted = false;
    this.wayBack = how === "step" ? this.stepBack(task) : this.goBack(task);
    this.running = true;
  }

  private *stepBack({ tid, instructions }: Task): Leg<StopEvent | null> {
    const arrival = yield* this.way.toThreadCount(tid, instructions - 1);
    this.stops.wentBack();
    const task = this.way.task(tid);
    return this.arrived(arrival, task, { kind: "step", task });
  }

  private *goBack({ tid }: Task): Leg<StopEvent | null> {
    const { way, timeline, engine, past, stops } = this;
    const start = timeline.now;
    timeline.checkpoint();
    engine.policy = past;
    const found = yield* way.lastHit(start, this.wanted());
    engine.policy = stops;
    const interrupted = found === "interrupted";
    way.interrupted = false;
    const goal = interrupted ? start : (found?.landing ?? timeline.beginning);
    const arrival: Arrival = yield* way.to(goal);
    stops.wentBack();
    if (found === "interrupted") return { kind: "interrupt", task: way.task(tid) };
    if (found === null) return { kind: "beginning", task: way.task(tid) };
    const hit = found.hits[0]!;
    const task = way.task(hit.tid);
    return this.arrived(arrival, task, this.eventOf(hit, task));
  }

  private arrived(arrival: Arrival, task: Task, event: StopEvent): StopEvent {
    if (arrival.kind === "beginning") return { kind: "beginning", task };
    return arrival.kind === "interrupted" ? { kind: "interrupt", task } : event;
  }

  /** What gdb has set, as the search through the past has it. */
  private wanted(): Wanted[] {
    const wanted: Wanted[] = [];
    const add = (what: Wanted["what"], pid: number, thread: number | null = null): void => {
      const inProcess = (): boolean => this.machine.task.process.pid === pid;
      wanted.push({ id: wanted.length + 1, what, pid, thread, holds: inProcess });
    };
    for (const { process, software, hardware, watches, calls } of this.stops.inferiors.values()) {
      const { pid } = process;
      for (const address of [...software, ...hardware]) add({ kind: "address", address }, pid);
      for (const { start, end, kind } of watches) add({ kind: "watch", start, end, access: kind }, pid);
      if (calls === "all") add({ kind: "syscall", at: "both" }, pid);
      else if (calls.size > 0) add({ kind: "syscall", at: "both", numbers: [...calls] }, pid);
    }
    return wanted;
  }

  private eventOf({ happening }: Hit, task: Task): StopEvent {
    switch (happening.kind) {
      case "address": {
        const software = this.stops.inferiors.get(task.process)?.software.has(happening.address) === true;
        return { kind: "breakpoint", task, hardware: !software };
      }
      case "watch": {
        const { address, access } = happening;
        const watch = {
          start: address,
          end: address + 1,
          kind: access === "fetch" ? ("access" as const) : access,
        };
        return { kind: "watchpoint", task, watch, address };
      }
      case "syscall-entry":
        return { kind: "entry", task, number: happening.number };
      case "syscall-exit":
        return { kind: "exit", task, number: happening.number };
      default:
        return { kind: "step", task };
    }
  }

  /** Runs for at most about so many instructions. @returns how a run forwards ended; null where it went back */
  advance(maxInstructions: number): RunResult | null {
    if (this.wayBack !== null) {
      this.way.left = maxInstructions;
      const { done, value } = this.wayBack.next();
      if (done !== true) return null;
      this.stand();
      if (value !== null) this.stops.events.unshift(value);
      this.tellNext();
      return null;
    }
    const result = this.timeline.run(maxInstructions, false) as RunResult;
    if (this.stops.events.length > 0 || result.reason === "exited") this.stopped();
    return result;
  }

  /** Forwards it is over; where the way back is long it gets a shorter one before gdb is told. */
  private stopped(): void {
    const { stops } = this;
    const canGoBack = stops.inferiors.size > 0 && stops.events.every(({ kind }) => kind !== "ended");
    if (canGoBack && this.timeline.longWayBack) {
      this.wayBack = this.shortenWayBack();
      this.running = true;
      return;
    }
    this.running = false;
    this.tellNext();
  }

  private *shortenWayBack(): Leg<null> {
    yield* this.way.shortenWayBack();
    this.stops.wentOverAgain();
    return null;
  }

  /** Ctrl-C in gdb. */
  interrupt(): void {
    if (!this.running) return;
    if (this.wayBack !== null) {
      this.way.interrupted = true;
      return;
    }
    const { current } = this.machine.kernel;
    const tasks = this.stops.tasks();
    const task = tasks.includes(current) ? current : tasks[0];
    if (task !== undefined) this.stops.events.push({ kind: "interrupt", task });
    this.stopped();
  }

  private tellNext(): void {
    const event = this.stops.events.shift() ?? null;
    if (event !== null) this.last = event;
    this.tell(event);
  }

  /** Lets a process go; all of them where none is named. */
  detach(process: Process | null): void {
    if (process === null) this.stops.inferiors.clear();
    else this.stops.inferiors.delete(process);
    if (this.stops.inferiors.size === 0) this.outcome = "detached";
  }

  kill(process: Process): void {
    this.stops.inferiors.delete(process);
    this.change({ kind: "kill", pid: process.pid });
    if (process === this.machine.kernel.init || this.stops.inferiors.size === 0) this.outcome = "killed";
  }
}
