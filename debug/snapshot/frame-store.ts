import { PAGE_SIZE } from "../../mmu/layout.js";
import type { FrameAllocator, FrameAllocatorState } from "../../mmu/frame-allocator.js";
import type { Mmu } from "../../mmu/mmu.js";
import type { PageFrame } from "../../mmu/types.js";

/** The bytes of the frames at one moment, shared with other moments frame by frame. */
export interface FrameMoment {
  readonly allocator: FrameAllocatorState;
  /** By frame; undefined for one that nobody holds: it is zeroed before somebody gets it. */
  readonly pages: readonly (Uint8Array | undefined)[];
  /** Bytes of pages that no earlier moment had. */
  readonly bytes: number;
}

/** Frame 0 belongs to nobody, frame 1 holds zeroes for ever. */
const FIRST_FRAME = 2;

/**
 * Copies frames of guest RAM. After each copy the frame counts as unchanged, which the MMU and the kernel take back
 * when they write it: so only frames that were written since are copied the next time.
 */
export class FrameStore {
  /** What a frame held when it was last copied or restored: still its bytes where it counts as unchanged. */
  private kept: (Uint8Array | undefined)[] = [];

  constructor(
    private readonly frames: FrameAllocator,
    private readonly mmu: Mmu,
  ) {}

  take(): FrameMoment {
    const { memory } = this.frames;
    const { unchanged } = memory;
    const allocator = this.frames.saveState();
    const { next, references } = allocator;
    const pages = this.kept.slice(0, next);
    let bytes = 0;
    for (
      let frame = unchanged.indexOf(0, FIRST_FRAME);
      frame !== -1 && frame < next;
      frame = unchanged.indexOf(0, frame + 1)
    ) {
      unchanged[frame] = 1;
      if (references[frame] === 0) pages[frame] = undefined;
      else {
        pages[frame] = memory.frameBytes(frame).slice();
        bytes += PAGE_SIZE;
      }
    }
    // Frames were given back without being written.
    for (const frame of allocator.recycled) pages[frame] = undefined;
    this.kept = pages;
    this.mmu.dropWriteTags();
    return { allocator, pages, bytes };
  }

  /** @param changed told of each frame whose bytes may have become others */
  restore(moment: FrameMoment, changed: (frame: PageFrame) => void): void {
    const { memory } = this.frames;
    const { unchanged, u8 } = memory;
    const { pages, allocator } = moment;
    const before = this.frames.touched;
    for (let frame = FIRST_FRAME; frame < Math.max(before, allocator.next); frame++) {
      const page = pages[frame];
      if (page === undefined) {
        // A frame that was never handed out is zero.
        if (frame >= allocator.next) u8.fill(0, memory.linearOf(frame), memory.linearOf(frame) + PAGE_SIZE);
        changed(frame);
        unchanged[frame] = 0;
      } else {
        if (unchanged[frame] === 0 || this.kept[frame] !== page) {
          u8.set(page, memory.linearOf(frame));
          changed(frame);
        }
        unchanged[frame] = 1;
      }
    }
    this.kept = pages.slice();
    this.frames.loadState(allocator);
  }
}
