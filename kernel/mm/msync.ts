/*
 * msync(addr, length, flags)
 *   EINVAL  unknown flags; addr not page aligned; MS_ASYNC with MS_SYNC
 *   ENOMEM  the range wraps
 *   (0      length 0, or one that rounds to 0)
 *   EPERM   MS_INVALIDATE of sealed memory, in sealing models that know it; before anything is done
 *   EBUSY   MS_INVALIDATE on locked memory; stops there
 *   ENOMEM  a hole: goes on and says so at the end (MS_ASYNC alone stops at it)
 *   the errno of a file that could not be written back; stops there
 * MS_SYNC writes the file of each shared area back. Nothing else has to be done: mappings share the page cache.
 */
import { EBUSY, EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { checkSealOfArea, checkSealsOfRange, refuseSealed } from "./sealing/range.js";
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from "./uapi.js";
import { VM_LOCKED, VM_SHARED } from "./vm-flags.js";
import { addPages, isPageAligned, pageUp, type Word } from "./word.js";

export function msync(mm: AddressSpace, address: Word, length: Word, flags: number): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`msync.${rule}`, errno, () => ({ text, source: "msync" }));
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return refuse("flags", EINVAL, "unknown flags");
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0)
    return refuse("flags", EINVAL, "MS_ASYNC and MS_SYNC exclude each other");
  let at = Number(address);
  const end = addPages(at, pageUp(length));
  if (end < at) return refuse("wraps", ENOMEM, "the range wraps around the address space");
  const invalidates = (flags & MS_INVALIDATE) !== 0;
  const mayInvalidate = (area: Area) => mm.env.sealing.mayInvalidate(area, mm.env.machine);
  const sealed = invalidates ? checkSealsOfRange(mm, at, end, mayInvalidate) : null;
  if (sealed !== null)
    return refuseSealed(mm, "msync", sealed.verdict, () => ({ area: sealed.area, address: sealed.address }));
  let hole = false;
  while (at < end) {
    const area = mm.tree.findFirst(at);
    if (area === null || area.start >= end) {
      hole = true;
      break;
    }
    if (area.start > at) {
      hole = true;
      if (flags === MS_ASYNC) break;
    }
    const refused = invalidates ? checkSealOfArea(mm, area, mayInvalidate) : null;
    if (refused !== null) return refuseSealed(mm, "msync", refused.verdict, () => ({ area }));
    if (invalidates && (area.flags & VM_LOCKED) !== 0)
      return mm.refuse("msync.locked", EBUSY, () => ({
        text: "locked memory is not invalidated",
        source: "msync",
        area,
      }));
    at = area.end;
    if ((flags & MS_SYNC) !== 0 && (area.flags & VM_SHARED) !== 0) {
      const error = area.file?.sync?.() ?? 0;
      if (error !== 0) return refuse("write-back", -error, "the file could not be written back");
    }
  }
  return hole ? refuse("hole", ENOMEM, "part of the range is not mapped") : 0;
}
