/* Pages on their way to a swap area (mm/vmscan.c shrink_folio_list, for pages of programs). */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import { PTE_A, PTE_ANON, PTE_PS, pteFrame } from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { FilePages } from "../file-pages.js";
import { blockStart } from "../huge/file-blocks.js";
import { splitFrames } from "../huge/split.js";
import { isLazyFree } from "../lazy-free.js";
import { HUGE_BYTES, hasFrame } from "../translations.js";
import type { SwapSpace } from "./swap-space.js";
import { VM_DROPPABLE, VM_LOCKED } from "../vm-flags.js";

/** Pages of the area may go: nobody locked them, and they are not such as are dropped instead. */
function mayGo(area: Area | null): boolean {
  return area !== null && (area.flags & (VM_LOCKED | VM_DROPPABLE)) === 0;
}

/**
 * Swaps out one anonymous page that is in memory.
 * @param mappedOnce leave it where another address space has it too, as MADV_PAGEOUT does
 * @returns false where it must stay: locked, pinned, merged with others, held by somebody besides page tables; or no
 *   swap area has room
 */
export function pageOut(mm: AddressSpace, area: Area, va: number, mappedOnce: boolean): boolean {
  const { frames, swap, pins, samePages, vmEvents } = mm.env;
  const low = mm.translations.low(va);
  if (!hasFrame(low) || (low & PTE_ANON) === 0 || !mayGo(area)) return false;
  const frame = pteFrame(low);
  if (pins.of(frame) > 0 || samePages?.isMerged(frame) === true) return false;
  const mappers = frames.references(frame) - (swap.isCached(frame) ? 1 : 0);
  if (isLazyFree(low)) {
    if (mappers !== 1) return false;
    mm.translations.drop(va, va + 4096, "pages");
    vmEvents.pglazyfreed++;
    return true;
  }
  const sharers = mappers === 1 ? [mm] : mappedOnce ? [] : sharersOf(mm, va, frame);
  if (sharers.length !== mappers) return false;
  const slot = swap.store(frame);
  if (slot === -1) return false;
  for (const each of sharers) each.translations.swapOut(va, slot);
  swap.leave(slot, frame);
  return true;
}

/** Families have a page at the same address in all of them, unless one moved it. */
function sharersOf(mm: AddressSpace, va: number, frame: PageFrame): AddressSpace[] {
  return [...mm.env.swap.spaces].filter((each) => {
    const low = each.translations.low(va);
    if (!hasFrame(low) || (low & PTE_ANON) === 0 || pteFrame(low) !== frame) return false;
    return mayGo(each.findArea(va));
  });
}

/**
 * MADV_PAGEOUT on [start, end) of an area: pages that nobody else maps go at once, accessed lately or not
 * (madvise_cold_or_pageout_pte_range, reclaim_pages). Those of a file go if they can be read again; those of shared
 * memory to a swap area.
 * @param files pages of files too: the caller owns the file or could write it (can_do_file_pageout)
 */
export function pageOutRange(mm: AddressSpace, area: Area, start: number, end: number, files: boolean): void {
  const { frames, swap, pins } = mm.env;
  // What goes to no swap area as a whole parts, to go page by page (shrink_folio_list).
  if (swap.free === 0 && mayGo(area))
    mm.tables.forEachHuge((va, low) => {
      const lies = va >= start && va + HUGE_BYTES <= end;
      if (lies && (low & PTE_ANON) !== 0 && !pins.anyOf(pteFrame(low), RUN_FRAMES)) splitFrames(mm, area, va);
    });
  const pages: number[] = [];
  mm.tables.forEachPresentOrSwap(start, end, (va, low) => {
    if (hasFrame(low) && pteFrame(low) !== frames.zeroFrame) pages.push(va);
  });
  for (const va of pages) {
    const low = mm.translations.low(va);
    if (!hasFrame(low)) continue;
    if ((low & PTE_ANON) !== 0) pageOut(mm, area, va, true);
    // The page cache and this entry have it.
    else if (files && frames.references(pteFrame(low)) === 2 && area.pages !== null) {
      const index = area.fileIndex(va);
      if ((low & PTE_PS) === 0) area.pages.evict(index, mm.env.swap);
      else evictBlock(area.pages, blockStart(index), mm.env.swap);
    }
  }
}

/** Sends the pages of a block of 2 MiB to a swap area, as many as go. */
function evictBlock(pages: FilePages, first: number, swap: SwapSpace): void {
  for (let index = first; index < first + RUN_FRAMES; index++) if (!pages.evict(index, swap)) return;
}

/** MADV_COLD: the pages of [start, end) that nobody else maps count as not accessed lately. */
export function coolRange(mm: AddressSpace, start: number, end: number): void {
  const { frames, mmu, swap } = mm.env;
  const { memory } = frames;
  const cool = (entry: number, low: number): void => {
    memory.u32[entry] = (low & ~PTE_A) >>> 0;
    memory.entryWritten(entry);
  };
  mm.tables.forEachPresentOrSwap(
    start,
    end,
    (_va, low, _high, entry) => {
      if (!hasFrame(low) || (low & PTE_A) === 0) return;
      const frame = pteFrame(low);
      const own = (low & PTE_ANON) === 0 || swap.isCached(frame) ? 2 : 1;
      if (frames.references(frame) === own) cool(entry, low);
    },
    (_va, low, _high, entry) => {
      const files = (low & PTE_ANON) === 0 && frames.references(pteFrame(low)) === 2;
      if (files || frames.isSoleRun(pteFrame(low))) cool(entry, low);
    },
  );
  mmu.invalidateRange(start, end, mm.asid);
}
