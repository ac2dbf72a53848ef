/**
 * Changes of a watched address space that its userfaultfd is told of, where it asked (UFFD_FEATURE_EVENT_*). The call that
 * makes one ends when somebody has read of it.
 */
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { UserfaultContext, forgetUserfault } from "./context.js";
import {
  UFFD_EVENT_FORK,
  UFFD_EVENT_REMAP,
  UFFD_EVENT_REMOVE,
  UFFD_EVENT_UNMAP,
  UFFD_FEATURE_EVENT_FORK,
  UFFD_FEATURE_EVENT_REMAP,
  UFFD_FEATURE_EVENT_REMOVE,
  UFFD_FEATURE_EVENT_UNMAP,
} from "./uapi.js";

function tell(
  context: UserfaultContext,
  event: number,
  words: readonly [number, number, number],
  child: UserfaultContext | null = null,
): void {
  context.mm.env.machine.userfaults?.tell(context, {
    event,
    words,
    child,
    descriptor: -1,
    sleepers: [],
    woken: false,
  });
}

/** A child's area is watched only by a userfaultfd that is told of forks: by a new one (dup_userfaultfd). */
export function inheritUserfault(area: Area, child: AddressSpace): void {
  const context = area.userfault;
  if (context === null) return;
  if (!context.has(UFFD_FEATURE_EVENT_FORK)) {
    forgetUserfault(area);
    return;
  }
  area.userfault = childOf(context, child);
}

/** The one that all areas of the child have which had `context` in the parent. */
function childOf(context: UserfaultContext, mm: AddressSpace): UserfaultContext {
  for (const { userfault } of mm.tree)
    if (userfault !== null && userfault.parent === context && userfault.mm === mm) return userfault;
  const made = new UserfaultContext(mm, context.userModeOnly, context);
  made.features = context.features;
  tell(context, UFFD_EVENT_FORK, [0, 0, 0], made);
  return made;
}

/** An area keeps its registration in another place if its userfaultfd is told of it (mremap_userfaultfd_prep). */
export function staysWatched({ userfault }: Area): boolean {
  return userfault?.has(UFFD_FEATURE_EVENT_REMAP) === true;
}

/** [from, from + length) bytes have moved (mremap_userfaultfd_complete). */
export function tellMoved({ userfault }: Area, from: number, to: number, length: number): void {
  if (userfault?.has(UFFD_FEATURE_EVENT_REMAP) === true)
    tell(userfault, UFFD_EVENT_REMAP, [from, to, length]);
}

/** The pages of [start, end) of the area go (userfaultfd_remove). */
export function tellRemoved({ userfault }: Area, start: number, end: number): void {
  if (userfault?.has(UFFD_FEATURE_EVENT_REMOVE) === true) tell(userfault, UFFD_EVENT_REMOVE, [start, end, 0]);
}

/** [start, end) is unmapped: each userfaultfd that watches a part of it is told once (userfaultfd_unmap_prep). */
export function tellUnmapped(mm: AddressSpace, start: number, end: number): void {
  if (!mm.env.machine.userfaults) return;
  const told = new Set<UserfaultContext>();
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next) {
    const { userfault } = area;
    if (userfault?.has(UFFD_FEATURE_EVENT_UNMAP) !== true || told.has(userfault)) continue;
    told.add(userfault);
    tell(userfault, UFFD_EVENT_UNMAP, [start, end, 0]);
  }
}
