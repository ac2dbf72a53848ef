import { PROT_EXEC, PROT_READ, PROT_WRITE } from "./uapi.js";

/**
 * An area's flags, numbered as Linux numbers VM_* (linux/mm.h). The protection key, the seal and the guard mark,
 * which Linux keeps in high bits of the same word, are fields of `Area`.
 */
export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
export const VM_GROWSDOWN = 0x100;
export const VM_UFFD_MISSING = 0x200;
export const VM_PFNMAP = 0x400;
/** Linux has it in a high bit. */
export const VM_UFFD_MINOR = 0x800;
export const VM_UFFD_WP = 0x1000;
export const VM_LOCKED = 0x2000;
export const VM_IO = 0x4000;
export const VM_SEQ_READ = 0x8000;
export const VM_RAND_READ = 0x1_0000;
export const VM_DONTCOPY = 0x2_0000;
export const VM_DONTEXPAND = 0x4_0000;
export const VM_LOCKONFAULT = 0x8_0000;
export const VM_ACCOUNT = 0x10_0000;
export const VM_NORESERVE = 0x20_0000;
export const VM_HUGETLB = 0x40_0000;
export const VM_SYNC = 0x80_0000;
/** Linux has it in a high bit; this one is VM_ARCH_1, which x86 uses for what is no memory. */
export const VM_DROPPABLE = 0x100_0000;
export const VM_WIPEONFORK = 0x200_0000;
export const VM_DONTDUMP = 0x400_0000;
export const VM_SOFTDIRTY = 0x800_0000;
export const VM_MIXEDMAP = 0x1000_0000;
export const VM_HUGEPAGE = 0x2000_0000;
export const VM_NOHUGEPAGE = 0x4000_0000;
export const VM_MERGEABLE = 0x8000_0000;

export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
export const VM_MAY_ALL = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
/** Areas with one of these never merge (VM_SPECIAL). */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP;
/** What an area is registered with userfaultfd for (__VM_UFFD_FLAGS). */
export const VM_UFFD_FLAGS = VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR;
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

/** PROT_* to VM_READ, VM_WRITE, VM_EXEC: the bits are the same, the rest is dropped. */
export function protFlags(prot: number): number {
  return prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/** Sets and clears bits, keeping the result an unsigned 32-bit number. */
export function withFlags(flags: number, set: number, clear: number): number {
  return ((flags & ~clear) | set) >>> 0;
}

/** Writable private memory that is not a stack: what RLIMIT_DATA counts (is_data_mapping). */
export function isDataMapping(flags: number): boolean {
  return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) === VM_WRITE;
}

/** Memory that overcommit accounting charges when it is mapped: huge pages are accounted for apart (accountable_mapping). */
export function isAccountable(flags: number): boolean {
  return (flags & (VM_NORESERVE | VM_SHARED | VM_HUGETLB | VM_WRITE)) === VM_WRITE;
}
