import { PTE_ANON, PTE_WHOLE, pteFrame } from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";

/** Pages of 2 MiB of anonymous memory that are mapped as such; one that a family shares counts once (NR_ANON_THPS). */
export function anonymousHugePages(spaces: Iterable<AddressSpace>): number {
  const found = new Set<PageFrame>();
  for (const { tables } of spaces)
    if (tables.hugeLeaves > 0)
      tables.forEachHuge((_va, low, high) => {
        if ((low & PTE_ANON) !== 0 && (high & PTE_WHOLE) === 0) found.add(pteFrame(low));
      });
  return found.size;
}
