import type { RunResult } from "../../kernel/run-loop.js";
import { letIn, type OutsideEvent } from "../../kernel/outside.js";
import type { Machine } from "../machine.js";
import { RewindableHost } from "../recording/rewindable-host.js";
import type { StopEngine } from "../stops/stop-engine.js";
import { Checkpoints, type Checkpoint } from "./checkpoints.js";
import { applyEdit, type Edit } from "./edit.js";
import { compareMoments, type Moment } from "./moment.js";

export interface TimelineOptions {
  /** Bytes that snapshots may take; 512 MiB unless told. */
  readonly snapshotBytes?: number;
  /** Milliseconds, from anywhere; performance.now unless told. */
  readonly clock?: () => number;
}

/** "reached": the moment asked for, or the first one behind it. */
export type TimelineResult = RunResult | { readonly reason: "reached" };

interface Logged {
  readonly moment: Moment;
  readonly edit: Edit | { readonly kind: "outside"; readonly event: OutsideEvent };
}

const DEFAULT_BYTES = 512 * 2 ** 20;
/** Of the time of the run, what snapshots may take. */
const SHARE = 0.028;
/** Milliseconds of run since the last snapshot that make the way back long. */
const LONG_WAY = 40;
/** Bytes of snapshots that the time of the run pays for, at its start and with each millisecond. */
const ROOM = { start: 12 * 2 ** 20, perMillisecond: 16 * 2 ** 10 };
/** Instructions between two looks whether a snapshot is due: so many that they take some milliseconds. */
const SLICES = { first: 50_000, least: 2_000, most: 2_000_000 };
const SLICE_TIME = { short: 3, long: 12 };
/** Instructions between two snapshots at least. */
const CLOSEST = 2_000;
/** Snapshots by whose cost the next one's is guessed. */
const RECENT = 5;
/** One that took so many times as long as others was interrupted. */
const OUTLIER = 5;
/** Milliseconds that an interruption takes at least. */
const GRAIN = 10;
/** Snapshots taken for nothing at the start. */
const WARM_UP = 6;
/** On a way back, this far before its end there will be a snapshot, and so on. */
const NEAR = [1_000_000, 100_000, 10_000, 1_000];
const REACHED: TimelineResult = { reason: "reached" };

/**
 * A machine's run as something that one can move in: forwards by running, back by a snapshot and running again. What a
 * user changed is kept with its moment and done again on the way; a change makes the future another.
 */
export class Timeline {
  readonly checkpoints: Checkpoints;
  /** The furthest that the run has been. */
  end: Moment;
  private readonly edits: Logged[] = [];
  private readonly clock: () => number;
  private runTime = 0;
  /** The time of the run when it came by its furthest snapshot. */
  private runTimeThen = 0;
  private snapshotTime = 0;
  /** The same without what other programs of the computer took in the meantime. */
  private ownTime = 0;
  /** Something came from outside that is in the host's log only. */
  private interfered = false;
  private sliceSize = SLICES.first;
  /** Told where the run comes to what is known of it already (false), and where it goes on from there (true). */
  onNews: ((news: boolean) => void) | null = null;
  /** Of the last snapshots, in milliseconds. */
  private readonly costs: number[] = [];

  constructor(
    readonly machine: Machine,
    readonly engine: StopEngine,
    options: TimelineOptions = {},
  ) {
    this.checkpoints = new Checkpoints(options.snapshotBytes ?? DEFAULT_BYTES);
    this.clock = options.clock ?? (() => performance.now());
    this.end = this.now;
    machine.snapshots.prepare();
    // The code that takes them gets quick before the run has to pay for it.
    for (let i = 0; i < WARM_UP; i++) {
      const started = this.clock();
      const snapshot = machine.snapshot();
      this.costs.push(this.clock() - started);
      machine.restore(snapshot);
    }
    this.checkpoint();
  }

  /** The user has changed the run: what comes need not be what was recorded. */
  get wasChanged(): boolean {
    return this.edits.length > 0 || this.interfered;
  }

  get now(): Moment {
    return this.engine.position;
  }

  get beginning(): Moment {
    return this.checkpoints.all()[0]!.moment;
  }

  /** What snapshots cost of the time of the run so far. */
  get share(): number {
    return this.runTime === 0 ? 0 : this.snapshotTime / this.runTime;
  }

  /** From the last snapshot to the end of the run it took so long that whoever goes back would notice it. */
  get longWayBack(): boolean {
    return compareMoments(this.now, this.end) === 0 && this.runTime - this.runTimeThen > LONG_WAY;
  }

  /** A snapshot of this moment. */
  checkpoint(): void {
    this.runTimeThen = this.runTime;
    const { machine, engine } = this;
    const moment = this.now;
    const started = this.clock();
    const threads = new Map<number, number>();
    for (const task of machine.kernel.tasks.values())
      if (task.state !== "dead") threads.set(task.tid, task.instructions);
    this.checkpoints.makeRoom(ROOM.start + ROOM.perMillisecond * this.runTime, moment.instructions);
    const snapshot = machine.snapshots.take(true);
    this.checkpoints.add({ moment, snapshot, engine: engine.state, threads });
    this.costs.push(this.clock() - started);
    if (this.costs.length > RECENT) this.costs.shift();
  }

  /**
   * Runs on for at most so many instructions, to `goal` where one is given. Nobody is asked for stops where `quiet`.
   * "stopped" is what the policy wanted.
   */
  run(maxInstructions: number, quiet: boolean, goal: Moment | null = null): TimelineResult {
    const { machine, engine } = this;
    this.setQuiet(quiet);
    const limit = machine.instructions + maxInstructions;
    for (;;) {
      if (goal !== null && compareMoments(this.now, goal) >= 0) return REACHED;
      this.editsHere();
      const news = compareMoments(this.now, this.end) >= 0;
      this.onNews?.(news);
      engine.target = earliest(goal, this.nextEdit()?.moment ?? null, news ? null : this.end);
      engine.wanted = false;
      const result = this.slice(Math.min(limit - machine.instructions, news ? this.sliceSize : Infinity));
      if (result.reason === "stopped" && !engine.wanted) continue;
      if (result.reason === "budget" && machine.instructions < limit) {
        this.checkpointIfDue();
        continue;
      }
      return result;
    }
  }

  private slice(instructions: number): RunResult {
    const started = this.clock();
    const result = this.machine.run(instructions);
    const { now } = this;
    if (compareMoments(now, this.end) > 0) {
      const took = this.clock() - started;
      this.runTime += took;
      this.end = now;
      if (result.reason !== "budget") return result;
      if (took < SLICE_TIME.short) this.sliceSize = Math.min(SLICES.most, 2 * this.sliceSize);
      if (took > SLICE_TIME.long) this.sliceSize = Math.max(SLICES.least, this.sliceSize >> 1);
    }
    return result;
  }

  /** Snapshots come as often as their share of the time allows, so the closer the cheaper they are. */
  private checkpointIfDue(): void {
    if (compareMoments(this.now, this.end) < 0) return;
    const last = this.checkpoints.before(this.now).moment.instructions;
    if (this.machine.instructions - last < CLOSEST) return;
    const usual = [...this.costs].sort((a, b) => a - b)[this.costs.length >> 1]!;
    if (this.ownTime + usual > SHARE * this.runTime) return;
    this.checkpoint();
    const cost = this.costs.at(-1)!;
    this.snapshotTime += cost;
    this.ownTime += cost > OUTLIER * usual + GRAIN ? usual : cost;
  }

  /** Back to a checkpoint; `run` from there. */
  restore({ snapshot, engine }: Checkpoint): void {
    this.machine.restore(snapshot);
    this.engine.state = engine;
  }

  /** The checkpoint at or before a moment from which the way there is shortest; restored unless we are nearer. */
  approach(goal: Moment): void {
    const from = this.checkpoints.before(goal);
    const { now } = this;
    if (compareMoments(now, goal) <= 0 && compareMoments(from.moment, now) <= 0) return;
    this.restore(from);
  }

  /**
   * Goes on to a moment of the past by at most so many instructions, and leaves snapshots shortly before it: whoever
   * goes back will go back further. @returns whether it is there
   */
  proceed(goal: Moment, maxInstructions: number): TimelineResult {
    const limit = this.machine.instructions + maxInstructions;
    for (;;) {
      const left = goal.instructions - this.machine.instructions;
      const halt = NEAR.find((distance) => left > 2 * distance);
      const part = Math.min(halt === undefined ? Infinity : left - halt, limit - this.machine.instructions);
      const result = this.run(part, true, goal);
      if (result.reason !== "budget") return result;
      if (halt !== undefined && goal.instructions - this.machine.instructions === halt) this.checkpoint();
      if (this.machine.instructions >= limit) return result;
    }
  }

  // Changes.

  /** Changes the machine: what was known of the future is forgotten. False: it could not be done, and nothing is. */
  change(edit: Edit): boolean {
    this.forgetFuture();
    const moment = this.now;
    const done = applyEdit(this.machine.kernel, this.engine, edit);
    // Part of it may have been done: then it has to be done again, too.
    this.edits.push({ moment, edit });
    this.edited();
    return done;
  }

  /** Something from outside of the machine. */
  fromOutside(event: OutsideEvent): void {
    this.forgetFuture();
    const { machine } = this;
    if (machine.host instanceof RewindableHost) {
      this.interfered = true;
      machine.fromOutside(event);
      return;
    }
    this.edits.push({ moment: this.now, edit: { kind: "outside", event } });
    letIn(machine.kernel, event);
    this.edited();
  }

  private edited(): void {
    this.engine.edited();
    this.end = this.now;
  }

  private forgetFuture(): void {
    const { now } = this;
    const { host } = this.machine;
    this.checkpoints.truncate(now);
    const first = this.edits.findIndex(({ moment }) => compareMoments(moment, now) >= 0);
    if (first >= 0) this.edits.length = first;
    if (compareMoments(now, this.end) < 0 && host instanceof RewindableHost) host.truncate();
    this.end = now;
  }

  private nextEdit(): Logged | undefined {
    const { now } = this;
    return this.edits.find(({ moment }) => compareMoments(moment, now) >= 0);
  }

  private editsHere(): void {
    for (let next = this.nextEdit(); next !== undefined; next = this.nextEdit()) {
      if (compareMoments(next.moment, this.now) !== 0) return;
      const { kernel } = this.machine;
      if (next.edit.kind === "outside") letIn(kernel, next.edit.event);
      else applyEdit(kernel, this.engine, next.edit);
      this.engine.edited();
    }
  }

  private setQuiet(quiet: boolean): void {
    this.engine.quiet = quiet;
    this.engine.policy.arm(!quiet);
  }
}

function earliest(...moments: readonly (Moment | null)[]): Moment | null {
  let first: Moment | null = null;
  for (const moment of moments)
    if (moment !== null && (first === null || compareMoments(moment, first) < 0)) first = moment;
  return first;
}
