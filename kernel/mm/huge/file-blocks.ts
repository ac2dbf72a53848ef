import { RUN_FRAMES, type FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { FilePages } from "../file-pages.js";
import { PMD_ORDER } from "./orders.js";
import { isPlain, sharedOrderAllowed, type SharedMount } from "./shared-mount.js";

/** First page of the block of 2 MiB that a page would be in. */
export function blockStart(index: number): number {
  return index - (index % RUN_FRAMES);
}

/** Pages from `first` on that are one block, of 2^order. */
export interface Folio {
  readonly first: number;
  readonly order: number;
}

/**
 * What of one file of shared memory lies in the page cache in blocks (folios): of 2 MiB (PMD order), 512 pages whose
 * frames are neighbours, from a multiple of 512 on; and smaller ones. What else there is to a page stays as it is: each
 * frame has the cache's reference.
 */
export class FileBlocks {
  /** First pages of those of 2 MiB. */
  private readonly whole = new Set<number>();
  /** Smaller ones, of which only faults take notice: orders, by first page. One is gone when a page of it is. */
  private readonly smaller = new Map<number, number>();

  constructor(
    readonly pages: FilePages,
    private readonly frames: FrameAllocator,
    /** Whose file it is. */
    readonly mount: SharedMount,
  ) {}

  /** There is not one, of whatever size. */
  get none(): boolean {
    return this.whole.size + this.smaller.size === 0;
  }

  /** Those of 2 MiB. */
  get count(): number {
    return this.whole.size;
  }

  /** One of 2 MiB begins at a page. */
  begins(first: number): boolean {
    return this.whole.has(first);
  }

  /** The page is one of a block of 2 MiB. */
  has(index: number): boolean {
    return this.whole.size > 0 && this.whole.has(blockStart(index));
  }

  /** The block that a page is of, if it is of one. */
  of(index: number): Folio | null {
    if (this.has(index)) return { first: blockStart(index), order: PMD_ORDER };
    if (this.smaller.size === 0) return null;
    for (let order = 1; order < PMD_ORDER; order++) {
      const first = index - (index % 2 ** order);
      if (this.smaller.get(first) === order) return { first, order };
    }
    return null;
  }

  /** Before a write to pages [first, end): blocks of 2 MiB around it, where they may be. @param size bytes, after it */
  bringInFor(first: number, end: number, size: number): void {
    const { mount, pages } = this;
    if (isPlain(mount)) return;
    for (let index = first; index < end; index = blockStart(index) + RUN_FRAMES)
      if (!pages.has(index) && sharedOrderAllowed({ mount, index, size, flags: null }, PMD_ORDER))
        this.bringInWhole(blockStart(index));
  }

  /**
   * Brings 2^order pages of zeroes in as one block where none of them is.
   * @returns false, with nothing done, where one is there, or room or (of 2 MiB) a run of frames is short
   */
  bringIn({ first, order }: Folio): boolean {
    if (order === PMD_ORDER) return this.bringInWhole(first);
    const { pages } = this;
    const end = first + 2 ** order;
    if (!this.isHole(first, end)) return false;
    for (let index = first; index < end; index++) if (pages.frameAt(index, true) === -1) return false;
    // To make room for one, another may have gone.
    for (let index = first; index < end; index++) if (pages.frameAt(index, false) === -1) return false;
    this.smaller.set(first, order);
    return true;
  }

  private bringInWhole(first: number): boolean {
    if (!this.isHole(first, first + RUN_FRAMES)) return false;
    const { events } = this.mount.settings;
    const charged = this.frames.charging.by?.makeRoom(RUN_FRAMES) !== false;
    const run = charged ? this.frames.allocateRun() : -1;
    if (events !== null) {
      events[run === -1 ? "thp_file_fallback" : "thp_file_alloc"]++;
      if (!charged) events.thp_file_fallback_charge++;
    }
    if (run === -1) return false;
    this.enter(first, run);
    return true;
  }

  /** Nothing is there, and there is room for all of it. */
  private isHole(first: number, end: number): boolean {
    const { pages } = this;
    for (let index = first; index < end; index++)
      if (pages.has(index) || pages.room.isReserved(index)) return false;
    return pages.room.has(end - first);
  }

  /**
   * Enters 512 neighbouring frames as a block, taking over a reference to each; what was there goes.
   * @param first a multiple of 512
   */
  enter(first: number, run: PageFrame): void {
    for (let n = 0; n < RUN_FRAMES; n++) {
      this.pages.replacePage(first + n, run + n);
      this.smaller.delete(first + n);
    }
    this.whole.add(first);
  }

  /** The pages of a block of 2 MiB have been written. */
  markDirty(first: number): void {
    for (let index = first; index < first + RUN_FRAMES; index++) this.pages.markDirty(index);
  }

  /** A page has gone: it is of no smaller block any more. */
  pageGone(index: number): void {
    if (this.smaller.size > 0) this.smaller.delete(this.of(index)?.first ?? -1);
  }

  /**
   * A block of 2 MiB is one no longer, and nobody maps it: its pages are there one by one, but for those beyond the
   * file's end, which go (split_huge_page).
   * @returns false where somebody holds a page besides the cache and page tables: then it stays
   */
  split(first: number): boolean {
    if (this.isHeld(first)) return false;
    const { pages } = this;
    const last = first + RUN_FRAMES;
    pages.mappings.drop(first, last, false);
    this.whole.delete(first);
    const end = Math.ceil(pages.size / PAGE_SIZE);
    for (let index = Math.max(first, end); index < last; index++) pages.dropPage(index);
    const { events } = this.mount.settings;
    if (events !== null) events.thp_split_page++;
    return true;
  }

  /** Somebody besides the cache and page tables has one of the 512 pages (can_split_folio, is_refcount_suitable). */
  isHeld(first: number): boolean {
    let references = 0;
    for (let index = first; index < first + RUN_FRAMES; index++) {
      const frame = this.pages.frameAt(index, false);
      if (frame !== -1) references += this.frames.references(frame) - 1;
    }
    return references !== this.pages.mappings.entries(first, first + RUN_FRAMES);
  }

  /**
   * Parts the blocks that [offset, end) bytes reach into and do not cover, and forgets those that they cover, whose
   * pages are to go next.
   * @returns the first pages of those of 2 MiB that stay in one piece, since somebody holds a page
   */
  partAround(offset: number, end: number): ReadonlySet<number> {
    this.splitSmaller(offset, end);
    const kept = new Set<number>();
    for (const first of [...this.whole]) {
      const [from, to] = [first * PAGE_SIZE, (first + RUN_FRAMES) * PAGE_SIZE];
      if (to <= offset || from >= end) continue;
      if (offset <= from && to <= end) this.whole.delete(first);
      else if (!this.split(first)) kept.add(first);
      else this.keepUnevenly({ first, order: PMD_ORDER }, offset, end);
    }
    return kept;
  }

  /** Splits the smaller blocks that [offset, end) bytes reach into and do not cover, which nobody maps then. */
  private splitSmaller(offset: number, end: number): void {
    for (const [first, order] of [...this.smaller]) {
      const last = first + 2 ** order;
      if (last * PAGE_SIZE <= offset || first * PAGE_SIZE >= end) continue;
      this.smaller.delete(first);
      if (offset <= first * PAGE_SIZE && last * PAGE_SIZE <= end) continue;
      this.pages.mappings.drop(first, last, false);
      this.keepUnevenly({ first, order }, offset, end);
    }
  }

  /**
   * A block has been split for a hole of [offset, end) bytes: what can stay together does, halves and halves of
   * halves, around both ends of the hole (folio_split, truncate_inode_partial_folio).
   */
  private keepUnevenly(folio: Folio, offset: number, end: number): void {
    if (!this.mount.settings.splitsUnevenly) return;
    const last = folio.first + 2 ** folio.order;
    this.halve(folio, Math.max(folio.first, Math.floor(offset / PAGE_SIZE)));
    const to = Math.floor(end / PAGE_SIZE);
    const rest = to < last ? this.of(to) : null;
    if (rest === null) return;
    this.smaller.delete(rest.first);
    this.halve(rest, to);
  }

  /** Keeps each half that does not have a page in it, down to single pages. */
  private halve({ first, order }: Folio, at: number): void {
    const { pages } = this;
    let start = first;
    for (let half = order - 1; half >= 0; half--) {
      const middle = start + 2 ** half;
      const other = at < middle ? middle : start;
      if (at >= middle) start = middle;
      const ends = [other, other + 2 ** half - 1];
      if (half > 0 && ends.every((index) => pages.frameAt(index, false) !== -1))
        this.smaller.set(other, half);
    }
  }

  /** The pages are to go, all of them. */
  clear(): void {
    this.whole.clear();
    this.smaller.clear();
  }

  /** A block's pages are there and, of 2 MiB, neighbours. @returns a line for each contradiction */
  check(): string[] {
    const { pages } = this;
    const wrong: string[] = [];
    for (const first of this.whole) {
      const frame = pages.frameAt(first, false);
      if (first % RUN_FRAMES !== 0 || frame % RUN_FRAMES !== 0)
        wrong.push(`a block of 2 MiB begins at page ${first}, frame ${frame}`);
      for (let n = 1; n < RUN_FRAMES; n++)
        if (pages.frameAt(first + n, false) !== frame + n)
          wrong.push(`page ${first + n} is not where its block of 2 MiB has it`);
    }
    for (const [first, order] of this.smaller)
      for (let index = first; index < first + 2 ** order; index++)
        if (pages.frameAt(index, false) === -1 || this.has(index))
          wrong.push(`page ${index} is not of its block of order ${order}`);
    return wrong;
  }
}
