/* Swap areas come and go (mm/swapfile.c). */
import { commit, uncommit } from "../accounting.js";
import type { AddressSpace } from "../address-space.js";
import { ENOMEM } from "../../errno.js";
import { MAX_SWAPFILES } from "./entry.js";
import { SwapArea, type SwapAreaParts } from "./swap-area.js";
import type { SwapSpace } from "./swap-space.js";
import { emptyArea } from "./unuse.js";

/** The number that the next area gets; -1 when there are as many as there can be. */
export function freeType(swap: SwapSpace): number {
  for (let type = 0; type < MAX_SWAPFILES; type++) if ((swap.areas[type] ?? null) === null) return type;
  return -1;
}

/**
 * Puts an area into force.
 * @param priority null: below those that have none of their own either, or (`descend` false) -1
 */
export function addArea(
  swap: SwapSpace,
  parts: Omit<SwapAreaParts, "type" | "priority">,
  priority: number | null,
  descend: boolean,
): SwapArea {
  const own = priority ?? (descend ? --swap.leastPriority : -1);
  const area = new SwapArea({ ...parts, type: freeType(swap), priority: own });
  swap.add(area);
  return area;
}

/**
 * Takes an area out of force, with everything in it back in memory.
 * @param mm of who asks
 * @returns 0 or -ENOMEM: more would be committed then than can be, or memory cannot take it all
 */
export function removeArea(swap: SwapSpace, area: SwapArea, mm: AddressSpace): number {
  const refuse = (source: string, text: string): number =>
    mm.refuse("swapoff.memory", ENOMEM, () => ({ text, source }));
  if (!commit(mm, area.usable))
    return refuse("vm_enough_memory", "what is in it cannot be committed without it");
  uncommit(mm, area.usable);
  area.writable = false;
  const error = emptyArea(swap, area);
  if (error !== 0) {
    area.writable = true;
    return refuse("try_to_unuse", "memory cannot take back what is in it");
  }
  const { priority } = area;
  swap.remove(area);
  // Those below move up (swapoff); what 6.19 gives none of its own stays at -1.
  if (priority < -1) {
    for (const other of swap.areas) if (other !== null && other.priority < priority) other.priority++;
    swap.leastPriority++;
  }
  area.host.released();
  return 0;
}
