/**
 * A floating-point number taken apart, common to all formats. Halves are int32 so that engines keep them
 * as small integers; records are reused, never allocated per operation.
 */

export const ZERO = 0;
export const FINITE = 1;
export const INFINITE = 2;
export const QNAN = 3;
export const SNAN = 4;
/** An 80-bit encoding the x87 no longer accepts: pseudo-NaN, pseudo-infinity, unnormal (SDM vol. 1, 8.2.2). */
export const UNSUPPORTED = 5;

export interface Unpacked {
  /** One of ZERO … UNSUPPORTED. */
  kind: number;
  /** 0 or 1. */
  sign: number;
  /** Unbiased exponent of the leading bit: value = (hi:lo / 2^63) * 2^exp. Meaningful for FINITE. */
  exp: number;
  /** Significand bits 63-32; bit 31 is the integer bit, set in FINITE values and NaNs. */
  hi: number;
  /** Significand bits 31-0. */
  lo: number;
  /** 1 when it was read from a denormal (or pseudo-denormal) encoding. */
  denormal: number;
}

export function createUnpacked(): Unpacked {
  return { kind: ZERO, sign: 0, exp: 0, hi: 0, lo: 0, denormal: 0 };
}

export function isNan(u: Unpacked): boolean {
  return u.kind >= QNAN;
}

export function copyUnpacked(z: Unpacked, a: Unpacked): void {
  z.kind = a.kind;
  z.sign = a.sign;
  z.exp = a.exp;
  z.hi = a.hi;
  z.lo = a.lo;
  z.denormal = a.denormal;
}

export function setZero(z: Unpacked, sign: number): void {
  z.kind = ZERO;
  z.sign = sign;
  z.exp = 0;
  z.hi = 0;
  z.lo = 0;
  z.denormal = 0;
}

export function setInfinity(z: Unpacked, sign: number): void {
  z.kind = INFINITE;
  z.sign = sign;
  z.exp = 0;
  z.hi = 0x80000000 | 0;
  z.lo = 0;
  z.denormal = 0;
}

/** The "real indefinite": the negative quiet NaN that masked invalid operations return. */
export function setIndefinite(z: Unpacked): void {
  z.kind = QNAN;
  z.sign = 1;
  z.exp = 0;
  z.hi = 0xc0000000 | 0;
  z.lo = 0;
  z.denormal = 0;
}

export function setFinite(z: Unpacked, sign: number, exp: number, hi: number, lo: number): void {
  z.kind = FINITE;
  z.sign = sign;
  z.exp = exp;
  z.hi = hi | 0;
  z.lo = lo | 0;
  z.denormal = 0;
}

/** Unsigned comparison of significands: negative, zero or positive as a <, =, > b. */
export function compareSignificands(ahi: number, alo: number, bhi: number, blo: number): number {
  return ahi !== bhi ? (ahi >>> 0) - (bhi >>> 0) : (alo >>> 0) - (blo >>> 0);
}

/** Shifts a FINITE value's significand up until its integer bit is set, lowering the exponent. hi:lo must not be 0. */
export function normalize(u: Unpacked): void {
  let shift: number;
  if (u.hi === 0) {
    shift = Math.clz32(u.lo);
    u.hi = u.lo << shift;
    u.lo = 0;
    shift += 32;
  } else {
    shift = Math.clz32(u.hi);
    if (shift === 0) return;
    u.hi = (u.hi << shift) | (u.lo >>> (32 - shift));
    u.lo = u.lo << shift;
  }
  u.exp -= shift;
}
