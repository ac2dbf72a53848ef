import {
  GIGANTIC_FRAMES,
  RUN_FRAMES,
  type FrameAllocator,
  type FrameHolder,
} from "../../../mmu/frame-allocator.js";
import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PageFrame } from "../../../mmu/types.js";
import { EBUSY, ENOMEM } from "../../errno.js";
import { copyFrames, writeFrame, zeroFrames } from "./content.js";
import { HugePage } from "./huge-page.js";
import type { HugeFilePages } from "./file-pages.js";
import { giveTo, type Subpool } from "./subpool.js";

/** The pool of huge pages of one size (struct hstate, mm/hugetlb.c). Counts are of huge pages. */
export class HugePagePool implements FrameHolder {
  /** Frames and bytes of a page. */
  readonly pageFrames: number;
  readonly bytes: number;
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
  /** vm.nr_hugepages as it was set, as far as it could be (max_huge_pages). */
  asked = 0;

  /**
   * @param level of its leaves' entries: 2 for pages of 2 MiB, 3 for 1 GiB
   * @param device of the hugetlbfs that is mounted nowhere, which has the files without names
   */
  constructor(
    private readonly frames: FrameAllocator,
    readonly level: 2 | 3,
    readonly device: { readonly major: number; readonly minor: number },
  ) {
    this.pageFrames = level === 3 ? GIGANTIC_FRAMES : RUN_FRAMES;
    this.bytes = this.pageFrames * PAGE_SIZE;
  }

  /** Larger than what memory is normally given out in (hstate_is_gigantic). */
  get isGigantic(): boolean {
    return this.level === 3;
  }

  /** A page's size as a power of two, as MAP_HUGE_*, MFD_HUGE_* and SHM_HUGE_* encode it (huge_page_shift). */
  get shift(): number {
    return Math.log2(this.bytes);
  }

  /** The name of its directory in /sys. */
  get name(): string {
    return `hugepages-${this.bytes / 1024}kB`;
  }

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
    const { touched } = this.frames;
    const frame = this.isGigantic ? this.frames.takeGigantic() : this.frames.takeRun();
    if (frame === -1) return false;
    this.adopt(frame, !this.isGigantic || frame >= touched);
    return true;
  }

  /** Frames become a free page of this pool, which holds them from here on. */
  private adopt(frame: PageFrame, zeroed: boolean): void {
    if (this.pages.size === 0) this.frames.holders.add(this);
    const page = new HugePage(this, frame);
    page.zeroed = zeroed;
    this.pages.set(frame, page);
    this.freeList.push(page);
  }

  private shrink(): boolean {
    const page = this.freeList.pop();
    if (page === undefined) return false;
    this.dissolve(page);
    return true;
  }

  private dissolve(page: HugePage): void {
    this.forget(page);
    if (this.isGigantic) this.frames.releaseGigantic(page.frame);
    else this.frames.releaseRun(page.frame);
  }

  private forget(page: HugePage): void {
    this.pages.delete(page.frame);
    if (this.pages.size === 0) this.frames.holders.delete(this);
  }

  /**
   * Makes pages of a smaller pool of free ones (demote_store). That there are more free ones than promised is seen to
   * once for as many as there are: those behind the first may be promised.
   * @returns 0, or -EBUSY where more were promised than are free
   */
  demote(count: number, to: HugePagePool): number {
    for (let left = count; left > 0;) {
      if (this.free === this.reserved) return 0;
      const most = Math.min(left, this.freeList.length);
      if (most === 0) return -EBUSY;
      for (let n = 0; n < most; n++) this.demoteOne(to);
      left -= most;
    }
    return 0;
  }

  private demoteOne(to: HugePagePool): void {
    const page = this.freeList.pop()!;
    this.forget(page);
    for (let at = this.pageFrames - to.pageFrames; at >= 0; at -= to.pageFrames)
      to.adopt(page.frame + at, page.zeroed);
    this.asked--;
    to.asked += this.pageFrames / to.pageFrames;
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
    // Where more are promised than free, as owners went before their children, Linux's difference is not 0 either
    // (available_huge_pages).
    if (!promised && this.freeList.length === this.reserved && !this.growSurplus()) return null;
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
    return !this.frames.isSoleRun(page.frame, this.pageFrames);
  }

  /** Frees what nobody uses any more: to be called before counts are told. */
  sweep(): void {
    for (const page of this.lingering) {
      if (this.isUsedElsewhere(page)) continue;
      this.lingering.delete(page);
      this.freePage(page);
    }
  }

  /** Makes all bytes of a page 0. */
  zero(page: HugePage): void {
    if (!page.zeroed) zeroFrames(this.frames.memory, page.frame, this.pageFrames);
    page.zeroed = true;
  }

  /** Copies all bytes of a page to another. */
  copy(from: HugePage, to: HugePage): void {
    to.zeroed = false;
    copyFrames(this.frames.memory, from.frame, to.frame, this.pageFrames);
  }

  /** Writes one of a page's frames. @param n its number in the page */
  write(page: HugePage, n: number, bytes: Uint8Array): void {
    page.zeroed = false;
    writeFrame(this.frames.memory, page.frame + n, bytes);
  }

  // As a holder of frames.

  /** What is in the pool stays there. */
  reclaim(): number {
    return 0;
  }

  *heldFrames(): Iterable<PageFrame> {
    for (const first of this.pages.keys())
      for (let frame = first; frame < first + this.pageFrames; frame++) yield frame;
  }
}
