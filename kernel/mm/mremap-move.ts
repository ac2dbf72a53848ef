/** What mremap does once nothing speaks against it, and what its checks share. */

import { EFAULT, EINVAL, ENOMEM, EPERM } from "../errno.js";
import { commit, countPages } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import { detachAnon, NO_CHAIN } from "./anon-vma.js";
import type { Area, AreaProperties } from "./area.js";
import { placeShared } from "./huge/shared-place.js";
import { TASK_SIZE } from "./layout.js";
import { unmergeRange } from "./ksm/unmerge.js";
import { isHugetlb, NO_RESERVE, pageBytesOf } from "./hugetlb/area.js";
import { moveEntries } from "./hugetlb/entries.js";
import { addOrMerge, splitCounted } from "./merge.js";
import { unmapRange } from "./munmap.js";
import { populateLocked } from "./populate.js";
import { findUnmappedArea, findUnmappedHuge } from "./unmapped-area.js";
import { forgetUserfault } from "./userfault/context.js";
import { staysWatched, tellMoved } from "./userfault/events.js";
import { MAP_SHARED } from "./uapi.js";
import * as vm from "./vm-flags.js";

/** Where an area can move to: near a hint, or anywhere for 0. @returns the address, or -1 */
export function findPlace(mm: AddressSpace, area: Area, hint: number, length: number): number {
  if (isHugetlb(area)) return findUnmappedHuge(mm, hint, length, 0, pageBytesOf(area));
  const found = findUnmappedArea(mm, hint, length, 0, false);
  if (found === -1 || area.pages === null || area.pages.sharedMemory === null) return found;
  return placeShared(mm, area.file, found, hint, length, area.pageOffset * 4096, MAP_SHARED);
}

/** The file chooses where it is mapped, and not there: a positive errno, or 0. By now the target's own areas are gone. */
export function misplacedBy(area: Area, target: number): number {
  return area.file?.placeRefused?.(target, area.pageOffset * 4096) ?? 0;
}

export function notMapped(mm: AddressSpace, address: number): number {
  return mm.refuse("mremap.unmapped", EFAULT, () => ({
    text: "nothing is mapped at the old address",
    source: "vma_lookup",
    ...(address < 2 ** 47 ? { address } : {}),
  }));
}

/** Cuts off what a shrink gives up: an old size that leaves user space is EINVAL, as munmap has it (do_vmi_munmap). */
export function unmapTail(mm: AddressSpace, start: number, end: number): number {
  if (end <= TASK_SIZE) return unmapRange(mm, start, end, "mremap");
  return mm.refuse("mremap.range", EINVAL, () => ({
    text: "the old range does not lie in user space",
    source: "do_vmi_munmap",
  }));
}

/** Grows an area at its end where the next one leaves room (expand_vma_in_place). */
export function growInPlace(
  mm: AddressSpace,
  area: Area,
  old: number,
  oldLength: number,
  newLength: number,
): boolean {
  const end = old + newLength;
  if (oldLength === 0 || old + oldLength !== area.end || end > TASK_SIZE) return false;
  if (area.next !== null && area.next.start < end) return false;
  // What never merges does not grow: the new part would be an area of its own (vma_merge_extend).
  if (!mm.env.sealing.mergeable(area.seal, area.seal)) return false;
  const pages = (newLength - oldLength) / 4096;
  const { flags } = area;
  if ((flags & vm.VM_ACCOUNT) !== 0 && !commit(mm, pages)) return false;
  const from = area.end;
  const grown = addOrMerge(mm, from, end, propertiesFrom(area, area.pageOffset + area.pageCount));
  countPages(mm, flags, pages);
  mm.env.uprobes?.mapped(mm, grown);
  mm.changed("map", from, end);
  if ((flags & vm.VM_LOCKED) !== 0) populateLocked(mm, from, end);
  return true;
}

/** What an area is, from another page of its file on. */
function propertiesFrom(area: Area, pageOffset: number): AreaProperties {
  return {
    flags: area.flags,
    key: area.key,
    seal: area.seal,
    file: area.file,
    pages: area.pages,
    name: area.name,
    anonName: area.anonName,
    anonShmem: area.anonShmem,
    pageOffset,
    anon: area.anon,
    chain: area.chain,
    unsplittable: area.unsplittable,
    guarded: area.guarded,
    policy: area.policy,
    userfault: area.userfault,
    hugetlb: area.hugetlb,
  };
}

/** Makes the area anew at `to`, moves its pages there and unmaps the old place unless it is to be kept. */
export function moveArea(
  mm: AddressSpace,
  moved: Area,
  from: number,
  oldLength: number,
  to: number,
  newLength: number,
  keepOld: boolean,
): number {
  let area = moved;
  if (!mm.env.release.mremapCountsAreasFirst && mm.tree.count >= mm.env.settings.maxMapCount - 3)
    return -ENOMEM;
  if (area.unsplittable && !covers(from, oldLength, area) && oldLength !== 0) return -EINVAL;
  if (area.start === mm.uprobesArea && area.unsplittable && !mm.env.release.uprobesAreaMoves)
    return mm.refuse("mremap.uprobes", EPERM, () => ({
      text: "probed instructions are executed in [uprobes], and looked for where it is",
      source: "xol_mremap",
      area: moved,
    }));
  // Merged pages do not move: at the new place they would meet others of their content.
  if (unmergeRange(mm, area, from, from + oldLength) !== 0) return -ENOMEM;
  if (keepOld && (area.flags & vm.VM_LOCKED) !== 0 && mm.env.release.dontUnmapUnlocks === "range") {
    const part = partOf(mm, area, from, from + oldLength);
    if (typeof part === "number") return part;
    area = part;
  }
  const properties = propertiesFrom(area, area.fileIndex(from));
  // Untouched anonymous memory takes the offset of its new place, so that it can merge there.
  if (area.isAnonymous && area.anon === null) properties.pageOffset = to / 4096;
  const pages = newLength / 4096;
  if ((area.flags & vm.VM_ACCOUNT) !== 0 && !commit(mm, pages)) return -ENOMEM;
  // The area that is kept may not take the new one in, in some releases.
  const apart = keepOld && !mm.env.release.dontUnmapMergesWithSource;
  const joins = (edge: number): boolean => !apart || edge < area.start || edge >= area.end;
  const made = addOrMerge(mm, to, to + newLength, properties, joins(to + newLength), joins(to - 1));
  const watched = staysWatched(area);
  if (!watched) forgetUserfault(made);
  countPages(mm, properties.flags, pages);
  if (moveEntries(mm, area, from, to, oldLength, watched) !== oldLength) {
    // Out of frames for page tables: put back what came over and drop the new area.
    moveEntries(mm, area, to, from, oldLength, watched);
    unmapRange(mm, to, to + newLength, "mremap");
    return -ENOMEM;
  }
  if (made.hugetlb !== null && oldLength > 0) {
    // What was promised to it is the new area's now (clear_vma_resv_huge_pages).
    const part = partOf(mm, area, from, from + oldLength);
    if (typeof part !== "number") part.hugetlb = NO_RESERVE;
  }
  if (watched) tellMoved(made, from, to, oldLength);
  if (oldLength > 0) {
    if (keepOld) keepUnlocked(mm, from, oldLength);
    else unmapRange(mm, from, from + oldLength, "mremap");
  }
  mm.changed("move", to, to + newLength);
  if ((properties.flags & vm.VM_LOCKED) !== 0) populateLocked(mm, to + oldLength, to + newLength);
  return 0;
}

function covers(from: number, length: number, area: Area): boolean {
  return area.start === from && area.end === from + length;
}

/** Parts a range from the rest of its area. @returns the part, or a negative errno with nothing but splits done */
function partOf(mm: AddressSpace, area: Area, start: number, end: number): Area | number {
  let part = area;
  if (start > part.start) {
    const error = splitCounted(mm, part, start);
    if (error !== 0) return error;
    part = part.next ?? part;
  }
  const error = end < part.end ? splitCounted(mm, part, end) : 0;
  return error === 0 ? part : error;
}

/** MREMAP_DONTUNMAP leaves an empty area behind, which is no longer locked; it does not merge for that. */
function keepUnlocked(mm: AddressSpace, from: number, length: number): void {
  const left = mm.tree.find(from);
  if (left === null) return;
  if ((left.flags & vm.VM_LOCKED) !== 0) {
    mm.stats.lockedVm -= left.pageCount;
    left.flags = vm.withFlags(left.flags, 0, vm.VM_LOCKED_MASK);
  }
  if (!covers(from, length, left)) return;
  detachAnon(left);
  left.anon = null;
  left.chain = NO_CHAIN;
  if (mm.env.release.dontUnmapLeavesFresh && left.isAnonymous && left.file === null)
    left.pageOffset = left.start / 4096;
}
