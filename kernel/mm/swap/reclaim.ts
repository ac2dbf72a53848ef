/*
 * What goes when frames run short: a clock. Its hand goes round the address spaces and their pages; a page that was
 * accessed since it last came by is spared once. Linux's lists are finer, but what a program sees is the same: pages that
 * nobody uses go first.
 */
import { PTE_A, PTE_ANON, PTE_PS, pteFrame } from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { FilePages } from "../file-pages.js";
import { HUGE_BYTES, hasFrame } from "../translations.js";
import { VM_HUGETLB, VM_LOCKED } from "../vm-flags.js";
import { pageOut } from "./page-out.js";
import type { SwapSpace } from "./swap-space.js";

/** How much is looked through at once: what one page table covers. */
const WINDOW = 2 ** 21;

/** Limits it to some frames, as those charged to a control group. */
type MayGo = (frame: PageFrame) => boolean;

/** Swaps out up to `most` pages of programs and of shared memory. @returns frames that became free */
export function reclaimPages(swap: SwapSpace, most: number, mayGo?: MayGo): number {
  if (most <= 0 || swap.free === 0) return 0;
  let freed = 0;
  if (swap.swappiness === 0) {
    for (const holder of swap.frames.holders)
      if (holder !== swap && freed < most) freed += holder.reclaim(most - freed, mayGo);
  }
  // Twice round: what was spared the first time goes the second.
  for (let round = 0; round < 2 && freed < most; round++) freed += goRound(swap, most - freed, mayGo);
  return freed < most ? freed + reclaimUnmapped(swap, most - freed, mayGo) : freed;
}

function goRound(swap: SwapSpace, most: number, mayGo?: MayGo): number {
  const { cursor } = swap;
  const { asid, address } = cursor;
  const spaces = [...swap.spaces].sort((a, b) => a.asid - b.asid);
  const first = Math.max(
    0,
    spaces.findIndex((mm) => mm.asid >= asid),
  );
  let freed = 0;
  for (let i = 0; i <= spaces.length && freed < most; i++) {
    const mm = spaces[(first + i) % spaces.length];
    if (mm === undefined) break;
    const begin = i === 0 && mm.asid === asid ? address : 0;
    const end = i === spaces.length ? address : Infinity;
    freed += sweep(swap, mm, begin, end, most - freed, mayGo);
  }
  return freed;
}

function sweep(
  swap: SwapSpace,
  mm: AddressSpace,
  start: number,
  end: number,
  most: number,
  mayGo?: MayGo,
): number {
  const { memory } = swap.frames;
  const { mmu } = mm.env;
  let freed = 0;
  /** Where the leaf of 2 MiB begins that was found accessed in this round. */
  let spared = -1;
  for (let area = mm.tree.findFirst(start); area !== null && area.start < end; area = area.next) {
    if ((area.flags & (VM_LOCKED | VM_HUGETLB)) !== 0) continue;
    const here = area;
    const stop = Math.min(area.end, end);
    for (let at = Math.max(area.start, start); at < stop;) {
      const to = Math.min(stop, at - (at % WINDOW) + WINDOW);
      mm.tables.forEachPresentOrSwap(at, to, (va, told, _high, entry) => {
        if (freed >= most) return;
        swap.cursor.asid = mm.asid;
        swap.cursor.address = va + 4096;
        // Of a leaf of 2 MiB: the page before it may have been taken out, and its entries are others now.
        const low = (told & PTE_PS) === 0 ? told : mm.translations.low(va);
        if (!hasFrame(low) || mayGo?.(pteFrame(low)) === false) return;
        if ((low & PTE_ANON) === 0 && here.pages?.swappable !== true) return;
        const leaf = (low & PTE_PS) === 0 ? -1 : va - (va % HUGE_BYTES);
        // Such a leaf was accessed or not as a whole.
        if (leaf !== -1 && leaf === spared) return;
        if ((low & PTE_A) === 0) {
          if (take(swap, mm, here, va, low)) freed++;
          return;
        }
        spared = leaf;
        memory.u32[entry] = (memory.u32[entry] & ~PTE_A) >>> 0;
        memory.entryWritten(entry);
        mmu.invalidateRange(leaf === -1 ? va : leaf, leaf === -1 ? va + 4096 : leaf + HUGE_BYTES, mm.asid);
      });
      if (freed >= most) return freed;
      at = to;
    }
  }
  swap.cursor.asid = mm.asid + 1;
  swap.cursor.address = 0;
  return freed;
}

/** Swaps out the page of an entry. */
function take(swap: SwapSpace, mm: AddressSpace, area: Area, va: number, low: number): boolean {
  if (pteFrame(low) === swap.frames.zeroFrame) return false;
  if ((low & PTE_ANON) !== 0) return pageOut(mm, area, va, false);
  return area.pages?.evict(area.fileIndex(va), swap) === true;
}

/** Pages of shared memory that no address space maps. */
function reclaimUnmapped(swap: SwapSpace, most: number, mayGo?: MayGo): number {
  let freed = 0;
  for (const holder of swap.frames.holders) {
    if (!(holder instanceof FilePages) || !holder.swappable) continue;
    for (const index of [...holder.residentIndexes()]) {
      if (freed >= most) return freed;
      if (!holder.isUnmapped(index) || mayGo?.(holder.frameAt(index, false)) === false) continue;
      if (holder.evict(index, swap)) freed++;
    }
  }
  return freed;
}
