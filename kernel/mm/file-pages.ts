import { PAGE_SIZE } from "../../mmu/layout.js";
import { RUN_FRAMES, type FrameAllocator, type FrameHolder } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import { FileMappings } from "./file-mappings.js";
import {
  blockStart,
  bringInBlock,
  folioOf,
  keepUnevenly,
  splitBlock,
  splitFolios,
} from "./huge/file-blocks.js";
import { isPlain, sharedOrderAllowed, type SharedMount } from "./huge/shared-mount.js";
import { PMD_ORDER } from "./huge/orders.js";
import { SwappedPages } from "./swap/swapped-pages.js";
import type { SwapSpace } from "./swap/swap-space.js";

const NONE: ReadonlySet<number> = new Set();

/** How many pages the files of one file system may take together (tmpfs's size=). */
export interface PageQuota {
  used: number;
  limit: number;
}

/** Where the bytes of a file are that have no page yet. */
export interface PageFiller {
  /** Fills `page` (4096 zeroed bytes) with the bytes of page `index`. */
  fillPage(index: number, page: Uint8Array): void;
  /** A page is to be stored to through a mapping: has it room where it will be kept? Without it there always is. */
  makeRoom?(index: number): boolean;
  /** Pages of [offset, offset + length) bytes left the cache for good: what is kept of them is to go; 0 or -errno. */
  punched?(offset: number, length: number): number;
}

/**
 * The page cache of one inode: its bytes, in frames of guest RAM, that read(2), write(2) and mmap(2) share.
 * Holes have no frame until somebody writes or maps them. Indexes are page numbers in the file.
 */
export class FilePages implements FrameHolder {
  /** Bytes. */
  private length: number;
  /** Bytes that `fill` still has: less than the size once the file was cut and grew again. */
  private fillable: number;
  private readonly pages = new Map<number, PageFrame>();
  private readonly dirtyPages = new Set<number>();
  /** Pages that reclaim took and that nobody has read again (the shadow entries of Linux). */
  private readonly evictedPages = new Set<number>();
  /** Pages that fallocate made room for and that nobody has touched since. */
  private readonly reservedPages = new Set<number>();
  /** Who maps it. */
  readonly mappings = new FileMappings(this);
  /** They are shared memory, which goes to a swap area when frames run short. */
  swappable = false;
  /** Its pages in swap areas; null: it has had none. */
  private swapped: SwappedPages | null = null;
  /** The mount of shared memory that it belongs to; null: it is a file of another kind (shmem_mapping). */
  sharedMemory: SharedMount | null = null;
  /** First pages of blocks of 2 MiB (huge/file-blocks.ts). */
  readonly blocks = new Set<number>();
  /** Smaller blocks, of which only faults take notice: orders, by first page. One is gone when a page of it is. */
  readonly folios = new Map<number, number>();

  /**
   * @param size bytes at the start
   * @param fill for a file with content elsewhere; without it a missing page is a hole of zeroes
   * @param quota what its pages are charged to
   * @param onDisk the file system is one of a disk: room that is made in it takes no memory
   */
  constructor(
    protected readonly frames: FrameAllocator,
    size = 0,
    private readonly fill: PageFiller | null = null,
    private readonly quota: PageQuota | null = null,
    readonly onDisk = false,
  ) {
    this.length = size;
    this.fillable = size;
  }

  get size(): number {
    return this.length;
  }

  /** Nothing but memory has them (shmem_mapping). */
  get isMemoryOnly(): boolean {
    return this.fill === null;
  }

  /** Pages held in memory. */
  get resident(): number {
    return this.pages.size;
  }

  /** Its bytes are nowhere but in its pages, as those of tmpfs and memfds (shmem). */
  get inMemoryOnly(): boolean {
    return this.fill === null;
  }

  /** Pages in swap areas. */
  get swappedCount(): number {
    return this.swapped?.slots.size ?? 0;
  }

  /** Pages that take room: in memory, in a swap area, or made room for. */
  get allocated(): number {
    return this.pages.size + this.swappedCount + this.reservedPages.size;
  }

  /** Of pages [first, end), those in swap areas (shmem_swap_usage). */
  swappedIn(first: number, end: number): number {
    let count = 0;
    for (const index of this.swapped?.slots.keys() ?? []) if (index >= first && index < end) count++;
    return count;
  }

  isSwapped(index: number): boolean {
    return this.swapped !== null && this.swapped.slots.has(index);
  }

  /** There is such a page, in memory or in a swap area. */
  has(index: number): boolean {
    return this.frameAt(index, false) !== -1 || this.isSwapped(index);
  }

  /** Page indexes written since `clean` was last called. */
  get dirty(): ReadonlySet<number> {
    return this.dirtyPages;
  }

  /** Page indexes that have a frame. */
  residentIndexes(): IterableIterator<number> {
    return this.pages.keys();
  }

  /** How many of the pages [first, end) are in memory, are dirty, and were taken by reclaim or swapped out. */
  cacheCounts(first: number, end: number): { resident: number; dirty: number; evicted: number } {
    const among = (indexes: Iterable<number>): number => {
      let count = 0;
      for (const index of indexes) if (index >= first && index < end) count++;
      return count;
    };
    return {
      resident: among(this.pages.keys()) + (this.onDisk ? 0 : among(this.reservedPages)),
      dirty: among(this.dirtyPages),
      evicted: among(this.evictedPages) + this.swappedIn(first, end),
    };
  }

  /** The first page from this index on that is there, in memory or swapped; Infinity: none. */
  nextPage(first: number): number {
    let next = Infinity;
    for (const index of this.pages.keys()) if (index >= first && index < next) next = index;
    for (const index of this.swapped?.slots.keys() ?? []) if (index >= first && index < next) next = index;
    return next;
  }

  /** Pages that have room and no frame. */
  get reserved(): number {
    return this.reservedPages.size;
  }

  isReserved(index: number): boolean {
    return this.reservedPages.has(index);
  }

  /** Makes room for the pages [first, end), which stay holes to read (fallocate); false: there is none, and none was made. */
  reserve(first: number, end: number): boolean {
    this.bringInBlocks(first, end, Math.max(this.length, end * PAGE_SIZE));
    const room = this.quota === null ? this.frames.free : this.quota.limit - this.quota.used;
    if (end - first - this.pages.size - this.reserved > room) return false;
    const wanted: number[] = [];
    for (let index = first; index < end; index++)
      if (!this.has(index) && !this.reservedPages.has(index)) wanted.push(index);
    if (wanted.length > room) return false;
    for (const index of wanted) this.reservedPages.add(index);
    if (this.quota !== null) this.quota.used += wanted.length;
    return true;
  }

  /** The file system has room for that many pages more. */
  hasRoom(count: number): boolean {
    return this.quota === null || this.quota.used + count <= this.quota.limit;
  }

  /** A page is one of a block of 2 MiB. */
  isInBlock(index: number): boolean {
    return this.blocks.size > 0 && this.blocks.has(blockStart(index));
  }

  /** 512 frames for a block, or -1. */
  allocateRun(): PageFrame {
    return this.frames.allocateRun();
  }

  /** The control group that is charged now may have a block more. */
  mayChargeBlock(): boolean {
    return this.frames.charging.by?.makeRoom(RUN_FRAMES) !== false;
  }

  /**
   * Enters 512 neighbouring frames as a block, taking over a reference to each; what was there goes, in memory or in a
   * swap area, and so does room that was made.
   * @param first a multiple of 512
   */
  keepBlock(first: number, run: PageFrame): void {
    for (let n = 0; n < RUN_FRAMES; n++) {
      const index = first + n;
      const old = this.pages.get(index);
      if (old !== undefined) this.frames.release(old);
      else if (this.swapped?.drop(this, index) !== true && !this.reservedPages.delete(index))
        if (this.quota !== null) this.quota.used++;
      this.keep(index, run + n);
      this.folios.delete(index);
    }
    this.blocks.add(first);
  }

  /** The pages of a block have been written. */
  markBlockDirty(first: number): void {
    for (let index = first; index < first + RUN_FRAMES; index++) this.dirtyPages.add(index);
  }

  /** A block, which nobody maps, is one no longer; its pages beyond the end go. */
  partBlock(first: number): void {
    this.blocks.delete(first);
    const end = Math.ceil(this.length / PAGE_SIZE);
    for (let index = Math.max(first, end); index < first + RUN_FRAMES; index++) this.dropPage(index);
  }

  /** How many have a page that is there besides the cache. */
  sharersOf(index: number): number {
    const frame = this.pages.get(index);
    return frame === undefined ? 0 : this.frames.references(frame) - 1;
  }

  /** Before a write: blocks of 2 MiB around what it reaches of shared memory, where they may be. */
  private bringInBlocks(first: number, end: number, size: number): void {
    const mount = this.sharedMemory;
    if (mount === null || isPlain(mount)) return;
    for (let index = first; index < end; index = blockStart(index) + RUN_FRAMES)
      if (!this.has(index) && sharedOrderAllowed({ mount, index, size, flags: null }, PMD_ORDER))
        bringInBlock(this, blockStart(index));
  }

  /**
   * Parts the blocks that [offset, end) bytes reach into and do not cover, and forgets those that they cover, whose
   * pages are to go next.
   * @returns the first pages of those that stay in one piece, since somebody holds a page
   */
  private partBlocks(offset: number, end: number): ReadonlySet<number> {
    if (this.blocks.size + this.folios.size === 0) return NONE;
    splitFolios(this, offset, end);
    const kept = new Set<number>();
    for (const first of [...this.blocks]) {
      const [from, to] = [first * PAGE_SIZE, (first + RUN_FRAMES) * PAGE_SIZE];
      if (to <= offset || from >= end) continue;
      if (offset <= from && to <= end) this.blocks.delete(first);
      else if (!splitBlock(this, first)) kept.add(first);
      else keepUnevenly(this, { first, order: PMD_ORDER }, offset, end);
    }
    return kept;
  }

  /** A page that was to go stays with its block, and is one of zeroes. @returns false where it does not stay */
  private staysEmpty(index: number, kept: ReadonlySet<number>): boolean {
    if (!kept.has(blockStart(index))) return false;
    this.zero(index, 0, PAGE_SIZE);
    return true;
  }

  /** Takes the room of pages [first, end) back that nobody has touched. */
  private giveUp(first: number, end: number): void {
    for (const index of [...this.reservedPages]) {
      if (index < first || index >= end) continue;
      this.reservedPages.delete(index);
      if (this.quota !== null) this.quota.used--;
    }
  }

  /** Page indexes that have a frame, with it. */
  residentPages(): IterableIterator<[number, PageFrame]> {
    return this.pages.entries();
  }

  markDirty(index: number): void {
    this.dirtyPages.add(index);
  }

  /**
   * A store through a shared mapping is to come: the page counts as dirty, and there is room for it where it is kept.
   * @returns false where there is none (ENOSPC)
   */
  makeWritable(index: number): boolean {
    const was = this.dirtyPages.has(index);
    // Before all else, so that it does not leave the cache meanwhile.
    this.dirtyPages.add(index);
    if (this.fill?.makeRoom?.(index) !== false) return true;
    if (!was) this.dirtyPages.delete(index);
    return false;
  }

  /** The page has been written back. Stores through shared mappings mark it dirty again. */
  clean(index: number): void {
    this.dirtyPages.delete(index);
    this.mappings.writeProtect(index);
  }

  /**
   * The frame of a page, which stays the cache's: a mapper holds its own reference.
   * @param create brings the page in (a filled or zeroed frame); otherwise only looks
   * @returns -1 when it is not there, when no frame is left, or when the quota is used up (`full`)
   */
  frameAt(index: number, create: boolean): PageFrame {
    const known = this.pages.get(index);
    if (known !== undefined) return known;
    if (!create) return -1;
    if (this.isSwapped(index)) return this.swapIn(index);
    if (this.full && !this.reservedPages.has(index)) return -1;
    const frame = this.frames.allocate();
    if (frame === -1) return -1;
    const inside = this.fillable - index * PAGE_SIZE;
    if (this.fill && inside > 0) {
      const bytes = this.frames.memory.frameBytes(frame);
      this.fill.fillPage(index, bytes);
      if (inside < PAGE_SIZE) bytes.fill(0, inside);
    }
    this.keep(index, frame);
    this.evictedPages.delete(index);
    if (!this.reservedPages.delete(index) && this.quota !== null) this.quota.used++;
    return frame;
  }

  private keep(index: number, frame: PageFrame): void {
    if (this.pages.size === 0) this.frames.holders.add(this);
    this.pages.set(index, frame);
  }

  /** Takes a frame out of the cache; its reference is the caller's. */
  private takeOut(index: number): PageFrame | undefined {
    if (this.folios.size > 0) this.folios.delete(folioOf(this, index)?.first ?? -1);
    const frame = this.pages.get(index);
    this.pages.delete(index);
    if (frame !== undefined && this.pages.size === 0) this.frames.holders.delete(this);
    return frame;
  }

  /** Brings a page back from its swap area (shmem_swapin_folio). @returns -1 when no frame is left */
  private swapIn(index: number): PageFrame {
    const frame = this.swapped?.bringBack(this, index, this.frames) ?? -1;
    if (frame !== -1) this.keep(index, frame);
    return frame;
  }

  /** Brings all pages back from one swap area. @returns false when frames end */
  swapInAll(type: number): boolean {
    for (const index of this.swapped?.indexesIn(type) ?? [])
      if (this.isSwapped(index) && this.swapIn(index) === -1) return false;
    return true;
  }

  /**
   * Makes a page's frame free where its bytes can be had again: from where the file comes from, or, of shared memory, from
   * a swap area. It is unmapped everywhere first.
   * @returns false where it has to stay: locked, pinned, written, held by somebody; or no swap area has room
   */
  evict(index: number, swap: SwapSpace): boolean {
    const frame = this.pages.get(index);
    if (frame === undefined) return false;
    if (!this.swappable && (this.fill === null || this.dirtyPages.has(index))) return false;
    if (this.swappable && swap.free === 0) return false;
    if (this.isInBlock(index) && (this.mappings.locks(index) || !splitBlock(this, blockStart(index))))
      return false;
    if (this.pages.get(index) !== frame) return true;
    if (!this.unmapPage(index, frame)) return false;
    if (!this.swappable) {
      this.dropPage(index);
      this.evictedPages.add(index);
      return true;
    }
    this.swapped ??= new SwappedPages(swap);
    if (!this.swapped.send(this, index, frame)) return false;
    this.takeOut(index);
    this.frames.release(frame);
    return true;
  }

  /** Nobody has the page besides the cache. */
  isUnmapped(index: number): boolean {
    const frame = this.pages.get(index);
    return frame !== undefined && this.frames.references(frame) === 1;
  }

  /** Takes the page from all who map it. @returns false where somebody locked it, or is at work with it */
  private unmapPage(index: number, frame: PageFrame): boolean {
    if (this.frames.references(frame) === 1) return true;
    if (this.mappings.locks(index)) return false;
    this.mappings.drop(index, index + 1, false);
    return this.frames.references(frame) === 1;
  }

  /** The file system has no room for another page (ENOSPC). */
  get full(): boolean {
    return this.quota !== null && this.quota.used >= this.quota.limit;
  }

  /** Lets clean pages go that can be read again, the oldest first; mapped ones too, unless locked. */
  reclaim(most: number, mayGo?: (frame: PageFrame) => boolean): number {
    if (this.fill === null) return 0;
    let freed = 0;
    for (const [index, frame] of this.pages) {
      if (freed >= most) break;
      if (this.dirtyPages.has(index) || mayGo?.(frame) === false || !this.unmapPage(index, frame)) continue;
      this.dropPage(index);
      this.evictedPages.add(index);
      freed++;
    }
    return freed;
  }

  heldFrames(): Iterable<PageFrame> {
    return this.pages.values();
  }

  /**
   * Copies bytes at `offset` out of the file, up to its end.
   * @returns bytes copied; a hole reads as zeroes
   */
  read(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.length - offset));
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PAGE_SIZE);
      const inPage = (offset + done) % PAGE_SIZE;
      const part = Math.min(count - done, PAGE_SIZE - inPage);
      const frame = this.frameAt(index, this.comesBack(index));
      if (frame === -1) destination.fill(0, done, done + part);
      else {
        const from = this.frames.memory.linearOf(frame) + inPage;
        destination.set(this.frames.memory.u8.subarray(from, from + part), done);
      }
      done += part;
    }
    return count;
  }

  /** A page that is not in memory is more than a hole. */
  private comesBack(index: number): boolean {
    return this.fill !== null || this.isSwapped(index);
  }

  /** Like `read`, for a debugger: no page comes into the cache for it. */
  peek(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.length - offset));
    const page = new Uint8Array(PAGE_SIZE);
    for (let done = 0; done < count;) {
      const index = Math.floor((offset + done) / PAGE_SIZE);
      const inPage = (offset + done) % PAGE_SIZE;
      const part = Math.min(count - done, PAGE_SIZE - inPage);
      const frame = this.pages.get(index);
      const swapped = this.swapped?.peek(index) ?? null;
      if (frame !== undefined) page.set(this.frames.memory.frameBytes(frame));
      else if (swapped !== null) page.set(swapped);
      else {
        page.fill(0);
        const inside = this.fillable - index * PAGE_SIZE;
        if (this.fill !== null && inside > 0) this.fill.fillPage(index, page);
        if (inside < PAGE_SIZE) page.fill(0, Math.max(0, inside));
      }
      destination.set(page.subarray(inPage, inPage + part), done);
      done += part;
    }
    return count;
  }

  /**
   * Copies bytes into the file at `offset`, growing it as needed.
   * @returns bytes copied: fewer when RAM is used up (0 stands for ENOSPC)
   */
  write(offset: number, source: Uint8Array): number {
    const { memory } = this.frames;
    let done = 0;
    if (this.sharedMemory !== null) this.bringInBlocks(...this.pagesOf(offset, source.length));
    while (done < source.length) {
      const index = Math.floor((offset + done) / PAGE_SIZE);
      const inPage = (offset + done) % PAGE_SIZE;
      const part = Math.min(source.length - done, PAGE_SIZE - inPage);
      const frame = this.frameAt(index, true);
      if (frame === -1) break;
      memory.aboutToWrite(frame, inPage, part);
      memory.u8.set(source.subarray(done, done + part), memory.linearOf(frame) + inPage);
      this.dirtyPages.add(index);
      done += part;
    }
    if (done > 0) this.length = Math.max(this.length, offset + done);
    return done;
  }

  /** The pages [first, end) that bytes lie in, and what the size is if they are written. */
  private pagesOf(offset: number, length: number): [first: number, end: number, size: number] {
    const end = offset + length;
    return [Math.floor(offset / PAGE_SIZE), Math.ceil(end / PAGE_SIZE), Math.max(this.length, end)];
  }

  /** Sets the size in bytes; pages beyond it vanish from the cache and from every mapping. */
  truncate(size: number): void {
    const old = this.length;
    this.length = size;
    this.fillable = Math.min(this.fillable, size);
    const firstGone = Math.ceil(size / PAGE_SIZE);
    if (size <= old) this.giveUp(firstGone, Infinity);
    if (size >= old) return;
    this.mappings.drop(firstGone, Infinity, true);
    const kept = this.partBlocks(size, Infinity);
    for (const index of this.indexes())
      if (index >= firstGone && !this.staysEmpty(index, kept)) this.dropPage(index);
    for (const index of [...this.evictedPages]) if (index >= firstGone) this.evictedPages.delete(index);
    const inside = size % PAGE_SIZE;
    if (inside !== 0) this.zero(firstGone - 1, inside, PAGE_SIZE);
  }

  /** What `fill` reads has `size` bytes now: pages up to there are to be had from it. */
  fillableTo(size: number): void {
    this.fillable = size;
    this.length = Math.max(this.length, size);
  }

  /**
   * Makes [offset, offset + length) bytes a hole of zeroes; the size stays (MADV_REMOVE, FALLOC_FL_PUNCH_HOLE).
   * @returns 0 or the -errno of who keeps the bytes
   */
  punchHole(offset: number, length: number): number {
    // Only shared memory has anything beyond the end.
    const most = this.sharedMemory === null ? Math.ceil(this.length / PAGE_SIZE) * PAGE_SIZE : Infinity;
    const end = Math.min(offset + length, most);
    const first = Math.ceil(offset / PAGE_SIZE);
    const last = Math.floor(end / PAGE_SIZE);
    const kept = this.partBlocks(offset, end);
    if (first > last) this.zero(last, offset % PAGE_SIZE, end % PAGE_SIZE);
    else {
      this.mappings.drop(first, last, false);
      for (const index of this.indexes())
        if (index >= first && index < last && !this.staysEmpty(index, kept)) this.punchPage(index);
      this.giveUp(first, last);
      if (offset % PAGE_SIZE !== 0) this.zero(first - 1, offset % PAGE_SIZE, PAGE_SIZE);
      if (end % PAGE_SIZE !== 0) this.zero(last, 0, end % PAGE_SIZE);
    }
    return this.fill?.punched?.(offset, end - offset) ?? 0;
  }

  private zero(index: number, from: number, to: number): void {
    const frame = this.frameAt(index, this.comesBack(index));
    if (frame === -1) return;
    const { memory } = this.frames;
    const linear = memory.linearOf(frame);
    memory.aboutToWrite(frame, from, to - from);
    memory.u8.fill(0, linear + from, linear + to);
    this.dirtyPages.add(index);
  }

  private punchPage(index: number): void {
    // Where content would come back from elsewhere, a hole is a page of zeroes.
    if (this.fill !== null && this.fill.punched === undefined) this.zero(index, 0, PAGE_SIZE);
    else this.dropPage(index);
  }

  private dropPage(index: number): void {
    const frame = this.takeOut(index);
    if (frame !== undefined) this.frames.release(frame);
    else if (this.swapped?.drop(this, index) !== true) return;
    this.dirtyPages.delete(index);
    if (this.quota !== null) this.quota.used--;
  }

  /** Of all its pages, in memory and in swap areas. */
  private indexes(): number[] {
    return [...this.pages.keys(), ...(this.swapped?.slots.keys() ?? [])];
  }

  /** Slots of swap areas that it has. */
  swapSlots(): Iterable<number> {
    return this.swapped?.slots.values() ?? [];
  }

  /** Gives every frame back; for an inode that nobody holds any more. */
  destroy(): void {
    this.blocks.clear();
    this.folios.clear();
    for (const index of this.indexes()) this.dropPage(index);
    this.evictedPages.clear();
    this.giveUp(0, Infinity);
    this.length = 0;
  }
}
