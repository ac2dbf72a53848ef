/** Write protection through userfaultfd: UFFDIO_WRITEPROTECT, and PM_SCAN_WP_MATCHING of PAGEMAP_SCAN. */
import { PTE_RW, PTE_UFFD_WP, PTE_UFFD_WP_MARKER } from "../../../mmu/page-table-entry.js";
import type { EntryVisitor } from "../../../mmu/page-tables.js";
import { EINVAL, ENOENT, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { isSwapped } from "../swap/entry.js";
import { isHugetlb } from "../hugetlb/area.js";
import { isHugeRange, protectHugePages, unprotectHugePages } from "../hugetlb/userfault.js";
import { hasFrame, isUserfaultProtected } from "../translations.js";
import { VM_UFFD_WP } from "../vm-flags.js";

/**
 * Write-protects the pages of [start, end) of a registered area; those that are not there by a marker, where such are
 * (change_protection with MM_CP_UFFD_WP).
 * @returns false when no frame is left for a page table
 */
export function protectPages(mm: AddressSpace, area: Area, start: number, end: number): boolean {
  if (isHugetlb(area)) return protectHugePages(mm, area, start, end);
  // Of a file each page is protected by itself, there or not (pgtable_split_needed).
  if (area.pages !== null) mm.tables.large.splitRange(start, end);
  const { memory } = mm.env.frames;
  const protect: EntryVisitor = (_va, low, _high, entry) => {
    if (!hasFrame(low) && !isSwapped(low)) return;
    memory.u32[entry] = ((low & ~PTE_RW) | PTE_UFFD_WP) >>> 0;
    memory.entryWritten(entry);
  };
  mm.tables.forEachPresentOrSwap(start, end, protect, protect);
  mm.env.mmu.invalidateRange(start, end, mm.asid);
  if (area.userfault?.marksEmpty(area) !== true) return true;
  for (let page = start; page < end; page += 4096)
    if (mm.translations.low(page) === 0 && !mm.tables.set(page, 0, PTE_UFFD_WP_MARKER, 0)) return false;
  return true;
}

/** Lifts it again: the next write to a page that is there faults and finds nothing in its way. */
export function unprotectPages(mm: AddressSpace, area: Area, start: number, end: number): void {
  if (isHugetlb(area)) return unprotectHugePages(mm, area, start, end);
  const { memory } = mm.env.frames;
  const unprotect: EntryVisitor = (_va, low, _high, entry) => {
    if (!isUserfaultProtected(low)) return;
    memory.u32[entry] = hasFrame(low) || isSwapped(low) ? (low & ~PTE_UFFD_WP) >>> 0 : 0;
    memory.entryWritten(entry);
  };
  mm.tables.forEachPresentOrSwap(start, end, unprotect, unprotect);
}

/**
 * UFFDIO_WRITEPROTECT's work (mwriteprotect_range), area by area: those before the one that refuses are done.
 * @returns 0, -ENOENT (nothing mapped in the range, or not registered for it), -EINVAL (a part of a huge page), -ENOMEM
 */
export function writeProtectRange(mm: AddressSpace, start: number, end: number, on: boolean): number {
  let area = mm.tree.findFirst(start);
  const none = area === null || area.start >= end;
  for (; area !== null && area.start < end; area = area.next) {
    if ((area.flags & VM_UFFD_WP) === 0) return refuseProtect(mm, area);
    const [from, to] = [Math.max(start, area.start), Math.min(end, area.end)];
    if (isHugetlb(area) && !isHugeRange(area, start, end)) return refuseHugeRange(mm, area);
    if (!on) unprotectPages(mm, area, from, to);
    else if (!protectPages(mm, area, from, to)) return -ENOMEM;
  }
  return none ? refuseProtect(mm, null) : 0;
}

function refuseHugeRange(mm: AddressSpace, area: Area): number {
  return mm.refuse("userfaultfd.writeprotect", EINVAL, () => ({
    text: "the range begins or ends inside of a huge page",
    source: "mwriteprotect_range",
    area,
  }));
}

function refuseProtect(mm: AddressSpace, area: Area | null): number {
  return mm.refuse("userfaultfd.writeprotect", ENOENT, () => ({
    text: area === null ? "nothing is mapped there" : "the area is not registered for write protection",
    source: "mwriteprotect_range",
    area,
  }));
}
