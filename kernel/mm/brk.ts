/*
 * brk(addr): returns the new break, or the old one where it refuses; there is no errno. Refuses, in this order:
 *   addr below the start of the heap; RLIMIT_DATA
 *   shrinking: nothing is mapped in what would be released; a sealed area there (a split may remain)
 *   growing: beyond user space; RLIMIT_MEMLOCK when the heap is locked; the next area begins less than a page
 *   (and its guard gap) above; RLIMIT_AS, RLIMIT_DATA, the map count, overcommit
 */
import { EPERM, ENOMEM } from "../errno.js";
import { commit, countPages, mayExpand, mayLock } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import { TASK_SIZE } from "./layout.js";
import { mergeableOnceMade, mergeableWhenMade } from "./ksm/mergeable.js";
import { addOrMerge, newProperties } from "./merge.js";
import { unmapRange } from "./munmap.js";
import { populateLocked } from "./populate.js";
import * as vm from "./vm-flags.js";
import { pageUp, type Word } from "./word.js";

export function brk(mm: AddressSpace, address: Word): number {
  const { layout, env, tree } = mm;
  const old = layout.brk;
  const keep = (rule: string, errno: number, text: string): number => {
    mm.refuse(`brk.${rule}`, errno, () => ({ text, source: "brk", address: old }));
    return old;
  };
  if (address < layout.startBrk) return old;
  if (address > TASK_SIZE) return keep("range", ENOMEM, "the break would leave user space");
  const wanted = Number(address);
  const dataBytes = wanted - layout.startBrk + (layout.endData - layout.startData);
  if (dataBytes > env.limits.data) return keep("limit", ENOMEM, "over RLIMIT_DATA");
  const newEnd = pageUp(wanted);
  const oldEnd = pageUp(old);
  if (newEnd === oldEnd) return (layout.brk = wanted);

  if (wanted <= old) {
    const released = tree.findOverlap(newEnd, oldEnd);
    if (released === null) return keep("unmapped", EPERM, "nothing is mapped in what would be released");
    if (unmapRange(mm, newEnd, oldEnd, "brk") !== 0) return old;
    return (layout.brk = wanted);
  }

  const pages = (newEnd - oldEnd) / 4096;
  const flags =
    (vm.VM_READ |
      vm.VM_WRITE |
      (env.readImpliesExec ? vm.VM_EXEC : 0) |
      vm.VM_MAY_ALL |
      vm.VM_ACCOUNT |
      vm.VM_SOFTDIRTY |
      mm.defaultFlags) >>>
    0;
  if (!mayLock(mm, flags, pages)) return keep("memlock", ENOMEM, "over RLIMIT_MEMLOCK");
  const next = tree.findFirst(oldEnd);
  if (next !== null && newEnd + 4096 > tree.startWithGuard(next))
    return keep("no-room", ENOMEM, "the next mapping leaves no free page above the new break");
  if (newEnd > TASK_SIZE) return keep("range", ENOMEM, "the break would leave user space");
  if (!mayExpand(mm, flags, pages)) return keep("limit", ENOMEM, "over RLIMIT_AS or RLIMIT_DATA");
  if (tree.count > env.settings.maxMapCount)
    return keep("map-count", ENOMEM, "more areas than vm.max_map_count");
  if (!commit(mm, pages)) return keep("overcommit", ENOMEM, "more than can be committed");
  const heapBefore = (tree.findBefore(oldEnd)?.end ?? 0) > layout.startBrk;
  const properties = newProperties({
    flags: mergeableWhenMade(mm, flags, true),
    pageOffset: oldEnd / 4096,
  });
  const heap = addOrMerge(mm, oldEnd, newEnd, properties, false, heapBefore);
  heap.flags = mergeableOnceMade(mm, heap, oldEnd, vm.withFlags(heap.flags, vm.VM_SOFTDIRTY, 0));
  countPages(mm, flags, pages);
  mm.changed("map", oldEnd, newEnd);
  layout.brk = wanted;
  if (mm.lockedByDefault()) populateLocked(mm, oldEnd, newEnd);
  return wanted;
}
