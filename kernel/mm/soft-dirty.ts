import type { AddressSpace } from "./address-space.js";
import { VM_HUGETLB, VM_PFNMAP, VM_SOFTDIRTY, withFlags } from "./vm-flags.js";

/**
 * From here on, every page counts as not written (clear_refs_write, CLEAR_REFS_SOFT_DIRTY): areas lose their mark,
 * entries their soft-dirty bit and their write permission. The next write to a page faults and sets the bit again.
 */
export function clearSoftDirty(mm: AddressSpace): void {
  for (const area of mm.tree) {
    area.flags = withFlags(area.flags, 0, VM_SOFTDIRTY);
    if ((area.flags & (VM_PFNMAP | VM_HUGETLB)) === 0) mm.translations.clearSoftDirty(area.start, area.end);
  }
  mm.env.mmu.dropAddressSpace(mm.asid);
}
