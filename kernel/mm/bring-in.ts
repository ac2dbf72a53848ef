/* A page of an area, brought in for an access that the area permits (handle_mm_fault in mm/memory.c). */
import {
  PTE_ANON,
  PTE_D,
  PTE_GUARD,
  PTE_POISON,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import type { FilePages } from "./file-pages.js";
import { bringInBlock } from "./huge/block.js";
import { hasSmallOrders } from "./huge/orders.js";
import { mayBeHuge } from "./huge/eligible.js";
import { bringInHuge, makeHugeWritable } from "./huge/fault.js";
import { bringInFileLeaf, enterBlocks } from "./huge/file-leaf.js";
import { isHugetlb } from "./hugetlb/area.js";
import { bringInHugetlb } from "./hugetlb/fault.js";
import { hasInsertedPages } from "./inserted-pages.js";
import { prepareAnon } from "./merge.js";
import { readAround } from "./read-around.js";
import { isSecret } from "./secret-memory.js";
import { isSwapped } from "./swap/entry.js";
import { swapIn } from "./swap/swap-in.js";
import { entryHigh, entryLow, hasFrame } from "./translations.js";
import {
  entersAlone,
  liftsProtection,
  missingInCache,
  missingIsWatched,
  presentInCache,
  protectNewPage,
} from "./userfault/fault.js";
import { VM_SHARED, VM_WRITE } from "./vm-flags.js";

/** "missing", "write-protected" and "minor": for the area's userfaultfd to see to. */
export type PageOutcome =
  | "ok"
  | "missing"
  | "minor"
  | "write-protected"
  | "beyond-end"
  | "no-space"
  | "not-inserted"
  | "no-huge-page"
  | "guard"
  | "poisoned"
  | "no-memory";

/** As `bringIn`, for an access that can only be repeated: where no frame is left, another process may have to die. */
export function bringInOrKill(mm: AddressSpace, area: Area, va: number, write: boolean): PageOutcome {
  for (;;) {
    const outcome = bringIn(mm, area, va, write);
    if (outcome === "ok" && mm.env.frames.charging.by?.isOver === true)
      return mm.env.outOfMemory?.(mm) === false ? "no-memory" : "ok";
    if (outcome !== "no-memory" || mm.env.outOfMemory?.(mm) !== true) return outcome;
  }
}

/**
 * Makes a page of an area ready for a read or a write that the area permits (handle_mm_fault): zero page, zeroed
 * page, page of the file, or a private copy.
 */
export function bringIn(mm: AddressSpace, area: Area, va: number, write: boolean): PageOutcome {
  if (isHugetlb(area)) return bringInHugetlb(mm, area, va, write);
  const page = va - (va % 4096);
  const low = mm.translations.low(page);
  if (hasFrame(low)) {
    if (!write || (low & PTE_RW) !== 0) return "ok";
    const outcome = permitWrite(mm, area, page, low);
    if (outcome === "ok") countFault(mm);
    return outcome;
  }
  if (low === PTE_GUARD) return "guard";
  if (low === PTE_POISON) return "poisoned";
  if (isSwapped(low)) {
    if (!swapIn(mm, area, page, low)) return "no-memory";
    return write ? permitWrite(mm, area, page, mm.translations.low(page)) : "ok";
  }
  countFault(mm);
  if (low === 0 && mayBeHuge(mm, area) && bringInHuge(mm, area, page, write)) return "ok";
  const come = area.pages === null ? bringInAnonymous : bringInFile;
  const outcome = come(mm, area, page, write);
  if (low !== PTE_UFFD_WP_MARKER || outcome !== "ok") return outcome;
  protectNewPage(mm, page);
  return write ? permitWrite(mm, area, page, mm.translations.low(page)) : "ok";
}

/** mm_account_fault */
function countFault(mm: AddressSpace): void {
  mm.stats.minorFaults++;
  mm.env.frames.charging.by?.fault();
}

/** A write to a page that is there, by an entry that does not permit it (do_wp_page). */
function permitWrite(mm: AddressSpace, area: Area, page: number, low: number): PageOutcome {
  if ((low & PTE_UFFD_WP) === 0) return makeWritable(mm, area, page, low);
  if (!liftsProtection(mm, area, page)) return "write-protected";
  return makeWritable(mm, area, page, low & ~(PTE_UFFD_WP | PTE_PS));
}

function bringInAnonymous(mm: AddressSpace, area: Area, page: number, write: boolean): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  if (!write) {
    if (missingIsWatched(area)) return "missing";
    const done = translations.install(page, frames.zeroFrame, entryLow(area), entryHigh(area));
    return done ? "ok" : "no-memory";
  }
  prepareAnon(mm, area);
  if (missingIsWatched(area)) return "missing";
  if (hasSmallOrders(mm.env.settings) && bringInBlock(mm, area, page)) return "ok";
  return installPrivate(mm, area, page, frames.allocate());
}

/** What a write leaves in an entry (pte_mkdirty). */
const WRITTEN = PTE_D | PTE_SOFT_DIRTY;

/** Enters a private page, dirty and, if the area permits writing, writable. Takes over the frame's reference. */
function installPrivate(mm: AddressSpace, area: Area, page: number, frame: number): PageOutcome {
  if (frame === -1) return "no-memory";
  const rw = (area.flags & VM_WRITE) !== 0 ? PTE_RW : 0;
  if (mm.translations.install(page, frame, entryLow(area) | PTE_ANON | WRITTEN | rw, entryHigh(area)))
    return "ok";
  mm.translations.frames.release(frame);
  return "no-memory";
}

function bringInFile(mm: AddressSpace, area: Area, page: number, write: boolean): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  const { pages } = area;
  if (pages === null) return "ok";
  if (hasInsertedPages(area)) return "not-inserted";
  const privateWrite = write && (area.flags & VM_SHARED) === 0;
  // Also where no page comes of it (do_cow_fault).
  if (privateWrite) prepareAnon(mm, area);
  const index = area.fileIndex(page);
  const inside = index * 4096 < pages.size;
  if (inside && pages.sharedMemory !== null && bringInFileLeaf(mm, area, pages, page, write)) return "ok";
  // The page table first: to make room for it, the page might have to go again.
  if (translations.tables.entryAddress(page, true) === 0) return "no-memory";
  if (!inside) {
    if (!write) faultAround(mm, area, pages, page);
    return "beyond-end";
  }
  if (missingInCache(area, index)) {
    // The neighbours are entered first (do_read_fault).
    if (!write) faultAround(mm, area, pages, page);
    return "missing";
  }
  if (presentInCache(area, index)) return "minor";
  readAround(area, pages, index);
  const frame = pages.frameAt(index, true);
  if (frame === -1) return pages.full ? "no-space" : "no-memory";
  if (privateWrite) return copyPrivate(mm, area, page, frame);
  let low = entryLow(area);
  if (write) {
    if (!pages.makeWritable(index)) return "no-space";
    low |= PTE_RW | WRITTEN;
  }
  frames.hold(frame);
  translations.install(page, frame, low, entryHigh(area));
  if (!write && !area.unsplittable && !isSecret(area)) faultAround(mm, area, pages, page);
  return "ok";
}

/** Pages of do_fault_around's window (fault_around_bytes, 64 KiB), and of one page table. */
const AROUND_PAGES = 16;
const TABLE_PAGES = 512;

/**
 * A read fault enters the neighbours too that the page cache holds, as far as their entries are empty
 * (do_fault_around): a later fault there finds its page present.
 */
function faultAround(mm: AddressSpace, area: Area, pages: FilePages, page: number): void {
  if (entersAlone(area)) return;
  const { translations } = mm;
  const { frames } = translations;
  const number = page / 4096;
  const table = number - (number % TABLE_PAGES);
  const from = Math.max(number - (number % AROUND_PAGES), area.start / 4096);
  const fileEnd = number + Math.ceil(pages.size / 4096) - area.fileIndex(page);
  const to = Math.min(from + AROUND_PAGES, table + TABLE_PAGES, area.end / 4096, fileEnd);
  const first = translations.entryIndex(from * 4096);
  const words = frames.memory.u32;
  for (let other = from; other < to; other++) {
    if (words[first + (other - from) * 2] !== 0) continue;
    const frame = pages.frameAt(area.fileIndex(other * 4096), false);
    if (frame === -1) continue;
    frames.hold(frame);
    translations.install(other * 4096, frame, entryLow(area), entryHigh(area));
  }
  if (pages.blocks?.none === false && mm.env.release.faultAroundEntersBlocks)
    enterBlocks(mm, area, pages, from, to);
}

function makeWritable(mm: AddressSpace, area: Area, page: number, low: number): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  if ((low & PTE_PS) !== 0) {
    if (makeHugeWritable(mm, area, page)) return "ok";
    // A file's leaf is gone: the page is brought in anew, if it is not beyond the end.
    if (translations.low(page) === 0) return bringInFile(mm, area, page, true);
  }
  const frame = pteFrame(low);
  if ((area.flags & VM_SHARED) !== 0) {
    if (area.pages?.makeWritable(area.fileIndex(page)) === false) return "no-space";
    setWritable(mm, page);
    return "ok";
  }
  // Whoever has it alone takes it out of the swap cache (wp_can_reuse_anon_folio).
  if (mm.env.swap.isCached(frame) && frames.references(frame) === 2) mm.env.swap.forget(frame);
  if ((low & PTE_ANON) !== 0 && frames.references(frame) - mm.env.pins.of(frame) === 1) {
    if ((area.flags & VM_WRITE) !== 0) setWritable(mm, page);
    return "ok";
  }
  return copyPrivate(mm, area, page, frame);
}

/** The entry has its frame already and no TLB holds a write tag for it: only the permission changes. */
function setWritable(mm: AddressSpace, page: number): void {
  const { memory } = mm.translations.frames;
  const entry = mm.translations.entryIndex(page);
  memory.u32[entry] |= PTE_RW | WRITTEN;
  memory.entryWritten(entry);
}

function copyPrivate(mm: AddressSpace, area: Area, page: number, from: number): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  // Held: to make room for the copy, the page might have to go from the page cache.
  frames.hold(from);
  const copy = frames.allocate();
  if (copy !== -1 && from !== frames.zeroFrame) translations.copyFrame(from, copy);
  frames.release(from);
  if (copy === -1) return "no-memory";
  prepareAnon(mm, area);
  return installPrivate(mm, area, page, copy);
}
