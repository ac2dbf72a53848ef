import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { tellRemoved } from "../userfault/events.js";
import { pageBytesOf } from "./area.js";
import { dropLeaves } from "./leaves.js";

/**
 * MADV_DONTNEED and MADV_DONTNEED_LOCKED: whole pages only, those that the end reaches into stay
 * (madvise_dontneed_free_valid_vma).
 * @returns false where the range begins inside of a page
 */
export function discardHuge(mm: AddressSpace, area: Area, start: number, end: number): boolean {
  const bytes = pageBytesOf(area);
  if (start % bytes !== 0) return false;
  const stop = end - (end % bytes);
  if (stop <= start) return true;
  tellRemoved(area, start, stop);
  dropLeaves(mm, area, start, stop, true);
  return true;
}
