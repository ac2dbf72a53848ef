import { PAGE_SIZE } from "../../mmu/layout.js";
import { RUN_FRAMES, type FrameAllocator, type FrameAllocatorState } from "../../mmu/frame-allocator.js";
import { isZero } from "../../kernel/mm/hugetlb/content.js";
import type { Mmu } from "../../mmu/mmu.js";
import type { PageFrame } from "../../mmu/types.js";

/** The bytes of the frames at one moment, shared with other moments frame by frame. */
export interface FrameMoment {
  readonly allocator: FrameAllocatorState;
  /** By frame; undefined for one that nobody holds: it is zeroed before somebody gets it. */
  readonly pages: readonly (Uint8Array | undefined)[];
  /** Bytes of pages that no earlier moment had. */
  readonly bytes: number;
  /** Moments were taken in this order. */
  readonly serial: number;
}

/** Frame 0 belongs to nobody, frame 1 holds zeroes for ever. */
const FIRST_FRAME = 2;
/** Pages that are made ready before they are needed: memory that was never written costs several times the copying. */
const READY_PAGES = 2048;
/** What every frame of zeroes held, as most of a huge page's may be: nobody writes it. */
const ZEROES = new Uint8Array(PAGE_SIZE);

/**
 * Copies frames of guest RAM. After each copy the frame counts as unchanged, which the MMU and the kernel take back
 * when they write it: so only frames that were written since are copied the next time.
 */
export class FrameStore {
  /** What a frame held when it was last copied or restored: still its bytes where it counts as unchanged. */
  private kept: (Uint8Array | undefined)[] = [];
  /** Pages that no moment has any more. */
  private readonly spare: Uint8Array[] = [];
  private serial = 0;
  /** The last moment that others than the keeper of moments know of: what is older may be in use by them. */
  private shared = 0;

  constructor(
    private readonly frames: FrameAllocator,
    private readonly mmu: Mmu,
  ) {}

  /** Has memory ready for the first moments. */
  prepare(): void {
    if (this.spare.length > 0) return;
    const bytes = new Uint8Array(READY_PAGES * PAGE_SIZE).fill(1);
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) this.spare.push(bytes.subarray(at, at + PAGE_SIZE));
  }

  /** @param forgettable the caller is the one who calls `forget` */
  take(forgettable: boolean): FrameMoment {
    this.serial++;
    if (!forgettable) this.shared = this.serial;
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
      else if (isZero(memory, memory.linearOf(frame))) pages[frame] = ZEROES;
      else {
        const copy = this.spare.pop() ?? new Uint8Array(PAGE_SIZE);
        copy.set(memory.frameBytes(frame));
        pages[frame] = copy;
        bytes += PAGE_SIZE;
      }
    }
    // Frames were given back without being written.
    for (const frame of allocator.recycled) pages[frame] = undefined;
    for (const first of allocator.freeRuns) pages.fill(undefined, first, first + RUN_FRAMES);
    this.kept = pages;
    this.mmu.dropWriteTags();
    return { allocator, pages, bytes, serial: this.serial };
  }

  /**
   * Nobody will go to a moment any more: the pages that it alone has are written again.
   * @param before and `after`: the moments beside it, in the order of the run, of all that its keeper still has
   * @returns bytes that were its own
   */
  forget(gone: FrameMoment, before: FrameMoment, after: FrameMoment): number {
    // What was written between `before` and `gone` can be in moments that were taken since only.
    const sole = before.serial > this.shared && gone.serial > before.serial && gone.serial !== this.serial;
    let bytes = 0;
    for (let frame = FIRST_FRAME; frame < gone.pages.length; frame++) {
      const page = gone.pages[frame];
      if (page === undefined || page === before.pages[frame] || page === after.pages[frame]) continue;
      if (page === ZEROES) continue;
      bytes += PAGE_SIZE;
      if (sole) this.spare.push(page);
    }
    return bytes;
  }

  /** @param changed told of each frame whose bytes may have become others */
  restore(moment: FrameMoment, changed: (frame: PageFrame) => void): void {
    this.shared = this.serial;
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
