/**
 * ioctl(PAGEMAP_SCAN) on /proc/PID/pagemap: ranges of pages by what they are
 * (Documentation/admin-guide/mm/pagemap.rst, pagemap_scan_pmd_entry, pagemap_scan_pte_hole).
 */
import {
  PTE_ANON,
  PTE_GUARD,
  PTE_POISON,
  PTE_PS,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import type { EntryVisitor } from "../../mmu/page-tables.js";
import { PAGE_SIZE } from "../../mmu/layout.js";
import { ENOMEM, EPERM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isHugetlb, pageBytesOf } from "./hugetlb/area.js";
import { leafEntry, leafLow } from "./hugetlb/leaves.js";
import { isNormal } from "./page-map.js";
import { isSwapped } from "./swap/entry.js";
import { protectPages } from "./userfault/protect.js";
import { VM_PFNMAP, VM_SOFTDIRTY, VM_UFFD_WP } from "./vm-flags.js";

const PAGE_IS_WPALLOWED = 1;
const PAGE_IS_WRITTEN = 2;
const PAGE_IS_FILE = 4;
const PAGE_IS_PRESENT = 8;
const PAGE_IS_SWAPPED = 16;
const PAGE_IS_PFNZERO = 32;
const PAGE_IS_HUGE = 64;
const PAGE_IS_SOFT_DIRTY = 128;
const PAGE_IS_GUARD = 256;

export const PM_SCAN_WP_MATCHING = 1;
export const PM_SCAN_CHECK_WPASYNC = 2;

/** Bytes that one page table covers. */
const TABLE_BYTES = 2 ** 21;

export interface PageScan {
  /** [start, end) bytes, multiples of the page size, in user space. */
  readonly start: number;
  readonly end: number;
  /** PM_SCAN_* bits. */
  readonly flags: number;
  /** PAGE_IS_* bits that count when they are not there. */
  readonly inverted: number;
  /** All of these, once inverted, */
  readonly required: number;
  /** and one of these unless 0. */
  readonly anyOf: number;
  /** Which of them are told. */
  readonly told: number;
  /** Ranges, or 0 where nothing is to be told. */
  readonly mostRanges: number;
  readonly mostPages: number;
}

export interface PageRange {
  start: number;
  end: number;
  categories: number;
}

export interface PageScanResult {
  /** 0 or -EPERM. */
  readonly error: number;
  readonly ranges: readonly PageRange[];
  /** How far it came, in bytes: the end where there was room for all. */
  readonly walkEnd: number;
}

/** Categories that may be asked for in this release. */
export function knownCategories(mm: AddressSpace): number {
  return mm.env.release.pageMapShowsGuards ? 2 * PAGE_IS_GUARD - 1 : PAGE_IS_GUARD - 1;
}

/** A scan may write-protect the area: no write has to wait for it, and pages that are not there can be marked. */
function mayProtect(area: Area): boolean {
  const { userfault } = area;
  return (
    userfault !== null && (area.flags & VM_UFFD_WP) !== 0 && userfault.isAsync && userfault.marksEmpty(area)
  );
}

/** Looks through pages of an address space and, where asked, write-protects those that it finds. */
export function scanPages(mm: AddressSpace, scan: PageScan): PageScanResult {
  const output = new Output(mm, scan);
  const { start, end, flags } = scan;
  for (let area = mm.tree.findFirst(start); area !== null && area.start < end; area = area.next) {
    const allowed = mayProtect(area);
    if (!allowed && (flags & PM_SCAN_CHECK_WPASYNC) !== 0)
      return { error: -EPERM, ranges: output.ranges, walkEnd: end };
    if (!allowed && (flags & PM_SCAN_WP_MATCHING) !== 0) continue;
    if ((area.flags & VM_PFNMAP) !== 0) continue;
    const own = (area.flags & VM_SOFTDIRTY) !== 0 ? PAGE_IS_SOFT_DIRTY : 0;
    const categories = own | (allowed ? PAGE_IS_WPALLOWED : 0);
    if (
      ((categories ^ scan.inverted) & scan.required & PAGE_IS_WPALLOWED) !==
      (scan.required & PAGE_IS_WPALLOWED)
    )
      continue;
    scanArea(mm, area, categories, output, Math.max(start, area.start), Math.min(end, area.end));
    if (output.failed) return { error: -ENOMEM, ranges: output.ranges, walkEnd: end };
    if (output.stopped !== null) break;
  }
  return { error: 0, ranges: output.ranges, walkEnd: output.stopped ?? output.passedOver ?? end };
}

function scanArea(
  mm: AddressSpace,
  area: Area,
  own: number,
  output: Output,
  start: number,
  end: number,
): void {
  /** Pages without an entry: where there is no page table they are not said to be written. */
  const empty = (from: number, to: number): void => {
    for (let at = from; at < to;) {
      const next = Math.min(to, at - (at % TABLE_BYTES) + TABLE_BYTES);
      output.add(area, own | (mm.translations.entryIndex(at) === 0 ? 0 : PAGE_IS_WRITTEN), at, next);
      at = next;
    }
  };
  if (isHugetlb(area)) return scanHugeArea(mm, area, own, output, start, end);
  let at = start;
  const tell = (va: number, low: number, to: number): void => {
    empty(at, va);
    output.add(area, own | categoriesOf(mm, area, low), va, to);
    at = to;
  };
  const tellPage: EntryVisitor = (va, low) => tell(va, low, va + PAGE_SIZE);
  // What is write-protected in part is told as if it had never been one (pagemap_scan_thp_entry).
  const tellHuge: EntryVisitor = (va, low, _high, entry) => {
    if (output.hasRoom(TABLE_BYTES / PAGE_SIZE)) return tell(va, low, va + TABLE_BYTES);
    mm.tables.large.split(entry, va);
    mm.tables.forEachPresentOrSwap(va, va + TABLE_BYTES, tellPage);
  };
  mm.tables.forEachPresentOrSwap(start, end, tellPage, output.protects ? tellHuge : undefined);
  empty(at, end);
}

/** As `scanArea`: one huge page after the other (pagemap_scan_hugetlb_entry). */
function scanHugeArea(
  mm: AddressSpace,
  area: Area,
  own: number,
  output: Output,
  start: number,
  end: number,
): void {
  const bytes = pageBytesOf(area);
  for (let at = start; at < end;) {
    const next = Math.min(end, at - (at % bytes) + bytes);
    // Nothing is said of it where not even the table is.
    const categories = leafEntry(mm, area, at) === 0 ? 0 : hugeCategories(leafLow(mm, area, at));
    output.addHuge(area, own | categories, at, next);
    at = next;
  }
}

/** pagemap_hugetlb_category */
function hugeCategories(low: number): number {
  if (low === 0) return PAGE_IS_HUGE;
  if (low === PTE_UFFD_WP_MARKER) return PAGE_IS_HUGE | PAGE_IS_SWAPPED;
  if (low === PTE_POISON) return PAGE_IS_HUGE | PAGE_IS_SWAPPED | PAGE_IS_WRITTEN;
  return (
    PAGE_IS_HUGE |
    PAGE_IS_PRESENT |
    ((low & PTE_UFFD_WP) !== 0 ? 0 : PAGE_IS_WRITTEN) |
    ((low & PTE_ANON) === 0 ? PAGE_IS_FILE : 0)
  );
}

function categoriesOf(mm: AddressSpace, area: Area, low: number): number {
  if (low === PTE_GUARD)
    return PAGE_IS_SWAPPED | PAGE_IS_WRITTEN | (mm.env.release.pageMapShowsGuards ? PAGE_IS_GUARD : 0);
  if (low === PTE_UFFD_WP_MARKER) return PAGE_IS_SWAPPED;
  if (low === PTE_POISON) return PAGE_IS_SWAPPED | PAGE_IS_WRITTEN;
  const common =
    ((low & PTE_UFFD_WP) !== 0 ? 0 : PAGE_IS_WRITTEN) |
    ((low & PTE_SOFT_DIRTY) !== 0 ? PAGE_IS_SOFT_DIRTY : 0);
  if (isSwapped(low)) return PAGE_IS_SWAPPED | common;
  return (
    PAGE_IS_PRESENT |
    common |
    (isNormal(mm, area, low) && (low & PTE_ANON) === 0 ? PAGE_IS_FILE : 0) |
    ((low & PTE_PS) !== 0 ? PAGE_IS_HUGE : 0) |
    (pteFrame(low) === mm.env.frames.zeroFrame ? PAGE_IS_PFNZERO : 0)
  );
}

/** The ranges found, neighbours of one kind as one; it stops at the first page that there is no more room for. */
class Output {
  readonly ranges: PageRange[] = [];
  /** Address of the first page left out; null: none so far. */
  stopped: number | null = null;
  private pages = 0;
  /** Where a part of a huge page was, the last such. */
  passedOver: number | null = null;

  /** No frame was left for a page table. */
  failed = false;

  constructor(
    private readonly mm: AddressSpace,
    private readonly scan: PageScan,
  ) {}

  /** What is found is write-protected. */
  get protects(): boolean {
    return (this.scan.flags & PM_SCAN_WP_MATCHING) !== 0;
  }

  /** That many pages can all be told. */
  hasRoom(pages: number): boolean {
    return this.scan.mostRanges === 0 || pages <= this.scan.mostPages - this.pages;
  }

  /** Pages of one kind: told as far as there is room, and write-protected as far as they are told. */
  add(area: Area, categories: number, start: number, end: number): void {
    if (this.stopped !== null || start === end || !this.isWanted(categories)) return;
    const to = this.tell(categories, start, end);
    if (to > start && this.protects && !protectPages(this.mm, area, start, to)) this.failed = true;
  }

  /**
   * As `add`, for (a part of) a huge page: only a whole one that counts as written is write-protected. A part of such a
   * one is not even told, but those behind it are looked at all the same (pagemap_scan_hugetlb_entry).
   */
  addHuge(area: Area, categories: number, start: number, end: number): void {
    if (this.stopped !== null || !this.isWanted(categories)) return;
    const [pages, ranges, last] = [this.pages, this.ranges.length, this.ranges.at(-1)?.end];
    const to = this.tell(categories, start, end);
    if (to === start || !this.protects || (categories & PAGE_IS_WRITTEN) === 0) return;
    const bytes = pageBytesOf(area);
    if (start % bytes === 0 && to === start + bytes) {
      if (!protectPages(this.mm, area, start, to)) this.failed = true;
      return;
    }
    this.pages = pages;
    this.ranges.length = ranges;
    if (last !== undefined) this.ranges.at(-1)!.end = last;
    this.stopped = null;
    this.passedOver = start;
  }

  private isWanted(categories: number): boolean {
    const { inverted, required, anyOf } = this.scan;
    const wanted = categories ^ inverted;
    return (wanted & required) === required && (anyOf === 0 || (wanted & anyOf) !== 0);
  }

  /** @returns the end of what there was room for */
  private tell(categories: number, start: number, end: number): number {
    const { told, mostRanges, mostPages } = this.scan;
    if (mostRanges === 0) return end;
    const room = Math.min((end - start) / 4096, mostPages - this.pages);
    const to = start + room * 4096;
    if (to < end) this.stopped = to;
    if (room === 0) return start;
    const kind = categories & told;
    const last = this.ranges.at(-1);
    if (last?.end === start && last.categories === kind) last.end = to;
    else if (this.ranges.length < mostRanges) this.ranges.push({ start, end: to, categories: kind });
    else {
      this.stopped = start;
      return start;
    }
    this.pages += room;
    return to;
  }
}
