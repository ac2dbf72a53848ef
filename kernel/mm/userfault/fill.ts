/** Pages that a userfaultfd's owner puts in place: UFFDIO_COPY, ZEROPAGE, CONTINUE and POISON (mfill_atomic). */
import {
  PTE_ANON,
  PTE_D,
  PTE_POISON,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
} from "../../../mmu/page-table-entry.js";
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { isHugetlb } from "../hugetlb/area.js";
import { fillHugePages, isHugeRange } from "../hugetlb/userfault.js";
import { prepareAnon } from "../merge.js";
import { entryHigh, entryLow, isMarker } from "../translations.js";
import { VM_SHARED, VM_UFFD_WP, VM_WRITE } from "../vm-flags.js";
import { isCached } from "./fault.js";
import { isShmem } from "./register.js";

/** What the pages are filled with. */
export type Content =
  /** The page to put at `va`, 4096 bytes, or null where its source cannot be read. */
  | { readonly kind: "copy"; readonly page: (va: number) => Uint8Array | null }
  | { readonly kind: "zeroes" }
  /** What the page cache of shared memory has there already. */
  | { readonly kind: "cached" }
  /** A memory error. */
  | { readonly kind: "poison" };

export interface Filling {
  /** [start, end) bytes of whole pages. */
  readonly start: number;
  readonly end: number;
  readonly content: Content;
  /** UFFDIO_COPY_MODE_WP, UFFDIO_CONTINUE_MODE_WP. */
  readonly protect: boolean;
}

/**
 * Fills page by page and stops at the first that cannot be filled.
 * @returns bytes filled or, if none, -ENOENT (not one registered area), -EINVAL (not registered for write protection,
 *   a file's memory, or no shared memory to go on with), -EFAULT (the source, beyond the end of shared memory, or
 *   nothing in its page cache), -EEXIST (there is a page), -ENOMEM
 */
export function fillPages(mm: AddressSpace, filling: Filling): number {
  const { start, end } = filling;
  const area = areaToFill(mm, filling);
  if (typeof area === "number") return area;
  if (isHugetlb(area)) return fillHugePages(mm, area, filling);
  for (let va = start; va < end; va += 4096) {
    const error = makeTable(mm, va) || fillOne(mm, area, va, filling);
    if (error === 0) continue;
    if (va > start) return va - start;
    return error === EEXIST
      ? refuseFilling(mm, start, "exists", EEXIST, "there is a page already", area)
      : -error;
  }
  return end - start;
}

/**
 * Bytes of the source that fillPages would read: up to the first page that cannot be filled, and that one, for the copy
 * is made before the entry is looked at.
 */
export function bytesToCopy(mm: AddressSpace, filling: Filling): number {
  const { start, end } = filling;
  const area = areaToFill(mm, filling);
  if (typeof area === "number") return 0;
  if (isHugetlb(area)) return isHugeRange(area, start, end) ? end - start : 0;
  for (let va = start; va < end; va += 4096) {
    const low = mm.translations.low(va);
    if ((low & PTE_PS) !== 0) return va - start;
    if ((area.flags & VM_SHARED) !== 0 && isCached(area, area.fileIndex(va))) return va + 4096 - start;
    if ((low !== 0 && !isMarker(low)) || isBeyondEnd(area, va)) return va + 4096 - start;
  }
  return end - start;
}

function refuseFilling(
  mm: AddressSpace,
  address: number,
  rule: string,
  errno: number,
  text: string,
  area: Area | null = null,
): number {
  return mm.refuse(`userfaultfd.fill.${rule}`, errno, () => ({
    text,
    source: "mfill_atomic",
    area,
    address,
  }));
}

/** The area that all of it lies in, or a refusal. */
function areaToFill(mm: AddressSpace, { start, end, content, protect }: Filling): Area | number {
  const refuse = (rule: string, errno: number, text: string, area: Area | null = null): number =>
    refuseFilling(mm, start, rule, errno, text, area);
  const area = mm.tree.find(start);
  // Before it is known whether the area is registered at all (uffd_lock_vma): it counts when areas merge.
  if (area !== null && (area.flags & VM_SHARED) === 0) prepareAnon(mm, area);
  if (area === null || area.end < end || area.userfault === null)
    return refuse("unregistered", ENOENT, "the range does not lie in one registered area", area);
  if (protect && (area.flags & VM_UFFD_WP) === 0)
    return refuse("not-protected", EINVAL, "the area is not registered for write protection", area);
  if (isHugetlb(area)) return area;
  if (!area.isAnonymous && !isShmem(area)) return refuse("unfit", EINVAL, "a file's own memory", area);
  if (content.kind === "cached" && !isShmem(area))
    return refuse("no-cache", EINVAL, "only shared memory has pages to go on with", area);
  return area;
}

/**
 * A page table for what is to come, before all else: so what is read of memory beside it comes by single pages, too.
 * @returns 0 or a positive errno
 */
function makeTable(mm: AddressSpace, va: number): number {
  if ((mm.translations.low(va) & PTE_PS) !== 0) return EEXIST;
  return mm.tables.entryAddress(va, true) === 0 ? ENOMEM : 0;
}

function fillOne(mm: AddressSpace, area: Area, va: number, filling: Filling): number {
  return filling.content.kind === "poison" ? poisonPage(mm, area, va) : fillPage(mm, area, va, filling);
}

/** @returns 0 or a positive errno */
function fillPage(mm: AddressSpace, area: Area, va: number, { content, protect }: Filling): number {
  const { translations } = mm;
  const { frames } = translations;
  const bytes = content.kind === "copy" ? content.page(va) : null;
  if (content.kind === "copy" && bytes === null) return EFAULT;
  // shmem_get_folio has it so, shmem_mfill_atomic_pte otherwise.
  if (isBeyondEnd(area, va)) return content.kind === "cached" ? EINVAL : EFAULT;
  // Before the entry is looked at (mfill_atomic_pte_continue).
  if (content.kind === "cached" && !isBeyondEnd(area, va) && !isCached(area, area.fileIndex(va)))
    return EFAULT;
  const zeroes = content.kind === "zeroes" && (area.flags & VM_SHARED) === 0;
  const present = translations.low(va);
  // A marker is written over, but not by the zero page (mfill_atomic_install_pte, mfill_atomic_pte_zeropage).
  if (present !== 0 && (zeroes || !isMarker(present))) return EEXIST;
  if (zeroes) return translations.install(va, frames.zeroFrame, entryLow(area), entryHigh(area)) ? 0 : ENOMEM;
  const shared = (area.flags & VM_SHARED) !== 0 && area.pages !== null;
  const cached = content.kind === "cached";
  const frame = cached ? cachedFrame(area, va) : shared ? sharedFrame(area, va) : frames.allocate();
  if (typeof frame === "object") return frame.errno;
  if (frame === -1) return ENOMEM;
  if (shared || cached) frames.hold(frame);
  if (bytes !== null) {
    frames.memory.aboutToWrite(frame, 0, 4096);
    frames.memory.u8.set(bytes, frames.memory.linearOf(frame));
  }
  if (cached && shared) area.pages?.markDirty(area.fileIndex(va));
  const writable = (area.flags & VM_WRITE) !== 0 && (shared || !cached);
  const kept = protect ? PTE_UFFD_WP : writable ? PTE_RW : 0;
  const low = entryLow(area) | PTE_D | PTE_SOFT_DIRTY | kept | (shared || cached ? 0 : PTE_ANON);
  if (translations.install(va, frame, low, entryHigh(area))) return 0;
  frames.release(frame);
  return ENOMEM;
}

/** @returns 0 or a positive errno */
function poisonPage(mm: AddressSpace, area: Area, va: number): number {
  if (isBeyondEnd(area, va)) return EFAULT;
  if (mm.translations.low(va) !== 0) return EEXIST;
  return mm.tables.set(va, 0, PTE_POISON, 0) ? 0 : ENOMEM;
}

function isBeyondEnd(area: Area, va: number): boolean {
  return area.pages !== null && area.fileIndex(va) * 4096 >= area.pages.size;
}

/** A new page of shared memory, entered in its page cache (shmem_mfill_atomic_pte). */
function sharedFrame(area: Area, va: number): number | { readonly errno: number } {
  const { pages } = area;
  const index = area.fileIndex(va);
  if (pages === null) return -1;
  if (isCached(area, index)) return { errno: EEXIST };
  if (pages.full) return { errno: ENOSPC };
  const frame = pages.frameAt(index, true);
  if (frame !== -1) pages.markDirty(index);
  return frame;
}

/** The page of shared memory that its page cache has (SGP_NOALLOC). */
function cachedFrame(area: Area, va: number): number | { readonly errno: number } {
  const index = area.fileIndex(va);
  if (area.pages === null || !isCached(area, index)) return { errno: EFAULT };
  return area.pages.frameAt(index, true);
}
