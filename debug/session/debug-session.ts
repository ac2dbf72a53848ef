import type { RecordEnd } from "../recording/record-end.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { Task } from "../../kernel/task.js";
import type { Provenance } from "../../kernel/refusal.js";
import type { Machine } from "../machine.js";
import type { Happening } from "../stops/happening.js";
import type { StopSpec } from "../stops/stop-spec.js";
import type { Moment } from "../timeline/moment.js";
import type { TraceRecord } from "../trace/record.js";
import type { Motion, Question } from "./motion.js";
import type { CallChanges, EntryChangeFound, Progress, StopReport, WriteFound } from "./stop-report.js";

/** What a condition may look at: the machine stands at the moment, with the thread's registers in the CPU. */
export interface ConditionView {
  readonly machine: Machine;
  readonly task: Task;
  readonly happening: Happening;
}

export interface Condition {
  /** As the user wrote it. */
  readonly text: string;
  /** Must not change anything. An exception of it counts as true, and is in the break's `trouble`. */
  holds(view: ConditionView): boolean;
}

/** A stop that the user has set. */
export interface Break {
  readonly id: number;
  readonly what: StopSpec;
  /** As the user wrote it, for lists. */
  readonly label: string;
  readonly condition: Condition | null;
  readonly enabled: boolean;
  /** It is deleted when it is met. */
  readonly temporary: boolean;
  /** Only this thread's; null: anybody's. */
  readonly thread: number | null;
  /** So often it is still passed over. */
  readonly ignore: number;
  /** How often it was met going forwards, passed over or not. */
  readonly hits: number;
  /** What went wrong with its condition last. */
  readonly trouble: string | null;
}

export type BreakOptions = Partial<
  Pick<Break, "label" | "condition" | "enabled" | "temporary" | "thread" | "ignore">
>;

/** Source lines as debug/dwarf knows them. */
export interface LineRange {
  readonly file: string;
  readonly line: number;
  /** Code of the line, half-open, in bytes of the task's memory, with the address asked for in it. */
  readonly start: number;
  readonly end: number;
}

export interface LineSource {
  /** Null where the code has no lines. */
  lineAt(task: Task, address: number): LineRange | null;
  /** The first address after a function's prologue, for `step` into it; null: unknown. */
  bodyOf?(task: Task, address: number): number | null;
  /** Where the task's present function returns to, and RSP then; null: unknown. */
  callerOf?(task: Task): { readonly address: number; readonly stackPointer: number } | null;
}

/**
 * A program under a debugger that can go back. One thing at a time: `begin` a motion, `advance` it until it has
 * stopped; or `go`, which does both and returns when it has. All else is for while it stands.
 *
 *     const session = createDebugSession(machine, {});          // machine loaded, nothing of it has run
 *     session.setBreak({ kind: "syscall", numbers: [462], at: "exit" });
 *     const stop = session.go({ kind: "continue" });
 */
export interface DebugSession {
  readonly machine: Machine;
  readonly now: Moment;
  /** The furthest that the run has been: further on everything happens for the first time. */
  readonly end: Moment;
  /** Why it stands here; at first reason "beginning". */
  readonly last: StopReport;
  /** A motion is under way. */
  readonly moving: boolean;
  /** The thread that registers, steps and memory are about; the stop's unless chosen. */
  task: Task;
  /** The source lines for "step-line" and the like; null: they step instructions. */
  lines: LineSource | null;

  /** @throws RangeError for a motion that makes no sense here (finish where nothing called) @throws Error while moving */
  begin(motion: Motion): void;
  /** Runs about `maxInstructions` at most of what was begun, fewer where it stops. */
  advance(maxInstructions: number): Progress;
  /** The motion ends at the next `advance`, and the session stands where it then is (a search: where it was). */
  interrupt(): void;
  /** begin and advance to the stop. Deadlines pass at once; where input is waited for and none is there: "blocked". */
  go(motion: Motion): StopReport;

  /** @throws RangeError where it can never be met: an address that is none, a range too long for "fetch" */
  setBreak(what: StopSpec, options?: BreakOptions): Break;
  /** Ascending ids; ids are not used again. */
  breaks(): readonly Break[];
  /** @returns false where there is no such break */
  changeBreak(
    id: number,
    change: Partial<Pick<Break, "enabled" | "condition" | "ignore" | "thread" | "temporary">>,
  ): boolean;
  deleteBreak(id: number): boolean;
  /** Signals (Linux's numbers) that stop the motion though no break says so; none unless told. */
  stopSignals: ReadonlySet<number>;

  // Changing the program. Each forgets what was known of the future after now.

  /** As debug/registers.ts names them, and "pkru", "fs_base", "gs_base", "mxcsr". @throws RangeError for no such register */
  writeRegister(name: string, value: bigint): void;
  /** As ptrace writes: protections and keys do not matter. @returns bytes written, fewer where memory ends */
  writeMemory(address: number, bytes: Uint8Array): number;
  /** At a call's entry: argument `index`, 0 to 5. @throws RangeError elsewhere */
  setArgument(index: number, value: bigint): void;
  /** At a call's entry: another call is made instead. @throws RangeError elsewhere */
  setCall(number: number): void;
  /** At a call's entry: it is not made, and returns this. @throws RangeError elsewhere */
  skipCall(result: bigint): void;
  /** At a call's entry it is made, and returns this; at its exit likewise. @throws RangeError elsewhere */
  forceResult(result: bigint): void;
  /** At a signal: another number, or 0 for none, is delivered. @throws RangeError elsewhere */
  setSignal(signal: number): void;
  /** A signal from outside, as Ctrl-C of the program's terminal. */
  sendSignal(signal: number): void;
  /** All wait: a virtual clock goes on to `deadline`. */
  passTime(deadline: number): void;

  // Questions about the past. `begin`-able too, as they may take long: `ask`, then `advance`, then `answer`.

  ask(question: Question): void;
  /** What the last question found; null: nothing. */
  readonly answer: WriteFound | EntryChangeFound | CallChanges | null;
  lastWriteOf(start: number, end: number): WriteFound | null;
  lastChangeOfEntry(address: number): EntryChangeFound | null;
  changesOfCall(): CallChanges | null;
  /** Who sealed the page: `instruction` is a moment to go to (before the SYSCALL). Null where it is not sealed. */
  whoSealed(address: number): Provenance | null;

  /** The last refusal before now; null: none. */
  readonly refusal: Refusal | null;
  /** System calls, signals and ends up to now, the oldest first; of a long run the newest ones only. */
  trace(): readonly TraceRecord[];
  /** Each record from now on, as it happens for the first time. @returns ends it */
  onTrace(listener: (record: TraceRecord) => void): () => void;

  /** Takes a snapshot here, so that coming back is quick. */
  mark(): void;
  /** Snapshots held, their bytes, and what they cost of the run's time so far. */
  readonly costs: { readonly snapshots: number; readonly bytes: number; readonly share: number };
  /** The machine goes on without a debugger. */
  close(): void;
}

export interface SessionOptions {
  /** Instructions of the whole run; no limit unless told. */
  readonly maxInstructions?: number;
  /** Bytes that snapshots may take; 512 MiB unless told. */
  readonly snapshotBytes?: number;
  /** Milliseconds, from anywhere; performance.now unless told. */
  readonly clock?: () => number;
  /**
   * At a stop long after the last snapshot, goes that part of the run again to leave snapshots near its end: the first
   * step back then takes no longer than others. Whoever listens to the machine's events hears that part twice. False
   * unless told.
   */
  readonly shortWayBack?: boolean;
  /**
   * Of a record that the machine replays: a run that nobody changed must end as it did, or a motion throws
   * ReplayDiffers.
   */
  readonly recordEnd?: RecordEnd;
}
