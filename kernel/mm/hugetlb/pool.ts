import { RUN_FRAMES, type FrameAllocator, type FrameHolder } from "../../../mmu/frame-allocator.js";
import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PageFrame } from "../../../mmu/types.js";
import { ENOMEM } from "../../errno.js";
import { HugePage } from "./huge-page.js";
import type { HugeFilePages } from "./file-pages.js";
import { giveTo, type Subpool } from "./subpool.js";

/** Bytes of a huge page, the only size there is: the processor shown has none of 1 GiB (pdpe1gb). */
export const HUGE_PAGE_BYTES = RUN_FRAMES * PAGE_SIZE;
/** Its power of two, as MAP_HUGE_*, MFD_HUGE_* and SHM_HUGE_* encode it. */
const HUGE_PAGE_SHIFT = 21;

/** A pool of that size is meant: named in the bits 26 to 31 of flags, or not named at all (hstate_sizelog). */
export function isPoolSize(flags: number): boolean {
  const size = (flags >>> 26) & 0x3f;
  return size === 0 || size === HUGE_PAGE_SHIFT;
}

/** The pool of huge pages of the machine (struct hstate, mm/hugetlb.c). Counts are of huge pages. */
export class HugePagePool implements FrameHolder {
  /** Every page of the pool by its first frame. */
  private readonly pages = new Map<PageFrame, HugePage>();
  private readonly freeList: HugePage[] = [];
  /** Page caches of huge pages, and limits of mounts. */
  readonly files = new Set<HugeFilePages>();
  readonly subpools = new Set<Subpool>();
  /** Nobody has them mapped or cached, but somebody still uses a frame of them (a pin, a pipe). */
  private readonly lingering = new Set<HugePage>();
  /**
   * HugePages_Rsvd: promised to mappings that have not touched them. Below 0 for a while where an owner went before the
   * child that has its pages, as in Linux.
   */
  reserved = 0;
  /** HugePages_Surp: more than were asked for, to go when they become free. */
  surplus = 0;
  /** vm.nr_overcommit_hugepages: how many surplus pages there may be. */
  overcommit = 0;
  /** vm.hugetlb_shm_group: its members may have shared memory of huge pages. */
  sharedMemoryGroup = 0;
  /** vm.nr_hugepages as it was set, as far as it could be (max_huge_pages). */
  asked = 0;

  constructor(private readonly frames: FrameAllocator) {}

  /** HugePages_Total. */
  get total(): number {
    return this.pages.size;
  }

  /** HugePages_Free. */
  get free(): number {
    this.sweep();
    return this.freeList.length;
  }

  /** Those that stay (persistent_huge_pages). */
  private get persistent(): number {
    return this.total - this.surplus;
  }

  /** The page whose first frame this is, or undefined. */
  pageAt(frame: PageFrame): HugePage | undefined {
    return this.pages.get(frame);
  }

  /** All pages, free ones too. */
  all(): IterableIterator<HugePage> {
    return this.pages.values();
  }

  isFree(page: HugePage): boolean {
    return this.freeList.includes(page);
  }

  isLingering(page: HugePage): boolean {
    return this.lingering.has(page);
  }

  // The size of the pool.

  /** Writes vm.nr_hugepages: the pool becomes as large as memory, or as small as promises, permit (set_max_huge_pages). */
  setTotal(count: number): void {
    this.sweep();
    while (this.surplus > 0 && count > this.persistent) this.surplus--;
    while (count > this.persistent) if (!this.grow()) break;
    const least = Math.max(count, this.reserved + this.total - this.freeList.length);
    while (least < this.persistent) if (!this.shrink()) break;
    while (count < this.persistent) {
      if (this.surplus >= this.total) break;
      this.surplus++;
    }
    this.asked = this.persistent;
  }

  private grow(): boolean {
    const frame = this.frames.takeRun();
    if (frame === -1) return false;
    if (this.pages.size === 0) this.frames.holders.add(this);
    const page = new HugePage(frame);
    this.pages.set(frame, page);
    this.freeList.push(page);
    return true;
  }

  private shrink(): boolean {
    const page = this.freeList.pop();
    if (page === undefined) return false;
    this.dissolve(page);
    return true;
  }

  private dissolve(page: HugePage): void {
    this.pages.delete(page.frame);
    this.frames.releaseRun(page.frame);
    if (this.pages.size === 0) this.frames.holders.delete(this);
  }

  // Promises.

  /** Promises pages, surplus ones where the free ones do not suffice: 0 or -ENOMEM (hugetlb_acct_memory). */
  reserve(count: number): number {
    if (count <= 0) {
      if (count < 0) this.unreserve(-count);
      return 0;
    }
    this.sweep();
    const needed = this.reserved + count - this.freeList.length;
    let got = 0;
    while (got < needed && this.growSurplus()) got++;
    if (got < needed) {
      for (; got > 0; got--) this.shrinkSurplus();
      return -ENOMEM;
    }
    this.reserved += count;
    return 0;
  }

  /** Takes promises back, and surplus pages that nobody needs for them any more (return_unused_surplus_pages). */
  unreserve(count: number): void {
    this.reserved -= count;
    this.sweep();
    for (let most = Math.min(count, this.surplus); most > 0; most--) if (!this.shrinkSurplus()) break;
  }

  private growSurplus(): boolean {
    if (this.surplus >= this.overcommit || !this.grow()) return false;
    this.surplus++;
    return true;
  }

  private shrinkSurplus(): boolean {
    if (this.surplus === 0 || !this.shrink()) return false;
    this.surplus--;
    return true;
  }

  // Pages in use.

  /**
   * A page for somebody (dequeue_hugetlb_folio, alloc_surplus_hugetlb_folio).
   * @param promised it is one of the reserved ones
   * @returns null when there is none: only promised ones are left, or not even a surplus page can be had
   */
  take(promised: boolean): HugePage | null {
    this.sweep();
    if (!promised && this.freeList.length <= this.reserved && !this.growSurplus()) return null;
    if (this.freeList.length === 0 && !this.growSurplus()) return null;
    const page = this.freeList.pop()!;
    if (promised) {
      page.restoresReserve = true;
      this.reserved--;
    }
    return page;
  }

  /** A leaf or the page cache has let go of a page: it becomes free with the last one (free_huge_folio). */
  released(page: HugePage): void {
    if (page.mappers > 0 || page.cached) return;
    page.zeroed = false;
    if (this.isUsedElsewhere(page)) this.lingering.add(page);
    else this.freePage(page);
  }

  private freePage(page: HugePage): void {
    // Where the mount keeps pages for itself, a page goes back to what is kept.
    let restores = page.restoresReserve;
    if (!restores) restores = giveTo(page.subpool, 1) === 0;
    page.subpool = null;
    page.restoresReserve = false;
    if (restores) this.reserved++;
    if (this.surplus > 0) {
      this.surplus--;
      this.dissolve(page);
    } else this.freeList.push(page);
  }

  private isUsedElsewhere(page: HugePage): boolean {
    return !this.frames.isSoleRun(page.frame);
  }

  /** Frees what nobody uses any more. */
  private sweep(): void {
    for (const page of this.lingering) {
      if (this.isUsedElsewhere(page)) continue;
      this.lingering.delete(page);
      this.freePage(page);
    }
  }

  /** Makes all bytes of a page 0. */
  zero(page: HugePage): void {
    if (page.zeroed) return;
    const linear = this.aboutToWrite(page);
    this.frames.memory.u8.fill(0, linear, linear + HUGE_PAGE_BYTES);
    page.zeroed = true;
  }

  /** Copies all bytes of a page to another. */
  copy(from: HugePage, to: HugePage): void {
    const { memory } = this.frames;
    const source = memory.linearOf(from.frame);
    memory.u8.copyWithin(this.aboutToWrite(to), source, source + HUGE_PAGE_BYTES);
  }

  /** Puts bytes, as many as it has, into a page. */
  write(page: HugePage, bytes: Uint8Array): void {
    this.frames.memory.u8.set(bytes, this.aboutToWrite(page));
  }

  /** @returns the linear address of a page that changes now */
  private aboutToWrite(page: HugePage): number {
    const { memory } = this.frames;
    for (let frame = page.frame; frame < page.frame + RUN_FRAMES; frame++)
      memory.aboutToWrite(frame, 0, PAGE_SIZE);
    page.zeroed = false;
    return memory.linearOf(page.frame);
  }

  // As a holder of frames.

  /** What is in the pool stays there. */
  reclaim(): number {
    return 0;
  }

  *heldFrames(): Iterable<PageFrame> {
    for (const first of this.pages.keys())
      for (let frame = first; frame < first + RUN_FRAMES; frame++) yield frame;
  }
}
