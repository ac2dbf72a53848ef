/** Cases of 32- and 16-bit code and their answers, as bytes that host.c and the emulated machine both know. */
export const CODE = 0x20000000;
export const DATA = 0x10000000;
export const BYTES = 0x2000;
export const CASE_BYTES = 96;
export const ANSWER_BYTES = 136;
/** The LDT's first entry in use. */
const FIRST = 16;
/** A selector of the LDT: host.c says what is there. */
export const ldt = (i: number): number => (FIRST + i) * 8 + 7;

/** The LDT that host.c asks for, as Linux writes it with `useable` (AVL) (arch/x86/include/asm/desc.h fill_ldt). */
export function ldtEntry(selector: number): readonly [number, number] | undefined {
  return ENTRIES[(selector >>> 3) - FIRST];
}

function entry(
  base: number,
  limit: number,
  contents: number,
  big: number,
  readOnly: number,
  absent: number,
): readonly [number, number] {
  const type = (contents << 2) | ((readOnly ^ 1) << 1) | 1;
  const low = (((base & 0xffff) << 16) | (limit & 0xffff)) >>> 0;
  const flags = 0x70 | type | (absent !== 0 ? 0 : 0x80);
  const high =
    ((base & 0xff000000) |
      (limit & 0xf0000) |
      (big << 22) |
      0x100000 |
      (flags << 8) |
      ((base >>> 16) & 0xff)) >>>
    0;
  return [low, high];
}
const ENTRIES = [
  entry(CODE, 0x1fff, 2, 1, 0, 0),
  entry(CODE, 0x1fff, 2, 0, 0, 0),
  entry(DATA, 0x1fff, 0, 1, 0, 0),
  entry(DATA, 0x1fff, 0, 0, 0, 0),
  entry(DATA, 0xfff, 1, 1, 0, 0),
  entry(DATA, 0x1fff, 0, 1, 1, 0),
  entry(CODE, 0x1fff, 2, 1, 1, 0),
  entry(DATA, 0x1fff, 0, 1, 0, 1),
  entry(CODE, 0x1fff, 3, 1, 0, 1),
  entry(CODE, 0x1fff, 2, 1, 0, 1),
  entry(DATA, 0xfff, 1, 0, 0, 0),
];

export interface Case {
  readonly cs: number;
  readonly ss: number;
  readonly ds: number;
  readonly es: number;
  readonly fs: number;
  readonly gs: number;
  /** EIP, from CODE in a flat segment. */
  readonly offset: number;
  readonly flags: number;
  readonly seed: number;
  readonly regs: readonly number[];
  readonly code: Uint8Array;
}

export function encodeCase(c: Case): Uint8Array {
  const bytes = new Uint8Array(CASE_BYTES);
  const view = new DataView(bytes.buffer);
  [c.cs, c.ss, c.ds, c.es, c.fs, c.gs, c.code.length].forEach((v, i) => view.setUint16(2 * i, v, true));
  view.setUint32(16, c.offset, true);
  view.setUint32(20, c.flags, true);
  view.setUint32(24, c.seed, true);
  c.regs.forEach((v, i) => view.setUint32(32 + 4 * i, v, true));
  bytes.set(c.code, 64);
  return bytes;
}

export interface Answer {
  readonly signal: number;
  readonly trap: number;
  readonly error: bigint;
  readonly cr2: bigint;
  readonly regs: readonly bigint[];
  readonly rip: bigint;
  readonly flags: number;
  readonly memory: number;
  /** CS, SS, DS, ES, FS, GS. */
  readonly selectors: readonly number[];
  readonly floats: readonly number[];
}

export function decodeAnswer(bytes: Uint8Array, at: number): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, ANSWER_BYTES);
  return {
    signal: view.getUint32(0, true),
    trap: view.getUint32(4, true),
    error: view.getBigUint64(8, true),
    cr2: view.getBigUint64(16, true),
    regs: Array.from({ length: 8 }, (_, i) => view.getBigUint64(24 + 8 * i, true)),
    rip: view.getBigUint64(88, true),
    flags: view.getUint32(96, true),
    memory: view.getUint32(100, true),
    selectors: Array.from({ length: 6 }, (_, i) => view.getUint16(104 + 2 * i, true)),
    floats: [
      view.getUint16(116, true),
      view.getUint16(118, true),
      view.getUint32(120, true),
      view.getUint32(124, true),
      view.getUint32(128, true),
    ],
  };
}
