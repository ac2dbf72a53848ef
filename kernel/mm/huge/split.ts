import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import { PTE_ANON, PTE_SOFT_DIRTY, PTE_UFFD_WP, pteFrame } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { sameContent } from "../ksm/frame-content.js";
import { entryHigh, entryLow, HUGE_BYTES } from "../translations.js";
import { VM_LOCKED } from "../vm-flags.js";

/**
 * For advice on a part of 2 MiB, its frames part too (split_folio), not only the leaf: at both ends of [start, end).
 * What others have as well, zeroes that all share among it, stays in one piece, and out of the advice.
 * @returns the range that is left for the advice
 */
export function splitEnds(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } {
  const [first, last] = [start - (start % HUGE_BYTES), end - (end % HUGE_BYTES)];
  const parted = (unit: number): boolean =>
    mm.tables.large.entryOf(unit) === 0 || splitFrames(mm, area, unit);
  const from = start === first || parted(first) ? start : first + HUGE_BYTES;
  const to = end === last || parted(last) ? end : last;
  return { start: from, end: Math.max(from, to) };
}

/** The same of a block of shared memory. @param references of its first page: the cache's, and one where it is mapped once */
function splitOwnBlock(area: Area, start: number, references: number): boolean {
  return references === 2 && area.pages?.blocks?.split(area.fileIndex(start)) === true;
}

/** @param start of the leaf. @returns false where somebody else has the frames */
export function splitFrames(mm: AddressSpace, area: Area, start: number): boolean {
  const { tables } = mm;
  const { frames } = mm.env;
  const entry = tables.large.entryOf(start);
  const low = frames.memory.u32[entry];
  if (tables.large.isFiles(low, 0)) return splitOwnBlock(area, start, frames.references(pteFrame(low)));
  if (pteFrame(low) === frames.hugeZeroFrame || !frames.isSoleRun(pteFrame(low))) return false;
  tables.large.split(entry, start);
  shareZeroes(mm, area, start);
  return true;
}

/** Frames of 2 MiB, just parted, that are zeroes become the page of zeroes (try_to_map_unused_to_zeropage). @param start of the first */
export function shareZeroes(mm: AddressSpace, area: Area, start: number): void {
  const { translations } = mm;
  const { frames, release } = mm.env;
  if (!release.splitSharesZeroes || (area.flags & VM_LOCKED) !== 0) return;
  for (let va = start; va < start + RUN_FRAMES * 4096; va += 4096) {
    const page = translations.low(va);
    if ((page & PTE_ANON) === 0 || !sameContent(frames.memory, pteFrame(page), frames.zeroFrame)) continue;
    const kept = page & (PTE_SOFT_DIRTY | PTE_UFFD_WP);
    translations.install(va, frames.zeroFrame, entryLow(area) | kept, entryHigh(area));
  }
}
