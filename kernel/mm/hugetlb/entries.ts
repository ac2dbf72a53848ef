/** What operations do with the entries of an area, whether of huge pages or not. */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { isHugetlb } from "./area.js";
import { moveLeaves, protectLeaves } from "./leaves.js";

/** Rewrites the entries of [start, end) for the area's present protection and key. */
export function protectEntries(mm: AddressSpace, area: Area, start: number, end: number): void {
  if (isHugetlb(area)) protectLeaves(mm, area, start, end);
  else mm.translations.protect(area, start, end);
}

/**
 * Moves the entries of [from, from + length) to `to`.
 * @param protection what is write-protected through userfaultfd stays so
 * @returns bytes moved: fewer without a frame for a page table
 */
export function moveEntries(
  mm: AddressSpace,
  area: Area,
  from: number,
  to: number,
  length: number,
  protection: boolean,
): number {
  return isHugetlb(area)
    ? moveLeaves(mm, area, from, to, length, protection)
    : mm.translations.move(from, to, length, protection, area.userfault === null || protection);
}
