import type { AddressSpace } from "./address-space.js";
import {
  LOW_WINDOW_END,
  LOW_WINDOW_START,
  TASK_SIZE,
  TASK_SIZE_32,
  UNMAPPED_BASE,
  UNMAPPED_BASE_32,
} from "./layout.js";
import { MAP_32BIT, MAP_ABOVE4G } from "./uapi.js";

const FOUR_GIB = 2 ** 32;
const HUGE = 2 ** 21;

/**
 * Finds a place for a new mapping of `length` bytes (arch_get_unmapped_area_topdown): at the hint if that is free
 * and the next area's guard gap permits, else in the highest gap below mmap_base, else in the lowest gap above
 * UNMAPPED_BASE.
 * @param hint a page address or 0
 * @param hugeAligned anonymous memory of whole 2 MiB units is aligned to 2 MiB where possible
 * @returns the address, or -1
 */
export function findUnmappedArea(
  mm: AddressSpace,
  hint: number,
  length: number,
  flags: number,
  hugeAligned: boolean,
): number {
  const { tree, layout } = mm;
  if (mm.env.machine.in32BitCall === true) return findFor32Bit(mm, hint, length);
  if ((flags & MAP_32BIT) !== 0) return findLow(mm, hint, length);
  if (layout.bottomUp) return fits(mm, hint, length, TASK_SIZE) ? hint : bottomUp(mm, length);
  if (fits(mm, hint, length, TASK_SIZE)) return hint;
  const floor = (flags & MAP_ABOVE4G) !== 0 ? FOUR_GIB : 4096;
  if (hugeAligned && hint === 0 && length % HUGE === 0) {
    const found = tree.highestGap(length + HUGE, floor, layout.mmapBase);
    if (found !== -1) {
      // The highest aligned address in the upper part of the gap found.
      const top = found + HUGE;
      return top - (top % HUGE);
    }
  }
  const found = tree.highestGap(length, floor, layout.mmapBase);
  return found !== -1 ? found : bottomUp(mm, length);
}

/**
 * As `findUnmappedArea`, for memory of huge pages: always at a multiple of their size, a hint rounded to one.
 * @param bytes of a huge page
 */
export function findUnmappedHuge(
  mm: AddressSpace,
  hint: number,
  length: number,
  flags: number,
  bytes: number,
): number {
  const { tree, layout } = mm;
  const { hugetlbPlacesItself } = mm.env.release;
  const round = hugetlbPlacesItself ? Math.floor : Math.ceil;
  const aligned = round(hint / bytes) * bytes;
  const in32BitCall = mm.env.machine.in32BitCall === true;
  const heeds = !in32BitCall && !hugetlbPlacesItself;
  const low = heeds && (flags & MAP_32BIT) !== 0;
  const end = in32BitCall ? TASK_SIZE_32 : TASK_SIZE;
  if (fits(mm, aligned, length, low ? LOW_WINDOW_END : end)) return aligned;
  const sought = length + bytes - 4096;
  const up = (floor: number, ceiling: number): number => {
    const found = tree.lowestGap(sought, floor, ceiling);
    return found === -1 ? -1 : Math.ceil(found / bytes) * bytes;
  };
  if (low) return up(LOW_WINDOW_START, LOW_WINDOW_END);
  if (!layout.bottomUp) {
    const floor = heeds && (flags & MAP_ABOVE4G) !== 0 ? FOUR_GIB : 4096;
    const found = tree.highestGap(sought, floor, in32BitCall ? layout.mmapBase32 : layout.mmapBase);
    if (found !== -1) return Math.floor((found + bytes - 4096) / bytes) * bytes;
  }
  return up(in32BitCall ? UNMAPPED_BASE_32 : UNMAPPED_BASE, end);
}

function bottomUp(mm: AddressSpace, length: number): number {
  return mm.tree.lowestGap(length, UNMAPPED_BASE, TASK_SIZE);
}

/** MAP_32BIT: the lowest gap between 1 and 2 GiB; a hint may lie lower. */
function findLow(mm: AddressSpace, hint: number, length: number): number {
  if (length > LOW_WINDOW_END - LOW_WINDOW_START) return -1;
  if (fits(mm, hint, length, LOW_WINDOW_END)) return hint;
  return mm.tree.lowestGap(length, LOW_WINDOW_START, LOW_WINDOW_END);
}

/** For a call of 32-bit programs, below 4 GiB; MAP_32BIT says nothing new there. */
function findFor32Bit(mm: AddressSpace, hint: number, length: number): number {
  const { tree, layout } = mm;
  if (fits(mm, hint, length, TASK_SIZE_32)) return hint;
  const found = layout.bottomUp ? -1 : tree.highestGap(length, 4096, layout.mmapBase32);
  return found !== -1 ? found : tree.lowestGap(length, UNMAPPED_BASE_32, TASK_SIZE_32);
}

/** A hint holds when the range is free and ends below the next area's guard gap; what lies below may be close. */
function fits(mm: AddressSpace, hint: number, length: number, limit: number): boolean {
  if (hint === 0 || hint + length > limit) return false;
  const next = mm.tree.findFirst(hint);
  return next === null || (next.start > hint && hint + length <= mm.tree.startWithGuard(next));
}
