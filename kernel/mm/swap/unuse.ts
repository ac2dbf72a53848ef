/* swapoff: everything comes back (mm/swapfile.c try_to_unuse). */
import { ENOMEM } from "../../errno.js";
import { PTE_ANON, PTE_D } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import { entryHigh, entryLow } from "../translations.js";
import { isSwapped, KEPT_IN_ENTRY, slotOf, slotType } from "./entry.js";
import type { SwapArea } from "./swap-area.js";
import type { SwapSpace } from "./swap-space.js";

/**
 * Empties an area, to which nothing is written any more.
 * @returns 0, or -ENOMEM where memory cannot take all of it: what came back stays in memory
 */
export function emptyArea(swap: SwapSpace, area: SwapArea): number {
  for (const pages of [...swap.sharedMemory]) if (!pages.swapInAll(area.type)) return -ENOMEM;
  for (const mm of swap.spaces) if (!bringAllBack(swap, mm, area.type)) return -ENOMEM;
  for (const [slot, frame] of swap.cachedSlots()) if (slotType(slot) === area.type) swap.leave(slot, frame);
  return 0;
}

function bringAllBack(swap: SwapSpace, mm: AddressSpace, type: number): boolean {
  if (mm.swapPages === 0) return true;
  const { frames } = swap;
  let enough = true;
  for (const area of mm.tree)
    mm.tables.forEachPresentOrSwap(area.start, area.end, (va, _low, _high, entry) => {
      // Read only now: room for one page may have been made by swapping another.
      const low = frames.memory.u32[entry];
      if (!enough || !isSwapped(low) || slotType(slotOf(low)) !== type) return;
      const frame = swap.bringIn(slotOf(low));
      if (frame === -1) {
        enough = false;
        return;
      }
      frames.hold(frame);
      const back = entryLow(area) | PTE_ANON | PTE_D | (low & KEPT_IN_ENTRY);
      mm.translations.install(va, frame, back, entryHigh(area));
    });
  return enough;
}
