import { commit, countPages, mayExpand, mayLock } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { prepareAnon } from "./merge.js";
import { VM_ACCESS_FLAGS, VM_GROWSDOWN } from "./vm-flags.js";

/**
 * Lowers the start of an area that grows down so that it holds `va` (expand_downwards). It keeps its key, its seal
 * and its protection for the new pages. Nothing compares the address with the stack pointer.
 *
 * Refuses, in this order: below mmap_min_addr; fewer than stack_guard_gap pages above an accessible neighbour that
 * does not grow down; RLIMIT_AS; RLIMIT_STACK; RLIMIT_MEMLOCK for a locked area; overcommit.
 * @returns null when grown, else why not
 */
export function growStack(mm: AddressSpace, area: Area, va: number): string | null {
  const { limits, settings } = mm.env;
  const start = va - (va % 4096);
  if (start < settings.mmapMinAddr) return "it would reach below vm.mmap_min_addr";
  const below = area.previous;
  if (
    below !== null &&
    (below.flags & VM_GROWSDOWN) === 0 &&
    (below.flags & VM_ACCESS_FLAGS) !== 0 &&
    start - below.end < settings.stackGuardPages * 4096
  )
    return "it would come within the guard gap of the mapping below";
  prepareAnon(mm, area);
  const pages = (area.start - start) / 4096;
  if (!mayExpand(mm, area.flags, pages)) return "RLIMIT_AS is reached";
  if (area.end - start > limits.stack) return "RLIMIT_STACK is reached";
  if (!mayLock(mm, area.flags, pages)) return "RLIMIT_MEMLOCK is reached";
  if (!commit(mm, pages)) return "no memory is left to commit";
  countPages(mm, area.flags, pages);
  const old = area.start;
  area.start = start;
  area.pageOffset -= pages;
  mm.tree.boundaryMoved(area);
  mm.changed("grow", start, old);
  return null;
}
