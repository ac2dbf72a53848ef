import type { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PTE_D, pteFrame } from "../../../mmu/page-table-entry.js";
import { hasFrame } from "../translations.js";

/** An entry of the page of zeroes that a page of zeroes was merged into: it is dirty (is_ksm_zero_pte). */
export function isMergedZero(frames: FrameAllocator, low: number): boolean {
  return hasFrame(low) && pteFrame(low) === frames.zeroFrame && (low & PTE_D) !== 0;
}
