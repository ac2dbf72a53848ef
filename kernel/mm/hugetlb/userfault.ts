/** What a userfaultfd does with areas of huge pages (mfill_atomic_hugetlb, hugetlb_change_protection). */
import { PTE_POISON, PTE_RW, PTE_UFFD_WP, PTE_UFFD_WP_MARKER } from "../../../mmu/page-table-entry.js";
import { EEXIST, EFAULT, EINVAL, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { Filling } from "../userfault/fill.js";
import { isUserfaultProtected } from "../translations.js";
import { VM_ACCESS_FLAGS, VM_SHARED, VM_WRITE } from "../vm-flags.js";
import { hugeIndex, hugePagesOf, pageBytesOf } from "./area.js";
import { mapPage } from "./fault.js";
import type { HugePage } from "./huge-page.js";
import { forEachLeaf, hasPage, leafEntry, leafLow, makeLeafWritable, restrictLeaf } from "./leaves.js";
import { takeForArea } from "./reserve.js";

/** [start, end) is of whole huge pages of an area's size. */
export function isHugeRange(area: Area, start: number, end: number): boolean {
  const bytes = pageBytesOf(area);
  return start % bytes === 0 && end % bytes === 0;
}

/** Write-protects [start, end), whole pages; those that are not there by a marker. @returns false without a frame for a table */
export function protectHugePages(mm: AddressSpace, area: Area, start: number, end: number): boolean {
  const { memory } = mm.env.frames;
  const bytes = pageBytesOf(area);
  for (let va = start; va < end; va += bytes) {
    const entry = leafEntry(mm, area, va, true);
    if (entry === 0) return false;
    const low = memory.u32[entry];
    if (hasPage(low)) restrictLeaf(mm, area, va, (low & ~PTE_RW) | PTE_UFFD_WP);
    else if (low === 0) {
      memory.u32[entry] = PTE_UFFD_WP_MARKER;
      memory.entryWritten(entry);
    }
  }
  return true;
}

/** Lifts the protection again. */
export function unprotectHugePages(mm: AddressSpace, area: Area, start: number, end: number): void {
  forEachLeaf(mm, area, start, end, (va, low) => {
    if (isUserfaultProtected(low)) restrictLeaf(mm, area, va, hasPage(low) ? low & ~PTE_UFFD_WP : 0);
  });
}

/**
 * As fillPages of userfault/fill.ts, whose checks of the area have been made.
 * @returns bytes filled or, if none, -EINVAL (the range, zeroes), -EEXIST, -EFAULT, -ENOMEM
 */
export function fillHugePages(mm: AddressSpace, area: Area, filling: Filling): number {
  const { start, end, content } = filling;
  const bytes = pageBytesOf(area);
  if (!isHugeRange(area, start, end) || content.kind === "zeroes") return -EINVAL;
  for (let va = start; va < end; va += bytes) {
    const error = fillHugePage(mm, area, va, filling);
    if (error !== 0) return va > start ? va - start : -error;
  }
  return end - start;
}

/** @returns 0 or a positive errno */
function fillHugePage(mm: AddressSpace, area: Area, va: number, { content, protect }: Filling): number {
  if (leafEntry(mm, area, va, true) === 0) return ENOMEM;
  const low = leafLow(mm, area, va);
  if (content.kind === "poison") {
    if (low !== 0) return EEXIST;
    restrictLeaf(mm, area, va, PTE_POISON);
    return 0;
  }
  const shared = (area.flags & VM_SHARED) !== 0;
  const cached = content.kind === "cached";
  if (hasPage(low) && !cached) return EEXIST;
  const page = content.kind === "copy" ? copiedPage(area, va, content.page) : cachedPage(area, va);
  if (typeof page === "number") return page;
  if (hasPage(low)) return EEXIST;
  // What its owner puts there needs no further fault to be written; only a private page of the cache does.
  mapPage(mm, area, va, page, !shared && !cached, protect);
  const permits = (area.flags & VM_WRITE) !== 0 && (area.flags & VM_ACCESS_FLAGS) !== 0;
  if (!protect && !cached && permits) makeLeafWritable(mm, area, va);
  return 0;
}

function cachedPage(area: Area, va: number): HugePage | number {
  return hugePagesOf(area).hugeAt(hugeIndex(area, va)) ?? EFAULT;
}

/** A page of the pool with bytes of its owner's, entered in the page cache of a shared mapping. */
function copiedPage(area: Area, va: number, source: (va: number) => Uint8Array | null): HugePage | number {
  const pages = hugePagesOf(area);
  const index = hugeIndex(area, va);
  const shared = (area.flags & VM_SHARED) !== 0;
  if (shared && pages.hugeAt(index) !== undefined) return EEXIST;
  const { bytes } = pages.pool;
  // All of it is brought in before a page is taken.
  for (let at = 0; at < bytes; at += 4096) if (source(va + at) === null) return EFAULT;
  if (shared && index >= Math.floor(pages.size / bytes)) return EFAULT;
  const page = takeForArea(area, index);
  if (page === null) return ENOMEM;
  for (let n = 0; n < page.pool.pageFrames; n++) page.pool.write(page, n, source(va + n * 4096)!);
  if (shared) pages.enter(index, page);
  return page;
}
