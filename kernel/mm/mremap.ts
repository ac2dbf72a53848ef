/*
 * mremap(old_address, old_size, new_size, flags, new_address), as since 6.17; mremap-lookup-first.ts is what was before
 *
 * Refuses, in this order (check_mremap_params, do_mremap):
 *   EINVAL  unknown flags; old_address not page aligned; new_size rounds to 0 or is longer than user space
 *   with MREMAP_FIXED or MREMAP_DONTUNMAP
 *   EINVAL  new range beyond user space; new_address not page aligned; no MREMAP_MAYMOVE; DONTUNMAP with
 *           different sizes; old and new overlap
 *   ENOMEM  (7.2) the map count is within 4 (MREMAP_DONTUNMAP: 5) of its limit
 *   then
 *   EFAULT  nothing mapped at old_address
 *   EPERM   the area there is sealed
 *   EINVAL  huge pages: an address inside of one, growth (lengths count in whole ones)
 *   EINVAL  old_size 0 on private memory; DONTUNMAP of a special mapping
 *   EFAULT  the old range leaves the area (a shrink: the new size must fit; one size without a new place: never);
 *           growing a special mapping
 *   EAGAIN  RLIMIT_MEMLOCK
 *   ENOMEM  RLIMIT_AS, RLIMIT_DATA
 *   ENOMEM  (not 7.2) map count; what MREMAP_FIXED unmaps (EPERM if sealed, see munmap.ts); what a shrink cuts off (same)
 *   ENOMEM  no room to grow, and no MREMAP_MAYMOVE; overcommit
 *
 * Stays applied: MREMAP_FIXED unmaps the destination before it shrinks or moves. With MREMAP_FIXED and equal sizes
 * all areas of the old range move, one after the other: a refusal at one leaves those before it moved.
 */
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../errno.js";
import { mayExpand, mayLock } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isHugetlb } from "./hugetlb/area.js";
import { alignForHugetlb } from "./hugetlb/mremap.js";
import { TASK_SIZE } from "./layout.js";
import { remapLookupFirst } from "./mremap-lookup-first.js";
import { findPlace, growInPlace, misplacedBy, moveArea, notMapped, unmapTail } from "./mremap-move.js";
import { unmapRange } from "./munmap.js";
import { checkSealsOfRange, refuseSealed } from "./sealing/range.js";
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "./uapi.js";
import * as vm from "./vm-flags.js";
import { isPageAligned, pageUp, type Word } from "./word.js";

/** Sizes and addresses in bytes, rounded to pages and checked. */
interface Request {
  readonly old: number;
  readonly oldLength: number;
  readonly newLength: number;
  readonly flags: number;
  readonly target: number;
  /** As given, whether it counts or not. */
  readonly newAddress: Word;
  /** Areas before this one have moved already. */
  readonly moved: boolean;
}

export function mremap(
  mm: AddressSpace,
  oldAddress: Word,
  oldSize: Word,
  newSize: Word,
  flags: number,
  newAddress: Word,
): number {
  return mm.env.release.mremapChecks === "parameters-first"
    ? remapParametersFirst(mm, oldAddress, oldSize, newSize, flags, newAddress)
    : remapLookupFirst(mm, oldAddress, oldSize, newSize, flags, newAddress);
}

function remapParametersFirst(
  mm: AddressSpace,
  oldAddress: Word,
  oldSize: Word,
  newSize: Word,
  flags: number,
  newAddress: Word,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mremap.${rule}`, errno, () => ({ text, source: "check_mremap_params" }));
  if (!(flags <= 7)) return refuse("flags", EINVAL, "unknown flags");
  if (!isPageAligned(oldAddress))
    return refuse("unaligned", EINVAL, "the old address is not a multiple of the page size");
  const oldLength = pageUp(oldSize);
  const newLength = pageUp(newSize);
  if (newLength === 0) return refuse("empty", EINVAL, "the new size is 0");
  if (newLength > TASK_SIZE) return refuse("length", EINVAL, "the new size is longer than user space");
  const explicit = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  const old = Number(oldAddress);
  const target = explicit ? Number(newAddress) : 0;
  if (explicit) {
    if (newAddress > TASK_SIZE - newLength)
      return refuse("range", EINVAL, "the new range does not lie in user space");
    if (!isPageAligned(newAddress))
      return refuse("unaligned", EINVAL, "the new address is not a multiple of the page size");
    if ((flags & MREMAP_MAYMOVE) === 0) return refuse("flags", EINVAL, "a new address needs MREMAP_MAYMOVE");
    if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLength !== newLength)
      return refuse("resize", EINVAL, "MREMAP_DONTUNMAP does not change the size");
    // The old range's end wraps at 2^64, where page multiples are still exact in a double.
    if (old < target + newLength && target < (old + oldLength) % 2 ** 64)
      return refuse("overlap", EINVAL, "the old and the new range overlap");
  }
  if (mm.env.release.mremapCountsAreasFirst) {
    // Two areas from a split at either end, two of its own, and what is left behind.
    const needed = (flags & MREMAP_DONTUNMAP) !== 0 ? 5 : 4;
    if (mm.tree.count + needed > mm.env.settings.maxMapCount)
      return refuse("map-count", ENOMEM, "too close to vm.max_map_count");
  }
  const sealed =
    mm.tree.find(old) === null
      ? null
      : checkSealsOfRange(mm, old, old + oldLength, (area) => mm.env.sealing.mayRemap(area, mm.env.machine));
  if (sealed !== null)
    return refuseSealed(mm, "mremap", sealed.verdict, () => ({
      area: sealed.area,
      address: sealed.address,
      applied: "nothing has changed",
    }));
  const request: Request = { old, oldLength, newLength, flags, target, newAddress, moved: false };
  if ((flags & MREMAP_FIXED) !== 0 && oldLength === newLength && mm.env.release.mremapMovesSeveralAreas)
    return moveAreas(mm, request);
  return remapArea(mm, request);
}

/** Moves every area of the range; holes keep their places (remap_move). */
function moveAreas(mm: AddressSpace, request: Request): number {
  const { old, oldLength, target } = request;
  const end = old + oldLength;
  let at = old;
  for (let area = mm.tree.find(old); ; area = mm.tree.findOverlap(at, end)) {
    if (area === null) {
      if (at > old) return target;
      return notMapped(mm, old);
    }
    const from = Math.max(area.start, at);
    const to = Math.min(area.end, end);
    const alone = movesAlone(area);
    if (alone !== null && (at > old || area.end < end)) {
      const here = area;
      return mm.refuse("mremap.several", EFAULT, () => ({
        text: `${alone} do not move together with others`,
        source: "remap_move",
        area: here,
        ...(at > old ? { applied: "the areas before it have moved" } : {}),
      }));
    }
    const result = remapArea(mm, {
      ...request,
      old: from,
      oldLength: to - from,
      newLength: to - from,
      target: target + (from - old),
      newAddress: target + (from - old),
      moved: from > old,
    });
    if (result < 0) return result;
    at = to;
    if (at >= end) return target;
  }
}

/** What moves alone or not at all (vma_multi_allowed): what chooses addresses itself, areas that are watched. */
function movesAlone(area: Area): string | null {
  if (area.userfault !== null) return "areas of a userfaultfd";
  if (area.file?.isSegment === true && !isHugetlb(area)) return "segments of System V";
  return area.file?.zeroDevice === true ? "private mappings of /dev/zero" : null;
}

function remapArea(mm: AddressSpace, request: Request): number {
  const { old, flags, target, moved } = request;
  let { oldLength, newLength } = request;
  const found = old < TASK_SIZE ? mm.tree.find(old) : null;
  if (found === null) return notMapped(mm, old);
  let area: Area = found;
  const refuse = (rule: string, errno: number, text: string, source = "check_prep_vma") =>
    mm.refuse(`mremap.${rule}`, errno, () => ({
      text,
      source,
      area,
      address: old,
      ...(moved ? { applied: "the areas before it have moved" } : {}),
    }));
  const verdict = mm.env.sealing.mayRemap(area, mm.env.machine);
  if (verdict !== null)
    return refuseSealed(mm, "mremap", verdict, () => ({
      area,
      address: old,
      ...(moved ? { applied: "the areas before it have moved" } : {}),
    }));
  const aligned = alignForHugetlb(mm, area, old, request.newAddress, oldLength, newLength);
  if (typeof aligned === "number") return aligned;
  ({ oldLength, newLength } = aligned);
  if (oldLength === 0 && (area.flags & vm.VM_MAYSHARE) === 0)
    return refuse("duplicate", EINVAL, "an old size of 0 duplicates shared mappings only");
  const special = (area.flags & (vm.VM_DONTEXPAND | vm.VM_PFNMAP)) !== 0;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && special)
    return refuse("special", EINVAL, "a special mapping is not kept");
  const explicit = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (!explicit && oldLength === newLength) return old;
  if ((explicit || newLength > oldLength) && Math.min(oldLength, newLength) > area.end - old)
    return refuse("crosses", EFAULT, "the old range leaves the area");
  const delta = (newLength - oldLength) / 4096;
  if (delta > 0) {
    if (special) return refuse("special", EFAULT, "a special mapping does not grow");
    if (!mayLock(mm, area.flags, delta))
      return refuse("memlock", EAGAIN, "over RLIMIT_MEMLOCK", "mlock_future_ok");
    if (!mayExpand(mm, area.flags, delta))
      return refuse("limit", ENOMEM, "over RLIMIT_AS or RLIMIT_DATA", "may_expand_vm");
  }

  if (!explicit) {
    if (newLength < oldLength) {
      const error = unmapTail(mm, old + newLength, old + oldLength);
      return error === 0 ? old : error;
    }
    if (growInPlace(mm, area, old, oldLength, newLength)) return old;
    if ((flags & MREMAP_MAYMOVE) === 0)
      return refuse("no-room", ENOMEM, "no room to grow in place", "expand_vma");
  } else {
    if (!mm.env.release.mremapCountsAreasFirst && mm.tree.count + 2 >= mm.env.settings.maxMapCount - 3)
      return refuse("map-count", ENOMEM, "too close to vm.max_map_count", "mremap_to");
    if ((flags & MREMAP_FIXED) !== 0) {
      const error = unmapRange(mm, target, target + newLength, "mremap-destination");
      if (error !== 0) return error;
      // An old length that wraps lets the new range take the old area away.
      if (mm.tree.find(old) === null) return notMapped(mm, old);
    }
    if (newLength < oldLength) {
      const error = unmapTail(mm, old + newLength, old + oldLength);
      if (error !== 0) return error;
      oldLength = newLength;
    }
    const still = mm.tree.find(old);
    if (still === null) return notMapped(mm, old);
    area = still;
    if ((flags & MREMAP_DONTUNMAP) !== 0 && !mayExpand(mm, area.flags, oldLength / 4096))
      return refuse("limit", ENOMEM, "over RLIMIT_AS or RLIMIT_DATA", "may_expand_vm");
  }
  const misplaced = (flags & MREMAP_FIXED) === 0 ? 0 : misplacedBy(area, target);
  if (misplaced !== 0)
    return refuse("place", misplaced, "this file chooses where it is mapped", "get_unmapped_area");
  const place = (flags & MREMAP_FIXED) !== 0 ? target : findPlace(mm, area, explicit ? target : 0, newLength);
  if (place === -1) return refuse("no-room", ENOMEM, "no free range is long enough", "get_unmapped_area");
  const error = moveArea(mm, area, old, oldLength, place, newLength, (flags & MREMAP_DONTUNMAP) !== 0);
  if (error !== 0) return refuse("move", -error, "the area cannot be moved", "move_vma");
  return place;
}
