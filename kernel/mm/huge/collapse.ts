/*
 * Pages of 4 KiB become one of 2 MiB (collapse_huge_page): for MADV_COLLAPSE, or as khugepaged finds them. They are
 * copied to a run of frames, what is missing being zeroes there; who shares the pages keeps them. Of shared memory it is
 * the page cache that has the 2 MiB (collapse-file.ts).
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import { PTE_ANON, PTE_GUARD, PTE_POISON, PTE_RW, pteFrame } from "../../../mmu/page-table-entry.js";
import { EAGAIN, EBUSY, EINVAL, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { isHeldElsewhere, type HeldElsewhere } from "../ksm/held-elsewhere.js";
import { isLazyFree } from "../lazy-free.js";
import { mappers } from "../page-map.js";
import { isSwapped } from "../swap/entry.js";
import { swapIn } from "../swap/swap-in.js";
import { entryHigh, hasFrame, HUGE_BYTES, isUserfaultProtected } from "../translations.js";
import { VM_UFFD_FLAGS, VM_WRITE } from "../vm-flags.js";
import { collapseFile } from "./collapse-file.js";
import { whyNotCollapsible } from "./eligible.js";
import { privateLow } from "./fault.js";

/** How much of 2 MiB may be otherwise for khugepaged to take it, in pages. */
export interface CollapseLimits {
  none: number;
  shared: number;
  swap: number;
}

/** Why 2 MiB stay as they are; a failure that leaves room for others in the range is `passed`. */
const FAILURES = {
  "no-directory": { errno: EINVAL, passed: true, text: "nothing of the GiB has been touched" },
  "no-table": { errno: EINVAL, passed: true, text: "nothing of the 2 MiB has been touched" },
  marked: { errno: EINVAL, passed: false, text: "a guard page or a poisoned one lies there" },
  protected: { errno: EINVAL, passed: true, text: "a page is write-protected through userfaultfd" },
  "read-only": {
    errno: EINVAL,
    passed: true,
    text: "this release collapses nothing where no page can be written",
  },
  missing: { errno: EBUSY, passed: false, text: "a page is missing that a userfaultfd is to fill" },
  swapped: { errno: EINVAL, passed: false, text: "a page is in a swap area" },
  shared: { errno: EINVAL, passed: false, text: "too many pages are shared" },
  held: { errno: EAGAIN, passed: true, text: "somebody holds a page beside the page tables" },
  charge: { errno: EBUSY, passed: false, text: "the control group may not have 2 MiB more" },
  truncated: { errno: EINVAL, passed: false, text: "the file has no page there" },
  unreadable: { errno: EINVAL, passed: false, text: "a page cannot be brought in" },
  "no-room": {
    errno: EINVAL,
    passed: false,
    text: "the file system has no room for the pages that are missing",
  },
  private: { errno: EINVAL, passed: false, text: "a page was written privately" },
  "no-leaf": { errno: EINVAL, passed: false, text: "2 MiB of the file cannot be mapped by one leaf" },
  "no-run": { errno: ENOMEM, passed: false, text: "no 512 neighbouring frames are free" },
} as const;

export type CollapseResult = "collapsed" | "huge" | keyof typeof FAILURES;

/**
 * Makes the 2 MiB from `start` on one page, if they can be.
 * @param start a multiple of 2 MiB that the area covers
 * @param limits khugepaged's; null: none
 */
export function collapse(
  mm: AddressSpace,
  area: Area,
  start: number,
  limits: CollapseLimits | null,
): CollapseResult {
  if (area.pages?.blocks != null) return collapseFile(mm, area, area.pages.blocks, start, limits);
  const failure = obstacle(mm, area, start, limits);
  if (failure !== null) return failure;
  const { translations } = mm;
  const { frames, vmEvents } = mm.env;
  if (frames.charging.by?.makeRoom(RUN_FRAMES) === false) return "charge";
  if (mm.swapPages > 0 && !bringBack(mm, area, start)) return "swapped";
  const run = frames.allocateRun();
  vmEvents[run === -1 ? "thp_collapse_alloc_failed" : "thp_collapse_alloc"]++;
  if (run === -1) return "no-run";
  // Entries are read only now: where frames are charged, others may have gone for them.
  const first = translations.entryIndex(start);
  for (let n = 0; n < RUN_FRAMES; n++) {
    const low = frames.memory.u32[first + 2 * n];
    if (isSwapped(low)) {
      frames.releaseRun(run);
      return "swapped";
    }
    if (hasFrame(low) && pteFrame(low) !== frames.zeroFrame) translations.copyFrame(pteFrame(low), run + n);
  }
  translations.collapse(start, run, privateLow(area), entryHigh(area));
  return "collapsed";
}

/** Brings swapped pages in, which nobody waits for besides (__collapse_huge_page_swapin). @returns false where one stays out */
function bringBack(mm: AddressSpace, area: Area, start: number): boolean {
  const { translations } = mm;
  for (let va = start; va < start + HUGE_BYTES; va += 4096) {
    const low = translations.low(va);
    if (!isSwapped(low)) continue;
    if (!swapIn(mm, area, va, low)) return false;
    mm.env.swap.forget(pteFrame(translations.low(va)));
  }
  // To make room for one, another may have gone.
  for (let va = start; va < start + HUGE_BYTES; va += 4096) if (isSwapped(translations.low(va))) return false;
  return true;
}

/** What stands against it (hpage_collapse_scan_pmd); null: nothing. */
function obstacle(
  mm: AddressSpace,
  area: Area,
  start: number,
  limits: CollapseLimits | null,
): CollapseResult | null {
  const { translations, tables } = mm;
  const { frames, swap, vmEvents, samePages, release } = mm.env;
  if (tables.large.entryOf(start) !== 0) return "huge";
  const first = translations.entryIndex(start);
  if (first === 0) return tables.directoryEntry(start) === 0 ? "no-directory" : "no-table";
  const held: HeldElsewhere = { frames: null };
  let [none, shared, swapped] = [0, 0, 0];
  let writable = false;
  let marked = false;
  for (let n = 0; n < RUN_FRAMES; n++) {
    const low = frames.memory.u32[first + 2 * n];
    // Markers count as swapped until they are to be brought in (__collapse_huge_page_swapin).
    const marker = low === PTE_GUARD || low === PTE_POISON;
    marked ||= marker;
    if (marker || isSwapped(low)) {
      if (limits === null || ++swapped <= limits.swap) continue;
      vmEvents.thp_scan_exceed_swap_pte++;
      return "swapped";
    }
    if (low !== 0 && !hasFrame(low)) return "protected";
    const frame = pteFrame(low);
    if (low === 0 || frame === frames.zeroFrame) {
      none++;
      if ((area.flags & VM_UFFD_FLAGS) !== 0) return "missing";
      if (limits === null || none <= limits.none) continue;
      vmEvents.thp_scan_exceed_none_pte++;
      return "missing";
    }
    if (isUserfaultProtected(low)) return "protected";
    writable ||= (low & PTE_RW) !== 0 || (isLazyFree(low) && (area.flags & VM_WRITE) !== 0);
    if (mappers(mm, low) > 1 && limits !== null && ++shared > limits.shared) {
      vmEvents.thp_scan_exceed_share_pte++;
      return "shared";
    }
    // In the swap cache alone a page is held by nobody.
    swap.forget(frame);
    if ((low & PTE_ANON) === 0 || isHeldElsewhere(held, frame, frames, samePages)) return "held";
  }
  if (marked) return "marked";
  return release.collapseNeedsWritable && !writable ? "read-only" : null;
}

/**
 * MADV_COLLAPSE on the part [start, end) of an area (madvise_collapse): every 2 MiB in it, as far as it goes.
 * @returns 0 when all are huge pages now, or a negative errno
 */
export function collapseRange(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  refuse: (errno: number, text: string) => number,
): number {
  const unfit = whyNotCollapsible(mm, area, true);
  if (unfit !== null) return refuse(EINVAL, unfit);
  const from = Math.ceil(start / HUGE_BYTES) * HUGE_BYTES;
  const to = end - (end % HUGE_BYTES);
  let failed: keyof typeof FAILURES | null = null;
  for (let at = from; at < to; at += HUGE_BYTES) {
    const result = collapse(mm, area, at, null);
    if (result === "collapsed" || result === "huge") continue;
    failed = result;
    if (!FAILURES[result].passed) break;
    if (result === "no-table" && !mm.env.release.collapsePassesMissingTables) break;
  }
  if (failed !== null) return refuse(FAILURES[failed].errno, FAILURES[failed].text);
  // Also where an area that could be collapsed is asked for less than 2 MiB across a border of them.
  return to < from ? refuse(EINVAL, "the range holds no aligned 2 MiB") : 0;
}
