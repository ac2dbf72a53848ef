import type { Snapshot } from "../snapshot/snapshot.js";
import type { EngineState } from "../stops/stop-engine.js";
import { compareMoments, type Moment } from "./moment.js";

/** A moment that the machine can be put back to at once. */
export interface Checkpoint {
  readonly moment: Moment;
  readonly snapshot: Snapshot;
  readonly engine: EngineState;
  /** Instructions retired by each thread that was alive. */
  readonly threads: ReadonlyMap<number, number>;
}

/** More than these make the search for one slow, and no way back shorter that anybody would notice. */
const MOST = 400;

/** So many may take more than the bytes meant for all. */
const FEW = 4;

/** Checkpoints in the order of their moments; when there are too many, those go that are missed least. */
export class Checkpoints {
  private readonly list: Checkpoint[] = [];
  /** What each takes that those before it do not have, in bytes. */
  private readonly sizes: number[] = [];

  /** @param bytesAllowed what all of them may take */
  constructor(private readonly bytesAllowed: number) {}

  get count(): number {
    return this.list.length;
  }

  get bytes(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0);
  }

  /** In ascending order. */
  all(): readonly Checkpoint[] {
    return this.list;
  }

  add(checkpoint: Checkpoint): void {
    const at = this.list.findLastIndex(({ moment }) => compareMoments(moment, checkpoint.moment) <= 0);
    if (at >= 0 && compareMoments(this.list[at]!.moment, checkpoint.moment) === 0) return;
    this.list.splice(at + 1, 0, checkpoint);
    this.sizes.splice(at + 1, 0, checkpoint.snapshot.bytes);
    const here = checkpoint.moment.instructions;
    while (this.list.length > MOST || (this.bytes > this.bytesAllowed && this.list.length > 2))
      this.forgetOne(here);
  }

  /**
   * Gives up some before another comes, so that it finds memory that was in use already.
   * @param bytes what all should take then
   * @param here instructions, where the run is
   */
  makeRoom(bytes: number, here: number): void {
    const coming = this.sizes.at(-1) ?? 0;
    while (this.list.length > FEW && this.bytes + coming > bytes) this.forgetOne(here);
  }

  private forgetOne(here: number): void {
    const index = this.leastMissed(here);
    const [gone] = this.list.splice(index, 1);
    const [size] = this.sizes.splice(index, 1);
    const before = this.list[index - 1]!.snapshot;
    const after = this.list[index]!.snapshot;
    const own = gone!.snapshot.parts.owner.forget(gone!.snapshot, before, after);
    // What it shares with the next one stays.
    this.sizes[index]! += Math.max(0, size! - own);
  }

  /** The last one at or before a moment; the first one of all where none is. */
  before(moment: Moment): Checkpoint {
    return this.list.findLast((each) => compareMoments(each.moment, moment) <= 0) ?? this.list[0]!;
  }

  /** What comes after the moment will not have been. */
  truncate(moment: Moment): void {
    const first = this.list.findIndex((each) => compareMoments(each.moment, moment) > 0);
    if (first < 0) return;
    this.list.length = first;
    this.sizes.length = first;
  }

  clear(): void {
    this.list.length = 0;
    this.sizes.length = 0;
  }

  /**
   * The index of one whose loss makes the longest way by the least, as a share of the distance from here: far away they
   * may be far apart. Never the first and the last.
   */
  private leastMissed(here: number): number {
    let best = 1;
    let least = Infinity;
    for (let i = 1; i < this.list.length - 1; i++) {
      const gap = this.list[i + 1]!.moment.instructions - this.list[i - 1]!.moment.instructions;
      const distance = Math.abs(here - this.list[i]!.moment.instructions);
      const missed = gap / (distance + 1000);
      if (missed < least) {
        least = missed;
        best = i;
      }
    }
    return best;
  }
}
