/*
 * Page faults of anonymous memory that bring in 2 MiB at once (do_huge_pmd_anonymous_page), and writes to such a page
 * (do_huge_pmd_wp_page). Where there is no run of frames for it, the fault falls back on one page of 4 KiB.
 */
import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_RW,
  PTE_SOFT_DIRTY,
  pteFrame,
} from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { prepareAnon } from "../merge.js";
import { missingIsWatched } from "../userfault/fault.js";
import { HUGE_BYTES, entryHigh, entryLow } from "../translations.js";
import { VM_SHARED, VM_WRITE } from "../vm-flags.js";
import { makeFileLeafWritable } from "./file-leaf.js";

/** What a write leaves in an entry (pmd_mkdirty). */
const WRITTEN = PTE_D | PTE_SOFT_DIRTY;

/**
 * Brings in the 2 MiB around a page: zeroes of its own, or for a read the ones that everybody shares.
 * @param page address of a page that has no entry
 * @returns false, with nothing done, where the area does not cover them, a page table is there or memory is short
 */
export function bringInHuge(mm: AddressSpace, area: Area, page: number, write: boolean): boolean {
  const start = page - (page % HUGE_BYTES);
  if (start < area.start || start + HUGE_BYTES > area.end) return false;
  const { translations } = mm;
  const { frames, tables } = translations;
  const directory = tables.directoryEntry(page);
  if (directory !== 0 && frames.memory.u32[directory] !== 0) return false;
  // For a read too.
  prepareAnon(mm, area);
  mm.env.khugepaged?.enter(mm);
  if (missingIsWatched(area)) return false;
  if (!write && mm.env.settings.hugeZeroPage) {
    const zeroes = hugeZeroes(mm);
    return zeroes !== -1 && translations.installHuge(start, zeroes, entryLow(area), entryHigh(area));
  }
  const run = runFor(mm);
  if (run === -1) return false;
  if (translations.installHuge(start, run, privateLow(area), entryHigh(area))) return true;
  frames.releaseRun(run);
  return false;
}

/** The run of zeroes that everybody shares, or -1 (mm_get_huge_zero_folio). */
function hugeZeroes({ env: { frames, vmEvents } }: AddressSpace): PageFrame {
  if (frames.hugeZeroFrame !== 0) return frames.hugeZeroFrame;
  const zeroes = frames.makeHugeZero();
  vmEvents[zeroes === -1 ? "thp_zero_page_alloc_failed" : "thp_zero_page_alloc"]++;
  return zeroes;
}

/** A run for the memory of a fault, or -1 (vma_alloc_anon_folio_pmd). */
function runFor({ env: { frames, vmEvents } }: AddressSpace): PageFrame {
  const run = frames.allocateRun();
  vmEvents[run === -1 ? "thp_fault_fallback" : "thp_fault_alloc"]++;
  return run;
}

/** As Linux makes it also for a read: dirty, and writable where the area is (maybe_pmd_mkwrite). */
export function privateLow(area: Area): number {
  return entryLow(area) | PTE_ANON | WRITTEN | ((area.flags & VM_WRITE) !== 0 ? PTE_RW : 0);
}

/**
 * A write to a page in a leaf of 2 MiB that does not permit it.
 * @returns false when the leaf had to be split, and the page has to be seen to by itself
 */
export function makeHugeWritable(mm: AddressSpace, area: Area, page: number): boolean {
  const { translations } = mm;
  const { frames, tables } = translations;
  const entry = tables.large.entryOf(page);
  const low = frames.memory.u32[entry];
  if ((low & PTE_ANON) === 0 && (area.flags & VM_SHARED) !== 0) {
    makeFileLeafWritable(mm, area, page, entry);
    return true;
  }
  if (pteFrame(low) === frames.hugeZeroFrame) {
    if (mm.env.release.hugeZeroBecomesHuge && replaceZeroes(mm, area, page, entry)) return true;
  } else if ((area.flags & VM_WRITE) === 0) {
    // A forced write: nothing but the bytes changes.
    if (translations.isSoleHuge(low)) return true;
  } else if (translations.makeHugeWritable(entry)) return true;
  tables.large.split(entry, page);
  return false;
}

/** Zeroes of its own in the place of those that everybody shares (do_huge_zero_wp_pmd). */
function replaceZeroes(mm: AddressSpace, area: Area, page: number, entry: number): boolean {
  const { translations } = mm;
  const run = runFor(mm);
  if (run === -1) return false;
  prepareAnon(mm, area);
  translations.replaceHuge(
    page - (page % HUGE_BYTES),
    entry,
    (privateLow(area) & ~PTE_FRAME_MASK) | (run << 12),
  );
  return true;
}
