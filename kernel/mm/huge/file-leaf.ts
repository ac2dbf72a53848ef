/*
 * Blocks of 2 MiB of the page cache in page tables: one leaf where the whole block lies in the area and aligned
 * (do_set_pmd), else page by page. Such a leaf is never split: it is emptied, and a later fault brings back what is needed.
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import { PTE_D, PTE_PS, PTE_RW, PTE_SOFT_DIRTY, pteFrame } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { FilePages } from "../file-pages.js";
import { entryHigh, entryLow, HUGE_BYTES, hasFrame } from "../translations.js";
import { missingInCache, presentInCache } from "../userfault/fault.js";
import { VM_SHARED, VM_UFFD_FLAGS, VM_UFFD_WP } from "../vm-flags.js";
import { hugePagesDisabled } from "./eligible.js";
import { blockStart, type Folio } from "./file-blocks.js";
import { PMD_ORDER } from "./orders.js";
import { isPlain, LEAST_SHARED_ORDER, sharedOrderAllowed } from "./shared-mount.js";

/** What a write leaves in an entry (pmd_mkdirty). */
const WRITTEN = PTE_RW | PTE_D | PTE_SOFT_DIRTY;

/** Pages of the file and addresses have the same place in 2 MiB (thp_vma_suitable_order). */
function isBlockAligned(area: Area): boolean {
  return (area.start / 4096 - area.pageOffset) % RUN_FRAMES === 0;
}

/** A block that begins at an address lies in the area. @param start a multiple of 2 MiB, or not: then it cannot */
export function coversBlock(area: Area, start: number): boolean {
  return start % HUGE_BYTES === 0 && start >= area.start && start + HUGE_BYTES <= area.end;
}

/**
 * A fault of shared memory, as far as blocks of 2 MiB have to do with it: brings one in where one may be, and maps one.
 * @param page address of a page that has no entry, inside of the file
 * @returns true when the page is mapped now; false: it is to be seen to by itself
 */
export function bringInFileLeaf(
  mm: AddressSpace,
  area: Area,
  pages: FilePages,
  page: number,
  write: boolean,
): boolean {
  const index = area.fileIndex(page);
  if (missingInCache(area, index) || presentInCache(area, index)) return false;
  const fresh = !pages.has(index);
  bringInFor(mm, area, pages, page);
  const folio = pages.blocks?.of(index) ?? null;
  if (folio === null || (write && (area.flags & VM_SHARED) === 0)) return false;
  if (folio.order === PMD_ORDER && mapBlock(mm, area, pages, page, write)) return true;
  // What a read finds there it enters with its neighbours.
  return (write || fresh) && mapPages(mm, area, pages, page, folio, write);
}

/** The largest block around the page of which nothing is there, that the mount and the area permit. */
function bringInFor(mm: AddressSpace, area: Area, pages: FilePages, page: number): void {
  const { blocks } = pages;
  if (blocks === null || isPlain(blocks.mount)) return;
  const index = area.fileIndex(page);
  if (pages.has(index) || hugePagesDisabled(mm, area, false)) return;
  for (let order = PMD_ORDER; order >= LEAST_SHARED_ORDER; order--) {
    const count = 2 ** order;
    const first = index - (index % count);
    const start = page - (index - first) * 4096;
    if (start % (count * 4096) !== 0 || start < area.start || start + count * 4096 > area.end) continue;
    if (!sharedOrderAllowed({ mount: blocks.mount, index, size: pages.size, flags: area.flags }, order))
      continue;
    if (blocks.bringIn({ first, order })) return;
  }
}

/** @returns false where it has to be mapped page by page, or no frame is left for a page table */
export function mapBlock(
  mm: AddressSpace,
  area: Area,
  pages: FilePages,
  page: number,
  write: boolean,
): boolean {
  const { translations } = mm;
  const { frames, tables } = translations;
  const start = page - (page % HUGE_BYTES);
  if (hugePagesDisabled(mm, area, false) || !isBlockAligned(area) || !coversBlock(area, start)) return false;
  const directory = tables.directoryEntry(page);
  if (directory !== 0 && frames.memory.u32[directory] !== 0) return false;
  const first = area.fileIndex(start);
  const run = pages.frameAt(first, false);
  if (write) pages.blocks?.markDirty(first);
  frames.holdRun(run);
  if (translations.installHuge(start, run, entryLow(area) | (write ? WRITTEN : 0), entryHigh(area))) {
    mm.env.vmEvents.thp_file_mapped++;
    return true;
  }
  frames.releaseRun(run);
  return false;
}

/**
 * Memory without a name: the whole block is entered, where it lies in the area and under one page table, and nothing of it
 * is there (finish_fault).
 */
function mapPages(
  mm: AddressSpace,
  area: Area,
  pages: FilePages,
  page: number,
  folio: Folio,
  write: boolean,
): boolean {
  const { translations } = mm;
  const { frames } = translations;
  if (pages.sharedMemory?.internal !== true || (area.flags & VM_UFFD_FLAGS) !== 0) return false;
  const start = startIn(area, page, folio);
  if (start === -1 || translations.tables.entryAddress(page, true) === 0) return false;
  const entry = translations.entryIndex(start);
  const count = 2 ** folio.order;
  for (let n = 0; n < count; n++) if (frames.memory.u32[entry + 2 * n] !== 0) return false;
  for (let n = 0; n < count; n++) {
    const frame = pages.frameAt(folio.first + n, false);
    if (write) pages.markDirty(folio.first + n);
    frames.hold(frame);
    translations.install(start + n * 4096, frame, entryLow(area) | (write ? WRITTEN : 0), entryHigh(area));
  }
  return true;
}

/** Where a page's block begins, if all of it lies in the area and under one page table; else -1. */
function startIn(area: Area, page: number, { first, order }: Folio): number {
  const start = page - (area.fileIndex(page) - first) * 4096;
  const end = start + 4096 * 2 ** order;
  if (start < area.start || end > area.end) return -1;
  return Math.floor(start / HUGE_BYTES) === Math.floor((end - 1) / HUGE_BYTES) ? start : -1;
}

/**
 * A read fault has entered the pages [from, to) of addresses around it: of blocks that they are of, the others are
 * entered too, if all of one lies in the area and under one page table (filemap_map_folio_range).
 */
export function enterBlocks(mm: AddressSpace, area: Area, pages: FilePages, from: number, to: number): void {
  const { translations } = mm;
  const { frames } = translations;
  for (let page = from; page < to; page++) {
    const folio = pages.blocks?.of(area.fileIndex(page * 4096)) ?? null;
    const start = folio === null ? -1 : startIn(area, page * 4096, folio);
    if (folio === null || start === -1) continue;
    const entry = translations.entryIndex(start);
    for (let n = 0; n < 2 ** folio.order; n++) {
      if (frames.memory.u32[entry + 2 * n] !== 0) continue;
      const frame = pages.frameAt(folio.first + n, false);
      frames.hold(frame);
      translations.install(start + n * 4096, frame, entryLow(area), entryHigh(area));
    }
    page = Math.max(page, start / 4096 + 2 ** folio.order - 1);
  }
}

/** A write to a leaf of a shared area that does not permit it yet. @param entry index of the leaf's entry */
export function makeFileLeafWritable(mm: AddressSpace, area: Area, page: number, entry: number): void {
  const { memory } = mm.env.frames;
  area.pages?.blocks?.markDirty(blockStart(area.fileIndex(page)));
  memory.u32[entry] = (memory.u32[entry] | WRITTEN) >>> 0;
  memory.entryWritten(entry);
}

/** Takes an empty page table away, so that a leaf can come in its place (retract_page_tables). */
export function retractTable(mm: AddressSpace, area: Area, start: number): void {
  // A table of markers stays.
  if ((area.flags & VM_UFFD_WP) === 0) mm.tables.reclaimEmpty(start, start + HUGE_BYTES);
}

/** How a block is mapped at an address: by a leaf, by pages of its own, not at all, or by something else. */
export function mappingOf(
  mm: AddressSpace,
  start: number,
  run: number,
): "leaf" | "pages" | "none" | "marker" | "other" {
  const { tables } = mm;
  const { u32 } = mm.env.frames.memory;
  const directory = tables.directoryEntry(start);
  if (directory === 0 || u32[directory] === 0) return "none";
  if ((u32[directory] & PTE_PS) !== 0) return "leaf";
  const entry = mm.translations.entryIndex(start);
  for (let n = 0; n < RUN_FRAMES; n++) {
    const low = u32[entry + 2 * n];
    if (low === 0) continue;
    if (!hasFrame(low)) return "marker";
    if (pteFrame(low) !== run + n) return "other";
  }
  return "pages";
}
