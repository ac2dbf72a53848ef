/*
 * Blocks of 2 MiB in the page cache of shared memory (folios of PMD order): 512 pages whose frames are neighbours, from a
 * multiple of 512 on. What else there is to a page stays as it is: each frame has the cache's reference.
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { FilePages } from "../file-pages.js";
import { PMD_ORDER } from "./orders.js";

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

/** Pages from `first` on that are one block, of 2^order. */
export interface Folio {
  readonly first: number;
  readonly order: number;
}

/** The block that a page is of, if it is of one. */
export function folioOf(pages: FilePages, index: number): Folio | null {
  if (pages.isInBlock(index)) return { first: blockStart(index), order: PMD_ORDER };
  if (pages.folios.size === 0) return null;
  for (let order = 1; order < PMD_ORDER; order++) {
    const first = index - (index % 2 ** order);
    if (pages.folios.get(first) === order) return { first, order };
  }
  return null;
}

/** Splits the smaller blocks that [offset, end) bytes reach into and do not cover, which nobody maps then. */
export function splitFolios(pages: FilePages, offset: number, end: number): void {
  for (const [first, order] of [...pages.folios]) {
    const last = first + 2 ** order;
    if (last * 4096 <= offset || first * 4096 >= end) continue;
    pages.folios.delete(first);
    if (offset <= first * 4096 && last * 4096 <= end) continue;
    pages.mappings.drop(first, last, false);
    keepUnevenly(pages, { first, order }, offset, end);
  }
}

/**
 * A block has been split for a hole of [offset, end) bytes: what can stay together does, halves and halves of
 * halves, around both ends of the hole (folio_split, truncate_inode_partial_folio).
 */
export function keepUnevenly(pages: FilePages, folio: Folio, offset: number, end: number): void {
  if (pages.sharedMemory?.settings.splitsUnevenly !== true) return;
  const last = folio.first + 2 ** folio.order;
  halve(pages, folio, Math.max(folio.first, Math.floor(offset / 4096)));
  const to = Math.floor(end / 4096);
  const rest = to < last ? folioOf(pages, to) : null;
  if (rest === null) return;
  pages.folios.delete(rest.first);
  halve(pages, rest, to);
}

/** Keeps each half that does not have a page in it, down to single pages. */
function halve(pages: FilePages, { first, order }: Folio, at: number): void {
  let start = first;
  for (let half = order - 1; half >= 0; half--) {
    const middle = start + 2 ** half;
    const other = at < middle ? middle : start;
    if (at >= middle) start = middle;
    if (half > 0 && pages.frameAt(other, false) !== -1 && pages.frameAt(other + 2 ** half - 1, false) !== -1)
      pages.folios.set(other, half);
  }
}

/** Brings 2^order pages of zeroes in as one block, as {@link bringInBlock} does those of 2 MiB. */
export function bringInFolio(pages: FilePages, { first, order }: Folio): boolean {
  const end = first + 2 ** order;
  for (let index = first; index < end; index++) if (pages.has(index) || pages.isReserved(index)) return false;
  if (!pages.hasRoom(2 ** order)) return false;
  for (let index = first; index < end; index++) if (pages.frameAt(index, true) === -1) return false;
  // To make room for one, another may have gone.
  for (let index = first; index < end; index++) if (pages.frameAt(index, false) === -1) return false;
  pages.folios.set(first, order);
  return true;
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
  for (const [first, order] of pages.folios)
    for (let index = first; index < first + 2 ** order; index++)
      if (pages.frameAt(index, false) === -1 || pages.isInBlock(index))
        wrong.push(`page ${index} is not of its block of order ${order}`);
  return wrong;
}
