/** Encodings of binary32, binary64 and the x87's 80-bit extended format, to and from `Unpacked`. */

import {
  FINITE,
  INFINITE,
  QNAN,
  SNAN,
  UNSUPPORTED,
  ZERO,
  normalize,
  setZero,
  type Unpacked,
} from "./unpacked.js";

/** A destination's precision and exponent range. */
export interface Format {
  /** Significand bits, the integer bit included: 24, 53 or 64. */
  readonly precision: number;
  /** Exponent of the smallest normal number. */
  readonly minExponent: number;
  /** Exponent of the largest finite number. */
  readonly maxExponent: number;
}

export const BINARY32: Format = { precision: 24, minExponent: -126, maxExponent: 127 };
export const BINARY64: Format = { precision: 53, minExponent: -1022, maxExponent: 1023 };
export const EXTENDED80: Format = { precision: 64, minExponent: -16382, maxExponent: 16383 };
/** x87 registers under precision control: a shorter significand, the exponent range of the 80-bit format. */
export const EXTENDED_53: Format = { precision: 53, minExponent: -16382, maxExponent: 16383 };
export const EXTENDED_24: Format = { precision: 24, minExponent: -16382, maxExponent: 16383 };

/** The format that x87 arithmetic rounds to under precision control `precision` (24, 53 or 64). */
export function registerFormat(precision: number): Format {
  return precision === 64 ? EXTENDED80 : precision === 53 ? EXTENDED_53 : EXTENDED_24;
}

/** Reads a binary32. With `daz`, a denormal reads as a zero of its sign. */
export function unpack32(u: Unpacked, bits: number, daz: boolean): void {
  const sign = bits >>> 31;
  const biased = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  u.sign = sign;
  u.lo = 0;
  u.denormal = 0;
  if (biased === 0) {
    if (fraction === 0 || daz) {
      setZero(u, sign);
      return;
    }
    u.kind = FINITE;
    u.denormal = 1;
    u.exp = -126;
    u.hi = fraction << 8;
    normalize(u);
  } else if (biased === 0xff) {
    u.exp = 0;
    u.hi = 0x80000000 | (fraction << 8);
    u.kind = fraction === 0 ? INFINITE : (fraction & 0x400000) !== 0 ? QNAN : SNAN;
  } else {
    u.kind = FINITE;
    u.exp = biased - 127;
    u.hi = 0x80000000 | (fraction << 8);
  }
}

/** Reads a binary64 given as two halves. With `daz`, a denormal reads as a zero of its sign. */
export function unpack64(u: Unpacked, lo: number, hi: number, daz: boolean): void {
  const sign = hi >>> 31;
  const biased = (hi >>> 20) & 0x7ff;
  const top = hi & 0xfffff;
  u.sign = sign;
  u.denormal = 0;
  if (biased === 0) {
    if ((top | lo) === 0 || daz) {
      setZero(u, sign);
      return;
    }
    u.kind = FINITE;
    u.denormal = 1;
    u.exp = -1022;
    u.hi = (top << 11) | (lo >>> 21);
    u.lo = lo << 11;
    normalize(u);
  } else {
    u.hi = 0x80000000 | (top << 11) | (lo >>> 21);
    u.lo = lo << 11;
    if (biased === 0x7ff) {
      u.exp = 0;
      u.kind = (top | lo) === 0 ? INFINITE : (top & 0x80000) !== 0 ? QNAN : SNAN;
    } else {
      u.kind = FINITE;
      u.exp = biased - 1023;
    }
  }
}

/** Reads an 80-bit extended number: significand halves and the 16 bits of sign and exponent. */
export function unpack80(u: Unpacked, lo: number, hi: number, signExponent: number): void {
  const biased = signExponent & 0x7fff;
  u.sign = (signExponent >>> 15) & 1;
  u.hi = hi;
  u.lo = lo;
  u.denormal = 0;
  if (biased === 0) {
    u.exp = -16382;
    if ((hi | lo) === 0) {
      u.kind = ZERO;
      u.exp = 0;
    } else {
      u.kind = FINITE;
      u.denormal = 1;
      normalize(u);
    }
  } else if (hi >= 0) {
    u.kind = UNSUPPORTED;
    u.exp = 0;
  } else if (biased === 0x7fff) {
    u.exp = 0;
    u.kind = ((hi << 1) | lo) === 0 ? INFINITE : (hi & 0x40000000) !== 0 ? QNAN : SNAN;
  } else {
    u.kind = FINITE;
    u.exp = biased - 16383;
  }
}

/** Encodes a value already rounded to BINARY32. A FINITE value without integer bit is a denormal. */
export function pack32(u: Unpacked): number {
  const sign = u.sign << 31;
  switch (u.kind) {
    case ZERO:
      return sign;
    case FINITE:
      return sign | (u.hi < 0 ? (u.exp + 127) << 23 : 0) | ((u.hi >>> 8) & 0x7fffff);
    case INFINITE:
      return sign | 0x7f800000;
    default:
      return sign | 0x7f800000 | ((u.hi >>> 8) & 0x7fffff);
  }
}

/** Encodes a value already rounded to BINARY64 into out[index] (low half) and out[index + 1]. */
export function pack64(u: Unpacked, out: Int32Array, index: number): void {
  const sign = u.sign << 31;
  switch (u.kind) {
    case ZERO:
      out[index] = 0;
      out[index + 1] = sign;
      return;
    case INFINITE:
      out[index] = 0;
      out[index + 1] = sign | 0x7ff00000;
      return;
    default: {
      const exponent = u.kind !== FINITE ? 0x7ff00000 : u.hi < 0 ? (u.exp + 1023) << 20 : 0;
      out[index] = (u.lo >>> 11) | (u.hi << 21);
      out[index + 1] = sign | exponent | ((u.hi >>> 11) & 0xfffff);
    }
  }
}

/**
 * Encodes a value already rounded to an 80-bit register: significand into out[index] (low half) and
 * out[index + 1], sign and exponent into the low 16 bits of out[index + 2], whose upper half becomes 0.
 */
export function pack80(u: Unpacked, out: Int32Array, index: number): void {
  const sign = u.sign << 15;
  switch (u.kind) {
    case ZERO:
      out[index] = 0;
      out[index + 1] = 0;
      out[index + 2] = sign;
      return;
    case FINITE:
      out[index] = u.lo;
      out[index + 1] = u.hi;
      out[index + 2] = sign | (u.hi < 0 ? u.exp + 16383 : 0);
      return;
    default:
      out[index] = u.lo;
      out[index + 1] = u.hi;
      out[index + 2] = sign | 0x7fff;
  }
}

/** Turns a NaN quiet and cuts its payload to what `format` holds; x87 registers hold all of it under any precision. */
export function quiet(u: Unpacked, format: Format): void {
  u.kind = QNAN;
  u.hi |= 0xc0000000;
  if (format.maxExponent === EXTENDED80.maxExponent) return;
  if (format.precision === 24) {
    u.hi &= 0xffffff00;
    u.lo = 0;
  } else if (format.precision === 53) u.lo &= 0xfffff800;
}
