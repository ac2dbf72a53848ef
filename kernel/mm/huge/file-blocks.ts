/*
 * Blocks of 2 MiB in the page cache of shared memory (folios of PMD order): 512 pages whose frames are neighbours, from a
 * multiple of 512 on. What else there is to a page stays as it is: each frame has the cache's reference.
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { FilePages } from "../file-pages.js";

/** First page of the block that a page would be in. */
export function blockStart(index: number): number {
  return index - (index % RUN_FRAMES);
}

/**
 * Brings 512 pages of zeroes in as one block where none of them is.
 * @returns false, with nothing done, where one is there, or room or a run of frames is short
 */
export function bringInBlock(pages: FilePages, first: number): boolean {
  for (let index = first; index < first + RUN_FRAMES; index++)
    if (pages.has(index) || pages.isReserved(index)) return false;
  if (!pages.hasRoom(RUN_FRAMES)) return false;
  const events = pages.sharedMemory?.settings.events ?? null;
  const charged = pages.mayChargeBlock();
  const run = charged ? pages.allocateRun() : -1;
  if (events !== null) {
    events[run === -1 ? "thp_file_fallback" : "thp_file_alloc"]++;
    if (!charged) events.thp_file_fallback_charge++;
  }
  if (run === -1) return false;
  pages.keepBlock(first, run);
  return true;
}

/**
 * The block is one no longer, and nobody maps it: its pages are there one by one, but for those beyond the file's end,
 * which go (split_huge_page).
 * @returns false where somebody holds a page besides the cache and page tables: then it stays
 */
export function splitBlock(pages: FilePages, first: number): boolean {
  if (isHeldInBlock(pages, first)) return false;
  pages.mappings.drop(first, first + RUN_FRAMES, false);
  pages.partBlock(first);
  const events = pages.sharedMemory?.settings.events ?? null;
  if (events !== null) events.thp_split_page++;
  return true;
}

/** Somebody besides the cache and page tables has a page of the block (can_split_folio, is_refcount_suitable). */
export function isHeldInBlock(pages: FilePages, first: number): boolean {
  let references = 0;
  for (let index = first; index < first + RUN_FRAMES; index++) references += pages.sharersOf(index);
  return references !== pages.mappings.entries(first, first + RUN_FRAMES);
}

/** A block's pages are there and neighbours. @returns a line for each contradiction */
export function checkBlocks(pages: FilePages): string[] {
  const wrong: string[] = [];
  for (const first of pages.blocks) {
    const frame: PageFrame = pages.frameAt(first, false);
    if (first % RUN_FRAMES !== 0 || frame % RUN_FRAMES !== 0)
      wrong.push(`a block of 2 MiB begins at page ${first}, frame ${frame}`);
    for (let n = 1; n < RUN_FRAMES; n++)
      if (pages.frameAt(first + n, false) !== frame + n)
        wrong.push(`page ${first + n} is not where its block of 2 MiB has it`);
  }
  return wrong;
}
