/*
 * Pages of shared memory become a block of 2 MiB in the page cache (collapse_file), for MADV_COLLAPSE or as khugepaged
 * finds them: they are copied to a run of frames, what is missing being zeroes there. Nobody has them mapped then.
 * MADV_COLLAPSE maps the block by a leaf afterwards (collapse_pte_mapped_thp).
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { FilePages } from "../file-pages.js";
import { HUGE_BYTES } from "../translations.js";
import { VM_UFFD_MISSING, VM_UFFD_WP } from "../vm-flags.js";
import type { CollapseLimits, CollapseResult } from "./collapse.js";
import type { FileBlocks } from "./file-blocks.js";
import { mapBlock, mappingOf, retractTable } from "./file-leaf.js";

/**
 * @param start a multiple of 2 MiB that the area covers, as a block of its file does
 * @param limits khugepaged's; null: MADV_COLLAPSE, whatever is missing, and with a leaf in the end
 */
export function collapseFile(
  mm: AddressSpace,
  area: Area,
  blocks: FileBlocks,
  start: number,
  limits: CollapseLimits | null,
): CollapseResult {
  const first = area.fileIndex(start);
  if (!blocks.begins(first)) {
    const result = collapsePages(mm, blocks, first, limits);
    if (result !== "collapsed") return result;
    if (limits !== null) return "collapsed";
  }
  return mapWhole(mm, area, blocks.pages, start, limits === null);
}

/** hpage_collapse_scan_file and collapse_file */
function collapsePages(
  mm: AddressSpace,
  blocks: FileBlocks,
  first: number,
  limits: CollapseLimits | null,
): CollapseResult {
  const { pages } = blocks;
  const { frames, vmEvents } = mm.env;
  const end = first + RUN_FRAMES;
  const found = countPages(pages, first);
  if (limits !== null && found.swapped > limits.swap) {
    vmEvents.thp_scan_exceed_swap_pte++;
    return "swapped";
  }
  if (blocks.isHeld(first)) return "held";
  if (limits !== null && found.present + found.reserved < RUN_FRAMES - limits.none) {
    vmEvents.thp_scan_exceed_none_pte++;
    return "missing";
  }
  if (frames.charging.by?.makeRoom(RUN_FRAMES) === false) return "charge";
  if (found.present + found.reserved + found.swapped === 0) return giveRun(mm) ? "truncated" : "no-run";
  const failed = firstUnreadable(pages, first);
  if (failed !== -1) {
    if (!giveRun(mm)) return "no-run";
    pages.mappings.drop(first, failed, false);
    return "unreadable";
  }
  const run = frames.allocateRun();
  vmEvents[run === -1 ? "thp_collapse_alloc_failed" : "thp_collapse_alloc"]++;
  if (run === -1) return "no-run";
  // Also where it comes to nothing.
  pages.mappings.drop(first, end, false);
  // Counted only now: where frames are charged, others may have gone for them.
  const missing = RUN_FRAMES - countPages(pages, first).charged;
  const refused = !pages.room.has(missing)
    ? "no-room"
    : missing > 0 && isWatched(pages, first)
      ? "missing"
      : null;
  if (refused !== null) {
    frames.releaseRun(run);
    return refused;
  }
  for (let n = 0; n < RUN_FRAMES; n++) {
    const frame = pages.frameAt(first + n, pages.isSwapped(first + n));
    if (frame !== -1) mm.translations.copyFrame(frame, run + n);
  }
  blocks.enter(first, run);
  blocks.markDirty(first);
  for (const mapper of pages.mappings.all()) mapper.retractTables(pages, first);
  return "collapsed";
}

/**
 * Brings pages in from swap areas. Beyond the end nothing is brought in that is not there whole (shmem_get_folio with
 * SGP_NOALLOC).
 * @returns the index of the first that cannot be had, or -1
 */
function firstUnreadable(pages: FilePages, first: number): number {
  const beyond = Math.ceil(pages.size / 4096);
  for (let index = first; index < first + RUN_FRAMES; index++) {
    const swapped = pages.isSwapped(index);
    if (index >= beyond && (swapped || pages.room.isReserved(index))) return index;
    if (swapped && pages.frameAt(index, true) === -1) return index;
  }
  return -1;
}

/** There would have been a run of frames, which is allocated before the file is looked at closely. */
function giveRun(mm: AddressSpace): boolean {
  const { frames, vmEvents } = mm.env;
  const run = frames.allocateRun();
  vmEvents[run === -1 ? "thp_collapse_alloc_failed" : "thp_collapse_alloc"]++;
  if (run !== -1) frames.releaseRun(run);
  return run !== -1;
}

function countPages(pages: FilePages, first: number) {
  let [present, swapped, reserved] = [0, 0, 0];
  for (let index = first; index < first + RUN_FRAMES; index++)
    if (pages.frameAt(index, false) !== -1) present++;
    else if (pages.isSwapped(index)) swapped++;
    else if (pages.room.isReserved(index)) reserved++;
  return { present, swapped, reserved, charged: present + swapped + reserved };
}

/** Somebody is to be asked for pages that are missing in the block. */
function isWatched(pages: FilePages, first: number): boolean {
  let watched = false;
  for (const mapper of pages.mappings.all())
    mapper.forEach(pages, first, first + RUN_FRAMES, (_start, _end, area) => {
      watched ||= (area.flags & VM_UFFD_MISSING) !== 0;
    });
  return watched;
}

/**
 * The block is in the cache: takes the pages of it that are mapped one by one from the area (collapse_pte_mapped_thp).
 * @param leaf one leaf comes in their place
 */
function mapWhole(
  mm: AddressSpace,
  area: Area,
  pages: FilePages,
  start: number,
  leaf: boolean,
): CollapseResult {
  if (mm.tables.large.entryOf(start) !== 0) return "huge";
  if ((area.flags & VM_UFFD_WP) !== 0) return "protected";
  if (!mm.env.release.collapseMakesTables && mm.tables.directoryEntry(start) === 0) return "no-directory";
  switch (mappingOf(mm, start, pages.frameAt(area.fileIndex(start), false))) {
    case "marker":
      return "protected";
    case "other":
      return "private";
    case "pages":
      mm.translations.drop(start, start + HUGE_BYTES, "file-pages");
      break;
    default:
  }
  retractTable(mm, area, start);
  if (!leaf) return "collapsed";
  return mapBlock(mm, area, pages, start, false) ? "collapsed" : "no-leaf";
}
