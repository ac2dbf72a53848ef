/**
 * struct user_desc and the descriptor it asks for (arch/x86/include/uapi/asm/ldt.h, asm/desc.h; SDM vol. 3, 3.4.5).
 */

/** Bytes of struct user_desc. */
export const USER_DESC_BYTES = 16;

export interface UserDesc {
  /** Unsigned; 0xffffffff asks set_thread_area(2) for a free one. */
  entryNumber: number;
  /** Bytes. */
  base: number;
  /** The last offset, in bytes or in pages: 20 bits count. */
  limit: number;
  seg32bit: boolean;
  /** 0 data, 1 data that grows down, 2 code, 3 conforming code. */
  contents: number;
  readExecOnly: boolean;
  limitInPages: boolean;
  notPresent: boolean;
  useable: boolean;
  /** 64-bit code: shown, never taken. */
  lm: boolean;
}

/** The 8 bytes of a descriptor as two 32-bit halves. */
export type Descriptor = readonly [low: number, high: number];

export const NO_DESCRIPTOR: Descriptor = [0, 0];

const ACCESSED = 0x100;
const WRITABLE = 0x200;
const USER_SEGMENT = 0x7000;
const PRESENT = 0x8000;
const AVAILABLE = 0x10_0000;
const LONG = 0x20_0000;
const BIG = 0x40_0000;
const PAGES = 0x80_0000;

export function decodeUserDesc(bytes: Uint8Array): UserDesc {
  const view = new DataView(bytes.buffer, bytes.byteOffset, USER_DESC_BYTES);
  const flags = view.getUint32(12, true);
  return {
    entryNumber: view.getUint32(0, true),
    base: view.getUint32(4, true),
    limit: view.getUint32(8, true),
    seg32bit: (flags & 1) !== 0,
    contents: (flags >>> 1) & 3,
    readExecOnly: (flags & 8) !== 0,
    limitInPages: (flags & 0x10) !== 0,
    notPresent: (flags & 0x20) !== 0,
    useable: (flags & 0x40) !== 0,
    lm: (flags & 0x80) !== 0,
  };
}

export function encodeUserDesc(desc: UserDesc): Uint8Array {
  const bytes = new Uint8Array(USER_DESC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, desc.entryNumber, true);
  view.setUint32(4, desc.base, true);
  view.setUint32(8, desc.limit, true);
  const bit = (set: boolean, at: number): number => (set ? 1 << at : 0);
  view.setUint32(
    12,
    bit(desc.seg32bit, 0) |
      (desc.contents << 1) |
      bit(desc.readExecOnly, 3) |
      bit(desc.limitInPages, 4) |
      bit(desc.notPresent, 5) |
      bit(desc.useable, 6) |
      bit(desc.lm, 7),
    true,
  );
  return bytes;
}

/** What clears an entry: all 0 but read_exec_only and seg_not_present; lm does not count (LDT_empty). */
export function isEmptyDesc(desc: UserDesc): boolean {
  return isPlain(desc) && desc.readExecOnly && desc.notPresent;
}

/** All 0 but for the entry's number (LDT_zero). */
export function isZeroDesc(desc: UserDesc): boolean {
  return isPlain(desc) && !desc.readExecOnly && !desc.notPresent;
}

function isPlain({ base, limit, contents, seg32bit, limitInPages, useable }: UserDesc): boolean {
  return base === 0 && limit === 0 && contents === 0 && !seg32bit && !limitInPages && !useable;
}

/** The descriptor asked for: of privilege level 3, accessed already, never 64-bit code (fill_ldt). */
export function descriptorOf(desc: UserDesc): Descriptor {
  const { base, limit } = desc;
  const high =
    ((base >>> 16) & 0xff) |
    ACCESSED |
    (desc.readExecOnly ? 0 : WRITABLE) |
    (desc.contents << 10) |
    USER_SEGMENT |
    (desc.notPresent ? 0 : PRESENT) |
    (limit & 0xf_0000) |
    (desc.useable ? AVAILABLE : 0) |
    (desc.seg32bit ? BIG : 0) |
    (desc.limitInPages ? PAGES : 0) |
    (base & 0xff00_0000);
  return [((base << 16) | (limit & 0xffff)) >>> 0, high >>> 0];
}

/** A descriptor as get_thread_area(2) tells of it (fill_user_desc). */
export function userDescOf(entryNumber: number, [low, high]: Descriptor): UserDesc {
  return {
    entryNumber,
    base: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000)) >>> 0,
    limit: (low & 0xffff) | (high & 0xf_0000),
    seg32bit: (high & BIG) !== 0,
    contents: (high >>> 10) & 3,
    readExecOnly: (high & WRITABLE) === 0,
    limitInPages: (high & PAGES) !== 0,
    notPresent: (high & PRESENT) === 0,
    useable: (high & AVAILABLE) !== 0,
    lm: (high & LONG) !== 0,
  };
}

/** Without AVL, which modify_ldt(2)'s function 1 knows nothing of. */
export function withoutAvailable([low, high]: Descriptor): Descriptor {
  return [low, (high & ~AVAILABLE) >>> 0];
}

/** Whether a stack may lie in such a segment: present, privilege level 3, data that can be written (force_valid_ss). */
export function isStackSegment([, high]: Descriptor): boolean {
  const rights = high & 0xfe00;
  const data = PRESENT | USER_SEGMENT | WRITABLE;
  return rights === data || rights === (data | 0x400);
}
