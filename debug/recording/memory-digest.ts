import { PAGE_SIZE } from "../../mmu/layout.js";
import { PTE_P, PTE_PROT_NONE, pteFrame } from "../../mmu/page-table-entry.js";
import { isSwapped, slotOf } from "../../kernel/mm/swap/entry.js";
import type { AddressSpace } from "../../kernel/mm/address-space.js";
import type { Machine } from "../machine.js";
import { Hasher } from "../snapshot/hasher.js";
import { processorHash } from "./processor-hash.js";

/** The system's own pages, which another sealab may have laid out otherwise. */
const SYSTEM = /^\[(vdso|vvar|vvar_vclock|vsyscall)\]$/;

/**
 * A digest (32 hexadecimal digits) of all memory that programs have, as they see it: of each address space its areas
 * with rights, keys and seals, and every page in it; and the processor's registers. Where in the machine's RAM a page
 * is, and how the kernel keeps its books, is not in it: that may be otherwise in another version of sealab
 * (`machineDigest` of debug/snapshot has that too).
 */
export function memoryDigest(machine: Machine): string {
  const hasher = new Hasher();
  hasher.number(machine.instructions);
  hasher.word(processorHash(machine.kernel));
  const seen = new Set<AddressSpace>();
  for (const task of [machine.kernel.init.leader, ...machine.kernel.tasks.values()]) {
    if (seen.has(task.mm)) continue;
    seen.add(task.mm);
    hashMemory(hasher, machine, task.mm);
  }
  return hasher.digest();
}

function hashMemory(hasher: Hasher, machine: Machine, mm: AddressSpace): void {
  for (const area of mm.areas()) {
    const { start, end, prot, key, sealed, name } = mm.snapshotArea(area);
    if (SYSTEM.test(name)) continue;
    for (const value of [start, end, prot, key, sealed ? 1 : 0]) hasher.number(value);
    hasher.text(name);
    mm.tables.forEachPresentOrSwap(start, end, (va, low) => {
      hasher.number(va / PAGE_SIZE);
      if ((low & (PTE_P | PTE_PROT_NONE)) !== 0)
        hasher.bytes(machine.kernel.memory.frameBytes(pteFrame(low)));
      else if (isSwapped(low)) hasher.bytes(machine.kernel.swap.peek(slotOf(low)));
    });
  }
}
