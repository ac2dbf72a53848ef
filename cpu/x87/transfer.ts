/** Loads, stores, constants, exchanges and conditional moves. */

import { packBcd, unpackBcd } from "../float/bcd.js";
import { IE, OE, UE, isSuppressed } from "../float/env.js";
import { BINARY32, BINARY64, EXTENDED80, pack32, pack64, unpack32, unpack64 } from "../float/formats.js";
import { convert, fromInt32, fromInt64, toInteger } from "../float/integer.js";
import { createUnpacked, setFinite, setZero, type Unpacked } from "../float/unpacked.js";
import { X87, X87_TAGS } from "../state.js";
import {
  canPush,
  deliverUnderflow,
  env,
  isEmpty,
  loadIndefinite,
  loadRegister,
  physical,
  pop,
  push,
  pushValue,
  stackUnderflow,
  storeRegister,
  type X87Memory,
} from "./unit.js";

/** Formats in memory; the first four are also arithmetic's. */
export const F32 = 0;
export const F64 = 1;
export const I16 = 2;
export const I32 = 3;
export const I64 = 4;
export const F80 = 5;
export const BCD = 6;
/** Bytes of each format. */
export const FORMAT_BYTES = [4, 8, 2, 4, 8, 10, 10] as const;

const x = createUnpacked();
const z = createUnpacked();
const integer = { lo: 0, hi: 0 };
const words = new Int32Array(2);

/** Pushes the operand at linear `at` (4-byte aligned). An 80-bit operand is copied bit for bit. */
export function loadMemory(m: X87Memory, kind: number, at: number): void {
  if (!canPush(m)) return;
  const i = at >> 2;
  switch (kind) {
    case F80:
      push(m);
      copy80(m, at, 0);
      return;
    case F32:
    case F64:
      if (kind === F32) unpack32(x, m.i32[i]!, false);
      else unpack64(x, m.i32[i]!, m.i32[i + 1]!, false);
      convert(z, x, EXTENDED80, true, env);
      // An unmasked DE does not stop the load, as recorded on real processors; an unmasked IE does.
      if ((env.flags & ~env.masks & IE) === 0) pushValue(m, z);
      return;
    case I16:
      fromInt32(z, (m.i32[i]! << 16) >> 16);
      break;
    case I32:
      fromInt32(z, m.i32[i]!);
      break;
    case I64:
      fromInt64(z, m.i32[i]!, m.i32[i + 1]!);
      break;
    default:
      unpackBcd(z, m.u8, at);
  }
  pushValue(m, z);
}

/** Copies 10 bytes from linear `at` into ST(i) and marks it full. */
function copy80(m: X87Memory, at: number, i: number): void {
  const register = physical(m, i);
  const to = (X87 + 16 * register) >> 1;
  const from = at >> 1;
  for (let k = 0; k < 5; k++) m.u16[to + k] = m.u16[from + k]!;
  m.u16[to + 5] = 0;
  m.u8[X87_TAGS] = m.u8[X87_TAGS]! | (1 << register);
}

/** FLD ST(i). */
export function loadStack(m: X87Memory, i: number): void {
  if (isEmpty(m, i)) {
    if (!stackUnderflow()) return;
    loadIndefinite(z);
    pushValue(m, z);
    return;
  }
  if (!canPush(m)) return;
  const from = X87 + 16 * physical(m, i);
  push(m);
  copy80(m, from, 0);
}

/**
 * Puts what FST, FIST, FISTTP (`truncate`) or FBSTP would write at linear `at` (4-byte aligned, 12 bytes).
 * @returns false if an unmasked exception forbids the write and the pop.
 */
export function prepareStore(m: X87Memory, kind: number, truncate: boolean, at: number): boolean {
  const i = at >> 2;
  if (isEmpty(m, 0)) {
    if (!stackUnderflow()) return false;
    loadIndefinite(x);
    if (kind === F80) {
      m.i32[i] = 0;
      m.i32[i + 1] = 0xc0000000 | 0;
      m.i32[i + 2] = 0xffff;
      return true;
    }
  } else if (kind === F80) {
    const from = (X87 + 16 * physical(m, 0)) >> 2;
    for (let k = 0; k < 3; k++) m.i32[i + k] = m.i32[from + k]!;
    return true;
  } else loadRegister(x, m, 0);

  switch (kind) {
    case F32:
    case F64:
      convert(z, x, kind === F32 ? BINARY32 : BINARY64, false, env);
      if ((env.flags & ~env.masks & (IE | OE | UE)) !== 0) return false;
      if (kind === F32) m.i32[i] = pack32(z);
      else {
        pack64(z, words, 0);
        m.i32[i] = words[0]!;
        m.i32[i + 1] = words[1]!;
      }
      return true;
    case BCD:
      packBcd(m.u8, at, x, env);
      return !isSuppressed(env);
    default:
      toInteger(integer, x, kind === I16 ? 16 : kind === I32 ? 32 : 64, truncate, env);
      m.i32[i] = integer.lo;
      m.i32[i + 1] = integer.hi;
      return !isSuppressed(env);
  }
}

/** FST ST(i), FSTP ST(i): a copy, whatever the encoding. */
export function storeStack(m: X87Memory, i: number, pops: number): void {
  if (isEmpty(m, 0)) {
    deliverUnderflow(m, i, pops);
    return;
  }
  copy80(m, X87 + 16 * physical(m, 0), i);
  if (pops !== 0) pop(m);
}

export function exchange(m: X87Memory, i: number): void {
  if (isEmpty(m, 0) || isEmpty(m, i)) {
    if (!stackUnderflow()) return;
    loadIndefinite(z);
    if (isEmpty(m, 0)) storeRegister(m, 0, z);
    if (isEmpty(m, i)) storeRegister(m, i, z);
  }
  const a = (X87 + 16 * physical(m, 0)) >> 2;
  const b = (X87 + 16 * physical(m, i)) >> 2;
  for (let k = 0; k < 3; k++) {
    const word = m.i32[a + k]!;
    m.i32[a + k] = m.i32[b + k]!;
    m.i32[b + k] = word;
  }
}

/** FCMOVcc with its condition already decided. An empty register counts even if the move is not made. */
export function conditionalMove(m: X87Memory, i: number, holds: boolean): void {
  if (isEmpty(m, 0) || isEmpty(m, i)) deliverUnderflow(m, 0, 0);
  else if (holds) copy80(m, X87 + 16 * physical(m, i), 0);
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ in the order of their opcodes D9 E8 … D9 EE. */
export function loadConstant(m: X87Memory, number: number): void {
  if (!canPush(m)) return;
  constant(z, number, env.rounding);
  pushValue(m, z);
}

/** Significands truncated to 64 bits, their exponents, and whether round-to-nearest goes up from there. */
const CONSTANTS = [
  [0, 0x80000000, 0x00000000, false, true],
  [1, 0xd49a784b, 0xcd1b8afe, false, false],
  [0, 0xb8aa3b29, 0x5c17f0bb, true, false],
  [1, 0xc90fdaa2, 0x2168c234, true, false],
  [-2, 0x9a209a84, 0xfbcff798, true, false],
  [-1, 0xb17217f7, 0xd1cf79ab, true, false],
] as const;

function constant(u: Unpacked, number: number, rounding: number): void {
  const entry = CONSTANTS[number];
  if (entry === undefined) {
    setZero(u, 0);
    return;
  }
  const [exp, hi, lo, nearestUp, exact] = entry;
  const up = !exact && (rounding === 2 || (rounding === 0 && nearestUp));
  setFinite(u, 0, exp, hi, up ? lo + 1 : lo);
}
