import { RUN_FRAMES } from "../../mmu/frame-allocator.js";
import {
  PTE_ANON,
  PTE_D,
  PTE_PS,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import type { PageOutcome } from "./bring-in.js";
import { isHugetlb } from "./hugetlb/area.js";
import { unshareHugetlb } from "./hugetlb/fault.js";
import { mappers } from "./page-map.js";
import { entryHigh, entryLow } from "./translations.js";
import { VM_SHARED } from "./vm-flags.js";

/**
 * Before a page that is there is pinned to be read (gup_must_unshare, FAULT_FLAG_UNSHARE): a private page that others
 * have too is copied, so that the pin stays with its owner.
 * @param page its address, page-aligned
 */
export function unshare(mm: AddressSpace, area: Area, page: number): PageOutcome {
  if ((area.flags & VM_SHARED) !== 0) return "ok";
  if (isHugetlb(area)) return unshareHugetlb(mm, area, page);
  const { translations, tables } = mm;
  const { frames, samePages } = mm.env;
  const low = translations.low(page);
  if ((low & PTE_ANON) === 0) return "ok";
  const frame = pteFrame(low);
  if ((low & PTE_PS) !== 0) {
    const first = frame - (frame % RUN_FRAMES);
    if (frames.isSoleRun(first)) return "ok";
    tables.large.splitRange(page, page + 4096);
  } else if (mappers(mm, low) === 1 && samePages?.isMerged(frame) !== true) return "ok";
  frames.hold(frame);
  const copy = frames.allocate();
  if (copy !== -1) translations.copyFrame(frame, copy);
  frames.release(frame);
  if (copy === -1) return "no-memory";
  const kept = low & (PTE_SOFT_DIRTY | PTE_UFFD_WP);
  if (translations.install(page, copy, entryLow(area) | PTE_ANON | PTE_D | kept, entryHigh(area)))
    return "ok";
  frames.release(copy);
  return "no-memory";
}
