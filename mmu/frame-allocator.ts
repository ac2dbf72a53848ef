import { PAGE_SIZE } from "./layout.js";
import type { PhysicalMemory } from "./physical-memory.js";
import type { PageFrame } from "./types.js";

/** What must be kept to put an allocator together again. */
export interface FrameAllocatorState {
  readonly next: number;
  readonly references: Int32Array;
  readonly recycled: Int32Array;
  /** First frames of free runs. */
  readonly freeRuns: readonly PageFrame[];
  readonly hugeZeroFrame: PageFrame;
}

/** Somebody who keeps frames on behalf of others, as a file's page cache does. */
export interface FrameHolder {
  /**
   * Gives back frames whose content can be had again, at most `most`.
   * @param mayGo limits it to some frames
   * @returns how many became free
   */
  reclaim(most: number, mayGo?: (frame: PageFrame) => boolean): number;
  /** The frames kept, each with one reference. */
  heldFrames(): Iterable<PageFrame>;
}

/** Somebody who counts for whom each frame is held, as control groups do. */
export interface FrameCharges {
  /** The frame was handed out. Others may become free here. */
  charge(frame: PageFrame): void;
  /** Nobody holds it any more. */
  release(frame: PageFrame): void;
  /** Whether that many frames more may be charged; room is made for them as far as it goes. */
  makeRoom(frames: number): boolean;
  /** RAM has run short: has holders give pages back. @returns how many frames became free */
  reclaimAnywhere(most: number): number;
  /** A frame's page is to go to a swap area: whether it may; it has gone to a place there; the place is free again. */
  maySwapOut(frame: PageFrame): boolean;
  swappedOut(slot: number, frame: PageFrame): void;
  swapFreed(slot: number): void;
  /** Whoever is charged now has a page fault. */
  fault(): void;
  /** What was charged last is more than may be: somebody has to go. */
  readonly isOver: boolean;
}

/** Frames to get back at a time when RAM is used up. */
const RECLAIM_BATCH = 32;
/** Frames of a run: what a leaf of 2 MiB covers. */
export const RUN_FRAMES = 512;
/** What a leaf of 1 GiB covers. */
export const GIGANTIC_FRAMES = RUN_FRAMES * 512;

/**
 * Hands out zeroed 4 KiB frames of guest RAM and counts who holds them. Frame 0 is never given out (0 means
 * "none" in many places), and one frame of zeroes is shared by everybody and never counted.
 */
export class FrameAllocator {
  readonly zeroFrame: PageFrame = 1;
  /** Who keeps frames besides page tables and their entries: asked, in their order, when RAM is used up. */
  readonly holders = new Set<FrameHolder>();
  /** Who counts; null: nobody. */
  readonly charging: { by: FrameCharges | null } = { by: null };
  private readonly counts: Int32Array;
  private readonly recycled: Int32Array;
  private recycledCount = 0;
  private next: PageFrame = 2;
  /** First frames of runs that were given back whole. */
  private readonly freeRuns: PageFrame[] = [];
  private hugeZero: PageFrame = 0;

  constructor(readonly memory: PhysicalMemory) {
    this.counts = new Int32Array(memory.frameCount);
    this.recycled = new Int32Array(memory.frameCount);
  }

  /** Frames held by somebody. */
  get inUse(): number {
    return this.next - 2 - this.recycledCount - this.freeRuns.length * RUN_FRAMES;
  }

  /** The frames below this one have been handed out once; the others are as the host gave them. */
  get touched(): number {
    return this.next;
  }

  /** Frames still to be had. */
  get free(): number {
    return this.memory.frameCount - this.next + this.recycledCount + this.freeRuns.length * RUN_FRAMES;
  }

  /** Frames that can be held at most. */
  get total(): number {
    return this.memory.frameCount - 2;
  }

  /**
   * A frame of zeroes with one reference, or -1 when RAM is used up. Then pages of files that can be read again have
   * gone before: whoever needs a page-cache frame beyond this call holds a reference.
   */
  allocate(): PageFrame {
    if (this.recycledCount > 0) {
      const frame = this.recycled[--this.recycledCount];
      this.counts[frame] = 1;
      this.memory.unchanged[frame] = 0;
      const linear = this.memory.linearOf(frame);
      this.memory.u8.fill(0, linear, linear + PAGE_SIZE);
      this.charging.by?.charge(frame);
      return frame;
    }
    // A frame that nobody had yet is still as the host gave it: zero, and not committed.
    if (this.next >= this.memory.frameCount) return this.breakRun() || this.reclaim() ? this.allocate() : -1;
    const frame = this.next++;
    this.counts[frame] = 1;
    this.memory.unchanged[frame] = 0;
    this.charging.by?.charge(frame);
    return frame;
  }

  private breakRun(): boolean {
    const first = this.freeRuns.pop();
    if (first === undefined) return false;
    for (let frame = first + RUN_FRAMES - 1; frame >= first; frame--)
      this.recycled[this.recycledCount++] = frame;
    return true;
  }

  /**
   * 512 neighbouring frames of zeroes with one reference each, the first one's number a multiple of 512; -1 when there
   * is no such run, though there may be frames, or when so much may not be charged: nothing is moved for it.
   */
  allocateRun(): PageFrame {
    const { by } = this.charging;
    if (by !== null && !by.makeRoom(RUN_FRAMES)) return -1;
    const first = this.takeRun();
    if (by !== null && first !== -1)
      for (let frame = first; frame < first + RUN_FRAMES; frame++) by.charge(frame);
    return first;
  }

  /** As `allocateRun`, charged to nobody. */
  takeRun(): PageFrame {
    let first = this.freeRuns.pop();
    if (first !== undefined) {
      const linear = this.memory.linearOf(first);
      this.memory.u8.fill(0, linear, linear + RUN_FRAMES * PAGE_SIZE);
    } else {
      first = Math.ceil(this.next / RUN_FRAMES) * RUN_FRAMES;
      if (first + RUN_FRAMES > this.memory.frameCount) return this.gatherRuns() ? this.takeRun() : -1;
      for (let frame = first - 1; frame >= this.next; frame--) this.recycled[this.recycledCount++] = frame;
      this.next = first + RUN_FRAMES;
    }
    this.counts.fill(1, first, first + RUN_FRAMES);
    this.memory.unchanged.fill(0, first, first + RUN_FRAMES);
    return first;
  }

  /**
   * 2^18 neighbouring frames with one reference each, not zeroed, the first one's number a multiple of that, charged to
   * nobody; -1 where no such GiB is free: nothing is moved for it (alloc_contig_pages).
   */
  takeGigantic(): PageFrame {
    for (
      let first = GIGANTIC_FRAMES;
      first + GIGANTIC_FRAMES <= this.memory.frameCount;
      first += GIGANTIC_FRAMES
    )
      if (this.isFree(first, GIGANTIC_FRAMES)) {
        this.takeFree(first, GIGANTIC_FRAMES);
        return first;
      }
    return -1;
  }

  /** Takes frames that nobody holds out of wherever they wait. */
  private takeFree(first: PageFrame, count: number): void {
    const end = first + count;
    const isOther = (frame: PageFrame): boolean => frame < first || frame >= end;
    this.freeRuns.splice(0, Infinity, ...this.freeRuns.filter(isOther));
    const kept = this.recycled.subarray(0, this.recycledCount).filter(isOther);
    this.recycled.set(kept);
    this.recycledCount = kept.length;
    const { memory, next } = this;
    for (let frame = first - 1; frame >= next; frame--) this.recycled[this.recycledCount++] = frame;
    this.next = Math.max(next, end);
    this.counts.fill(1, first, end);
    memory.unchanged.fill(0, first, end);
  }

  /** Makes runs again of frames that were given back one by one. @returns whether there are any now */
  private gatherRuns(): boolean {
    if (this.recycledCount < RUN_FRAMES) return false;
    const gathered = new Set<PageFrame>();
    for (let first = RUN_FRAMES; first + RUN_FRAMES <= this.next; first += RUN_FRAMES)
      if (this.isFree(first, RUN_FRAMES)) gathered.add(first);
    if (gathered.size === 0) return false;
    let kept = 0;
    for (let i = 0; i < this.recycledCount; i++) {
      const frame = this.recycled[i];
      if (!gathered.has(frame - (frame % RUN_FRAMES))) this.recycled[kept++] = frame;
    }
    this.recycledCount = kept;
    this.freeRuns.push(...gathered);
    return true;
  }

  private isFree(first: PageFrame, count: number): boolean {
    for (let frame = first; frame < first + count; frame++) if (this.counts[frame] !== 0) return false;
    return true;
  }

  /** One more holder of each frame of a run; the run of zeroes is not counted. */
  holdRun(first: PageFrame): void {
    if (first === this.hugeZero) return;
    for (let frame = first; frame < first + RUN_FRAMES; frame++) this.counts[frame]++;
  }

  /** As `releaseRun`, for a GiB: runs remain. */
  releaseGigantic(first: PageFrame): void {
    for (let run = first + GIGANTIC_FRAMES - RUN_FRAMES; run >= first; run -= RUN_FRAMES)
      this.releaseRun(run);
  }

  /** One holder fewer of each frame of a run; a run that nobody holds then is kept in one piece. */
  releaseRun(first: PageFrame): void {
    if (first === this.hugeZero) return;
    if (!this.isSoleRun(first)) {
      for (let frame = first; frame < first + RUN_FRAMES; frame++) this.release(frame);
      return;
    }
    for (let frame = first; frame < first + RUN_FRAMES; frame++) {
      this.counts[frame] = 0;
      this.memory.aboutToWrite(frame, 0, PAGE_SIZE);
      this.charging.by?.release(frame);
    }
    this.freeRuns.push(first);
  }

  /** Whether each frame of a run, or of `count` frames, has one holder. */
  isSoleRun(first: PageFrame, count = RUN_FRAMES): boolean {
    for (let frame = first; frame < first + count; frame++) if (this.counts[frame] !== 1) return false;
    return true;
  }

  /** The first of 512 frames of zeroes that everybody shares; 0: nobody has asked for them yet. */
  get hugeZeroFrame(): PageFrame {
    return this.hugeZero;
  }

  /** Makes the frames of zeroes, which are charged to nobody. @returns the first, or -1 when there is no run */
  makeHugeZero(): PageFrame {
    if (this.hugeZero !== 0) return this.hugeZero;
    const first = this.takeRun();
    if (first !== -1) this.hugeZero = first;
    return first;
  }

  private reclaim(): boolean {
    if (this.charging.by !== null) return this.charging.by.reclaimAnywhere(RECLAIM_BATCH) > 0;
    let got = 0;
    for (const holder of this.holders) {
      got += holder.reclaim(RECLAIM_BATCH - got);
      if (got >= RECLAIM_BATCH) break;
    }
    return got > 0;
  }

  /** One more holder. */
  hold(frame: PageFrame): void {
    if (frame !== this.zeroFrame) this.counts[frame]++;
  }

  /** One holder fewer; the last one frees the frame, and the CPU forgets code it had decoded there. */
  release(frame: PageFrame): void {
    if (frame === this.zeroFrame) return;
    const left = --this.counts[frame];
    if (left > 0) return;
    if (left < 0) throw new Error(`frame ${frame} released more often than held`);
    this.memory.aboutToWrite(frame, 0, PAGE_SIZE);
    this.recycled[this.recycledCount++] = frame;
    this.charging.by?.release(frame);
  }

  /** How many hold it; the zero frame answers 0. */
  references(frame: PageFrame): number {
    return this.counts[frame];
  }

  saveState(): FrameAllocatorState {
    return {
      next: this.next,
      references: this.counts.slice(0, this.next),
      recycled: this.recycled.slice(0, this.recycledCount),
      freeRuns: [...this.freeRuns],
      hugeZeroFrame: this.hugeZero,
    };
  }

  loadState(state: FrameAllocatorState): void {
    this.counts.fill(0);
    this.counts.set(state.references);
    this.recycled.set(state.recycled);
    this.recycledCount = state.recycled.length;
    this.next = state.next;
    this.freeRuns.splice(0, Infinity, ...state.freeRuns);
    this.hugeZero = state.hugeZeroFrame;
  }
}
