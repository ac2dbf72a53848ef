/** Promises of huge pages to files and to private mappings (the reservations of mm/hugetlb.c). */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { VM_MAYSHARE, VM_NORESERVE } from "../vm-flags.js";
import { hugeIndex, hugePagesOf, NO_RESERVE, type HugetlbState } from "./area.js";
import type { HugeFilePages } from "./file-pages.js";
import type { HugePage } from "./huge-page.js";
import { RegionMap } from "./region-map.js";
import { giveTo } from "./subpool.js";

/**
 * Promises [from, to) of a file, by index, to a mapping about to be made (hugetlb_reserve_pages).
 * @param flags VM_* of it: with VM_NORESERVE nothing is promised
 * @returns what its area has of it, or -ENOMEM
 */
export function reserveForMapping(
  pages: HugeFilePages,
  from: number,
  to: number,
  flags: number,
): HugetlbState | number {
  if ((flags & VM_NORESERVE) !== 0) return NO_RESERVE;
  if ((flags & VM_MAYSHARE) !== 0) {
    const error = pages.promiseRange(from, to);
    return error === 0 ? NO_RESERVE : error;
  }
  const error = pages.promise(to - from);
  return error === 0 ? { reserve: { used: new RegionMap() }, robbed: false } : error;
}

/** An area goes: what was promised to it and is not used up is promised no longer (hugetlb_vm_op_close). */
export function closeReserve(area: Area): void {
  const reserve = area.hugetlb?.reserve;
  if (reserve === null || reserve === undefined) return;
  const pages = hugePagesOf(area);
  const unused = reserve.used.missing(hugeIndex(area, area.start), hugeIndex(area, area.end));
  if (unused > 0) pages.pool.unreserve(giveTo(pages.subpool, unused));
}

/**
 * A page for an index of whatever mapping an area is of, its content not seen to (alloc_hugetlb_folio).
 * @param beyondPromise what is promised to it may not serve: its owner copies what a child has too
 * @returns null where there is none: SIGBUS
 */
export function takeForArea(area: Area, index: number, beyondPromise = false): HugePage | null {
  const pages = hugePagesOf(area);
  if ((area.flags & VM_MAYSHARE) !== 0) return pages.takeShared(index);
  // What a private mapping has used up of its promise is gone.
  const used = area.hugetlb?.reserve?.used;
  const page = pages.take(used?.count(index, index + 1) === 0, beyondPromise);
  if (page !== null) used?.add(index, index + 1);
  return page;
}

/** The owner of a private mapping unmaps a page of its own: what it used up is promised to it again, once it is free. */
export function restoreReserve(mm: AddressSpace, area: Area, va: number, page: HugePage): void {
  const reserve = area.hugetlb?.reserve ?? null;
  if (reserve === null || page.pool.surplus > 0) return;
  if (page.mappers > 0 && mm.env.release.hugetlbPromisesAgain === "unless-mapped") return;
  page.restoresReserve = true;
  const index = hugeIndex(area, va);
  reserve.used.remove(index, index + 1);
}
