/** Where a page fault turns into a message to a userfaultfd (handle_userfault). */
import { PTE_RW, PTE_UFFD_WP } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { VM_UFFD_MINOR, VM_UFFD_MISSING, VM_UFFD_WP } from "../vm-flags.js";
import { isShmem } from "./register.js";

/** A page that is not there yet is for the area's userfaultfd to fill (userfaultfd_missing). */
export function missingIsWatched(area: Area): boolean {
  return (area.flags & VM_UFFD_MISSING) !== 0;
}

/** The same of a page of shared memory: one that its page cache has is not missing. @param index of the file's page */
export function missingInCache(area: Area, index: number): boolean {
  return missingIsWatched(area) && isShmem(area) && !isCached(area, index);
}

/** The page cache of an area's shared memory has the page, or room that fallocate made for it. @param index of the file's page */
export function isCached({ pages }: Area, index: number): boolean {
  return pages !== null && (pages.has(index) || pages.room.isReserved(index));
}

/** A page of shared memory that its page cache has, but this address space not yet (userfaultfd_minor). */
export function presentInCache(area: Area, index: number): boolean {
  return (area.flags & VM_UFFD_MINOR) !== 0 && isShmem(area) && isCached(area, index);
}

/** No neighbours are entered beside a page that faults (uffd_disable_fault_around; shm_vm_ops have no map_pages). */
export function entersAlone(area: Area): boolean {
  return (area.flags & (VM_UFFD_WP | VM_UFFD_MINOR)) !== 0 || area.file?.isSegment === true;
}

/**
 * A write has met a page that is write-protected through userfaultfd.
 * @returns true when that was all: the protection is lifted and the write is a fault like any other
 */
export function liftsProtection(mm: AddressSpace, area: Area, page: number): boolean {
  if (area.userfault?.isAsync !== true) return false;
  mm.tables.large.splitRange(page, page + 4096);
  const entry = mm.translations.entryIndex(page);
  const { memory } = mm.env.frames;
  memory.u32[entry] = (memory.u32[entry] & ~PTE_UFFD_WP) >>> 0;
  memory.entryWritten(entry);
  return true;
}

/** What has just come in where there was a marker is write-protected itself; no TLB has seen its entry. */
export function protectNewPage(mm: AddressSpace, page: number): void {
  const entry = mm.translations.entryIndex(page);
  const { memory } = mm.env.frames;
  memory.u32[entry] = ((memory.u32[entry] & ~PTE_RW) | PTE_UFFD_WP) >>> 0;
  memory.entryWritten(entry);
}
