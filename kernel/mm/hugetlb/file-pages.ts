import type { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PageFrame } from "../../../mmu/types.js";
import { FilePages } from "../file-pages.js";
import type { HugePage } from "./huge-page.js";
import type { HugePagePool } from "./pool.js";
import { RegionMap } from "./region-map.js";
import { giveTo, takeFrom, type Subpool } from "./subpool.js";

/**
 * The page cache of a file of huge pages: its pages come from the pool, and some are promised to it before they are
 * there. Offsets are bytes; where it says index without more, of huge pages.
 */
export class HugeFilePages extends FilePages {
  /** Indexes that were promised to shared mappings; a page that has come stays in it (inode_resv_map). */
  readonly reserves = new RegionMap();
  private readonly huge = new Map<number, HugePage>();
  private bytes: number;

  /** @param size bytes at the start */
  constructor(
    frames: FrameAllocator,
    readonly pool: HugePagePool,
    size: number,
    readonly subpool: Subpool | null = null,
  ) {
    super(frames, size);
    this.bytes = size;
  }

  override get size(): number {
    return this.bytes;
  }

  /** In pages of 4 KiB. */
  override get resident(): number {
    return this.huge.size * this.pool.pageFrames;
  }

  /** The page of an index, or undefined. */
  hugeAt(index: number): HugePage | undefined {
    return this.huge.get(index);
  }

  /** All pages that it has. */
  hugePages(): IterableIterator<HugePage> {
    return this.huge.values();
  }

  /** Enters a page that was taken for it (hugetlb_add_to_page_cache). */
  enter(index: number, page: HugePage): void {
    this.pool.files.add(this);
    page.cached = true;
    page.restoresReserve = false;
    this.huge.set(index, page);
  }

  /**
   * A page of the pool, its content not seen to (alloc_hugetlb_folio).
   * @param beyondPromise what is promised may not serve
   * @returns null where there is none
   */
  take(promised: boolean, beyondPromise: boolean): HugePage | null {
    const asks = !promised || beyondPromise;
    const rest = asks ? takeFrom(this.subpool, 1) : 0;
    if (rest < 0) return null;
    const page = this.pool.take(rest === 0);
    if (page !== null) page.subpool = this.subpool;
    else if (asks) this.subpool?.undo(1, rest);
    return page;
  }

  /** As `take`, for an index that all share: what was promised for it stays promised to the file, page or none. */
  takeShared(index: number): HugePage | null {
    const page = this.take(this.reserves.count(index, index + 1) > 0, false);
    if (page !== null) this.reserves.add(index, index + 1);
    return page;
  }

  /** Brings pages [from, to) in, zeroed; those before the first that cannot be had stay. @returns whether all are there */
  preallocate(from: number, to: number): boolean {
    for (let index = from; index < to; index++) {
      if (this.huge.has(index)) continue;
      const page = this.takeShared(index);
      if (page === null) return false;
      this.pool.zero(page);
      this.enter(index, page);
    }
    return true;
  }

  /** A mapping that may be written reaches beyond the end: the file grows to it. */
  growTo(size: number): void {
    this.bytes = Math.max(this.bytes, size);
  }

  /** @param index of a 4 KiB page; none is ever made */
  override frameAt(index: number, _create: boolean): PageFrame {
    const page = this.huge.get(Math.floor(index / this.pool.pageFrames));
    return page === undefined ? -1 : page.frame + (index % this.pool.pageFrames);
  }

  override *residentIndexes(): IterableIterator<number> {
    for (const index of this.huge.keys())
      for (let n = 0; n < this.pool.pageFrames; n++) yield index * this.pool.pageFrames + n;
  }

  // Promises.

  /** How many are promised and not there. */
  get promised(): number {
    let count = this.reserves.size;
    for (const index of this.huge.keys()) count -= this.reserves.count(index, index + 1);
    return count;
  }

  /** Promises so many pages to a private mapping of the file: 0 or -ENOMEM. */
  promise(count: number): number {
    const rest = takeFrom(this.subpool, count);
    if (rest < 0) return rest;
    const error = this.pool.reserve(rest);
    if (error !== 0) this.subpool?.undo(count, rest);
    return error;
  }

  /** Promises [from, to) to all who share the file: 0 or -ENOMEM. */
  promiseRange(from: number, to: number): number {
    const error = this.promise(this.reserves.missing(from, to));
    if (error !== 0) return error;
    this.pool.files.add(this);
    this.reserves.add(from, to);
    return 0;
  }

  /** Takes promises of [from, to) back, of which `freed` had pages that went just now (hugetlb_unreserve_pages). */
  private unreserve(from: number, to: number, freed: number): void {
    const promised = this.reserves.remove(from, to);
    this.pool.unreserve(giveTo(this.subpool, promised - freed));
  }

  // What goes.

  private dropHuge(index: number): void {
    const page = this.huge.get(index);
    if (page === undefined) return;
    this.huge.delete(index);
    page.cached = false;
    this.pool.released(page);
  }

  private dropRange(first: number, end: number): number[] {
    this.mappings.drop(first * this.pool.pageFrames, end * this.pool.pageFrames, true);
    const gone = [...this.huge.keys()].filter((index) => index >= first && index < end);
    for (const index of gone) this.dropHuge(index);
    return gone;
  }

  /** Sets the size, a multiple of the page size; pages beyond it vanish (hugetlb_vmtruncate). */
  override truncate(size: number): void {
    this.bytes = size;
    const first = Math.ceil(size / this.pool.bytes);
    const gone = this.dropRange(first, Infinity);
    this.unreserve(first, Infinity, gone.length);
  }

  /** Whole pages of the range go, private copies too; what remains is zeroed (hugetlbfs_punch_hole). */
  override punchHole(offset: number, length: number): number {
    const end = offset + length;
    const first = Math.ceil(offset / this.pool.bytes);
    const last = Math.floor(end / this.pool.bytes);
    const head = Math.min(first * this.pool.bytes, end);
    if (offset < head) this.zeroBytes(offset, head);
    if (first <= last && last * this.pool.bytes < end) this.zeroBytes(last * this.pool.bytes, end);
    if (first < last) for (const index of this.dropRange(first, last)) this.unreserve(index, index + 1, 1);
    return 0;
  }

  /** Zeroes bytes of one huge page, if it is there. */
  private zeroBytes(from: number, to: number): void {
    const { memory } = this.frames;
    for (let at = from; at < to;) {
      const part = Math.min(to - at, PAGE_SIZE - (at % PAGE_SIZE));
      const frame = this.frameAt(Math.floor(at / PAGE_SIZE), false);
      if (frame === -1) return;
      memory.aboutToWrite(frame, at % PAGE_SIZE, part);
      const linear = memory.linearOf(frame) + (at % PAGE_SIZE);
      memory.u8.fill(0, linear, linear + part);
      at += part;
    }
  }

  override destroy(): void {
    this.truncate(0);
    this.pool.files.delete(this);
  }

  // Bytes.

  override read(offset: number, destination: Uint8Array): number {
    return this.peek(offset, destination);
  }

  override peek(offset: number, destination: Uint8Array): number {
    const { memory } = this.frames;
    const count = Math.max(0, Math.min(destination.length, this.bytes - offset));
    for (let done = 0; done < count;) {
      const at = offset + done;
      const part = Math.min(count - done, PAGE_SIZE - (at % PAGE_SIZE));
      const frame = this.frameAt(Math.floor(at / PAGE_SIZE), false);
      if (frame === -1) destination.fill(0, done, done + part);
      else {
        const linear = memory.linearOf(frame) + (at % PAGE_SIZE);
        destination.set(memory.u8.subarray(linear, linear + part), done);
      }
      done += part;
    }
    return count;
  }

  /** Nothing is written but through mappings. */
  override write(): number {
    return 0;
  }

  override reclaim(): number {
    return 0;
  }

  /** The pool holds the frames. */
  override heldFrames(): Iterable<PageFrame> {
    return [];
  }

  override get full(): boolean {
    return false;
  }
}
