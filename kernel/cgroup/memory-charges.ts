import type { FrameCharges } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import type { Kernel } from "../kernel.js";
import type { ControlGroup } from "./control-group.js";
import { protectionOf } from "./protection.js";

/** Pages to take back at a time from a group at its limit (SWAP_CLUSTER_MAX). */
const RECLAIM_BATCH = 32;
/** So few pages taken back, so often in a row: the group lives on nothing but pages in use. */
const MEAGRE = 4;
const MOST_MEAGRE = 64;

/**
 * Which control group each frame is charged to: the one of the process for which it was handed out, whoever uses it
 * later. Made with the first group that has the memory controller; until then nothing is counted.
 */
export class MemoryCharges implements FrameCharges {
  /** By frame, a group's number; 0: the root's, which has no limit and is not counted. */
  readonly groups: Int32Array;
  /** Groups by number, for as long as frames are charged to them. */
  readonly charged = new Map<number, ControlGroup>();
  /** By place in a swap area: the group whose page is there. */
  readonly swapped = new Map<number, ControlGroup>();
  /** A group beyond its limit, though all that could be taken back was: its OOM killer is due. */
  overLimit: ControlGroup | null = null;

  constructor(private readonly kernel: Kernel) {
    this.groups = new Int32Array(kernel.frames.total + 2);
  }

  get isOver(): boolean {
    return this.overLimit !== null;
  }

  /** The group that the running process's memory counts for; null: the root, or nobody runs yet. */
  private current(): ControlGroup | null {
    const group = (this.kernel.current as Kernel["current"] | undefined)?.group ?? null;
    if (group === null) return null;
    const owner = group.ownerOf("memory");
    return owner.parent === null ? null : owner;
  }

  charge(frame: PageFrame): void {
    const group = this.current();
    this.groups[frame] = group?.number ?? 0;
    if (group === null) return;
    this.charged.set(group.number, group);
    // Held while room is made for it: it is nobody's page yet, and so cannot go.
    group.charge(1);
    for (const at of group.withAncestors()) this.enforce(at);
  }

  makeRoom(frames: number): boolean {
    for (const at of this.current()?.withAncestors() ?? []) {
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
    if (group.usage === 0 && group.swapUsage === 0) this.charged.delete(group.number);
  }

  /** The page of a frame is to go to a swap area: false where memory.swap.max of its groups forbids it. */
  maySwapOut(frame: PageFrame): boolean {
    const group = this.charged.get(this.groups[frame]);
    for (const at of group?.withAncestors() ?? []) if (at.swapUsage >= at.swapMax) return false;
    return true;
  }

  /** It has: the place there is charged to whom the frame is charged to. @param slot a number of its own */
  swappedOut(slot: number, frame: PageFrame): void {
    const group = this.charged.get(this.groups[frame]);
    if (group === undefined) return;
    this.swapped.set(slot, group);
    group.chargeSwap(1);
    for (const at of group.withAncestors()) if (at.swapUsage > at.swapHigh) at.countSwap("high");
  }

  /** The place in the swap area is free again. */
  swapFreed(slot: number): void {
    const group = this.swapped.get(slot);
    if (group === undefined) return;
    this.swapped.delete(slot);
    group.chargeSwap(-1);
    if (group.removed) this.forget(group);
  }

  /** The running process has a page fault. */
  fault(): void {
    for (const at of this.current()?.withAncestors() ?? []) at.counters.pgfault++;
  }

  private enforce(at: ControlGroup): void {
    if (at.usage > at.max) {
      at.count("max");
      const got = this.reclaim(at, Math.max(RECLAIM_BATCH, at.usage - at.max));
      // Pages in use that go only to come back at once: Linux, which spares those accessed lately, would find none.
      at.meagre = got < MEAGRE ? at.meagre + 1 : 0;
      if (at.usage > at.max || at.meagre > MOST_MEAGRE) {
        at.meagre = 0;
        this.overLimit = at;
      }
    } else if (at.usage > at.high) {
      at.count("high");
      this.reclaim(at, Math.max(RECLAIM_BATCH, at.usage - at.high));
    }
  }

  /** The frame is charged to the group or to one below it. */
  isWithin(frame: PageFrame, group: ControlGroup): boolean {
    return this.charged.get(this.groups[frame])?.isWithin(group) ?? false;
  }

  /** RAM has run short: takes back pages of whoever is not protected. */
  reclaimAnywhere(most: number): number {
    return this.reclaim(this.kernel.cgroups.root, most);
  }

  /**
   * Takes back pages charged to a group or below it; for the root, of anybody. Groups within their memory.low come
   * after all others, those within memory.min never.
   * @returns how many frames became free
   */
  reclaim(target: ControlGroup, most: number): number {
    const got = this.takeFrom(target, most, "low");
    return got >= most ? got : got + this.takeFrom(target, most - got, "min");
  }

  private takeFrom(target: ControlGroup, most: number, spared: "low" | "min"): number {
    const { frames, cgroups, vmEvents } = this.kernel;
    const protections = new Map<ControlGroup, number>();
    const brokenInto = new Set<ControlGroup>();
    const mayGo = (frame: PageFrame): boolean => {
      const group = this.charged.get(this.groups[frame]);
      if (group === undefined) return target === cgroups.root;
      if (!group.isWithin(target)) return false;
      let kept = protections.get(group);
      if (kept === undefined) {
        const { min, low } = protectionOf(group, target);
        protections.set(group, (kept = spared === "low" ? Math.max(min, low) : min));
        if (spared === "min" && low > 0 && group.usage <= low && group.usage > min) brokenInto.add(group);
      }
      return group === target || group.usage > kept;
    };
    const lazy = vmEvents.pglazyfreed;
    let got = 0;
    for (const holder of [...frames.holders]) {
      if (got >= most) break;
      got += holder.reclaim(most - got, mayGo);
    }
    if (got > 0) for (const group of brokenInto) group.count("low");
    for (const at of target.withAncestors()) {
      at.counters.pgscan += got;
      at.counters.pgsteal += got;
      at.counters.pglazyfreed += vmEvents.pglazyfreed - lazy;
    }
    return got;
  }
}
