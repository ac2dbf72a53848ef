/*
 * mlock(addr, length), mlock2(addr, length, MLOCK_ONFAULT)
 *   EPERM   RLIMIT_MEMLOCK is 0 and no CAP_IPC_LOCK, even for length 0
 *   ENOMEM  over RLIMIT_MEMLOCK (pages locked already are not counted twice)
 *   EINVAL  the range wraps
 *   (0      length 0, or one that rounds to 0)
 *   ENOMEM  a hole: the areas before are locked and stay so; or a split would pass vm.max_map_count
 *   ENOMEM  a page cannot be brought in (no permission, a key, beyond the end of the file): the areas stay locked
 *   EAGAIN  no memory left to bring a page in
 * munlock: the last three only, without the bringing in. mlockall: EINVAL for flags 0, unknown or MCL_ONFAULT
 * alone; EPERM as above; ENOMEM when all that is mapped passes the limit. Seals never matter.
 */
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { modify, whyWhole } from "./merge.js";
import { populateLocked } from "./populate.js";
import { isSecret } from "./secret-memory.js";
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT } from "./uapi.js";
import {
  VM_DROPPABLE,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_LOCKONFAULT,
  VM_SPECIAL,
  withFlags,
} from "./vm-flags.js";
import { addPages, offsetInPage, pageDown, pageUp, type Word } from "./word.js";

function pageRange(address: Word, length: Word): { start: number; length: number } {
  const offset = offsetInPage(address);
  const total = BigInt.asUintN(64, BigInt(length) + BigInt(offset));
  return { start: pageDown(address), length: pageUp(total) };
}

function mayLockAtAll(mm: AddressSpace): boolean {
  return mm.env.limits.memlock !== 0 || mm.env.capabilities.ipcLock;
}

export function mlock(mm: AddressSpace, address: Word, lengthWord: Word, onFault: boolean): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mlock.${rule}`, errno, () => ({ text, source: "do_mlock" }));
  if (!mayLockAtAll(mm)) return refuse("permission", EPERM, "RLIMIT_MEMLOCK is 0");
  const { start, length } = pageRange(address, lengthWord);
  const limit = Math.floor(mm.env.limits.memlock / 4096);
  let locked = mm.stats.lockedVm + length / 4096;
  if (!mm.env.capabilities.ipcLock) {
    if (locked > limit) locked -= lockedPages(mm, start, start + length);
    if (locked > limit) return refuse("limit", ENOMEM, "over RLIMIT_MEMLOCK");
  }
  const flags = VM_LOCKED | (onFault ? VM_LOCKONFAULT : 0);
  const error = applyLock(mm, start, length, flags, "mlock");
  if (error !== 0) return error;
  const failed = populateLocked(mm, start, start + length);
  if (failed === 0) return 0;
  return refuse(
    "populate",
    failed === -EFAULT ? ENOMEM : EAGAIN,
    "a page cannot be brought in; the areas are locked and stay so",
  );
}

export function munlock(mm: AddressSpace, address: Word, lengthWord: Word): number {
  const { start, length } = pageRange(address, lengthWord);
  return applyLock(mm, start, length, 0, "munlock");
}

export function mlockall(mm: AddressSpace, flags: number): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mlockall.${rule}`, errno, () => ({ text, source: "mlockall" }));
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT)
    return refuse("flags", EINVAL, "the flags name nothing to lock, or unknown bits");
  if (!mayLockAtAll(mm)) return refuse("permission", EPERM, "RLIMIT_MEMLOCK is 0");
  const over = mm.stats.totalVm > Math.floor(mm.env.limits.memlock / 4096);
  if ((flags & MCL_CURRENT) !== 0 && over && !mm.env.capabilities.ipcLock)
    return refuse("limit", ENOMEM, "all that is mapped passes RLIMIT_MEMLOCK");
  const lock = VM_LOCKED | ((flags & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0);
  mm.defaultFlags = withFlags(mm.defaultFlags, (flags & MCL_FUTURE) !== 0 ? lock : 0, VM_LOCKED_MASK);
  if ((flags & MCL_CURRENT) === 0) return 0;
  lockEverything(mm, lock);
  for (const area of [...mm.tree]) populateLocked(mm, area.start, area.end);
  return 0;
}

export function munlockall(mm: AddressSpace): number {
  mm.defaultFlags = withFlags(mm.defaultFlags, 0, VM_LOCKED_MASK);
  lockEverything(mm, 0);
  return 0;
}

function lockEverything(mm: AddressSpace, lock: number): void {
  for (let area = mm.tree.first; area !== null;) {
    const { end } = area;
    lockArea(mm, area, area.start, end, lock);
    area = mm.tree.findFirst(end);
  }
}

function lockedPages(mm: AddressSpace, start: number, end: number): number {
  let pages = 0;
  for (let area = mm.tree.findFirst(start); area !== null && area.start < end; area = area.next)
    if ((area.flags & VM_LOCKED) !== 0)
      pages += (Math.min(area.end, end) - Math.max(area.start, start)) / 4096;
  return pages;
}

function applyLock(mm: AddressSpace, start: number, length: number, lock: number, call: string): number {
  const end = addPages(start, length);
  if (end < start)
    return mm.refuse(`${call}.wraps`, EINVAL, () => ({
      text: "the range wraps around the address space",
      source: "apply_vma_lock_flags",
    }));
  for (let at = start; at < end;) {
    const area = mm.tree.find(at);
    if (area === null)
      return mm.refuse(`${call}.hole`, ENOMEM, () => ({
        text: "part of the range is not mapped",
        source: "apply_vma_lock_flags",
        ...(at < 2 ** 47 ? { address: at } : {}),
        ...(at > start ? { applied: "the areas before the hole have changed" } : {}),
      }));
    const to = Math.min(area.end, end);
    const error = lockArea(mm, area, at, to, lock);
    if (error !== 0)
      return mm.refuse(`${call}.split`, -error, () => ({
        text: whyWhole(area, error),
        source: "mlock_fixup",
        area,
      }));
    at = to;
  }
  return 0;
}

/** mlock_fixup: special mappings, droppable and secret memory are passed over. */
function lockArea(mm: AddressSpace, area: Area, start: number, end: number, lock: number): number {
  const flags = withFlags(area.flags, lock, VM_LOCKED_MASK);
  if (flags === area.flags || (area.flags & (VM_SPECIAL | VM_DROPPABLE)) !== 0 || isSecret(area)) return 0;
  const was = (area.flags & VM_LOCKED) !== 0;
  const result = modify(mm, area, start, end, { flags });
  if (typeof result === "number") return result;
  const pages = (end - start) / 4096;
  if (was !== ((lock & VM_LOCKED) !== 0)) mm.stats.lockedVm += was ? -pages : pages;
  return 0;
}
