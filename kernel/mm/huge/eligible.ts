/** Which memory may have pages of 2 MiB (thp_vma_allowable_order, vma_thp_disabled). */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { HUGE_BYTES } from "../translations.js";
import { LEAST_ORDER, orderEnabled, PMD_ORDER } from "./orders.js";
import { LEAST_SHARED_ORDER, sharedOrderAllowed } from "./shared-mount.js";
import { VM_HUGEPAGE, VM_HUGETLB, VM_NOHUGEPAGE, VM_SHARED, VM_SPECIAL } from "../vm-flags.js";

/** What prctl(PR_SET_THP_DISABLE) takes from a process: nothing, all, or what is not advised with MADV_HUGEPAGE (6.18). */
export type HugePagesDisabled = "no" | "all" | "unless-advised";

/** Of an area (vma_thp_disabled). @param forced MADV_COLLAPSE asks, which is advice too */
export function hugePagesDisabled(mm: AddressSpace, area: Area, forced: boolean): boolean {
  if ((area.flags & VM_NOHUGEPAGE) !== 0 || mm.hugePagesDisabled === "all") return true;
  return mm.hugePagesDisabled === "unless-advised" && !forced && (area.flags & VM_HUGEPAGE) === 0;
}

/** Memory of a kind that may have huge pages, as far as it is turned on. */
export function allowsHuge(mm: AddressSpace, area: Area): boolean {
  return (
    area.isAnonymous && (area.flags & (VM_SPECIAL | VM_SHARED)) === 0 && !hugePagesDisabled(mm, area, false)
  );
}

/** Faults in this area may bring in 2 MiB at once, where it covers them. */
export function mayBeHuge(mm: AddressSpace, area: Area): boolean {
  return orderEnabled(mm.env.settings, PMD_ORDER, area.flags) && allowsHuge(mm, area);
}

/** THPeligible of smaps: of some size that is turned on the area covers a block. */
export function isEligible(mm: AddressSpace, area: Area): boolean {
  const shared = area.pages?.sharedMemory ?? null;
  if (shared !== null) return isSharedEligible(mm, area);
  if (!allowsHuge(mm, area)) return false;
  for (let order = LEAST_ORDER; order <= PMD_ORDER; order++)
    if (orderEnabled(mm.env.settings, order, area.flags) && holdsHuge(area, 4096 * 2 ** order)) return true;
  return false;
}

/** The same of shared memory. */
function isSharedEligible(mm: AddressSpace, area: Area): boolean {
  if (hugePagesDisabled(mm, area, false)) return false;
  for (let order = LEAST_SHARED_ORDER; order <= PMD_ORDER; order++)
    if (allowsShared(area, order) && holdsShared(area, 4096 * 2 ** order)) return true;
  return false;
}

/** Its mount and settings let shared memory have blocks of an order at the area's first page. */
function allowsShared(area: Area, order: number): boolean {
  const mount = area.pages?.sharedMemory ?? null;
  if (mount === null || area.pages === null) return false;
  const { size } = area.pages;
  return sharedOrderAllowed({ mount, index: area.pageOffset, size, flags: area.flags }, order);
}

/** The area covers a block of the file, at the place in memory that it has in the file. */
function holdsShared(area: Area, bytes: number): boolean {
  return (area.start - area.pageOffset * 4096) % bytes === 0 && holdsHuge(area, bytes);
}

/** The area covers 2 MiB, or as many bytes, that start at a multiple of it. */
export function holdsHuge(area: Area, bytes = HUGE_BYTES): boolean {
  return Math.ceil(area.start / bytes) * bytes + bytes <= area.end;
}

/**
 * Pages that are there may become 2 MiB.
 * @param forced by MADV_COLLAPSE, whatever transparent_hugepage/enabled says
 * @returns null, or why not
 */
export function whyNotCollapsible(mm: AddressSpace, area: Area, forced: boolean): string | null {
  if (hugePagesDisabled(mm, area, forced)) return "huge pages are turned off for it";
  if ((area.flags & (VM_SPECIAL | VM_HUGETLB)) !== 0) return "its pages are no such memory";
  const shared = area.pages?.sharedMemory ?? null;
  if (shared !== null) {
    if (!holdsShared(area, HUGE_BYTES)) return "the area holds no aligned 2 MiB of its file";
    if (forced) return shared.settings.enabled === "deny" ? "shmem_enabled denies it" : null;
    return allowsShared(area, PMD_ORDER) ? null : "shmem_enabled, or the mount's huge=, is not for it";
  }
  if (!area.isAnonymous) return "pages of files become no huge pages, but those of shared memory";
  if (!holdsHuge(area)) return "the area holds no aligned 2 MiB";
  if (area.anon === null) return "nothing of the area has been written";
  return forced || orderEnabled(mm.env.settings, PMD_ORDER, area.flags)
    ? null
    : "transparent_hugepage/enabled is not for it";
}
