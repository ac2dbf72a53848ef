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
import { blockStart, bringInBlock } from "./file-blocks.js";
import { PMD_ORDER } from "./orders.js";
import { isPlain, sharedOrderAllowed } from "./shared-mount.js";

/** What a write leaves in an entry (pmd_mkdirty). */
const WRITTEN = PTE_RW | PTE_D | PTE_SOFT_DIRTY;

/** Pages of the file and addresses have the same place in 2 MiB (thp_vma_suitable_order). */
export function isBlockAligned(area: Area): boolean {
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
  bringInFor(mm, area, pages, page);
  if (!pages.isInBlock(index) || (write && (area.flags & VM_SHARED) === 0)) return false;
  return mapBlock(mm, area, pages, page, write) || mapPages(mm, area, pages, page, write);
}

/** The page's block, if nothing of it is there and the mount and the area permit it. */
function bringInFor(mm: AddressSpace, area: Area, pages: FilePages, page: number): void {
  const mount = pages.sharedMemory;
  if (mount === null || isPlain(mount)) return;
  const index = area.fileIndex(page);
  const start = page - (page % HUGE_BYTES);
  if (pages.has(index) || !isBlockAligned(area) || !coversBlock(area, start)) return;
  if (hugePagesDisabled(mm, area, false)) return;
  if (sharedOrderAllowed({ mount, index, size: pages.size, flags: area.flags }, PMD_ORDER))
    bringInBlock(pages, blockStart(index));
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
  if (write) pages.markBlockDirty(first);
  frames.holdRun(run);
  if (translations.installHuge(start, run, entryLow(area) | (write ? WRITTEN : 0), entryHigh(area))) {
    mm.env.vmEvents.thp_file_mapped++;
    return true;
  }
  frames.releaseRun(run);
  return false;
}

/**
 * A write to memory without a name enters the whole block, where there is a page table and nothing of the block in it
 * (finish_fault).
 */
function mapPages(mm: AddressSpace, area: Area, pages: FilePages, page: number, write: boolean): boolean {
  const { translations } = mm;
  const { frames } = translations;
  if (!write || pages.sharedMemory?.internal !== true || (area.flags & VM_UFFD_FLAGS) !== 0) return false;
  const index = area.fileIndex(page);
  const first = blockStart(index);
  const start = page - (index - first) * 4096;
  if (start % HUGE_BYTES !== 0 || start < area.start || start + HUGE_BYTES > area.end) return false;
  if (translations.tables.entryAddress(page, true) === 0) return false;
  const entry = translations.entryIndex(start);
  for (let n = 0; n < RUN_FRAMES; n++) if (frames.memory.u32[entry + 2 * n] !== 0) return false;
  pages.markBlockDirty(first);
  const run = pages.frameAt(first, false);
  frames.holdRun(run);
  for (let n = 0; n < RUN_FRAMES; n++)
    translations.install(start + n * 4096, run + n, entryLow(area) | WRITTEN, entryHigh(area));
  return true;
}

/**
 * A read fault has entered the pages [from, to) of addresses around it: of a block that they are of, the others are
 * entered too, if all of it lies in the area and under one page table (filemap_map_folio_range).
 */
export function enterBlocks(mm: AddressSpace, area: Area, pages: FilePages, from: number, to: number): void {
  const { translations } = mm;
  const { frames } = translations;
  const entry = translations.entryIndex(from * 4096);
  for (let page = from; page < to; page++) {
    const index = area.fileIndex(page * 4096);
    const start = (page - (index - blockStart(index))) * 4096;
    if (!pages.isInBlock(index) || !coversBlock(area, start)) continue;
    const first = entry - (from - start / 4096) * 2;
    for (let n = 0; n < RUN_FRAMES; n++) {
      if (frames.memory.u32[first + 2 * n] !== 0) continue;
      const frame = pages.frameAt(blockStart(index) + n, false);
      frames.hold(frame);
      translations.install(start + n * 4096, frame, entryLow(area), entryHigh(area));
    }
    return;
  }
}

/** A write to a leaf of a shared area that does not permit it yet. @param entry index of the leaf's entry */
export function makeFileLeafWritable(mm: AddressSpace, area: Area, page: number, entry: number): void {
  const { memory } = mm.env.frames;
  area.pages?.markBlockDirty(blockStart(area.fileIndex(page)));
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
