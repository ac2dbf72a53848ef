import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import * as vm from "../vm-flags.js";
import { unmergeRange } from "./unmerge.js";

const NEVER =
  vm.VM_SHARED |
  vm.VM_MAYSHARE |
  vm.VM_PFNMAP |
  vm.VM_IO |
  vm.VM_DONTEXPAND |
  vm.VM_MIXEDMAP |
  vm.VM_DROPPABLE;

/** Private pages of an area with these flags may be merged (vma_ksm_compatible). */
export function mayMerge(flags: number): boolean {
  return (flags & NEVER) === 0;
}

/** Flags that a new area has where all memory of the process is to be merged (ksm_vma_flags). */
function withMergeable(mm: AddressSpace, flags: number): number {
  return mm.mergeAny && mayMerge(flags) ? vm.withFlags(flags, vm.VM_MERGEABLE, 0) : flags;
}

/** What a new area has before it may become part of a neighbour: then both are mergeable, or neither. */
export function mergeableWhenMade(mm: AddressSpace, flags: number, anonymous: boolean): number {
  return anonymous && mm.env.release.newAreasMergeableFirst ? withMergeable(mm, flags) : flags;
}

/** What it has once it stands: an area of its own becomes mergeable now, a part of another is what that is. */
export function mergeableOnceMade(mm: AddressSpace, area: Area, start: number, flags: number): number {
  return area.start === start ? withMergeable(mm, flags) : flags;
}

/** prctl(PR_SET_MEMORY_MERGE, 1): every area that can be is mergeable, and so is what comes (ksm_enable_merge_any). */
export function mergeAnything(mm: AddressSpace): number {
  if (mm.mergeAny) return 0;
  mm.env.samePages?.enter(mm);
  mm.mergeAny = true;
  for (const area of mm.tree) area.flags = withMergeable(mm, area.flags);
  return 0;
}

/**
 * prctl(PR_SET_MEMORY_MERGE, 0): nothing is mergeable any more, also not what madvise made so (ksm_disable_merge_any).
 * @returns 0, or -ENOMEM when no frame is left to unmerge a page: then all is as before
 */
export function mergeNothing(mm: AddressSpace): number {
  if (!mm.mergeAny) return 0;
  for (const area of mm.tree) {
    const error = unmergeArea(mm, area);
    if (error === 0) continue;
    for (const each of mm.tree) each.flags = withMergeable(mm, each.flags);
    return error;
  }
  mm.mergeAny = false;
  return 0;
}

function unmergeArea(mm: AddressSpace, area: Area): number {
  const error = unmergeRange(mm, area, area.start, area.end);
  if (error === 0) area.flags = vm.withFlags(area.flags, 0, vm.VM_MERGEABLE);
  return error;
}
