import { EACCES, ENOMEM } from "../errno.js";
import { commit, mayExpand, uncommit } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import { gather, removeGathered, unmapRange } from "./munmap.js";
import * as vm from "./vm-flags.js";

/**
 * The last checks of mmap and the removal of what the new mapping replaces (mmap_region): PR_SET_MDWE, the map count
 * and the seals of what is there, the limits, what may be committed. Their order, and what has gone already when one
 * refuses, is the release's.
 * @param flags VM_* of the new area
 * @param ownPages it will have a shared object of its own
 * @returns 0 with [start, end) free and the new area's pages committed, or a negative errno
 */
export function makeRoom(
  mm: AddressSpace,
  start: number,
  end: number,
  flags: number,
  ownPages: boolean,
): number {
  const pages = (end - start) / 4096;
  const remove = (): number => {
    if (mm.tree.findOverlap(start, end) !== null) removeGathered(mm, start, end, "mmap");
    return 0;
  };
  const limits = (): number => checkLimits(mm, flags, pages - occupiedPages(mm, start, end));
  const mdwe = (): number => checkWriteExec(mm, flags);
  const charge = (): number => chargePages(mm, flags, pages, ownPages);
  const steps =
    mm.env.release.mmapChecksBeforeSeals === "mdwe"
      ? [mdwe, () => gather(mm, start, end, "mmap"), limits, charge, remove]
      : [limits, () => unmapRange(mm, start, end, "mmap"), mdwe, charge];
  for (const step of steps) {
    const error = step();
    if (error !== 0) return error;
  }
  return 0;
}

function occupiedPages(mm: AddressSpace, start: number, end: number): number {
  let pages = 0;
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next)
    pages += (Math.min(area.end, end) - Math.max(area.start, start)) / 4096;
  return pages;
}

function checkLimits(mm: AddressSpace, flags: number, pages: number): number {
  if (mayExpand(mm, flags, pages)) return 0;
  return mm.refuse("mmap.limit", ENOMEM, () => ({
    text: "over RLIMIT_AS or RLIMIT_DATA",
    source: "may_expand_vm",
  }));
}

function checkWriteExec(mm: AddressSpace, flags: number): number {
  if (!mm.denyWriteExec || (flags & vm.VM_WRITE) === 0 || (flags & vm.VM_EXEC) === 0) return 0;
  return mm.refuse("mmap.mdwe", EACCES, () => ({
    text: "PR_SET_MDWE forbids memory both writable and executable",
    source: "map_deny_write_exec",
  }));
}

function chargePages(mm: AddressSpace, flags: number, pages: number, ownPages: boolean): number {
  const refuse = (source: string): number =>
    mm.refuse("mmap.overcommit", ENOMEM, () => ({ text: "more than can be committed", source }));
  if (vm.isAccountable(flags)) return commit(mm, pages) ? 0 : refuse("vm_enough_memory");
  if (!ownPages || (flags & vm.VM_NORESERVE) !== 0) return 0;
  // Shared memory is charged to its object, page by page as frames; here only whether it could ever fit.
  if (!commit(mm, pages)) return refuse("shmem_acct_size");
  uncommit(mm, pages);
  return 0;
}
