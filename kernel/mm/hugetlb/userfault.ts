/** What a userfaultfd does with areas of huge pages (mfill_atomic_hugetlb, hugetlb_change_protection). */
import { PTE_POISON, PTE_RW, PTE_UFFD_WP, PTE_UFFD_WP_MARKER } from "../../../mmu/page-table-entry.js";
import { EEXIST, EFAULT, EINVAL, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { Filling } from "../userfault/fill.js";
import { isUserfaultProtected } from "../translations.js";
import { VM_ACCESS_FLAGS, VM_SHARED, VM_WRITE } from "../vm-flags.js";
import { hugeIndex, hugePagesOf } from "./area.js";
import { mapPage } from "./fault.js";
import type { HugePage } from "./huge-page.js";
import { forEachLeaf, hasPage, leafLow, makeLeafWritable, restrictLeaf } from "./leaves.js";
import { HUGE_PAGE_BYTES } from "./pool.js";
import { takeForArea } from "./reserve.js";

/** [start, end) is of whole huge pages. */
export function isHugeRange(start: number, end: number): boolean {
  return start % HUGE_PAGE_BYTES === 0 && end % HUGE_PAGE_BYTES === 0;
}

/** Write-protects [start, end), whole pages; those that are not there by a marker. @returns false without a frame for a table */
export function protectHugePages(mm: AddressSpace, start: number, end: number): boolean {
  const { memory } = mm.env.frames;
  for (let va = start; va < end; va += HUGE_PAGE_BYTES) {
    const entry = mm.tables.directoryEntry(va, true);
    if (entry === 0) return false;
    const low = memory.u32[entry];
    if (hasPage(low)) restrictLeaf(mm, va, (low & ~PTE_RW) | PTE_UFFD_WP);
    else if (low === 0) {
      memory.u32[entry] = PTE_UFFD_WP_MARKER;
      memory.entryWritten(entry);
    }
  }
  return true;
}

/** Lifts the protection again. */
export function unprotectHugePages(mm: AddressSpace, start: number, end: number): void {
  forEachLeaf(mm, start, end, (va, low) => {
    if (isUserfaultProtected(low)) restrictLeaf(mm, va, hasPage(low) ? low & ~PTE_UFFD_WP : 0);
  });
}

/**
 * As fillPages of userfault/fill.ts, whose checks of the area have been made.
 * @returns bytes filled or, if none, -EINVAL (the range, zeroes), -EEXIST, -EFAULT, -ENOMEM
 */
export function fillHugePages(mm: AddressSpace, area: Area, filling: Filling): number {
  const { start, end, content } = filling;
  if (!isHugeRange(start, end) || content.kind === "zeroes") return -EINVAL;
  for (let va = start; va < end; va += HUGE_PAGE_BYTES) {
    const error = fillHugePage(mm, area, va, filling);
    if (error !== 0) return va > start ? va - start : -error;
  }
  return end - start;
}

/** @returns 0 or a positive errno */
function fillHugePage(mm: AddressSpace, area: Area, va: number, { content, protect }: Filling): number {
  if (mm.tables.directoryEntry(va, true) === 0) return ENOMEM;
  const low = leafLow(mm, va);
  if (content.kind === "poison") {
    if (low !== 0) return EEXIST;
    restrictLeaf(mm, va, PTE_POISON);
    return 0;
  }
  const shared = (area.flags & VM_SHARED) !== 0;
  const cached = content.kind === "cached";
  if (hasPage(low) && !cached) return EEXIST;
  const page = content.kind === "copy" ? copiedPage(mm, area, va, content.page) : cachedPage(area, va);
  if (typeof page === "number") return page;
  if (hasPage(low)) return EEXIST;
  // What its owner puts there needs no further fault to be written; only a private page of the cache does.
  mapPage(mm, area, va, page, !shared && !cached, protect);
  const permits = (area.flags & VM_WRITE) !== 0 && (area.flags & VM_ACCESS_FLAGS) !== 0;
  if (!protect && !cached && permits) makeLeafWritable(mm, va);
  return 0;
}

function cachedPage(area: Area, va: number): HugePage | number {
  return hugePagesOf(area).hugeAt(hugeIndex(area, va)) ?? EFAULT;
}

/** A page of the pool with bytes of its owner's, entered in the page cache of a shared mapping. */
function copiedPage(
  mm: AddressSpace,
  area: Area,
  va: number,
  source: (va: number) => Uint8Array | null,
): HugePage | number {
  const pages = hugePagesOf(area);
  const index = hugeIndex(area, va);
  const shared = (area.flags & VM_SHARED) !== 0;
  if (shared && pages.hugeAt(index) !== undefined) return EEXIST;
  const bytes = new Uint8Array(HUGE_PAGE_BYTES);
  for (let at = 0; at < HUGE_PAGE_BYTES; at += 4096) {
    const part = source(va + at);
    if (part === null) return EFAULT;
    bytes.set(part, at);
  }
  if (shared && index >= Math.floor(pages.size / HUGE_PAGE_BYTES)) return EFAULT;
  const page = takeForArea(area, index);
  if (page === null) return ENOMEM;
  mm.env.hugePages.write(page, bytes);
  if (shared) pages.enter(index, page);
  return page;
}
