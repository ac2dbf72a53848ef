import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";

/** Maps the vDSO; the address of its ELF header, or 0 when there is none. */
export function mapVdso(_kernel: Kernel, _mm: AddressSpace): number {
  return 0;
}
