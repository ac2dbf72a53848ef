import { EFAULT, EHWPOISON, EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { bringIn, type PageOutcome } from "./bring-in.js";
import { faultForUser, keyDenies } from "./fault.js";
import { pageBytesOf } from "./hugetlb/area.js";
import { isSecret } from "./secret-memory.js";
import {
  VM_ACCESS_FLAGS,
  VM_IO,
  VM_LOCKONFAULT,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from "./vm-flags.js";

/**
 * Brings in the pages of [start, end) as locking and MAP_POPULATE do (populate_vma_page_range): private writable
 * memory by write faults. PKRU of the calling thread counts. Stops at the first page that cannot be had.
 * @returns 0, -EFAULT (no permission, beyond the end of the file, guard page) or -ENOMEM
 */
export function populateLocked(mm: AddressSpace, start: number, end: number): number {
  if (end <= start) return 0;
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next) {
    if ((area.flags & (VM_LOCKONFAULT | VM_IO | VM_PFNMAP)) !== 0) continue;
    const write = (area.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
    const denied = (area.flags & VM_ACCESS_FLAGS) === 0 || isSecret(area) || keyDenies(mm, area, write);
    if (denied) return -EFAULT;
    const error = bringInRange(mm, area, start, end, write);
    // Only who asks for it is told of memory errors (FOLL_HWPOISON).
    if (error !== 0) return error === -EHWPOISON ? -EFAULT : error;
  }
  return 0;
}

/**
 * MADV_POPULATE_READ and _WRITE (faultin_page_range): as an access of that kind by the calling thread.
 * @returns 0, -EINVAL without permission, -ENOMEM at a hole, -EFAULT beyond the end of a file or at a guard page,
 *   -EHWPOISON at a poisoned one
 */
export function populateAccess(mm: AddressSpace, start: number, end: number, write: boolean): number {
  let reached = start;
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next) {
    if (area.start > reached) return -ENOMEM;
    const denied = (area.flags & (write ? VM_WRITE : VM_READ)) === 0 || isSecret(area);
    if (denied || keyDenies(mm, area, write)) return -EINVAL;
    const error = bringInRange(mm, area, start, end, write);
    if (error !== 0) return error;
    reached = area.end;
  }
  return reached < end ? -ENOMEM : 0;
}

function bringInRange(mm: AddressSpace, area: Area, start: number, end: number, write: boolean): number {
  const stop = Math.min(end, area.end);
  const step = pageBytesOf(area);
  for (let page = Math.max(start, area.start); page < stop; page += step - (page % step)) {
    const outcome = bringIn(mm, area, page, write);
    if (outcome === "no-memory") return -ENOMEM;
    if (outcome === "poisoned") return -EHWPOISON;
    if (outcome !== "ok" && !comesLater(mm, area, page, write, outcome)) return -EFAULT;
  }
  return 0;
}

/** A userfaultfd is to bring the page in: the call goes on without, and ends when it is there. */
function comesLater(mm: AddressSpace, area: Area, va: number, write: boolean, outcome: PageOutcome): boolean {
  const fault = faultForUser(area, va, write, outcome);
  if (fault === null || fault.context.userModeOnly) return false;
  return mm.env.machine.userfaults?.later(fault, { mm, va, write, copy: null }) ?? false;
}
