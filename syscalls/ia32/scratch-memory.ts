/** User memory with a place of the kernel's own beyond its end, for structures in their 64-bit form. */

import type { AddressSpace } from "../../kernel/mm/address-space.js";
import { TASK_SIZE } from "../../kernel/mm/layout.js";
import { UserMemory } from "../../kernel/mm/user-memory.js";
import type { Word } from "../../kernel/mm/word.js";

/** Where that place lies: no program's page can be there. */
export const SCRATCH = TASK_SIZE;

export class ScratchMemory extends UserMemory {
  constructor(
    mm: AddressSpace,
    readonly place: Uint8Array,
  ) {
    super(mm);
  }

  /** The scratch bytes of [va, va + length), cut at their end; null for addresses of the program. */
  private part(va: Word, length: number): Uint8Array | null {
    return Number(va) >= SCRATCH && Number(va) < SCRATCH + this.place.length
      ? this.place.subarray(Number(va) - SCRATCH, Number(va) - SCRATCH + length)
      : null;
  }

  override accessOk(va: Word, length: Word): boolean {
    return this.part(va, 0) !== null || super.accessOk(va, length);
  }

  override copyIn(va: Word, destination: Uint8Array): number {
    const part = this.part(va, destination.length);
    if (part === null) return super.copyIn(va, destination);
    destination.set(part);
    return part.length;
  }

  override copyOut(va: Word, source: Uint8Array): number {
    const part = this.part(va, source.length);
    if (part === null) return super.copyOut(va, source);
    part.set(source.subarray(0, part.length));
    return part.length;
  }
}
