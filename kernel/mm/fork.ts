import { RUN_FRAMES } from "../../mmu/frame-allocator.js";
import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_GUARD,
  PTE_POISON,
  PTE_RW,
  PTE_UFFD_WP,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import type { EntryVisitor } from "../../mmu/page-tables.js";
import { ENOMEM } from "../errno.js";
import { commit, countPages } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import { forkAnon, NO_CHAIN } from "./anon-vma.js";
import { Area } from "./area.js";
import { isHugetlb, NO_RESERVE } from "./hugetlb/area.js";
import { shareLeaves } from "./hugetlb/fork.js";
import { hasInsertedPages } from "./inserted-pages.js";
import { offerPages } from "./lazy-free.js";
import { isSwapped, slotOf } from "./swap/entry.js";
import { HUGE_BYTES, hasFrame, isUserfaultProtected } from "./translations.js";
import { inheritUserfault } from "./userfault/events.js";
import {
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_LOCKED_MASK,
  VM_SHARED,
  VM_UFFD_WP,
  VM_WIPEONFORK,
  withFlags,
} from "./vm-flags.js";

const NO_ANON = { anon: null, chain: NO_CHAIN };
/** Bytes that one page table covers. */
const TABLE_BYTES = 2 ** 21;

/**
 * Fills a child's new address space (dup_mmap): areas with their keys and seals, except those marked DONTFORK; private
 * pages are shared and lose their write permission on both sides, so that whoever writes first copies, and the last
 * one that still has it writes without a copy. Areas without private pages are left to fault in again. Locks are not
 * inherited; the key map, the execute-only key and MDWE are.
 * @returns 0, or -ENOMEM when no frame is left for page tables or too much would be committed: whatever the child
 *   has got by then is for `release` to give back
 */
export function copyAddressSpace(parent: AddressSpace, child: AddressSpace): number {
  child.setLayout(parent.layout);
  child.keyMap = parent.keyMap;
  child.executeOnlyKey = parent.executeOnlyKey;
  child.env.sealing = parent.env.sealing;
  child.inheritFlags(parent);
  if (parent.scanned) child.env.samePages?.enter(child);
  if (parent.collapsible) child.env.khugepaged?.enter(child);
  child.ldt = parent.ldt?.slice() ?? null;
  child.membarriers = parent.membarriers;
  child.anonInodes = parent.anonInodes;
  let error = 0;
  for (const area of parent.tree) {
    if ((area.flags & VM_DONTCOPY) !== 0) continue;
    error = copyArea(parent, child, area);
    if (error !== 0) break;
  }
  if (parent.lazyFree !== null) offerPages(child);
  parent.env.mmu.dropAddressSpace(parent.asid);
  return error;
}

function copyArea(parent: AddressSpace, child: AddressSpace, area: Area): number {
  if ((area.flags & VM_ACCOUNT) !== 0 && !commit(child, area.pageCount)) return -ENOMEM;
  const wiped = (area.flags & VM_WIPEONFORK) !== 0;
  const copy = new Area(area.start, area.end, area);
  const { anon, chain } = forkAnon(wiped ? NO_ANON : area);
  copy.anon = anon;
  copy.chain = chain;
  copy.flags = withFlags(area.flags, 0, VM_LOCKED_MASK);
  inheritUserfault(copy, child);
  if (copy.hugetlb !== null) copy.hugetlb = NO_RESERVE;
  copy.seal = child.env.sealing.inherited(copy.seal);
  child.link(copy);
  countPages(child, copy.flags, copy.pageCount);
  const keepsProtection = (copy.flags & VM_UFFD_WP) !== 0;
  if (wiped || (area.anon === null && !area.guarded && !keepsProtection && !hasInsertedPages(area))) return 0;
  return isHugetlb(area)
    ? shareLeaves(parent, child, area, copy, keepsProtection)
    : sharePages(parent, child, area, keepsProtection);
}

/**
 * Copies the entries of an area that may hold private pages or guards: those of files and of the zero page too.
 * @param keepsProtection the child's area is watched for writes too
 */
function sharePages(parent: AddressSpace, child: AddressSpace, area: Area, keepsProtection: boolean): number {
  const lost = keepsProtection ? 0 : PTE_UFFD_WP;
  const { frames } = parent.env;
  const { memory } = frames;
  const words = memory.u32;
  const { tables } = child;
  // Those without entries too, where a fault brings in no 2 MiB (copy_pte_range).
  if (!tables.makeTablesAs(parent.tables, area.start, area.end)) return -ENOMEM;
  const shared = (area.flags & VM_SHARED) !== 0;
  let error = 0;
  let tableStart = -1;
  let table = 0;
  const sharePage: EntryVisitor = (va, _low, _high, entry) => {
    if (error !== 0) return;
    const start = va - (va % TABLE_BYTES);
    if (start !== tableStart) {
      table = tables.entryAddress(start, true) >>> 2;
      tableStart = start;
      if (table === 0) {
        error = -ENOMEM;
        return;
      }
    }
    // Read only now: room for a table may have been made by unmapping a page of a file.
    const low = words[entry];
    const target = table + ((va - start) / 4096) * 2;
    if (hasFrame(low) && !shared && parent.env.pins.of(pteFrame(low)) > 0) {
      // copy_present_page: whoever pinned it goes on writing the parent's page.
      const copy = frames.allocate();
      if (copy === -1) {
        error = -ENOMEM;
        return;
      }
      child.translations.copyFrame(pteFrame(low), copy);
      words[target] = ((low & ~(PTE_FRAME_MASK | lost)) | (copy << 12)) >>> 0;
      child.translations.anonPages++;
    } else if (hasFrame(low)) {
      const readOnly = (low & ~PTE_RW) >>> 0;
      const childs = (readOnly & ~lost) >>> 0;
      if (!shared) {
        words[entry] = readOnly;
        memory.entryWritten(entry);
      }
      words[target] = shared ? (childs & ~PTE_D) >>> 0 : childs;
      frames.hold(pteFrame(low));
      if ((low & PTE_ANON) !== 0) child.translations.anonPages++;
      else if (pteFrame(low) !== frames.zeroFrame) child.translations.filePages++;
    } else if (isSwapped(low)) {
      parent.env.swap.duplicate(slotOf(low));
      words[target] = (low & ~lost) >>> 0;
      child.translations.swapPages++;
    } else if (low === PTE_GUARD || low === PTE_POISON) words[target] = low;
    else if (isUserfaultProtected(low) && keepsProtection) words[target] = low;
    words[target + 1] = words[entry + 1];
    memory.entryWritten(target);
  };
  const shareHuge: EntryVisitor = (va, low, high, entry) => {
    // A child faults a file's in again.
    if (error !== 0 || ((low & PTE_ANON) === 0 && pteFrame(low) !== frames.hugeZeroFrame)) return;
    if (parent.env.pins.anyOf(pteFrame(low), RUN_FRAMES)) {
      parent.tables.large.split(entry, va);
      parent.tables.forEachPresentOrSwap(va, va + HUGE_BYTES, sharePage);
      return;
    }
    const readOnly = (low & ~PTE_RW) >>> 0;
    const childs = readOnly & ~(PTE_FRAME_MASK | lost);
    // Held first: to make room for a table, droppable memory might go.
    frames.holdRun(pteFrame(low));
    if (!child.translations.installHuge(va, pteFrame(low), childs, high)) {
      frames.releaseRun(pteFrame(low));
      error = -ENOMEM;
      return;
    }
    words[entry] = readOnly;
    memory.entryWritten(entry);
  };
  parent.tables.forEachPresentOrSwap(area.start, area.end, sharePage, shareHuge);
  return error;
}
