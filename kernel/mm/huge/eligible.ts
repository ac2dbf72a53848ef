/** Which memory may have pages of 2 MiB (thp_vma_allowable_order, vma_thp_disabled). */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { HUGE_BYTES } from "../translations.js";
import { VM_HUGEPAGE, VM_NOHUGEPAGE, VM_SHARED, VM_SPECIAL } from "../vm-flags.js";

/** What prctl(PR_SET_THP_DISABLE) takes from a process: nothing, all, or what is not advised with MADV_HUGEPAGE (6.18). */
export type HugePagesDisabled = "no" | "all" | "unless-advised";

/** @param forced MADV_COLLAPSE asks, which is advice too */
function disabled(mm: AddressSpace, area: Area, forced: boolean): boolean {
  if ((area.flags & VM_NOHUGEPAGE) !== 0 || mm.hugePagesDisabled === "all") return true;
  return mm.hugePagesDisabled === "unless-advised" && !forced && (area.flags & VM_HUGEPAGE) === 0;
}

/** transparent_hugepage/enabled is for this area. */
function enabled(mm: AddressSpace, area: Area): boolean {
  const { hugePages } = mm.env.settings;
  return hugePages === "always" || (hugePages === "madvise" && (area.flags & VM_HUGEPAGE) !== 0);
}

/** Faults in this area may bring in 2 MiB at once, where it covers them. */
export function mayBeHuge(mm: AddressSpace, area: Area): boolean {
  return (
    enabled(mm, area) &&
    area.isAnonymous &&
    (area.flags & (VM_SPECIAL | VM_SHARED)) === 0 &&
    !disabled(mm, area, false)
  );
}

/** The area covers a whole 2 MiB that start at a multiple of it. */
export function holdsHuge(area: Area): boolean {
  return Math.ceil(area.start / HUGE_BYTES) * HUGE_BYTES + HUGE_BYTES <= area.end;
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
  return forced || enabled(mm, area) ? null : "transparent_hugepage/enabled is not for it";
}
