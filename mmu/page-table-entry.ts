import { PHYSICAL_ADDRESS_BITS } from "./physical-memory.js";
import type { PageFrame, ProtectionKey } from "./types.js";

/*
 * A page-table entry, SDM vol. 3A tables 4-15 to 4-20, as two 32-bit halves.
 *
 *   low half    31..12 frame | 11..9 software | 8 G | 7 PS (PAT in a 4 KiB leaf) | 6 D | 5 A | 4 PCD | 3 PWT |
 *               2 U/S | 1 R/W | 0 P
 *   high half   31 NX | 30..27 protection key | 26..20 ignored | 19..0 reserved (MAXPHYADDR is 32)
 */

export const PTE_P = 1 << 0;
export const PTE_RW = 1 << 1;
export const PTE_US = 1 << 2;
export const PTE_PWT = 1 << 3;
export const PTE_PCD = 1 << 4;
export const PTE_A = 1 << 5;
export const PTE_D = 1 << 6;
export const PTE_PS = 1 << 7;
export const PTE_G = 1 << 8;
/** With P clear: a PROT_NONE page that keeps its frame, as Linux marks it (G's bit, meaningless without P). */
export const PTE_PROT_NONE = 1 << 8;
/** Software bit 9, with P clear: a guard marker (MADV_GUARD_INSTALL); the entry has no frame. */
export const PTE_GUARD = 1 << 9;
/** Software bit 9 of an entry that has a frame: write-protected through userfaultfd (Linux's _PAGE_UFFD_WP). */
export const PTE_UFFD_WP = 1 << 9;
/** The frame's place in a marker says which one it is: 0 a guard, 1 write protection of a page that is not there, 2 below. */
export const PTE_UFFD_WP_MARKER = PTE_GUARD | (1 << 12);
/** 2: poisoned through userfaultfd (UFFDIO_POISON): an access is a memory error. */
export const PTE_POISON = PTE_GUARD | (2 << 12);
/** Software bit 10: the frame is anonymous memory (a private copy or zero-filled), not the page cache's. */
export const PTE_ANON = 1 << 10;
/** Software bit 11: written since soft-dirty bits were last cleared (Linux's _PAGE_SOFT_DIRTY). */
export const PTE_SOFT_DIRTY = 1 << 11;
export const PTE_FRAME_MASK = 0xfffff000;

/** High half. */
export const PTE_NX = 0x8000_0000;
export const PTE_KEY_SHIFT = 27;
/** Bit 52, which the processor ignores: a leaf of 2 MiB or 1 GiB that is never split, with no page table laid by (hugetlb). */
export const PTE_WHOLE = 1 << 20;

/** High-half bits that must be zero in every entry: the address bits above MAXPHYADDR. */
export const PTE_RESERVED_HIGH = (1 << (52 - PHYSICAL_ADDRESS_BITS)) - 1;
/** Low-half bits that must be zero in a leaf of 1 GiB and of 2 MiB; bit 12 is PAT there. */
export const LEAF_1G_RESERVED_LOW = 0x3fff_e000;
export const LEAF_2M_RESERVED_LOW = 0x001f_e000;

/** Page-fault error code bits, SDM vol. 3A 4.7. */
export const PF_P = 1 << 0;
export const PF_W = 1 << 1;
export const PF_U = 1 << 2;
export const PF_RSVD = 1 << 3;
export const PF_I = 1 << 4;
export const PF_PK = 1 << 5;

export function pteFrame(low: number): PageFrame {
  return low >>> 12;
}

export function pteKey(high: number): ProtectionKey {
  return (high >>> PTE_KEY_SHIFT) & 0xf;
}

/** PKRU's access-disable bit for a key (bit 2k). */
export function pkruDeniesAccess(pkru: number, key: ProtectionKey): boolean {
  return ((pkru >>> (2 * key)) & 1) !== 0;
}

/** PKRU's write-disable or access-disable bit for a key: either forbids a write. */
export function pkruDeniesWrite(pkru: number, key: ProtectionKey): boolean {
  return ((pkru >>> (2 * key)) & 3) !== 0;
}
