import type { FrameAllocator } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { FilePages } from "../file-pages.js";
import { slotType, type SwapSlot } from "./entry.js";
import type { SwapSpace } from "./swap-space.js";

/** The pages of one shared memory object that are in swap areas (swap entries in a shmem mapping). */
export class SwappedPages {
  /** By page index. */
  readonly slots = new Map<number, SwapSlot>();

  constructor(private readonly swap: SwapSpace) {}

  /** Writes a page, which nobody maps, to an area. @returns false when there is no room */
  send(owner: FilePages, index: number, frame: PageFrame): boolean {
    const { swap } = this;
    const slot = swap.store(frame);
    if (slot === -1) return false;
    swap.duplicate(slot);
    swap.leave(slot, frame);
    if (this.slots.size === 0) swap.sharedMemory.add(owner);
    this.slots.set(index, slot);
    return true;
  }

  /** A frame with the page's bytes, which has left its area; -1 when no frame is left. */
  bringBack(owner: FilePages, index: number, frames: FrameAllocator): PageFrame {
    const slot = this.slots.get(index);
    if (slot === undefined) return -1;
    const frame = this.swap.bringIn(slot);
    if (frame === -1) return -1;
    frames.hold(frame);
    this.drop(owner, index);
    this.swap.forget(frame);
    return frame;
  }

  /** The page is not wanted any more. @returns false when there is none */
  drop(owner: FilePages, index: number): boolean {
    const slot = this.slots.get(index);
    if (slot === undefined) return false;
    this.slots.delete(index);
    if (this.slots.size === 0) this.swap.sharedMemory.delete(owner);
    this.swap.release(slot);
    return true;
  }

  peek(index: number): Uint8Array | null {
    const slot = this.slots.get(index);
    return slot === undefined ? null : this.swap.peek(slot);
  }

  /** Indexes of the pages in one area. */
  indexesIn(type: number): number[] {
    return [...this.slots].filter(([, slot]) => slotType(slot) === type).map(([index]) => index);
  }
}
