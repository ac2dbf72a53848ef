import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { tellRemoved } from "../userfault/events.js";
import { dropLeaves } from "./leaves.js";
import { HUGE_PAGE_BYTES } from "./pool.js";

/**
 * MADV_DONTNEED and MADV_DONTNEED_LOCKED: whole pages only, those that the end reaches into stay
 * (madvise_dontneed_free_valid_vma).
 * @returns false where the range begins inside of a page
 */
export function discardHuge(mm: AddressSpace, area: Area, start: number, end: number): boolean {
  if (start % HUGE_PAGE_BYTES !== 0) return false;
  const stop = end - (end % HUGE_PAGE_BYTES);
  if (stop <= start) return true;
  tellRemoved(area, start, stop);
  dropLeaves(mm, area, start, stop, true);
  return true;
}
