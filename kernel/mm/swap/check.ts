import type { AddressSpace } from "../address-space.js";
import { isSwapped, slotOf, slotPage, swapSlot, type SwapSlot } from "./entry.js";
import type { SwapSpace } from "./swap-space.js";

/**
 * Each page of a swap area is counted as often as entries and page caches have it, and is given out just where it is
 * counted or in the swap cache; no page in the swap cache differs from the one in its area.
 * @param spaces all address spaces of the machine
 */
export function checkSwap(swap: SwapSpace, spaces: Iterable<AddressSpace>): string[] {
  const wrong: string[] = [];
  const found = new Map<SwapSlot, number>();
  const add = (slot: SwapSlot): void => void found.set(slot, (found.get(slot) ?? 0) + 1);
  for (const mm of spaces) {
    if (!swap.spaces.has(mm)) wrong.push(`mm ${mm.asid} is not looked through for pages to swap`);
    mm.tables.forEachPresentOrSwap(0, 2 ** 47, (_va, low) => {
      if (isSwapped(low)) add(slotOf(low));
    });
  }
  for (const pages of swap.sharedMemory) for (const slot of pages.swapSlots()) add(slot);
  for (const area of swap.areas) {
    if (area === null) continue;
    let used = 0;
    for (const page of area.usedPages()) {
      const slot = swapSlot(area.type, page);
      const expected = found.get(slot) ?? 0;
      const cached = swap.frameIn(slot) !== -1;
      found.delete(slot);
      if (area.count(page) !== expected)
        wrong.push(
          `page ${page} of swap area ${area.type} is counted ${area.count(page)} times, but found ${expected} times`,
        );
      // A bad page is given out to nobody.
      if (expected > 0 || cached) used++;
    }
    if (used !== area.used)
      wrong.push(`swap area ${area.type} has ${used} pages in use, but counts ${area.used}`);
  }
  for (const slot of found.keys())
    wrong.push(`page ${slotPage(slot)} of a swap area is found, but not given out`);
  const bytes = new Uint8Array(4096);
  for (const [slot, frame] of swap.cachedSlots()) {
    swap.areaOf(slot).store.readPage(slotPage(slot), bytes);
    const inMemory = swap.frames.memory.frameBytes(frame);
    if (bytes.some((byte, i) => byte !== inMemory[i]))
      wrong.push(`frame ${frame} differs from its page in a swap area`);
  }
  return wrong;
}
