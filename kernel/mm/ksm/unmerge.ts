import { PTE_ANON, PTE_D, PTE_SOFT_DIRTY, pteFrame } from "../../../mmu/page-table-entry.js";
import { ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { prepareAnon } from "../merge.js";
import { entryHigh, entryLow, hasFrame } from "../translations.js";
import { VM_MERGEABLE } from "../vm-flags.js";
import type { SamePages } from "./same-pages.js";
import { isMergedZero } from "./zero-page.js";

/**
 * Gives every merged page of [start, end) of an area a frame of its own again, read-only until somebody writes
 * it (unmerge_ksm_pages, break_ksm).
 * @returns 0, or -ENOMEM when no frame is left: the pages before have theirs
 */
export function unmergeRange(mm: AddressSpace, area: Area, start: number, end: number): number {
  const { samePages, frames } = mm.env;
  if (samePages === null || area.anon === null || (area.flags & VM_MERGEABLE) === 0) return 0;
  const merged: number[] = [];
  mm.tables.forEachPresentOrSwap(start, end, (va, low) => {
    if (isMergedZero(frames, low) || (hasFrame(low) && samePages.isMerged(pteFrame(low)))) merged.push(va);
  });
  for (const va of merged) {
    const copy = frames.allocate();
    if (copy === -1) return -ENOMEM;
    const low = mm.translations.low(va);
    if (pteFrame(low) !== frames.zeroFrame) mm.translations.copyFrame(pteFrame(low), copy);
    prepareAnon(mm, area);
    const kept = PTE_D | (low & PTE_SOFT_DIRTY);
    mm.translations.install(va, copy, entryLow(area) | PTE_ANON | kept, entryHigh(area));
  }
  if (merged.length > 0) samePages.dropUnmapped();
  return 0;
}

/** `run` set to 2 (unmerge_and_remove_all_rmap_items). @returns 0 or -ENOMEM */
export function unmergeEverything(samePages: SamePages): number {
  for (const slot of [...samePages.slots]) {
    const { mm } = slot;
    if (!mm.released)
      for (const area of mm.tree) {
        const error = unmergeRange(mm, area, area.start, area.end);
        if (error !== 0) return error;
      }
    for (const item of [...slot.items.values()]) samePages.forget(item);
    if (mm.released) samePages.removeSlot(slot);
  }
  samePages.unstable = new Map();
  samePages.cursor = null;
  samePages.cursorAddress = 0;
  samePages.dropUnmapped();
  samePages.fullScans = 0;
  return 0;
}
