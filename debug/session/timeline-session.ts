import type { Provenance, Refusal } from "../../kernel/refusal.js";
import { kernelSignal } from "../../kernel/signals/send.js";
import type { Task } from "../../kernel/task.js";
import { RegisterFile } from "../gdb/register-file.js";
import type { Machine } from "../machine.js";
import { BreakPolicy } from "../stops/break-policy.js";
import { StopEngine } from "../stops/stop-engine.js";
import type { StopSpec } from "../stops/stop-spec.js";
import type { Edit } from "../timeline/edit.js";
import type { Moment } from "../timeline/moment.js";
import { Timeline } from "../timeline/timeline.js";
import type { TraceRecord } from "../trace/record.js";
import { BreakTable } from "./break-table.js";
import { Chronicle } from "./chronicle.js";
import type { Break, BreakOptions, DebugSession, LineSource, SessionOptions } from "./debug-session.js";
import { Inquiries, type Answer } from "./inquiries.js";
import type { Motion, Question } from "./motion.js";
import { Movements, type Ended } from "./movements.js";
import type {
  CallChanges,
  EntryChangeFound,
  Progress,
  StopReason,
  StopReport,
  WriteFound,
} from "./stop-report.js";
import { Traveller, type Leg } from "./traveller.js";

/** The call's arguments, by their registers' names. */
const ARGUMENT_REGISTERS = ["rdi", "rsi", "rdx", "r10", "r8", "r9"];
const BACKWARDS: ReadonlySet<Motion["kind"]> = new Set([
  "reverse-continue",
  "reverse-step-instruction",
  "reverse-next-instruction",
  "reverse-step-line",
  "reverse-next-line",
  "reverse-finish",
  "to-last",
]);
const TWO64 = 1n << 64n;

/** The session itself: one machine, its timeline, and a motion at a time. */
export class TimelineSession implements DebugSession {
  lines: LineSource | null = null;
  last: StopReport;
  answer: Answer | null = null;
  private readonly timeline: Timeline;
  private readonly engine: StopEngine;
  private readonly policy: BreakPolicy;
  private readonly table: BreakTable;
  private readonly way: Traveller;
  private readonly movements: Movements;
  private readonly chronicle: Chronicle;
  private readonly registers: RegisterFile;
  private leg: Leg<void> | null = null;
  private tid: number;
  private readonly shortWayBack: boolean;

  constructor(
    readonly machine: Machine,
    options: SessionOptions,
  ) {
    const { kernel, cpu } = machine;
    this.policy = new BreakPolicy(machine);
    this.engine = new StopEngine(kernel, cpu, this.policy);
    this.policy.engine = this.engine;
    this.timeline = new Timeline(machine, this.engine, options);
    this.chronicle = new Chronicle(machine, this.timeline);
    this.table = new BreakTable(machine);
    const limit = options.maxInstructions ?? Infinity;
    this.way = new Traveller(
      machine,
      this.timeline,
      this.engine,
      this.policy,
      this.table,
      limit,
      options.recordEnd ?? null,
    );
    this.movements = new Movements(this.way);
    this.shortWayBack = options.shortWayBack ?? false;
    this.registers = new RegisterFile(kernel);
    this.tid = machine.task.tid;
    this.last = this.report({ arrival: { kind: "beginning" }, reason: "beginning", hits: [] }, "forwards");
  }

  get now(): Moment {
    return this.timeline.now;
  }

  get end(): Moment {
    return this.timeline.end;
  }

  get moving(): boolean {
    return this.leg !== null;
  }

  get task(): Task {
    return this.way.task(this.tid);
  }

  set task(task: Task) {
    this.tid = task.tid;
  }

  get stopSignals(): ReadonlySet<number> {
    return this.policy.stopSignals;
  }

  set stopSignals(signals: ReadonlySet<number>) {
    this.policy.stopSignals = signals;
  }

  // Moving.

  begin(motion: Motion): void {
    this.standing();
    this.movements.tid = this.task.tid;
    this.movements.lines = this.lines;
    this.start(this.move(this.movements.of(motion), BACKWARDS.has(motion.kind) ? "backwards" : "forwards"));
  }

  private start(leg: Leg<void>): void {
    this.way.interrupted = false;
    this.way.givesUp = false;
    this.leg = leg;
  }

  private *move(leg: Leg<Ended>, direction: StopReport["direction"]): Leg<void> {
    const ended = yield* leg;
    if (this.shortWayBack && direction === "forwards") yield* this.way.shortenWayBack();
    if (ended.hits.length > 0) this.tid = ended.hits[0]!.tid;
    else if (direction === "forwards") this.tid = this.machine.task.tid;
    this.last = this.report(ended, direction);
  }

  advance(maxInstructions: number): Progress {
    const { leg } = this;
    if (leg === null) return { state: "stopped", report: this.last };
    this.way.left = maxInstructions;
    try {
      const { done, value } = leg.next();
      if (done !== true) return value;
    } catch (error) {
      this.leg = null;
      throw error;
    }
    this.leg = null;
    return { state: "stopped", report: this.last };
  }

  interrupt(): void {
    this.way.interrupted = true;
  }

  go(motion: Motion): StopReport {
    this.begin(motion);
    this.drive();
    return this.last;
  }

  private drive(): void {
    for (;;) {
      const progress = this.advance(Infinity);
      if (progress.state === "stopped") return;
      if (progress.state !== "waiting") continue;
      if (progress.deadline !== null) this.carryClock(progress.deadline);
      else this.way.givesUp = true;
    }
  }

  private report({ arrival, reason, hits }: Ended, direction: StopReport["direction"]): StopReport {
    const { task } = this;
    const why: StopReason =
      arrival.kind === "there"
        ? reason
        : arrival.kind === "hits"
          ? hits.every(({ id }) => id === 0)
            ? reason
            : "break"
          : arrival.kind;
    return {
      reason: why,
      direction,
      moment: this.now,
      thread: { pid: task.pid, tid: task.tid, name: task.comm },
      rip: this.machine.kernel.cpu.registers.rip,
      breaks: [...new Set(hits.filter(({ id }) => id !== 0).map(({ id }) => id))],
      happenings: hits.map(({ happening }) => happening),
      ...(arrival.kind === "ended" ? { status: arrival.status } : {}),
      ...(arrival.kind === "blocked" || arrival.kind === "suspended" ? { result: arrival.result } : {}),
    };
  }

  private standing(): void {
    if (this.leg !== null) throw new Error("a motion is under way");
  }

  // Breaks.

  setBreak(what: StopSpec, options: BreakOptions = {}): Break {
    return this.table.set(what, this.task.process.pid, options);
  }

  breaks(): readonly Break[] {
    return this.table.all();
  }

  changeBreak(
    id: number,
    change: Partial<Pick<Break, "enabled" | "condition" | "ignore" | "thread" | "temporary">>,
  ): boolean {
    return this.table.change(id, change);
  }

  deleteBreak(id: number): boolean {
    return this.table.delete(id);
  }

  // Changing the program.

  private change(edit: Edit): boolean {
    this.standing();
    this.chronicle.truncate(this.now);
    return this.timeline.change(edit);
  }

  writeRegister(name: string, value: bigint): void {
    const index = this.registers.indexOf(name === "rflags" ? "eflags" : name);
    const bytes = this.registers.read(this.task)[index];
    if (bytes === undefined) throw new RangeError(`no register ${name}`);
    let rest = ((value % TWO64) + TWO64) % TWO64;
    if (bytes.length > 8) rest = BigInt.asUintN(8 * bytes.length, value);
    for (let at = 0; at < bytes.length; at++, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
    const values = new Map([[index, bytes]]);
    if (!this.change({ kind: "registers", tid: this.task.tid, values }))
      throw new RangeError(`${name} cannot have that value`);
  }

  writeMemory(address: number, bytes: Uint8Array): number {
    return this.change({ kind: "memory", tid: this.task.tid, address, bytes }) ? bytes.length : 0;
  }

  private atEntry(): Task {
    const { task } = this;
    if (task.unfinished[0]?.kind !== "execute") throw new RangeError("not at a system call's entry");
    return task;
  }

  setArgument(index: number, value: bigint): void {
    this.atEntry();
    const name = ARGUMENT_REGISTERS[index];
    if (name === undefined) throw new RangeError("a call has arguments 0 to 5");
    this.writeRegister(name, value);
  }

  setCall(number: number): void {
    this.change({ kind: "call", tid: this.atEntry().tid, number });
  }

  skipCall(result: bigint): void {
    const { tid } = this.atEntry();
    this.change({ kind: "call", tid, number: -1 });
    this.change({ kind: "force", tid, result });
  }

  forceResult(result: bigint): void {
    const { task } = this;
    if (task.unfinished[0]?.kind === "execute") {
      this.change({ kind: "force", tid: task.tid, result });
      return;
    }
    const atExit = this.last.happenings.some(({ kind }) => kind === "syscall-exit" || kind === "refusal");
    if (!atExit) throw new RangeError("not at a system call's entry or exit");
    this.writeRegister("rax", result);
  }

  setSignal(signal: number): void {
    const { task } = this;
    if (task.injected === null) throw new RangeError("no signal is about to be delivered");
    if (signal !== 0) kernelSignal(signal);
    this.change({ kind: "signal", tid: task.tid, signal });
  }

  sendSignal(signal: number): void {
    this.chronicle.truncate(this.now);
    this.timeline.fromOutside({ kind: "signal", signal });
  }

  passTime(deadline: number): void {
    this.carryClock(deadline);
  }

  private carryClock(deadline: number): void {
    this.timeline.fromOutside({ kind: "clock", time: deadline });
  }

  // Questions.

  ask(question: Question): void {
    this.standing();
    this.answer = null;
    this.start(this.inquire(question));
  }

  private *inquire(question: Question): Leg<void> {
    const found = yield* new Inquiries(this.way).answer(question, this.task.tid);
    this.answer = found === "interrupted" ? null : found;
  }

  private answerTo(question: Question): Answer | null {
    this.ask(question);
    this.drive();
    return this.answer;
  }

  lastWriteOf(start: number, end: number): WriteFound | null {
    return this.answerTo({ kind: "last-write", start, end }) as WriteFound | null;
  }

  lastChangeOfEntry(address: number): EntryChangeFound | null {
    return this.answerTo({ kind: "last-change-of-entry", address }) as EntryChangeFound | null;
  }

  changesOfCall(): CallChanges | null {
    return this.answerTo({ kind: "changes-of-call" }) as CallChanges | null;
  }

  whoSealed(address: number): Provenance | null {
    const { mm } = this.task;
    const area = mm.findArea(address);
    if (area === null || address < area.start) return null;
    return mm.snapshotArea(area).sealedBy ?? null;
  }

  get refusal(): Refusal | null {
    return this.chronicle.refusalAt(this.now);
  }

  trace(): readonly TraceRecord[] {
    return this.chronicle.traceUpTo(this.now);
  }

  onTrace(listener: (record: TraceRecord) => void): () => void {
    return this.chronicle.listen(listener);
  }

  mark(): void {
    this.standing();
    this.timeline.checkpoint();
  }

  get costs(): { readonly snapshots: number; readonly bytes: number; readonly share: number } {
    const { checkpoints, share } = this.timeline;
    return { snapshots: checkpoints.count, bytes: checkpoints.bytes, share };
  }

  close(): void {
    this.chronicle.close();
    this.policy.begin([]);
    this.engine.close();
  }
}
