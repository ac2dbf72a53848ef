import { PTE_ANON, PTE_GUARD, PTE_RW, pteFrame } from "../../mmu/page-table-entry.js";
import type { AddressSpace } from "./address-space.js";
import { countPages } from "./accounting.js";
import { Area } from "./area.js";
import { hasFrame } from "./translations.js";
import { VM_ACCOUNT, VM_DONTCOPY, VM_LOCKED_MASK, VM_SHARED, VM_WIPEONFORK, withFlags } from "./vm-flags.js";

/**
 * Fills a child's new address space (dup_mmap): areas with their keys and seals, except those marked DONTFORK; private
 * pages are shared and lose their write permission on both sides, so that whoever writes first copies. Pages of
 * files are left to fault in again. Locks are not inherited; the key map and the execute-only key are.
 * @throws Error when RAM has no frame left for page tables
 */
export function copyAddressSpace(parent: AddressSpace, child: AddressSpace): void {
  const { env } = child;
  child.setLayout(parent.layout);
  child.keyMap = parent.keyMap;
  child.executeOnlyKey = parent.executeOnlyKey;
  child.denyWriteExec = parent.denyWriteExec;
  child.anonIds = parent.anonIds;
  child.anonInodes = parent.anonInodes;
  for (const area of parent.tree) {
    if ((area.flags & VM_DONTCOPY) !== 0) continue;
    const copy = new Area(area.start, area.end, area);
    copy.flags = withFlags(area.flags, 0, VM_LOCKED_MASK);
    child.link(copy);
    countPages(child, copy.flags, copy.pageCount);
    if ((copy.flags & VM_ACCOUNT) !== 0) {
      env.commit.pages += copy.pageCount;
      child.stats.committed += copy.pageCount;
    }
    if ((area.flags & (VM_WIPEONFORK | VM_SHARED)) === 0) sharePages(parent, child, area);
  }
  parent.env.mmu.invalidateRange(0, 2 ** 47);
}

function sharePages(parent: AddressSpace, child: AddressSpace, area: Area): void {
  const { frames } = parent.env;
  const words = frames.memory.u32;
  parent.tables.forEachPresentOrSwap(area.start, area.end, (va, low, high, entry) => {
    if (low === PTE_GUARD) {
      if (!child.translations.installGuard(va)) throw new Error("no frame left for page tables");
      return;
    }
    if (!hasFrame(low) || (low & PTE_ANON) === 0) return;
    const readOnly = (low & ~PTE_RW) >>> 0;
    words[entry] = readOnly;
    frames.hold(pteFrame(low));
    if (!child.translations.install(va, pteFrame(low), readOnly & 0xfff, high)) {
      frames.release(pteFrame(low));
      throw new Error("no frame left for page tables");
    }
  });
}
