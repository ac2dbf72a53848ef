/*
 * The entry of an anonymous page that has been swapped out, as `low` half:
 *
 *   31..12 page number in the swap area | 11 soft-dirty | 10 PTE_ANON | 9 PTE_UFFD_WP | 6..2 number of the area
 *
 * P and PTE_PROT_NONE are clear: that, with PTE_ANON, tells it from an empty entry and from the markers. The soft-dirty
 * and userfaultfd bits stand where an entry with a frame has them. The high half is 0: rights and key come from the area
 * when the page comes back.
 */
import {
  PTE_ANON,
  PTE_P,
  PTE_PROT_NONE,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
} from "../../../mmu/page-table-entry.js";

/**
 * A page of a swap area, as one number: the area's number times MAX_AREA_PAGES and the page's in it (swp_entry_t).
 */
export type SwapSlot = number;

/** Pages that one swap area can have here: 4 GiB. */
export const MAX_AREA_PAGES = 2 ** 20;
/** Areas that can be in force (MAX_SWAPFILES of a kernel without device memory and memory failures). */
export const MAX_SWAPFILES = 28;

const TYPE_SHIFT = 2;
const TYPE_MASK = 31;
/** Bits that an entry keeps when its page goes out or comes back. */
export const KEPT_IN_ENTRY = PTE_SOFT_DIRTY | PTE_UFFD_WP;

/** The entry's page is in a swap area. */
export function isSwapped(low: number): boolean {
  return (low & (PTE_P | PTE_PROT_NONE | PTE_ANON)) === PTE_ANON;
}

export function swapSlot(type: number, page: number): SwapSlot {
  return type * MAX_AREA_PAGES + page;
}

export function slotType(slot: SwapSlot): number {
  return Math.floor(slot / MAX_AREA_PAGES);
}

export function slotPage(slot: SwapSlot): number {
  return slot % MAX_AREA_PAGES;
}

/** Where the page of a swap entry is. */
export function slotOf(low: number): SwapSlot {
  return swapSlot((low >>> TYPE_SHIFT) & TYPE_MASK, low >>> 12);
}

/** Low half of the entry for a page in `slot`. @param old the entry that had its frame */
export function swapEntry(slot: SwapSlot, old: number): number {
  return ((slotPage(slot) << 12) | (slotType(slot) << TYPE_SHIFT) | PTE_ANON | (old & KEPT_IN_ENTRY)) >>> 0;
}
