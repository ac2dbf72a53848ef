import type { FrameCharges } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import type { Kernel } from "../kernel.js";
import { ControlGroup } from "./control-group.js";

/** Pages to take back at a time from a group at its limit (SWAP_CLUSTER_MAX). */
const RECLAIM_BATCH = 32;

/**
 * Which control group each frame is charged to: the one of the process for which it was handed out, whoever uses it
 * later. Made with the first group that has the memory controller; until then nothing is counted.
 */
export class MemoryCharges implements FrameCharges {
  /** By frame, a group's number; 0: the root's, which has no limit and is not counted. */
  readonly groups: Int32Array;
  /** Groups by number, for as long as frames are charged to them. */
  readonly charged = new Map<number, ControlGroup>();
  /** A group beyond its limit, though all that could be taken back was: its OOM killer is due. */
  overLimit: ControlGroup | null = null;

  constructor(private readonly kernel: Kernel) {
    this.groups = new Int32Array(kernel.frames.total + 2);
  }

  get isOver(): boolean {
    return this.overLimit !== null;
  }

  /** The group of the running process, as far as its memory counts. */
  private current(): ControlGroup | null {
    const group = (this.kernel.current as Kernel["current"] | undefined)?.process.group ?? null;
    const owner = group?.owner("memory") ?? null;
    return owner === null || owner.parent === null ? null : owner;
  }

  charge(frame: PageFrame): void {
    const group = this.current();
    this.groups[frame] = group?.number ?? 0;
    if (group === null) return;
    this.charged.set(group.number, group);
    // Held while room is made for it: it is nobody's page yet, and so cannot go.
    group.charge(1);
    for (let at: ControlGroup | null = group; at !== null; at = at.parent) this.enforce(at, group);
  }

  makeRoom(frames: number): boolean {
    const group = this.current();
    for (let at = group; at !== null; at = at.parent) {
      const over = at.usage + frames - at.max;
      if (over > 0 && this.reclaim(at, over) < over) return false;
    }
    return true;
  }

  release(frame: PageFrame): void {
    const number = this.groups[frame];
    if (number === 0) return;
    this.groups[frame] = 0;
    const group = this.charged.get(number);
    group?.charge(-1);
    if (group?.removed === true) this.forget(group);
  }

  /** A group that rmdir has taken is remembered until nothing is charged to it any more. */
  forget(group: ControlGroup): void {
    if (group.usage === 0) this.charged.delete(group.number);
  }

  private enforce(at: ControlGroup, charged: ControlGroup): void {
    if (at.usage > at.max) {
      at.count("max");
      this.reclaim(at, Math.max(RECLAIM_BATCH, at.usage - at.max));
      if (at.usage > at.max) this.overLimit = at;
    } else if (at.usage > at.high) {
      charged.count("high");
      this.reclaim(at, Math.max(RECLAIM_BATCH, at.usage - at.high));
    }
  }

  /** The frame is charged to the group or to one below it. */
  isWithin(frame: PageFrame, group: ControlGroup): boolean {
    return this.charged.get(this.groups[frame])?.isWithin(group) ?? false;
  }

  /** Takes back pages charged to a group or below it. @returns how many frames became free */
  reclaim(group: ControlGroup, most: number): number {
    const mayGo = (frame: PageFrame): boolean => this.isWithin(frame, group);
    let got = 0;
    for (const holder of [...this.kernel.frames.holders]) {
      if (got >= most) break;
      got += holder.reclaim(most - got, mayGo);
    }
    return got;
  }
}
