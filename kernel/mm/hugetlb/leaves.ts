/**
 * The page-table leaves of areas of huge pages, in the level that is their size's: none is ever split (PTE_WHOLE).
 */
import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_P,
  PTE_POISON,
  PTE_PROT_NONE,
  PTE_PS,
  PTE_RW,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  PTE_WHOLE,
  pteFrame,
} from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { entryHigh, entryLow, isUserfaultProtected } from "../translations.js";
import { VM_SHARED, VM_WRITE } from "../vm-flags.js";
import { isHugetlb, pageBytesOf, poolOf } from "./area.js";
import type { HugePage } from "./huge-page.js";
import { restoreReserve } from "./reserve.js";

/** What visits an entry that is not empty: a leaf, or a marker of userfaultfd. */
export type LeafVisitor = (va: number, low: number, entry: number) => void;

/** Calls back for the entries of [start, end), whole huge pages of one area, that are not empty. */
export function forEachLeaf(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  visit: LeafVisitor,
): void {
  const words = mm.env.frames.memory.u32;
  const bytes = pageBytesOf(area);
  /** What one table covers. */
  const span = bytes * 512;
  for (let va = start; va < end;) {
    const entry = leafEntry(mm, area, va);
    if (entry === 0) {
      va = va - (va % span) + span;
      continue;
    }
    // The entries of one table follow one another.
    const stop = Math.min(end, va - (va % span) + span);
    for (let at = entry; va < stop; va += bytes, at += 2) if (words[at] !== 0) visit(va, words[at], at);
  }
}

/**
 * Index in `memory.u32` of the entry for an address of an area of huge pages, or 0 where its table is missing
 * (hugetlb_walk, huge_pte_alloc).
 * @param create makes it; 0 when no frame is left
 */
export function leafEntry(mm: AddressSpace, area: Area, va: number, create = false): number {
  return mm.tables.upperEntry(va, poolOf(area).level, create);
}

/** The low half of the entry for an address of an area of huge pages; 0 when empty. */
export function leafLow(mm: AddressSpace, area: Area, va: number): number {
  const entry = leafEntry(mm, area, va);
  return entry === 0 ? 0 : mm.env.frames.memory.u32[entry];
}

/** It maps a page, present or PROT_NONE; otherwise it is empty or a marker. */
export function hasPage(low: number): boolean {
  return (low & (PTE_P | PTE_PROT_NONE)) !== 0;
}

/** The page that a leaf maps. */
export function pageOfLeaf(mm: AddressSpace, low: number): HugePage {
  const page = mm.env.hugePages.pageAt(pteFrame(low));
  if (page === undefined) throw new Error("a leaf of no page of the pool");
  return page;
}

/**
 * Maps a page where nothing or a marker is; the table is there.
 * @param low flags of the low half without the frame
 */
export function setLeaf(mm: AddressSpace, area: Area, va: number, page: HugePage, low: number): void {
  const entry = leafEntry(mm, area, va, true);
  mm.env.frames.memory.u32[entry] = 0;
  mm.tables.large.set(va, page.frame, low, (entryHigh(area) | PTE_WHOLE) >>> 0, page.pool.level);
  page.mappers++;
  mm.hugetlbPages += page.pool.pageFrames;
}

function write(mm: AddressSpace, entry: number, low: number): void {
  const { memory } = mm.env.frames;
  memory.u32[entry] = low >>> 0;
  memory.entryWritten(entry);
}

/** Takes a leaf away; the caller invalidates the TLB. */
function clearLeaf(mm: AddressSpace, entry: number, low: number): HugePage {
  const page = pageOfLeaf(mm, low);
  mm.tables.large.clear(entry);
  mm.hugetlbPages -= page.pool.pageFrames;
  page.mappers--;
  return page;
}

/** Maps a copy in the place of a page (hugetlb_wp). */
export function replaceLeaf(mm: AddressSpace, area: Area, va: number, page: HugePage, low: number): void {
  const entry = leafEntry(mm, area, va);
  const { memory } = mm.env.frames;
  const old = pageOfLeaf(mm, memory.u32[entry]);
  write(mm, entry, (low & ~PTE_FRAME_MASK) | (page.frame << 12) | PTE_PS);
  page.mappers++;
  page.restoresReserve = false;
  old.mappers--;
  mm.env.mmu.invalidateRange(va, va + pageBytesOf(area), mm.asid);
  old.pool.released(old);
}

/** Lets a leaf be written; no TLB holds a write tag for it. */
export function makeLeafWritable(mm: AddressSpace, area: Area, va: number): void {
  const entry = leafEntry(mm, area, va);
  write(mm, entry, mm.env.frames.memory.u32[entry] | PTE_RW | PTE_D);
}

/** Changes flags of a leaf; permissions only go. */
export function restrictLeaf(mm: AddressSpace, area: Area, va: number, low: number): void {
  write(mm, leafEntry(mm, area, va), low);
  mm.env.mmu.invalidateRange(va, va + pageBytesOf(area), mm.asid);
}

/**
 * Unmaps [start, end) (__unmap_hugepage_range).
 * @param markersStay write protection through userfaultfd stays, as where the file lost the pages
 */
export function dropLeaves(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  markersStay = false,
): void {
  let dropped = false;
  forEachLeaf(mm, area, start, end, (va, low, entry) => {
    const marker = markersStay && isUserfaultProtected(low) ? PTE_UFFD_WP_MARKER : 0;
    if (!hasPage(low)) return write(mm, entry, marker);
    const page = clearLeaf(mm, entry, low);
    if (marker !== 0) write(mm, entry, marker);
    if ((low & PTE_ANON) !== 0) restoreReserve(mm, area, va, page);
    page.pool.released(page);
    dropped = true;
  });
  if (dropped) mm.env.mmu.invalidateRange(start, end, mm.asid);
}

/** Unmaps everything before an address space ends. */
export function dropAllLeaves(mm: AddressSpace): void {
  if (mm.hugetlbPages === 0) return;
  for (const area of mm.tree) if (isHugetlb(area)) dropLeaves(mm, area, area.start, area.end);
}

/** Rewrites leaves of [start, end) for the area's present protection and key (hugetlb_change_protection). */
export function protectLeaves(mm: AddressSpace, area: Area, start: number, end: number): void {
  const { memory } = mm.env.frames;
  const low = entryLow(area);
  const high = (entryHigh(area) | PTE_WHOLE) >>> 0;
  const sharedWritable = (area.flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE);
  forEachLeaf(mm, area, start, end, (_va, old, entry) => {
    if (!hasPage(old)) return;
    const keep = old & (PTE_FRAME_MASK | PTE_D | PTE_ANON | PTE_UFFD_WP | PTE_PS);
    // A private page asks again who else has it.
    const rw = sharedWritable && (old & PTE_UFFD_WP) === 0 ? PTE_RW | PTE_D : 0;
    memory.u32[entry + 1] = high;
    write(mm, entry, keep | low | rw);
  });
  mm.env.mmu.invalidateRange(start, end, mm.asid);
}

/**
 * Moves leaves of [from, from + length) to `to`, both of whole huge pages (move_hugetlb_page_tables).
 * @param watched a userfaultfd goes on watching them: its protection moves with them
 * @returns bytes moved: fewer when no frame is left for a page table
 */
export function moveLeaves(
  mm: AddressSpace,
  area: Area,
  from: number,
  to: number,
  length: number,
  watched: boolean,
): number {
  const words = mm.env.frames.memory.u32;
  let moved = length;
  forEachLeaf(mm, area, from, from + length, (va, low, entry) => {
    if (moved < length) return;
    const target = leafEntry(mm, area, va - from + to, true);
    if (target === 0) {
      moved = va - from;
      return;
    }
    if (hasPage(low)) {
      words[target + 1] = words[entry + 1];
      write(mm, target, watched ? low : low & ~PTE_UFFD_WP);
    } else if (watched || low === PTE_POISON) write(mm, target, low);
    words[entry + 1] = 0;
    write(mm, entry, 0);
  });
  mm.env.mmu.invalidateRange(from, from + length, mm.asid);
  return moved;
}
