import type { FrameHolder } from "../../../mmu/frame-allocator.js";
import { PTE_ANON, PTE_WHOLE, pteFrame } from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import { FilePages } from "../file-pages.js";

/** Blocks of 2 MiB in the page caches of shared memory (NR_SHMEM_THPS, in blocks). */
export function sharedBlocks(holders: Iterable<FrameHolder>): number {
  let count = 0;
  for (const holder of holders) if (holder instanceof FilePages) count += holder.blocks?.count ?? 0;
  return count;
}

/** Those of them that somebody maps by a leaf (NR_SHMEM_PMDMAPPED). */
export function mappedBlocks(spaces: Iterable<AddressSpace>): number {
  const found = new Set<PageFrame>();
  for (const { tables } of spaces)
    if (tables.large.fileCount > 0)
      tables.forEachHuge((_va, low, high) => {
        if (tables.large.isFiles(low, high)) found.add(pteFrame(low));
      });
  return found.size;
}

/** Pages of 2 MiB of anonymous memory that are mapped as such; one that a family shares counts once (NR_ANON_THPS). */
export function anonymousHugePages(spaces: Iterable<AddressSpace>): number {
  const found = new Set<PageFrame>();
  for (const { tables } of spaces)
    if (tables.large.anonCount > 0)
      tables.forEachHuge((_va, low, high) => {
        if ((low & PTE_ANON) !== 0 && (high & PTE_WHOLE) === 0) found.add(pteFrame(low));
      });
  return found.size;
}
