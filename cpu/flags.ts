import type { Builder } from "./ir/builder.js";
import type { Expr, Width } from "./ir/nodes.js";
import { FLAG_AUX, FLAG_RESULT } from "./state.js";

/**
 * Lazy arithmetic flags, independent of the operation that set them:
 *   FLAG_RESULT (i64)  the result, sign-extended from its width: ZF = (it is 0), SF = its sign, PF = its low byte's
 *   FLAG_AUX (i32)     bit 31 CF; bit 30 CF ^ OF (the carry into the top bit); bit 3 AF;
 *                      bit 0 inverts SF; bits 8-15 are XORed into the byte that gives PF
 * The corrections exist so that any combination that POPF can load has a representation.
 */
export const AUX_CARRY = 0x80000000 | 0;
const AUX_TOP = 0xc0000000 | 0;

/** Bytes 1, 2, 4 are computed in i32, 8 in i64. */
export function signExtended(b: Builder, width: Width, value: Expr): Expr {
  if (width === 8) return value;
  if (width === 4) return b.extS(value);
  return b.extS(b.op(width === 1 ? "i32.extend8_s" : "i32.extend16_s", [value]));
}

/** aux from a vector of carries: bit i is the carry out of bit i of an operation of `width` bytes. */
export function auxFromCarries(b: Builder, width: Width, carries: Expr): Expr {
  if (width === 8) {
    const top = b.and(b.wrap(b.shrU(carries, b.i64(32))), b.i32(AUX_TOP));
    return b.or(top, b.and(b.wrap(carries), b.i32(8)));
  }
  if (width === 4) return b.and(carries, b.i32(AUX_TOP | 8));
  const top = b.and(b.shl(carries, b.i32(32 - 8 * width)), b.i32(AUX_TOP));
  return b.or(top, b.and(carries, b.i32(8)));
}

export function addFlags(b: Builder, width: Width, x: Expr, y: Expr, result: Expr): void {
  const carries = b.let(b.or(b.and(x, y), b.and(b.or(x, y), b.not(result))));
  b.setFlags(signExtended(b, width, result), auxFromCarries(b, width, carries));
}

export function subtractFlags(b: Builder, width: Width, x: Expr, y: Expr, result: Expr): void {
  const inverse = b.let(b.not(x));
  const borrows = b.let(b.or(b.and(inverse, y), b.and(b.or(inverse, y), result)));
  b.setFlags(signExtended(b, width, result), auxFromCarries(b, width, borrows));
}

/** CF = OF = AF = 0. */
export function logicFlags(b: Builder, width: Width, result: Expr): void {
  b.setFlags(signExtended(b, width, result), b.i32(0));
}

/** SF, ZF, PF from the result; CF, OF, AF as given (i32, 0 or 1). */
export function resultFlags(
  b: Builder,
  width: Width,
  result: Expr,
  cf: Expr,
  of: Expr,
  af: Expr = b.i32(0),
): void {
  b.setFlags(signExtended(b, width, result), packAux(b, cf, of, af));
}

function packAux(b: Builder, cf: Expr, of: Expr, af: Expr): Expr {
  const top = b.or(b.shl(cf, b.i32(31)), b.shl(b.xor(cf, of), b.i32(30)));
  return b.or(top, b.shl(af, b.i32(3)));
}

/** aux with another CF and OF; what gives the other flags stays. */
export function auxWithCarryOverflow(b: Builder, cf: Expr, of: Expr): Expr {
  return b.or(b.and(b.state(FLAG_AUX, 4), b.i32(~AUX_TOP)), packAux(b, cf, of, b.i32(0)));
}

/** aux of INC and DEC: OF and AF of `own`, CF as it was. */
export function packIncrement(b: Builder, own: Expr): Expr {
  const cf = b.let(b.and(b.state(FLAG_AUX, 4), b.i32(AUX_CARRY)));
  const o = b.let(own);
  const of = b.and(b.xor(b.shl(o, b.i32(1)), o), b.i32(AUX_CARRY));
  return b.or(b.or(cf, b.shrU(b.xor(cf, of), b.i32(1))), b.and(o, b.i32(8)));
}

/** Sets each flag to an i32 of 0 or 1. */
export function explicitFlags(b: Builder, cf: Expr, pf: Expr, af: Expr, zf: Expr, sf: Expr, of: Expr): void {
  const result = b.extU(b.xor(zf, b.i32(1)));
  const parity = b.shl(b.xor(pf, zf), b.i32(8));
  b.setFlags(result, b.or(b.or(packAux(b, cf, of, af), parity), sf));
}

const result = (b: Builder): Expr => b.state(FLAG_RESULT, 8);
const aux = (b: Builder): Expr => b.state(FLAG_AUX, 4);

/** Each flag as an i32 of 0 or 1. */
export const carryFlag = (b: Builder): Expr => b.shrU(aux(b), b.i32(31));
export const overflowFlag = (b: Builder): Expr => {
  const a = aux(b);
  return b.shrU(b.xor(a, b.shl(a, b.i32(1))), b.i32(31));
};
export const zeroFlag = (b: Builder): Expr => b.eqz(result(b));
export const signFlag = (b: Builder): Expr =>
  b.and(b.xor(b.wrap(b.shrU(result(b), b.i64(63))), aux(b)), b.i32(1));
export const adjustFlag = (b: Builder): Expr => b.and(b.shrU(aux(b), b.i32(3)), b.i32(1));
export const parityFlag = (b: Builder): Expr => {
  const byte = b.and(b.xor(b.wrap(result(b)), b.shrU(aux(b), b.i32(8))), b.i32(0xff));
  return b.xor(b.and(b.op("i32.popcnt", [byte]), b.i32(1)), b.i32(1));
};

/** Condition codes in encoding order (SDM vol. 1, appendix B). */
export const CONDITIONS = [
  "o",
  "no",
  "b",
  "ae",
  "z",
  "nz",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** The condition as an i32 of 0 or 1, from the lazy flags. */
export function condition(b: Builder, name: Condition): Expr {
  const number = CONDITIONS.indexOf(name);
  if ((number & 1) === 1) return b.eqz(condition(b, CONDITIONS[number - 1]));
  switch (name) {
    case "o":
      return overflowFlag(b);
    case "b":
      return carryFlag(b);
    case "z":
      return zeroFlag(b);
    case "be":
      return b.or(carryFlag(b), zeroFlag(b));
    case "s":
      return signFlag(b);
    case "p":
      return parityFlag(b);
    case "l":
      return b.xor(signFlag(b), overflowFlag(b));
    default:
      return b.or(zeroFlag(b), b.xor(signFlag(b), overflowFlag(b)));
  }
}
