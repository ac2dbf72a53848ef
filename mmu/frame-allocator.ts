import { PAGE_SIZE } from "./layout.js";
import type { PhysicalMemory } from "./physical-memory.js";
import type { PageFrame } from "./types.js";

/** What must be kept to put an allocator together again. */
export interface FrameAllocatorState {
  readonly next: number;
  readonly references: Int32Array;
  readonly recycled: Int32Array;
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
  /** What was charged last is more than may be: somebody has to go. */
  readonly isOver: boolean;
}

/** Frames to get back at a time when RAM is used up. */
const RECLAIM_BATCH = 32;

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

  constructor(readonly memory: PhysicalMemory) {
    this.counts = new Int32Array(memory.frameCount);
    this.recycled = new Int32Array(memory.frameCount);
  }

  /** Frames held by somebody. */
  get inUse(): number {
    return this.next - 2 - this.recycledCount;
  }

  /** The frames below this one have been handed out once; the others are as the host gave them. */
  get touched(): number {
    return this.next;
  }

  /** Frames still to be had. */
  get free(): number {
    return this.memory.frameCount - this.next + this.recycledCount;
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
    if (this.next >= this.memory.frameCount) return this.reclaim() ? this.allocate() : -1;
    const frame = this.next++;
    this.counts[frame] = 1;
    this.memory.unchanged[frame] = 0;
    this.charging.by?.charge(frame);
    return frame;
  }

  private reclaim(): boolean {
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
    };
  }

  loadState(state: FrameAllocatorState): void {
    this.counts.fill(0);
    this.counts.set(state.references);
    this.recycled.set(state.recycled);
    this.recycledCount = state.recycled.length;
    this.next = state.next;
  }
}
