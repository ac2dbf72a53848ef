import type { FrameAllocator, FrameHolder } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { FilePages } from "../file-pages.js";
import { slotPage, slotType, type SwapSlot } from "./entry.js";
import { reclaimPages } from "./reclaim.js";
import type { SwapArea } from "./swap-area.js";

/** What /proc/vmstat counts, in pages. */
export interface SwapEvents {
  pswpin: number;
  pswpout: number;
}

/** Where the search for pages to swap out goes on: behind this address of the address space of this number. */
export interface ReclaimCursor {
  asid: number;
  address: number;
}

/**
 * The swap areas of a machine, and the swap cache: pages that are in memory and in a swap area at once, as one that came
 * back while other entries still wait for it, or that nobody has written since. Such a page needs no writing to go
 * again. The cache has one reference on the frame; a page in it is never writable.
 */
export class SwapSpace implements FrameHolder {
  /** By their numbers; null: that one is free. */
  readonly areas: (SwapArea | null)[] = [];
  readonly events: SwapEvents = { pswpin: 0, pswpout: 0 };
  /** Address spaces that may have pages to swap, or swapped: all that there are. */
  readonly spaces = new Set<AddressSpace>();
  /** Page caches of shared memory that have swapped pages. */
  readonly sharedMemory = new Set<FilePages>();
  readonly cursor: ReclaimCursor = { asid: 0, address: 0 };
  /** vm.swappiness: 0 keeps anonymous pages as long as the page cache has any to give. */
  swappiness = 60;
  /** The priority that the last area without one of its own got. */
  leastPriority = -1;
  /** Frames are being made free. */
  private reclaiming = false;
  private readonly cache = new Map<SwapSlot, PageFrame>();
  private readonly cached = new Map<PageFrame, SwapSlot>();

  constructor(readonly frames: FrameAllocator) {}

  /** Areas in force, in the order in which they are filled; of equals the emptiest first (swap_avail_heads). */
  inOrder(): SwapArea[] {
    const active = this.areas.filter((area): area is SwapArea => area !== null);
    return active.sort((a, b) => b.priority - a.priority || b.free - a.free);
  }

  /** Pages of all areas, but of those that are being given up. */
  get total(): number {
    return this.sum((area) => (area.writable ? area.usable : 0));
  }

  get free(): number {
    return this.sum((area) => (area.writable ? area.free : 0));
  }

  /** Pages in the swap cache. */
  get cachedPages(): number {
    return this.cache.size;
  }

  /** More than half is in use: pages leave the swap cache as soon as they can (vm_swap_full). */
  get isFull(): boolean {
    return this.free * 2 < this.total;
  }

  private sum(of: (area: SwapArea) => number): number {
    let sum = 0;
    for (const area of this.areas) if (area !== null) sum += of(area);
    return sum;
  }

  areaOf(slot: SwapSlot): SwapArea {
    const area = this.areas[slotType(slot)] ?? null;
    if (area === null) throw new Error(`no swap area has slot ${slot}`);
    return area;
  }

  /** Puts an area into force. */
  add(area: SwapArea): void {
    this.areas[area.type] = area;
    this.frames.holders.add(this);
  }

  /** Takes it out again; nothing is left in it. */
  remove(area: SwapArea): void {
    this.areas[area.type] = null;
    if (this.areas.every((each) => each === null)) this.frames.holders.delete(this);
  }

  /** How many entries and page caches have the page (swp_swapcount). */
  count(slot: SwapSlot): number {
    return this.areaOf(slot).count(slotPage(slot));
  }

  /** One entry more has it (swap_duplicate). */
  duplicate(slot: SwapSlot): void {
    this.areaOf(slot).addCount(slotPage(slot), 1);
  }

  /** One entry fewer has it (free_swap_and_cache); the last one gives the page of the area back. */
  release(slot: SwapSlot): void {
    const area = this.areaOf(slot);
    if (area.addCount(slotPage(slot), -1) > 0) return;
    const frame = this.cache.get(slot);
    if (frame === undefined) this.give(slot);
    else this.dropUnused(frame);
  }

  /**
   * A slot with the frame's content, in the swap cache: the one it has, or a new one, written.
   * @returns -1 when the areas are full
   */
  store(frame: PageFrame): SwapSlot | -1 {
    const known = this.cached.get(frame);
    if (known !== undefined) return known;
    const { by } = this.frames.charging;
    if (by?.maySwapOut(frame) === false) return -1;
    for (const area of this.inOrder()) {
      const slot = area.take();
      if (slot === -1) continue;
      if (!area.store.writePage(slotPage(slot), this.frames.memory.frameBytes(frame))) {
        area.give(slotPage(slot));
        continue;
      }
      this.events.pswpout++;
      by?.swappedOut(slot, frame);
      this.enter(slot, frame);
      return slot;
    }
    return -1;
  }

  /** The frame of a swapped page, if it is in memory; -1 otherwise. */
  frameIn(slot: SwapSlot): PageFrame {
    return this.cache.get(slot) ?? -1;
  }

  /**
   * Reads a swapped page into a frame of the swap cache.
   * @returns -1 when no frame is left
   */
  bringIn(slot: SwapSlot): PageFrame {
    const known = this.cache.get(slot);
    if (known !== undefined) return known;
    const frame = this.frames.allocate();
    if (frame === -1) return -1;
    this.areaOf(slot).store.readPage(slotPage(slot), this.frames.memory.frameBytes(frame));
    this.events.pswpin++;
    this.enter(slot, frame);
    this.frames.release(frame);
    return frame;
  }

  /** The bytes of a swapped page for whoever only looks; nothing changes. */
  peek(slot: SwapSlot): Uint8Array {
    const frame = this.cache.get(slot);
    const bytes = new Uint8Array(4096);
    if (frame === undefined) this.areaOf(slot).store.readPage(slotPage(slot), bytes);
    else bytes.set(this.frames.memory.frameBytes(frame));
    return bytes;
  }

  private enter(slot: SwapSlot, frame: PageFrame): void {
    this.cache.set(slot, frame);
    this.cached.set(frame, slot);
    this.frames.hold(frame);
  }

  /** The frame's page is in a swap area as well, unchanged since. */
  isCached(frame: PageFrame): boolean {
    return this.cached.has(frame);
  }

  /**
   * Takes a frame out of the swap cache unless entries wait for its slot (folio_free_swap): before it is written, so
   * that whoever has it alone need not copy it.
   */
  forget(frame: PageFrame): void {
    const slot = this.cached.get(frame);
    if (slot !== undefined && this.count(slot) === 0) this.leave(slot, frame);
  }

  /** Takes a frame out that nobody maps; where entries wait for the slot, they will read it again. */
  leave(slot: SwapSlot, frame: PageFrame): void {
    this.cache.delete(slot);
    this.cached.delete(frame);
    this.frames.release(frame);
    if (this.count(slot) === 0) this.give(slot);
  }

  private give(slot: SwapSlot): void {
    this.areaOf(slot).give(slotPage(slot));
    this.frames.charging.by?.swapFreed(slot);
  }

  /** A mapping of the frame has gone: it leaves the cache if nobody has it in any way (free_swap_cache). */
  dropUnused(frame: PageFrame): void {
    if (this.frames.references(frame) === 1) this.forget(frame);
  }

  /** The same for all of them, after an address space has gone. */
  dropAllUnused(): void {
    for (const frame of [...this.cached.keys()]) this.dropUnused(frame);
  }

  /** Gives frames back that can be read again from an area, then swaps pages out. */
  reclaim(most: number, mayGo?: (frame: PageFrame) => boolean): number {
    // What an area needs to be written cannot come from writing to it (PF_MEMALLOC).
    if (this.reclaiming) return 0;
    this.reclaiming = true;
    const freed = this.makeFree(most, mayGo);
    this.reclaiming = false;
    return freed;
  }

  private makeFree(most: number, mayGo?: (frame: PageFrame) => boolean): number {
    let freed = 0;
    for (const [slot, frame] of this.cache) {
      if (freed >= most) return freed;
      if (this.frames.references(frame) > 1 || mayGo?.(frame) === false) continue;
      this.leave(slot, frame);
      freed++;
    }
    return freed + reclaimPages(this, most - freed, mayGo);
  }

  heldFrames(): Iterable<PageFrame> {
    return this.cache.values();
  }

  /** Slots whose page is in memory. */
  cachedSlots(): IterableIterator<[SwapSlot, PageFrame]> {
    return this.cache.entries();
  }
}
