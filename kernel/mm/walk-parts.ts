import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";

/** Some of the range is not mapped. */
export const HOLE = 1;

/**
 * Calls `visit` with each part of [start, end) that an area maps, lowest first, and passes over what is not mapped
 * (madvise_walk_vmas).
 * @param visit 0, or a negative errno that ends the walk
 * @returns that errno; HOLE where the range had one; otherwise 0
 */
export function walkParts(
  mm: AddressSpace,
  start: number,
  end: number,
  visit: (area: Area, start: number, end: number) => number,
): number {
  let found = 0;
  for (let area = mm.tree.findFirst(start); start < end; area = mm.tree.findFirst(start)) {
    if (area === null || area.start >= end) return HOLE;
    if (area.start > start) {
      found = HOLE;
      start = area.start;
    }
    const to = Math.min(area.end, end);
    const error = visit(area, start, to);
    if (error !== 0) return error;
    start = to;
  }
  return found;
}
