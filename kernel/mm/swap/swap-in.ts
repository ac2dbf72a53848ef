/* Pages on their way back from a swap area (mm/memory.c do_swap_page, mm/swap_state.c). */
import { PTE_ANON, PTE_D } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { entryHigh, entryLow } from "../translations.js";
import { VM_LOCKED } from "../vm-flags.js";
import { isSwapped, KEPT_IN_ENTRY, slotOf } from "./entry.js";

/**
 * Puts a swapped page back into its entry, read-only: a write is the caller's next step, which copies the page if others
 * have it or wait for it. It stays in the swap cache, so that it need not be written again, unless the area is locked or
 * swap is nearly used up (should_try_to_free_swap).
 * @param low its entry
 * @returns false when no frame is left
 */
export function swapIn(mm: AddressSpace, area: Area, page: number, low: number): boolean {
  const { frames, swap } = mm.env;
  const slot = slotOf(low);
  const wasThere = swap.frameIn(slot) !== -1;
  const frame = swap.bringIn(slot);
  if (frame === -1) return false;
  mm.stats[wasThere ? "minorFaults" : "majorFaults"]++;
  frames.hold(frame);
  // Dirty, as every anonymous entry: one that is not could be dropped (lazy-free.ts).
  const back = entryLow(area) | PTE_ANON | PTE_D | (low & KEPT_IN_ENTRY);
  mm.translations.install(page, frame, back, entryHigh(area));
  if ((area.flags & VM_LOCKED) !== 0 || swap.isFull) swap.forget(frame);
  return true;
}

/** MADV_WILLNEED: reads what [start, end) has in swap areas into the swap cache; entries stay (swapin_walk_pmd_entry). */
export function readAhead(mm: AddressSpace, area: Area, start: number, end: number): void {
  const { swap } = mm.env;
  if (area.pages !== null) {
    for (let page = start; page < end; page += 4096) {
      const index = area.fileIndex(page);
      if (area.pages.isSwapped(index)) area.pages.frameAt(index, true);
    }
    return;
  }
  const slots: number[] = [];
  mm.tables.forEachPresentOrSwap(start, end, (_va, low) => {
    if (isSwapped(low)) slots.push(slotOf(low));
  });
  for (const slot of slots) swap.bringIn(slot);
}
