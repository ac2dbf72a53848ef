/** Which memory may have pages of 2 MiB (thp_vma_allowable_order, vma_thp_disabled). */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { HUGE_BYTES } from "../translations.js";
import { LEAST_ORDER, orderEnabled, PMD_ORDER } from "./orders.js";
import { VM_HUGEPAGE, VM_NOHUGEPAGE, VM_SHARED, VM_SPECIAL } from "../vm-flags.js";

/** What prctl(PR_SET_THP_DISABLE) takes from a process: nothing, all, or what is not advised with MADV_HUGEPAGE (6.18). */
export type HugePagesDisabled = "no" | "all" | "unless-advised";

/** @param forced MADV_COLLAPSE asks, which is advice too */
function disabled(mm: AddressSpace, area: Area, forced: boolean): boolean {
  if ((area.flags & VM_NOHUGEPAGE) !== 0 || mm.hugePagesDisabled === "all") return true;
  return mm.hugePagesDisabled === "unless-advised" && !forced && (area.flags & VM_HUGEPAGE) === 0;
}

/** Memory of a kind that may have huge pages, as far as it is turned on. */
export function allowsHuge(mm: AddressSpace, area: Area): boolean {
  return area.isAnonymous && (area.flags & (VM_SPECIAL | VM_SHARED)) === 0 && !disabled(mm, area, false);
}

/** Faults in this area may bring in 2 MiB at once, where it covers them. */
export function mayBeHuge(mm: AddressSpace, area: Area): boolean {
  return orderEnabled(mm.env.settings, PMD_ORDER, area.flags) && allowsHuge(mm, area);
}

/** THPeligible of smaps: of some size that is turned on the area covers a block. */
export function isEligible(mm: AddressSpace, area: Area): boolean {
  if (!allowsHuge(mm, area)) return false;
  for (let order = LEAST_ORDER; order <= PMD_ORDER; order++)
    if (orderEnabled(mm.env.settings, order, area.flags) && holdsHuge(area, 4096 * 2 ** order)) return true;
  return false;
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
  if (disabled(mm, area, forced)) return "huge pages are turned off for it";
  if ((area.flags & (VM_SPECIAL | VM_SHARED)) !== 0 || !area.isAnonymous)
    return "only private anonymous memory can become huge pages";
  if (!holdsHuge(area)) return "the area holds no aligned 2 MiB";
  if (area.anon === null) return "nothing of the area has been written";
  return forced || orderEnabled(mm.env.settings, PMD_ORDER, area.flags)
    ? null
    : "transparent_hugepage/enabled is not for it";
}
