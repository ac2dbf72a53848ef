/**
 * What /proc/PID/pagemap says of pages (fs/proc/task_mmu.c; Documentation/admin-guide/mm/pagemap.rst). An entry is
 * 64 bits, here as two halves:
 *
 *   bits 0-54  the frame's number, for who has CAP_SYS_ADMIN; of a swapped page the area's number and, from bit 5 on,
 *              the page's in it; of a guard page the marker's number
 *   bit 55     soft-dirty: written, or mapped, since 4 was written to clear_refs
 *   bit 56     mapped by nobody else
 *   bit 57     write-protected through userfaultfd
 *   bit 58     a guard page (6.15)
 *   bit 61     a page of a file or of shared anonymous memory
 *   bit 62     swapped out; guard pages say so too
 *   bit 63     present (also in an area without any permission)
 */
import {
  PTE_ANON,
  PTE_GUARD,
  PTE_POISON,
  PTE_PS,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import { RUN_FRAMES } from "../../mmu/frame-allocator.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isHugetlb, pageBytesOf } from "./hugetlb/area.js";
import { forEachLeaf, hasPage, pageOfLeaf } from "./hugetlb/leaves.js";
import { TASK_SIZE } from "./layout.js";
import { isSwapped, slotOf, slotPage, slotType } from "./swap/entry.js";
import { hasFrame, isUserfaultProtected } from "./translations.js";
import { VM_PFNMAP, VM_SOFTDIRTY } from "./vm-flags.js";

export const PAGE_MAP_BYTES = 8;

const SOFT_DIRTY = 2 ** (55 - 32);
const EXCLUSIVE = 2 ** (56 - 32);
const UFFD_WP = 2 ** (57 - 32);
const GUARD = 2 ** (58 - 32);
const FILE = 2 ** (61 - 32);
const SWAPPED = 2 ** (62 - 32);
const PRESENT = 2 ** (63 - 32);

/** A guard marker as an entry for a page swapped out: its kind of swap and, five bits up, which marker it is. */
const GUARD_MARKER = 31 + 4 * 32;
/** A marker of userfaultfd write protection, likewise. */
const UFFD_WP_MARKER = 31 + 1 * 32;
/** And one of poison. */
const POISON_MARKER = 31 + 2 * 32;

/** Entries that hold a frame, less what the page cache holds of a file's, the merging of a merged one, the swap cache. */
export function mappers(mm: AddressSpace, low: number): number {
  const frame = pteFrame(low);
  const { samePages, swap } = mm.env;
  const own = (low & PTE_ANON) === 0 || samePages?.isMerged(frame) === true || swap.isCached(frame) ? 1 : 0;
  return mm.env.frames.references(frame) - mm.env.pins.of(frame) - own;
}

/** The page behind an entry is one that somebody counts (vm_normal_page). */
export function isNormal(mm: AddressSpace, area: Area, low: number): boolean {
  return (area.flags & VM_PFNMAP) === 0 && pteFrame(low) !== mm.env.frames.zeroFrame;
}

/** A part of the huge page of zeroes, which pagemap takes for a file's as it is nobody's own. */
function isHugeZero(mm: AddressSpace, low: number): boolean {
  return (low & PTE_PS) !== 0 && pteFrame(low) === mm.env.frames.zeroFrame;
}

/** The entry that says whether others map a page, too: of a leaf of 2 MiB, from 6.15 on, always its first page's. */
function counted(mm: AddressSpace, low: number): number {
  if ((low & PTE_PS) === 0 || !mm.env.release.pageMapCountsLeafOnce) return low;
  return (low & ~((RUN_FRAMES - 1) * 4096)) >>> 0;
}

/**
 * The entries of pages that follow one another.
 * @param first number of the first page
 * @param count pages; fewer are answered where user space ends
 * @param showFrames the reader may know frame numbers
 */
export function pageMapEntries(
  mm: AddressSpace,
  first: number,
  count: number,
  showFrames: boolean,
): Uint32Array {
  const start = Math.min(first * 4096, TASK_SIZE);
  const end = Math.min(start + count * 4096, TASK_SIZE);
  const words = new Uint32Array(((end - start) / 4096) * 2);
  let area = mm.tree.findFirst(start);
  for (; area !== null && area.start < end; area = area.next) {
    const from = Math.max(area.start, start);
    const to = Math.min(area.end, end);
    const marked = (area.flags & VM_SOFTDIRTY) !== 0 ? SOFT_DIRTY : 0;
    const wordOf = (va: number): number => ((va - start) / 4096) * 2;
    if (marked !== 0) for (let at = wordOf(from); at < wordOf(to); at += 2) words[at + 1] = marked;
    const here = area;
    if (isHugetlb(area)) {
      addHugeEntries(mm, area, from, to, showFrames, (va, low, high) => {
        words[wordOf(va)] = low;
        words[wordOf(va) + 1] |= high;
      });
      continue;
    }
    mm.tables.forEachPresentOrSwap(from, to, (va, low) => {
      const at = wordOf(va);
      words[at + 1] = flagsOf(mm, here, low) | marked;
      if (showFrames) words[at] = shownFrame(low);
    });
  }
  return words;
}

function shownFrame(low: number): number {
  if (low === PTE_GUARD) return GUARD_MARKER;
  if (low === PTE_POISON) return POISON_MARKER;
  if (isSwapped(low)) return slotType(slotOf(low)) + slotPage(slotOf(low)) * 32;
  return low === PTE_UFFD_WP_MARKER ? UFFD_WP_MARKER : pteFrame(low);
}

function flagsOf(mm: AddressSpace, area: Area, low: number): number {
  if (low === PTE_GUARD) return SWAPPED | (mm.env.release.pageMapShowsGuards ? GUARD : 0);
  if (low === PTE_UFFD_WP_MARKER) return SWAPPED | UFFD_WP;
  if (low === PTE_POISON) return SWAPPED;
  const swapped = isSwapped(low);
  if (!hasFrame(low) && !swapped) return 0;
  let flags = ((swapped ? SWAPPED : PRESENT) | ((low & PTE_SOFT_DIRTY) !== 0 ? SOFT_DIRTY : 0)) >>> 0;
  if ((low & PTE_UFFD_WP) !== 0) flags |= UFFD_WP;
  if (isHugeZero(mm, low)) flags |= FILE;
  if (swapped || !isNormal(mm, area, low)) return flags >>> 0;
  if ((low & PTE_ANON) === 0) flags |= FILE;
  if (mappers(mm, counted(mm, low)) === 1) flags |= EXCLUSIVE;
  return flags >>> 0;
}

/** pagemap_hugetlb_range: each huge page as pages that follow one another. */
function addHugeEntries(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  showFrames: boolean,
  put: (va: number, low: number, high: number) => void,
): void {
  const bytes = pageBytesOf(area);
  const first = start - (start % bytes);
  forEachLeaf(mm, area, first, Math.ceil(end / bytes) * bytes, (leaf, low) => {
    let flags = isUserfaultProtected(low) ? UFFD_WP : 0;
    const page = hasPage(low) ? pageOfLeaf(mm, low) : null;
    if (page !== null) {
      flags |= PRESENT | ((low & PTE_ANON) === 0 ? FILE : 0) | (page.mappers === 1 ? EXCLUSIVE : 0);
    }
    const [from, to] = [Math.max(leaf, start), Math.min(leaf + bytes, end)];
    for (let va = from; va < to; va += 4096)
      put(va, page !== null && showFrames ? page.frame + (va - leaf) / 4096 : 0, flags >>> 0);
  });
}
