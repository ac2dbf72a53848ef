import { PAGE_SIZE } from "../../mmu/layout.js";
import type { FrameAllocator, FrameHolder } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import { FileMappings } from "./file-mappings.js";
import { blockStart, FileBlocks } from "./huge/file-blocks.js";
import type { SharedMount } from "./huge/shared-mount.js";
import type { PageFiller } from "./page-filler.js";
import { PageRoom, type PageQuota } from "./page-room.js";
import { SwappedPages } from "./swap/swapped-pages.js";
import type { SwapSpace } from "./swap/swap-space.js";

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
  /** Who maps it. */
  readonly mappings = new FileMappings(this);
  /** They are shared memory, which goes to a swap area when frames run short. */
  swappable = false;
  /** Its pages in swap areas; null: it has had none. */
  private swapped: SwappedPages | null = null;
  /** The room that they take in the file system. */
  readonly room: PageRoom;
  /** Those of huge pages, where it is shared memory; null: it is a file of another kind (shmem_mapping). */
  blocks: FileBlocks | null = null;

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
    quota: PageQuota | null = null,
    readonly onDisk = false,
  ) {
    this.length = size;
    this.fillable = size;
    this.room = new PageRoom(quota);
  }

  /** It is shared memory from now on; called once, while nothing is in it. */
  belongTo(mount: SharedMount): void {
    this.blocks = new FileBlocks(this, this.frames, mount);
  }

  /** The mount of shared memory that it belongs to; null: it is a file of another kind. */
  get sharedMemory(): SharedMount | null {
    return this.blocks === null ? null : this.blocks.mount;
  }

  get size(): number {
    return this.length;
  }

  /** Pages held in memory. */
  get resident(): number {
    return this.pages.size;
  }

  /** Its bytes are nowhere but in its pages, as those of tmpfs and memfds (shmem). */
  get isMemoryOnly(): boolean {
    return this.fill === null;
  }

  /** Pages in swap areas. */
  get swappedCount(): number {
    return this.swapped?.slots.size ?? 0;
  }

  /** Pages that take room: in memory, in a swap area, or made room for. */
  get allocated(): number {
    return this.pages.size + this.swappedCount + this.room.reservedCount;
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
      resident: among(this.pages.keys()) + (this.onDisk ? 0 : among(this.room.reservedIndexes())),
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

  /** Makes room for the pages [first, end), which stay holes to read (fallocate); false: there is none, and none was made. */
  reserve(first: number, end: number): boolean {
    this.blocks?.bringInFor(first, end, Math.max(this.length, end * PAGE_SIZE));
    const isThere = (index: number): boolean => this.has(index);
    const twice: number[] = [];
    if (!this.onDisk)
      for (const index of this.room.reservedIndexes()) if (index >= first && index < end) twice.push(index);
    if (!this.room.reserve(first, end, this.frames.free, this.pages.size, isThere)) return false;
    // Room that was made before gets its zeroes now (shmem_get_folio_gfp with SGP_FALLOC).
    for (const index of twice) this.frameAt(index, true);
    return true;
  }

  /**
   * Enters a frame, taking over a reference to it; what was there goes, in memory or in a swap area, and so does room
   * that was made.
   */
  replacePage(index: number, frame: PageFrame): void {
    const old = this.pages.get(index);
    if (old !== undefined) this.frames.release(old);
    else if (this.swapped?.drop(this, index) !== true) this.room.take(index);
    this.keep(index, frame);
  }

  /** A page that was to go stays with its block, and is one of zeroes. @returns false where it does not stay */
  private staysEmpty(index: number, kept: ReadonlySet<number> | undefined): boolean {
    if (kept?.has(blockStart(index)) !== true) return false;
    this.zero(index, 0, PAGE_SIZE);
    return true;
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
    if (this.full && !this.room.isReserved(index)) return -1;
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
    this.room.take(index);
    return frame;
  }

  private keep(index: number, frame: PageFrame): void {
    if (this.pages.size === 0) this.frames.holders.add(this);
    this.pages.set(index, frame);
  }

  /** Takes a frame out of the cache; its reference is the caller's. */
  private takeOut(index: number): PageFrame | undefined {
    this.blocks?.pageGone(index);
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
    if (this.blocks?.has(index) === true)
      if (this.mappings.locks(index) || !this.blocks.split(blockStart(index))) return false;
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
    return this.room.full;
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
    this.blocks?.bringInFor(...this.pagesOf(offset, source.length));
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
    if (size <= old) this.room.giveUp(firstGone, Infinity);
    if (size > old) return;
    // At the same size what lies beyond goes too, but for private copies (shmem_setattr).
    this.mappings.drop(firstGone, Infinity, size < old);
    const kept = this.blocks?.partAround(size, Infinity);
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
    const most = this.blocks === null ? Math.ceil(this.length / PAGE_SIZE) * PAGE_SIZE : Infinity;
    const end = Math.min(offset + length, most);
    const first = Math.ceil(offset / PAGE_SIZE);
    const last = Math.floor(end / PAGE_SIZE);
    const kept = this.blocks?.partAround(offset, end);
    if (first > last) this.zero(last, offset % PAGE_SIZE, end % PAGE_SIZE);
    else {
      this.mappings.drop(first, last, false);
      for (const index of this.indexes())
        if (index >= first && index < last && !this.staysEmpty(index, kept)) this.punchPage(index);
      this.room.giveUp(first, last);
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

  /** A page goes for good, from memory or its swap area. */
  dropPage(index: number): void {
    const frame = this.takeOut(index);
    if (frame !== undefined) this.frames.release(frame);
    else if (this.swapped?.drop(this, index) !== true) return;
    this.dirtyPages.delete(index);
    this.room.give();
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
    this.blocks?.clear();
    for (const index of this.indexes()) this.dropPage(index);
    this.evictedPages.clear();
    this.room.giveUp(0, Infinity);
    this.length = 0;
  }
}
