/*
 * mremap(old_address, old_size, new_size, flags, new_address), as until 6.16
 *
 * Refuses, in this order (mremap, mremap_to, vma_to_resize):
 *   EINVAL  unknown flags; MREMAP_FIXED without MREMAP_MAYMOVE; MREMAP_DONTUNMAP without it or with different sizes;
 *           old_address not page aligned; new_size rounds to 0
 *   EINVAL  (6.16) MREMAP_FIXED or MREMAP_DONTUNMAP, and new_address not page aligned
 *   EFAULT  nothing mapped at old_address
 *   EPERM   (6.12 to 6.16) the area there is sealed
 *   with MREMAP_FIXED or MREMAP_DONTUNMAP
 *   EINVAL  new_address not page aligned; the new range beyond user space; old and new overlap
 *   ENOMEM  the map count
 *   EPERM   (6.10) an area of the old range is sealed
 *   then MREMAP_FIXED unmaps the destination (its errors), and a shrink is cut off at the old place (the same)
 *   without
 *   EPERM   (6.10) an area of the old range is sealed
 *   (what a shrink cuts off; one size: 0)
 *   then
 *   EINVAL  old_size 0 on private memory; DONTUNMAP of a special mapping
 *   EFAULT  the old range leaves the area; growing a special mapping
 *   EAGAIN  RLIMIT_MEMLOCK
 *   ENOMEM  RLIMIT_AS, RLIMIT_DATA; no room to grow, and no MREMAP_MAYMOVE; overcommit
 *
 * Stays applied: MREMAP_FIXED has unmapped the destination before the old range is looked at, so EFAULT for a range
 * of several areas comes with the destination gone.
 */
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../errno.js";
import { mayExpand, mayLock } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { alignForHugetlb } from "./hugetlb/mremap.js";
import { TASK_SIZE } from "./layout.js";
import { findPlace, growInPlace, misplacedBy, moveArea, notMapped, unmapTail } from "./mremap-move.js";
import { unmapRange } from "./munmap.js";
import {
  checkSealOfArea,
  checkSealsOfRange,
  refuseSealed as refuseForSeal,
  type RangeRefusal,
} from "./sealing/range.js";
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "./uapi.js";
import * as vm from "./vm-flags.js";
import { addPages, isPageAligned, pageUp, type Word } from "./word.js";

export function remapLookupFirst(
  mm: AddressSpace,
  oldAddress: Word,
  oldSize: Word,
  newSize: Word,
  flags: number,
  newAddress: Word,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mremap.${rule}`, errno, () => ({ text, source: "mremap" }));
  const mayMove = (flags & MREMAP_MAYMOVE) !== 0;
  const explicit = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (!(flags <= 7)) return refuse("flags", EINVAL, "unknown flags");
  if (explicit && !mayMove) return refuse("flags", EINVAL, "a new address needs MREMAP_MAYMOVE");
  if ((flags & MREMAP_DONTUNMAP) !== 0 && BigInt(oldSize) !== BigInt(newSize))
    return refuse("resize", EINVAL, "MREMAP_DONTUNMAP does not change the size");
  if (!isPageAligned(oldAddress))
    return refuse("unaligned", EINVAL, "the old address is not a multiple of the page size");
  let oldLength = pageUp(oldSize);
  let newLength = pageUp(newSize);
  if (newLength === 0) return refuse("empty", EINVAL, "the new size is 0");
  if (explicit && mm.env.release.mremapChecks === "alignment-first" && !isPageAligned(newAddress))
    return refuse("unaligned", EINVAL, "the new address is not a multiple of the page size");

  const old = Number(oldAddress);
  const area = old < TASK_SIZE ? mm.tree.find(old) : null;
  if (area === null) return notMapped(mm, old);
  const sealed = checkSealOfArea(mm, area, (each) => mm.env.sealing.mayRemap(each, mm.env.machine));
  if (sealed !== null) return refuseSealed(mm, sealed, old);
  const aligned = alignForHugetlb(mm, area, old, newAddress, oldLength, newLength);
  if (typeof aligned === "number") return aligned;
  ({ oldLength, newLength } = aligned);
  if (explicit) return moveTo(mm, old, oldLength, newLength, flags, newAddress);

  const sealedRange = checkSealsOfRange(mm, old, addPages(old, oldLength), (each) =>
    mm.env.sealing.mayRemap(each, mm.env.machine),
  );
  if (sealedRange !== null) return refuseSealed(mm, sealedRange, old);
  if (oldLength === newLength) return old;
  if (newLength < oldLength) {
    const error = unmapTail(mm, old + newLength, old + oldLength);
    return error === 0 ? old : error;
  }
  const error = checkResize(mm, area, old, oldLength, newLength, flags);
  if (error !== 0) return error;
  if (growInPlace(mm, area, old, oldLength, newLength)) return old;
  if (!mayMove) return refuse("no-room", ENOMEM, "no room to grow in place");
  return place(mm, area, old, oldLength, newLength, 0, flags);
}

/** With an address that the caller names (mremap_to). */
function moveTo(
  mm: AddressSpace,
  old: number,
  oldSize: number,
  newLength: number,
  flags: number,
  newAddress: Word,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mremap.${rule}`, errno, () => ({ text, source: "mremap_to" }));
  let oldLength = oldSize;
  if (!isPageAligned(newAddress))
    return refuse("unaligned", EINVAL, "the new address is not a multiple of the page size");
  if (newLength > TASK_SIZE || newAddress > TASK_SIZE - newLength)
    return refuse("range", EINVAL, "the new range does not lie in user space");
  const target = Number(newAddress);
  // The old range's end wraps at 2^64.
  const oldEnd = addPages(old, oldLength);
  if (oldEnd > target && target + newLength > old)
    return refuse("overlap", EINVAL, "the old and the new range overlap");
  if (mm.tree.count + 2 >= mm.env.settings.maxMapCount - 3)
    return refuse("map-count", ENOMEM, "too close to vm.max_map_count");
  const sealed = checkSealsOfRange(mm, old, oldEnd, (each) => mm.env.sealing.mayRemap(each, mm.env.machine));
  if (sealed !== null) return refuseSealed(mm, sealed, old);
  if ((flags & MREMAP_FIXED) !== 0) {
    const error = unmapRange(mm, target, target + newLength, "mremap-destination");
    if (error !== 0) return error;
  }
  if (newLength < oldLength) {
    const error = unmapTail(mm, old + newLength, old + oldLength);
    if (error !== 0) return error;
    oldLength = newLength;
  }
  const area = mm.tree.find(old);
  if (area === null) return notMapped(mm, old);
  const error = checkResize(mm, area, old, oldLength, newLength, flags);
  if (error !== 0) return error;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && !mayExpand(mm, area.flags, oldLength / 4096))
    return refuse("limit", ENOMEM, "over RLIMIT_AS or RLIMIT_DATA");
  return place(mm, area, old, oldLength, newLength, target, flags);
}

/** vma_to_resize. @returns 0 or a negative errno */
function checkResize(
  mm: AddressSpace,
  area: Area,
  old: number,
  oldLength: number,
  newLength: number,
  flags: number,
): number {
  const refuse = (rule: string, errno: number, text: string, source = "vma_to_resize") =>
    mm.refuse(`mremap.${rule}`, errno, () => ({ text, source, area, address: old }));
  const special = (area.flags & (vm.VM_DONTEXPAND | vm.VM_PFNMAP)) !== 0;
  if (oldLength === 0 && (area.flags & vm.VM_MAYSHARE) === 0)
    return refuse("duplicate", EINVAL, "an old size of 0 duplicates shared mappings only");
  if ((flags & MREMAP_DONTUNMAP) !== 0 && special)
    return refuse("special", EINVAL, "a special mapping is not kept");
  if (oldLength > area.end - old) return refuse("crosses", EFAULT, "the old range leaves the area");
  if (newLength === oldLength) return 0;
  if (special) return refuse("special", EFAULT, "a special mapping does not grow");
  const delta = (newLength - oldLength) / 4096;
  if (!mayLock(mm, area.flags, delta))
    return refuse("memlock", EAGAIN, "over RLIMIT_MEMLOCK", "mlock_future_ok");
  if (!mayExpand(mm, area.flags, delta))
    return refuse("limit", ENOMEM, "over RLIMIT_AS or RLIMIT_DATA", "may_expand_vm");
  return 0;
}

function place(
  mm: AddressSpace,
  area: Area,
  old: number,
  oldLength: number,
  newLength: number,
  target: number,
  flags: number,
): number {
  const refuse = (rule: string, errno: number, text: string, source: string) =>
    mm.refuse(`mremap.${rule}`, errno, () => ({ text, source, area, address: old }));
  const misplaced = (flags & MREMAP_FIXED) === 0 ? 0 : misplacedBy(area, target);
  if (misplaced !== 0)
    return refuse("place", misplaced, "this file chooses where it is mapped", "get_unmapped_area");
  const to = (flags & MREMAP_FIXED) !== 0 ? target : findPlace(mm, area, target, newLength);
  if (to === -1) return refuse("no-room", ENOMEM, "no free range is long enough", "get_unmapped_area");
  const keepOld = (flags & MREMAP_DONTUNMAP) !== 0;
  const error = moveArea(mm, area, old, oldLength, to, newLength, keepOld);
  return error === 0 ? to : refuse("move", -error, "the area cannot be moved", "move_vma");
}

function refuseSealed(mm: AddressSpace, { area, address, verdict }: RangeRefusal, old: number): number {
  return refuseForSeal(mm, "mremap", verdict, () => ({
    area,
    address: Math.max(old, address),
    applied: "nothing has changed",
  }));
}
