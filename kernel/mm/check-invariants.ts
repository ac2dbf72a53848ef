import {
  PTE_ANON,
  PTE_D,
  PTE_GUARD,
  PTE_POISON,
  PTE_NX,
  PTE_P,
  PTE_PS,
  PTE_RW,
  PTE_UFFD_WP_MARKER,
  PTE_WHOLE,
  pteFrame,
  pteKey,
} from "../../mmu/page-table-entry.js";
import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isHugetlb } from "./hugetlb/area.js";
import { checkHugeAreas } from "./hugetlb/check.js";
import { isSwapped, slotOf } from "./swap/entry.js";
import { HUGE_BYTES, hasFrame, isUserfaultProtected } from "./translations.js";
import {
  VM_ACCESS_FLAGS,
  VM_DROPPABLE,
  VM_EXEC,
  VM_LOCKED,
  VM_SHARED,
  VM_UFFD_FLAGS,
  VM_UFFD_WP,
  VM_WRITE,
} from "./vm-flags.js";

/**
 * Walks the areas against the page tables, the counters and the tree's own claims.
 * @returns a line for each contradiction; empty when all is well
 */
export function checkInvariants(mm: AddressSpace): string[] {
  const wrong: string[] = [];
  checkAreas(mm, wrong);
  checkTree(mm, wrong);
  checkEntries(mm, wrong);
  checkHugeAreas(mm, wrong);
  return wrong;
}

function describe(area: Area): string {
  return `area ${area.start.toString(16)}-${area.end.toString(16)}`;
}

function checkAreas(mm: AddressSpace, wrong: string[]): void {
  let total = 0;
  let locked = 0;
  let count = 0;
  let before: Area | null = null;
  for (const area of mm.tree) {
    count++;
    total += area.pageCount;
    if ((area.flags & VM_LOCKED) !== 0) locked += area.pageCount;
    if (area.start >= area.end || area.start % 4096 !== 0 || area.end % 4096 !== 0)
      wrong.push(`${describe(area)} is empty or not of whole pages`);
    if (((area.flags & VM_UFFD_FLAGS) !== 0) !== (area.userfault !== null))
      wrong.push(`${describe(area)}: registration with userfaultfd and flags disagree`);
    if (before !== null && before.end > area.start)
      wrong.push(`${describe(before)} overlaps ${describe(area)}`);
    if (area.previous !== before) wrong.push(`${describe(area)} does not know the area before it`);
    before = area;
  }
  if (mm.tree.last !== before) wrong.push("the tree's last area is not the last");
  if (count !== mm.tree.count) wrong.push(`${count} areas, but the tree counts ${mm.tree.count}`);
  if (total !== mm.stats.totalVm) wrong.push(`${total} pages mapped, but totalVm is ${mm.stats.totalVm}`);
  if (locked !== mm.stats.lockedVm)
    wrong.push(`${locked} pages locked, but lockedVm is ${mm.stats.lockedVm}`);
}

function checkTree(mm: AddressSpace, wrong: string[]): void {
  for (const area of mm.tree) {
    const { left, right, parent } = area;
    if (parent !== null && parent.left !== area && parent.right !== area)
      wrong.push(`${describe(area)} is not its parent's child`);
    const heights = [left?.height ?? 0, right?.height ?? 0];
    if (Math.abs(heights[0] - heights[1]) > 1) wrong.push(`${describe(area)} is out of balance`);
    if (area.height !== 1 + Math.max(...heights)) wrong.push(`${describe(area)} has a wrong height`);
    const gap = Math.max(0, mm.tree.startWithGuard(area) - (area.previous?.end ?? 0));
    if (area.gap !== gap) wrong.push(`${describe(area)} has gap ${area.gap} and not ${gap}`);
    const largest = Math.max(area.gap, left?.largestGap ?? 0, right?.largestGap ?? 0);
    if (area.largestGap !== largest)
      wrong.push(`${describe(area)} claims a largest gap of ${area.largestGap}`);
  }
}

/** Page-table entries that have a frame: a pipe may have it too, of a page that its owner goes on writing (vmsplice). */
function entriesWith(frames: FrameAllocator, frame: PageFrame): number {
  let entries = frames.references(frame);
  if (entries > 1)
    for (const holder of frames.holders)
      for (const held of holder.heldFrames()) if (held === frame) entries--;
  return entries;
}

function checkEntries(mm: AddressSpace, wrong: string[]): void {
  const { frames } = mm.env;
  let anonymous = 0;
  let fromFiles = 0;
  let huge = 0;
  let fileLeaves = 0;
  let swapped = 0;
  mm.tables.forEachPresentOrSwap(0, 2 ** 47, (va, low, high) => {
    const page = `page ${va.toString(16)}`;
    const area = mm.tree.find(va);
    if (area === null) {
      wrong.push(`${page} has an entry but no area`);
      return;
    }
    if (low === PTE_GUARD) return;
    if (((high & PTE_WHOLE) !== 0) !== isHugetlb(area)) wrong.push(`${page}: huge pages in the wrong area`);
    // checkHugeAreas looks at those.
    if ((high & PTE_WHOLE) !== 0) return;
    if (isUserfaultProtected(low) && (area.flags & VM_UFFD_WP) === 0)
      wrong.push(`${page} is write-protected in an area not registered for it`);
    if (low === PTE_UFFD_WP_MARKER || low === PTE_POISON) return;
    if (isSwapped(low)) {
      swapped++;
      if (mm.env.swap.count(slotOf(low)) < 1)
        wrong.push(`${page} is in a page of a swap area that nobody counts`);
      if ((area.flags & VM_DROPPABLE) !== 0) wrong.push(`${page} is swapped, but its area is droppable`);
      if (high !== 0) wrong.push(`${page} is swapped, but has rights or a key`);
      return;
    }
    if (!hasFrame(low)) {
      wrong.push(`${page} has an entry without a frame`);
      return;
    }
    const frame = pteFrame(low);
    if ((low & PTE_PS) !== 0 && va % HUGE_BYTES === 0) {
      if ((low & PTE_ANON) !== 0 || frame === frames.zeroFrame) huge++;
      else {
        fileLeaves++;
        if (area.pages?.blocks?.begins(area.fileIndex(va)) !== true)
          wrong.push(`${page} of 2 MiB is none in its file`);
      }
      if (va + HUGE_BYTES > area.end) wrong.push(`${page} of 2 MiB does not lie in one area`);
    }
    if ((low & PTE_ANON) !== 0) anonymous++;
    else if (frame !== frames.zeroFrame) {
      fromFiles++;
      if (area.pages?.frameAt(area.fileIndex(va), false) !== frame)
        wrong.push(`${page} maps a frame that is not its file's`);
    }
    if (frame !== frames.zeroFrame && frames.references(frame) < 1) wrong.push(`${page} maps a free frame`);
    const present = (low & PTE_P) !== 0;
    if (present !== ((area.flags & VM_ACCESS_FLAGS) !== 0))
      wrong.push(`${page}: present and protection disagree`);
    if ((low & PTE_RW) !== 0) {
      if ((area.flags & VM_WRITE) === 0) wrong.push(`${page} is writable in an area that is not`);
      if (isUserfaultProtected(low)) wrong.push(`${page} is writable but protected through userfaultfd`);
      if ((low & PTE_D) === 0) wrong.push(`${page} is writable but clean`);
      if ((area.flags & VM_SHARED) === 0 && ((low & PTE_ANON) === 0 || entriesWith(frames, frame) !== 1))
        wrong.push(`${page} is writable but not this address space's own`);
    }
    if (((high & PTE_NX) === 0) !== ((area.flags & VM_EXEC) !== 0))
      wrong.push(`${page}: NX and protection disagree`);
    if (pteKey(high) !== area.key)
      wrong.push(`${page} has key ${pteKey(high)} in an area of key ${area.key}`);
  });
  if (anonymous !== mm.anonPages) wrong.push(`${anonymous} anonymous pages, but ${mm.anonPages} counted`);
  if (huge !== mm.tables.large.anonCount)
    wrong.push(`${huge} leaves of 2 MiB, but ${mm.tables.large.anonCount} page tables laid by for them`);
  if (fileLeaves !== mm.tables.large.fileCount)
    wrong.push(`${fileLeaves} leaves of 2 MiB of files, but ${mm.tables.large.fileCount} counted`);
  if (swapped !== mm.swapPages) wrong.push(`${swapped} swapped pages, but ${mm.swapPages} counted`);
  if (fromFiles !== mm.filePages) wrong.push(`${fromFiles} file pages, but ${mm.filePages} counted`);
}
