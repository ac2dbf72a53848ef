/** Conversions to and from integers, and rounding to an integral value. */

import { IE, PE, ROUND_ZERO, type FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { nanOrDenormal1 } from "./nan.js";
import { roundTo, roundsUp, shiftRightJam } from "./round.js";
import {
  FINITE,
  ZERO,
  copyUnpacked,
  createUnpacked,
  normalize,
  setFinite,
  setZero,
  type Unpacked,
} from "./unpacked.js";

/** A two's-complement integer of up to 64 bits, sign-extended. */
export interface IntegerResult {
  lo: number;
  hi: number;
}

const magnitude = createUnpacked();

/** z = a signed 32-bit integer, exactly. */
export function fromInt32(z: Unpacked, value: number): void {
  fromInt64(z, value, value >> 31);
}

/** z = a signed 64-bit integer, exactly. */
export function fromInt64(z: Unpacked, lo: number, hi: number): void {
  if ((lo | hi) === 0) {
    setZero(z, 0);
    return;
  }
  const sign = hi >>> 31;
  if (sign !== 0) {
    lo = -lo | 0;
    hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
  }
  setFinite(z, sign, 63, hi, lo);
  normalize(z);
}

/**
 * Leaves the magnitude of FINITE a, rounded to an integer, in `magnitude`; a.exp must be at most 63. Sets
 * env.roundedUp.
 * @returns whether the rounding was inexact.
 */
function roundMagnitude(a: Unpacked, rounding: number, env: FloatEnv): boolean {
  magnitude.hi = a.hi;
  magnitude.lo = a.lo;
  const ext = a.exp >= 63 ? 0 : shiftRightJam(magnitude, 0, 63 - a.exp);
  const up = ext !== 0 && roundsUp(rounding, a.sign, magnitude.lo & 1, ext >>> 31, ext << 1);
  if (up) {
    magnitude.lo = (magnitude.lo + 1) | 0;
    if (magnitude.lo === 0) magnitude.hi = (magnitude.hi + 1) | 0;
  }
  env.roundedUp = up;
  return ext !== 0;
}

/**
 * Converts to a signed integer of `bits` (16, 32 or 64). NaN, infinity and values out of range raise IE and give
 * the integer indefinite, the most negative number.
 * @param truncate round toward zero whatever the rounding mode is (CVTT*, FISTTP).
 */
export function toInteger(
  out: IntegerResult,
  a: Unpacked,
  bits: number,
  truncate: boolean,
  env: FloatEnv,
): void {
  if (a.kind === ZERO) {
    out.lo = 0;
    out.hi = 0;
    return;
  }
  if (a.kind === FINITE && a.exp < bits) {
    const inexact = roundMagnitude(a, truncate ? ROUND_ZERO : env.rounding, env);
    let { hi, lo } = magnitude;
    if (fits(hi, lo, a.sign, bits)) {
      if (inexact) env.flags |= PE;
      if (a.sign !== 0) {
        lo = -lo | 0;
        hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
      }
      out.lo = lo;
      out.hi = hi;
      return;
    }
    env.roundedUp = false;
  }
  env.flags |= IE;
  out.lo = bits === 64 ? 0 : bits === 32 ? 0x80000000 | 0 : -0x8000;
  out.hi = bits === 64 ? 0x80000000 | 0 : -1;
}

function fits(hi: number, lo: number, sign: number, bits: number): boolean {
  if (bits === 64) return hi >= 0 || (sign !== 0 && hi === (0x80000000 | 0) && lo === 0);
  const limit = bits === 32 ? 0x80000000 : 0x8000;
  return hi === 0 && lo >>> 0 < limit + sign;
}

/**
 * z = a rounded to an integral value under `rounding`, as FRNDINT and ROUNDSS do; a zero result keeps the sign.
 * z may be a.
 * @param signalDenormal DE for a denormal operand (FRNDINT, not ROUNDSS).
 */
export function roundToIntegral(
  z: Unpacked,
  a: Unpacked,
  rounding: number,
  signalDenormal: boolean,
  format: Format,
  env: FloatEnv,
): void {
  const flags = env.flags;
  if (nanOrDenormal1(z, a, format, env)) return;
  if (!signalDenormal) env.flags = flags;
  const sign = a.sign;
  if (a.kind !== FINITE || a.exp >= 63) {
    copyUnpacked(z, a);
    return;
  }
  if (roundMagnitude(a, rounding, env)) env.flags |= PE;
  if ((magnitude.hi | magnitude.lo) === 0) {
    setZero(z, sign);
    return;
  }
  setFinite(z, sign, 63, magnitude.hi, magnitude.lo);
  normalize(z);
}

/**
 * z = a in another format.
 * @param signalDenormal DE for a denormal operand: all conversions but x87 stores.
 */
export function convert(
  z: Unpacked,
  a: Unpacked,
  format: Format,
  signalDenormal: boolean,
  env: FloatEnv,
): void {
  const flags = env.flags;
  if (nanOrDenormal1(z, a, format, env)) return;
  if (!signalDenormal) env.flags = flags;
  copyUnpacked(z, a);
  if (a.kind === FINITE) roundTo(z, 0, format, env);
}
