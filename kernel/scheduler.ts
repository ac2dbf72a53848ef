/**
 * Who runs next, and for how long. One processor; tasks take turns in the order in which they became ready, each for
 * a slice of instructions drawn from a seed: the same seed is the same interleaving, to the instruction.
 */

import { rseqPreempted } from "./rseq.js";
import type { Task } from "./task.js";

export interface SchedulerOptions {
  /** Low 32 bits count. 0 unless told. */
  readonly seed?: number;
  /** Mean slice in instructions; 50,000 unless told. */
  readonly quantum?: number;
}

const DEFAULT_QUANTUM = 50_000;

export class Scheduler {
  /** Ready, but not running. */
  private readonly queue: Task[] = [];
  running: Task | null = null;
  /** The instruction count at which the running task's slice ends. */
  sliceEnd = 0;
  /** Set to make the running task give way at the next boundary. */
  yielding = false;
  /** Changes of the running task. */
  switches = 0;
  readonly quantum: number;
  /** A debugger's word on who may run; null: everybody. */
  mayRun: ((task: Task) => boolean) | null = null;
  /** Nobody waited when the running task was let go: its slice begins anew as often as it ends. */
  private alone = false;
  private random: number;

  constructor(options: SchedulerOptions = {}) {
    this.quantum = options.quantum ?? DEFAULT_QUANTUM;
    // Splitmix's constant keeps neighbouring seeds apart; 0 would be a fixed point of the generator.
    this.random = Math.imul((options.seed ?? 0) + 1, 0x9e3779b9) >>> 0 || 1;
  }

  /** Ready tasks besides the running one. */
  get waiting(): number {
    const { mayRun } = this;
    return mayRun === null ? this.queue.length : this.queue.filter(mayRun).length;
  }

  wake(task: Task): void {
    if (task.state !== "asleep") return;
    task.state = "ready";
    this.queue.push(task);
  }

  /** The task does not run on. */
  sleep(task: Task, state: "asleep" | "dead"): void {
    if (this.running === task) {
      this.running = null;
      rseqPreempted(task);
    } else if (task.state === "ready") {
      const at = this.queue.indexOf(task);
      if (at >= 0) this.queue.splice(at, 1);
    }
    task.state = state;
  }

  /**
   * Who runs from this instruction on; null when nobody is ready. Asking more often changes nothing: a run that is cut
   * into pieces is the same run.
   */
  pick(instructions: number): Task | null {
    if (this.alone) while (this.sliceEnd < instructions) this.sliceEnd += this.slice();
    const next = this.choose(instructions);
    this.alone = this.waiting === 0;
    return next;
  }

  private choose(instructions: number): Task | null {
    if (this.mayRun !== null) this.holdBack(this.mayRun);
    const { running } = this;
    if (running !== null) {
      const turnOver = this.yielding || (instructions >= this.sliceEnd && this.waiting > 0);
      if (!turnOver) return running;
      this.yielding = false;
      if (this.waiting === 0) {
        this.sliceEnd = instructions + this.slice();
        return running;
      }
      rseqPreempted(running);
      this.queue.push(running);
    }
    const next = this.takeNext();
    this.running = next;
    this.yielding = false;
    if (next !== null) {
      this.sliceEnd = instructions + this.slice();
      this.switches++;
    }
    return next;
  }

  /** The running task goes back to the front of the queue where it may not run on. */
  private holdBack(mayRun: (task: Task) => boolean): void {
    const { running } = this;
    if (running === null || mayRun(running)) return;
    rseqPreempted(running);
    this.queue.unshift(running);
    this.running = null;
  }

  private takeNext(): Task | null {
    const { mayRun } = this;
    if (mayRun === null) return this.queue.shift() ?? null;
    const at = this.queue.findIndex(mayRun);
    return at < 0 ? null : this.queue.splice(at, 1)[0]!;
  }

  /** From half of the quantum to one and a half of it. */
  private slice(): number {
    // xorshift32 (Marsaglia).
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x >>> 0;
    return Math.max(1, Math.floor(this.quantum / 2 + (this.quantum * this.random) / 2 ** 32));
  }
}
