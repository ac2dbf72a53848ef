import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_POISON,
  PTE_RW,
  PTE_UFFD_WP,
} from "../../../mmu/page-table-entry.js";
import { ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { VM_SHARED } from "../vm-flags.js";
import { hugeIndex } from "./area.js";
import type { HugePage } from "./huge-page.js";
import { forEachLeaf, hasPage, leafEntry, pageOfLeaf, restrictLeaf, setLeaf } from "./leaves.js";
import { takeForArea } from "./reserve.js";

/** Bytes that a table of huge pages' entries covers. */
const TABLE_BYTES = 2 ** 30;

/**
 * Shares the pages of a private mapping with a child, for whoever writes first to copy; of a shared one, which is copied
 * for its protection's sake, as they are (copy_hugetlb_page_range). A private page that somebody has pinned is copied at
 * once. Nothing is promised to the child.
 * @param keepsProtection the child's area is watched for writes too
 * @returns 0, or -ENOMEM when no frame is left for a page table or no page for a copy
 */
export function shareLeaves(
  parent: AddressSpace,
  child: AddressSpace,
  area: Area,
  copy: Area,
  keepsProtection: boolean,
): number {
  const { memory } = parent.env.frames;
  const shared = (area.flags & VM_SHARED) !== 0;
  const lost = PTE_FRAME_MASK | (shared ? 0 : PTE_RW) | (keepsProtection ? 0 : PTE_UFFD_WP);
  // A table that the parent has, be it empty, the child gets too.
  for (let va = area.start; va < area.end; va += TABLE_BYTES - (va % TABLE_BYTES))
    if (parent.tables.directoryEntry(va) !== 0 && child.tables.directoryEntry(va, true) === 0) return -ENOMEM;
  let error = 0;
  forEachLeaf(parent, area, area.start, area.end, (va, low) => {
    if (error !== 0) return;
    const target = leafEntry(child, copy, va, true);
    if (target === 0) {
      error = -ENOMEM;
      return;
    }
    if (!hasPage(low)) {
      if (low !== PTE_POISON && !keepsProtection) return;
      memory.u32[target] = low;
      memory.entryWritten(target);
      return;
    }
    const page = pageOfLeaf(parent, low);
    if ((low & PTE_ANON) !== 0 && isPinned(parent, page)) {
      const own = takeForArea(copy, hugeIndex(copy, va));
      if (own === null) {
        error = -ENOMEM;
        return;
      }
      page.pool.copy(page, own);
      own.restoresReserve = false;
      setLeaf(child, copy, va, own, (low & ~lost) | PTE_D);
      return;
    }
    if (!shared) restrictLeaf(parent, area, va, low & ~PTE_RW);
    setLeaf(child, copy, va, page, low & ~lost);
  });
  return error;
}

function isPinned(mm: AddressSpace, page: HugePage): boolean {
  for (let frame = page.frame; frame < page.frame + page.pool.pageFrames; frame++)
    if (mm.env.pins.of(frame) > 0) return true;
  return false;
}
