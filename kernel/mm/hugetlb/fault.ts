/*
 * Page faults of areas of huge pages (hugetlb_fault): a page of the file's, a page of the pool for a private mapping, a
 * copy where a private page is written that others have too. Where the pool has none to give: SIGBUS.
 */
import {
  PTE_ANON,
  PTE_D,
  PTE_POISON,
  PTE_RW,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
} from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { PageOutcome } from "../bring-in.js";
import { prepareAnon } from "../merge.js";
import { entryLow } from "../translations.js";
import { missingIsWatched } from "../userfault/fault.js";
import { VM_MAYSHARE, VM_SHARED, VM_UFFD_MINOR, VM_UFFD_WP, VM_WRITE } from "../vm-flags.js";
import { hugeIndex, hugePagesOf, pageBytesOf } from "./area.js";
import type { HugePage } from "./huge-page.js";
import {
  dropLeaves,
  hasPage,
  leafEntry,
  leafLow,
  makeLeafWritable,
  pageOfLeaf,
  replaceLeaf,
  restrictLeaf,
  setLeaf,
} from "./leaves.js";
import { takeForArea } from "./reserve.js";

/** As bringIn of fault.ts, for an area of huge pages. */
export function bringInHugetlb(mm: AddressSpace, area: Area, va: number, write: boolean): PageOutcome {
  const start = va - (va % pageBytesOf(area));
  const low = leafLow(mm, area, start);
  if (!hasPage(low)) {
    mm.stats.minorFaults++;
    if (low === PTE_POISON) return "poisoned";
    return bringInPage(mm, area, start, write, low === PTE_UFFD_WP_MARKER);
  }
  if (!write || (low & PTE_RW) !== 0) return "ok";
  mm.stats.minorFaults++;
  if ((low & PTE_UFFD_WP) !== 0) {
    if (area.userfault?.isAsync !== true) return "write-protected";
    restrictLeaf(mm, area, start, low & ~PTE_UFFD_WP);
  }
  return permitWrite(mm, area, start);
}

/** hugetlb_no_page. @param marked userfaultfd has protected the page before it was there */
function bringInPage(
  mm: AddressSpace,
  area: Area,
  start: number,
  write: boolean,
  marked: boolean,
): PageOutcome {
  if (area.hugetlb?.robbed === true) return "no-huge-page";
  // The table first, so that nothing is in the way once a page is taken.
  if (leafEntry(mm, area, start, true) === 0) return "no-memory";
  const pages = hugePagesOf(area);
  const index = hugeIndex(area, start);
  const shared = (area.flags & VM_MAYSHARE) !== 0;
  let page = pages.hugeAt(index);
  const cached = page !== undefined;
  if (cached && (area.flags & VM_UFFD_MINOR) !== 0) return "minor";
  if (page === undefined) {
    if (index >= Math.floor(pages.size / pages.pool.bytes)) return "beyond-end";
    if (missingIsWatched(area)) return "missing";
    if (!shared) prepareAnon(mm, area);
    const taken = takeForArea(area, index);
    if (taken === null) return "no-huge-page";
    taken.pool.zero(taken);
    if (shared) pages.enter(index, taken);
    page = taken;
  }
  mapPage(mm, area, start, page, !shared && !cached, marked);
  if (!write || (area.flags & VM_SHARED) !== 0)
    return marked && write ? bringInHugetlb(mm, area, start, true) : "ok";
  return marked ? bringInHugetlb(mm, area, start, true) : permitWrite(mm, area, start);
}

/** Enters a page; only shared ones may be written at once (make_huge_pte). */
export function mapPage(
  mm: AddressSpace,
  area: Area,
  start: number,
  page: HugePage,
  anonymous: boolean,
  protect: boolean,
): void {
  const writable = (area.flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE) && !protect;
  const low =
    entryLow(area) |
    (anonymous ? PTE_ANON | PTE_D : 0) |
    (writable ? PTE_RW | PTE_D : 0) |
    (protect && (area.flags & VM_UFFD_WP) !== 0 ? PTE_UFFD_WP : 0);
  if (anonymous) page.restoresReserve = false;
  setLeaf(mm, area, start, page, low);
}

/** As unshare(), for an area of huge pages: its page there, if private and of others too, is copied for reading. */
export function unshareHugetlb(mm: AddressSpace, area: Area, va: number): PageOutcome {
  const start = va - (va % pageBytesOf(area));
  const low = leafLow(mm, area, start);
  if ((low & PTE_ANON) === 0 || pageOfLeaf(mm, low).mappers === 1) return "ok";
  return copyLeaf(mm, area, start, false);
}

/** A write to a page that is there, by a leaf that does not permit it (hugetlb_wp). */
function permitWrite(mm: AddressSpace, area: Area, start: number): PageOutcome {
  if ((area.flags & VM_MAYSHARE) !== 0) {
    makeLeafWritable(mm, area, start);
    return "ok";
  }
  const low = leafLow(mm, area, start);
  const page = pageOfLeaf(mm, low);
  const anonymous = (low & PTE_ANON) !== 0;
  const writable = (area.flags & VM_WRITE) !== 0;
  if (anonymous && page.mappers === 1) {
    if (writable) makeLeafWritable(mm, area, start);
    return "ok";
  }
  return copyLeaf(mm, area, start, writable);
}

/** A page of the area's own in the place of one that others have too. */
function copyLeaf(mm: AddressSpace, area: Area, start: number, writable: boolean): PageOutcome {
  const low = leafLow(mm, area, start);
  const page = pageOfLeaf(mm, low);
  const anonymous = (low & PTE_ANON) !== 0;
  // The owner copies without its promise, which a child's page has used up.
  const fromOwner = anonymous && area.hugetlb?.reserve != null;
  const copy = takeForArea(area, hugeIndex(area, start), fromOwner);
  if (copy === null) {
    if (!fromOwner) return "no-huge-page";
    robOthers(area, start, page);
    return writable ? permitWrite(mm, area, start) : unshareHugetlb(mm, area, start);
  }
  prepareAnon(mm, area);
  page.pool.copy(page, copy);
  replaceLeaf(mm, area, start, copy, entryLow(area) | PTE_ANON | PTE_D | (writable ? PTE_RW : 0));
  return "ok";
}

/** Takes a page from everybody who has it without a promise: who touches it again gets SIGBUS (unmap_ref_private). */
function robOthers(own: Area, start: number, page: HugePage): void {
  const pages = hugePagesOf(own);
  const first = own.fileIndex(start);
  for (const mapper of pages.mappings.all())
    mapper.forEach(pages, first, first + 1, (va, _end, area) => {
      const other = mapper.mm;
      if (area === own || (area.flags & VM_MAYSHARE) !== 0 || area.hugetlb?.reserve != null) return;
      const low = leafLow(other, area, va);
      if (!hasPage(low) || pageOfLeaf(other, low) !== page) return;
      area.hugetlb = { reserve: null, robbed: true };
      dropLeaves(other, area, va, va + pages.pool.bytes);
    });
}
