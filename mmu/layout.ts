/**
 * Where things lie in the machine's one WebAssembly.Memory, in bytes from its start.
 * Guest RAM comes last, so that a physical address and a linear one differ by a constant.
 */

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

/** The CPU's registers and scratch space; laid out by cpu/state.ts. */
export const CPU_STATE_BASE = 0x1000;

/** Data TLB: one bank for each recent PKRU value (see mmu/tlb.ts). */
export const TLB_BASE = 0x1_0000;
export const TLB_BANKS = 16;
export const TLB_ENTRIES = 1024;
export const TLB_ENTRY_BYTES = 32;
export const TLB_BANK_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;

/** Indirect-branch targets: RIP to decoded record. */
export const JUMP_CACHE_BASE = 0xa_0000;
export const JUMP_CACHE_ENTRIES = 4096;
export const JUMP_CACHE_ENTRY_BYTES = 16;

/** Decoded micro-op records. */
export const RECORDS_BASE = 0x10_0000;
export const RECORDS_END = 0x200_0000;

/** Guest physical address 0. */
export const RAM_BASE = 0x200_0000;
