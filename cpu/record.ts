/**
 * A decoded micro-op as the interpreter reads it: 32 bytes, little-endian.
 *   +0  u16 micro-op number; with CALLOUT_BIT set, a callout's number
 *   +2  u16 distance to the block's header, in records
 *   +4  u32 a   +8 u32 b   +12 u32 c   operands: addresses of registers
 *   +16 i64 immediate
 *   +24 u32 d: shift of an index, small constant, or link to the next block when taken
 *   +28 u32 e: segment base's address, a fourth operand, or link to the next block when not taken
 * A block's first record is its header: +4 block number, +8 instruction count; where a compiled region begins with the
 * block, also +12 the region's place in the table, +16 the address space that its translations were looked up in, and
 * +20 which bits of that count.
 */
export const RECORD_BYTES = 32;
export const RECORD_OP = 0;
export const RECORD_POSITION = 2;
export const RECORD_A = 4;
export const RECORD_B = 8;
export const RECORD_C = 12;
export const RECORD_IMMEDIATE = 16;
export const RECORD_D = 24;
export const RECORD_E = 28;
export const HEADER_BLOCK = 4;
export const HEADER_COUNT = 8;
export const HEADER_REGION = 12;
export const HEADER_KEY = 16;
export const HEADER_KEY_MASK = 20;
export const CALLOUT_BIT = 0x8000;

export interface RecordFields {
  a?: number;
  b?: number;
  c?: number;
  d?: number;
  e?: number;
  immediate?: bigint | number;
}
