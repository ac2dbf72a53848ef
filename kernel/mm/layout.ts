/** End of user space: 47 bits less one page (TASK_SIZE_MAX with 4-level paging). */
export const TASK_SIZE = 0x7fff_ffff_f000;
/** Where the bottom-up search begins when nothing is free below mmap_base (TASK_UNMAPPED_BASE). */
export const UNMAPPED_BASE = Math.ceil(TASK_SIZE / 3 / 4096) * 4096;
/** MAP_32BIT's window. */
export const LOW_WINDOW_START = 0x4000_0000;
export const LOW_WINDOW_END = 0x8000_0000;

/** End of user space of a 32-bit program (task_size_32bit), and its UNMAPPED_BASE. */
export const TASK_SIZE_32 = 0xffff_e000;
export const UNMAPPED_BASE_32 = Math.ceil(TASK_SIZE_32 / 3 / 4096) * 4096;

/** Where exec has put things (`mm_struct`'s own addresses), in bytes. */
export interface MmLayout {
  /** The top of the mmap area: the first mapping lies just below. */
  mmapBase: number;
  /** The same for calls of 32-bit programs (mmap_compat_base). */
  mmapBase32: number;
  /** Mappings go upward from UNMAPPED_BASE (no stack limit, ADDR_COMPAT_LAYOUT). */
  bottomUp: boolean;
  startCode: number;
  endCode: number;
  startData: number;
  endData: number;
  startBrk: number;
  brk: number;
  startStack: number;
  argStart: number;
  argEnd: number;
  envStart: number;
  envEnd: number;
}

/** As without ASLR and with an 8 MiB stack limit. */
export const DEFAULT_LAYOUT: Readonly<MmLayout> = {
  mmapBase: 0x7fff_f7ff_f000,
  mmapBase32: 0xf7ff_e000,
  bottomUp: false,
  startCode: 0,
  endCode: 0,
  startData: 0,
  endData: 0,
  startBrk: 0,
  brk: 0,
  startStack: 0,
  argStart: 0,
  argEnd: 0,
  envStart: 0,
  envEnd: 0,
};
