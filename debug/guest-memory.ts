import type { AddressSpace } from "../kernel/mm/address-space.js";
import { isSwapped, slotOf } from "../kernel/mm/swap/entry.js";
import { VM_READ } from "../kernel/mm/vm-flags.js";
import { PAGE_SIZE } from "../mmu/layout.js";
import { PTE_P, PTE_PROT_NONE, pteFrame } from "../mmu/page-table-entry.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";

/** A look at a program's memory that changes nothing: no page is faulted in, no accessed bit set, PKRU not asked. */
export interface MemoryView {
  /**
   * @param va address in bytes
   * @returns at most `length` bytes: fewer where readable memory ends, none where it does not begin
   */
  read(va: number, length: number): Uint8Array;
}

/**
 * Reads memory as a tracer may (process_vm_readv): areas without VM_READ are closed to it, unless it forces its way as
 * ptrace does; keys do not matter.
 */
export class GuestMemory implements MemoryView {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mm: () => AddressSpace,
    private readonly force = false,
    /** Looks at a file beside the run, where that is recorded (`Machine.aside`). */
    private readonly aside: ((look: () => number) => number) | null = null,
  ) {}

  read(va: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const chunk = Math.min(length - done, PAGE_SIZE - ((va + done) % PAGE_SIZE));
      if (!this.readInPage(va + done, bytes.subarray(done, done + chunk))) break;
      done += chunk;
    }
    return bytes.subarray(0, done);
  }

  private readInPage(va: number, dest: Uint8Array): boolean {
    const mm = this.mm();
    const area = mm.findArea(va);
    if (area === null || va < area.start || (!this.force && (area.flags & VM_READ) === 0)) return false;
    const low = mm.tables.low(va);
    if ((low & (PTE_P | PTE_PROT_NONE)) !== 0) {
      const linear = this.memory.linearOf(pteFrame(low)) + (va % PAGE_SIZE);
      dest.set(this.memory.u8.subarray(linear, linear + dest.length));
    } else if (isSwapped(low)) {
      const from = va % PAGE_SIZE;
      dest.set(mm.env.swap.peek(slotOf(low)).subarray(from, from + dest.length));
    } else if (low !== 0) {
      return false;
    } else if (area.pages !== null) {
      // Not faulted in yet: the program would find what the file has.
      const { pages } = area;
      const offset = area.fileIndex(va) * PAGE_SIZE + (va % PAGE_SIZE);
      if (this.aside === null) pages.peek(offset, dest);
      else this.aside(() => pages.peek(offset, dest));
    }
    return true;
  }
}
