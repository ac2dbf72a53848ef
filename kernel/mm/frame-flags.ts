/**
 * What /proc/kpageflags and /proc/kpagecount say of frames (fs/proc/page.c; Documentation/admin-guide/mm/pagemap.rst): of
 * the flags those that something here stands for. There are no lists of pages in use: what could be on one counts as on it.
 */
import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { PTE_ANON, PTE_PS, pteFrame } from "../../mmu/page-table-entry.js";
import { TASK_SIZE } from "./layout.js";
import type { AddressSpace } from "./address-space.js";
import { FilePages } from "./file-pages.js";
import { isHugetlb, poolOf } from "./hugetlb/area.js";
import type { SamePages } from "./ksm/same-pages.js";
import { hasFrame } from "./translations.js";

export const FRAME_ENTRY_BYTES = 8;

const UPTODATE = 1 << 3;
const DIRTY = 1 << 4;
const LRU = 1 << 5;
const BUDDY = 1 << 10;
const MMAP = 1 << 11;
const ANON = 1 << 12;
const SWAPBACKED = 1 << 14;
const COMPOUND_HEAD = 1 << 15;
const COMPOUND_TAIL = 1 << 16;
const HUGE = 1 << 17;
const UNEVICTABLE = 1 << 18;
const NOPAGE = 1 << 20;
const KSM = 1 << 21;
const THP = 1 << 22;
const ZERO_PAGE = 1 << 24;
const PGTABLE = 1 << 26;

const RUN = 512;

/** Whose frames are looked at; a `Kernel` is one. */
export interface FrameOwners {
  readonly frames: FrameAllocator;
  readonly tasks: ReadonlyMap<number, { readonly mm: AddressSpace }>;
  readonly samePages: SamePages;
}

function spaces(owners: FrameOwners): Set<AddressSpace> {
  const found = new Set<AddressSpace>();
  for (const { mm } of owners.tasks.values()) if (!mm.released) found.add(mm);
  return found;
}

/** Entries of all page tables that have one of these frames: calls back with the frame's place among them. */
function forEachMapping(
  owners: FrameOwners,
  first: number,
  count: number,
  visit: (at: number, low: number, va: number, mm: AddressSpace) => void,
): void {
  for (const mm of spaces(owners))
    mm.tables.forEachPresentOrSwap(0, TASK_SIZE, (va, low) => {
      const at = pteFrame(low) - first;
      if (hasFrame(low) && at >= 0 && at < count) visit(at, low, va, mm);
    });
}

/** How many entries map each frame. */
export function frameCounts(owners: FrameOwners, first: number, count: number): Uint32Array {
  const words = new Uint32Array(count * 2);
  forEachMapping(owners, first, count, (at) => words[at * 2]++);
  return words;
}

export function frameFlags(owners: FrameOwners, first: number, count: number): Uint32Array {
  const { frames, samePages } = owners;
  const words = new Uint32Array(count * 2);
  const add = (frame: number, flags: number): void => {
    const at = frame - first;
    if (at >= 0 && at < count) words[at * 2] |= flags;
  };
  forEachMapping(owners, first, count, (at, low, va, mm) => {
    if (pteFrame(low) === frames.zeroFrame) return;
    words[at * 2] |= MMAP;
    if ((low & PTE_ANON) !== 0) words[at * 2] |= ANON | SWAPBACKED | UPTODATE | LRU;
    if ((low & PTE_PS) === 0) return;
    const area = mm.tree.find(va);
    const pooled = area !== null && isHugetlb(area);
    const pages = pooled ? poolOf(area).pageFrames : RUN;
    words[at * 2] |= (pooled ? HUGE : THP) | ((first + at) % pages === 0 ? COMPOUND_HEAD : COMPOUND_TAIL);
  });
  for (const mm of spaces(owners)) mm.tables.forEachTable((frame) => add(frame, PGTABLE));
  for (const holder of frames.holders) {
    if (!(holder instanceof FilePages)) continue;
    for (const [index, frame] of holder.residentPages()) {
      // What is only in memory counts as written to.
      const kind = holder.isMemoryOnly ? DIRTY | SWAPBACKED : holder.dirty.has(index) ? DIRTY : 0;
      const folio = holder.blocks?.of(index) ?? null;
      const block = folio === null ? 0 : THP | (folio.first === index ? COMPOUND_HEAD : COMPOUND_TAIL);
      add(frame, UPTODATE | LRU | kind | block);
      if (holder.mappings.locks(index)) add(frame, UNEVICTABLE);
    }
  }
  for (let at = 0; at < count; at++) {
    const frame = first + at;
    if (frame === 0) words[at * 2] = NOPAGE;
    else if (frame === frames.zeroFrame) words[at * 2] = ZERO_PAGE;
    else if (frames.references(frame) === 0) words[at * 2] = BUDDY;
    else if (samePages.isMerged(frame)) words[at * 2] |= KSM;
  }
  return words;
}
