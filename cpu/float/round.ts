/** Rounding of an exact (or sticky) intermediate result to a format, with overflow and underflow responses. */

import { OE, PE, ROUND_DOWN, ROUND_NEAREST, ROUND_UP, UE, type FloatEnv } from "./env.js";
import { EXTENDED80, type Format } from "./formats.js";
import { FINITE, copyUnpacked, setInfinity, setZero, type Unpacked } from "./unpacked.js";

/** Bias added to or taken from the exponent when overflow or underflow is unmasked (SDM vol. 1, 8.5.4). */
const UNMASKED_BIAS = 24576;

/** Whether a magnitude with last kept bit `odd`, round bit and sticky bits moves up. */
export function roundsUp(rounding: number, sign: number, odd: number, half: number, sticky: number): boolean {
  switch (rounding) {
    case ROUND_NEAREST:
      return half !== 0 && (sticky !== 0 || odd !== 0);
    case ROUND_DOWN:
      return sign !== 0 && (half | sticky) !== 0;
    case ROUND_UP:
      return sign === 0 && (half | sticky) !== 0;
    default:
      return false;
  }
}

/**
 * Rounds z's significand, extended by the 32 bits `ext` (lowest bit sticky), to `precision` bits. Sets PE and
 * roundedUp; a carry out of the top raises the exponent. Exponent limits are the caller's.
 * @returns whether the result is inexact.
 */
function roundSignificand(z: Unpacked, ext: number, precision: number, env: FloatEnv): boolean {
  let hi = z.hi;
  let lo = z.lo;
  let inexact: boolean;
  let up: boolean;
  if (precision === 64) {
    inexact = ext !== 0;
    up = inexact && roundsUp(env.rounding, z.sign, lo & 1, ext >>> 31, ext << 1);
    if (up) {
      lo = (lo + 1) | 0;
      if (lo === 0) hi = (hi + 1) | 0;
    }
  } else if (precision === 53) {
    inexact = ((lo & 0x7ff) | ext) !== 0;
    up = inexact && roundsUp(env.rounding, z.sign, (lo >>> 11) & 1, (lo >>> 10) & 1, (lo & 0x3ff) | ext);
    lo &= 0xfffff800;
    if (up) {
      lo = (lo + 0x800) | 0;
      if (lo === 0) hi = (hi + 1) | 0;
    }
  } else {
    inexact = ((hi & 0xff) | lo | ext) !== 0;
    up = inexact && roundsUp(env.rounding, z.sign, (hi >>> 8) & 1, (hi >>> 7) & 1, (hi & 0x7f) | lo | ext);
    hi &= 0xffffff00;
    lo = 0;
    if (up) hi = (hi + 0x100) | 0;
  }
  if (up && hi === 0 && lo === 0) {
    hi = 0x80000000 | 0;
    z.exp++;
  }
  z.hi = hi;
  z.lo = lo;
  env.roundedUp = up;
  return inexact;
}

/** Whether rounding at `precision` bits with an unbounded exponent would carry into the next binade. */
function carriesOut(z: Unpacked, ext: number, precision: number, rounding: number): boolean {
  if (precision === 64) {
    return (z.hi & z.lo) === -1 && roundsUp(rounding, z.sign, 1, ext >>> 31, ext << 1);
  }
  if (precision === 53) {
    return (
      z.hi === -1 &&
      z.lo >>> 11 === 0x1fffff &&
      roundsUp(rounding, z.sign, 1, (z.lo >>> 10) & 1, (z.lo & 0x3ff) | ext)
    );
  }
  return (
    z.hi >>> 8 === 0xffffff && roundsUp(rounding, z.sign, 1, (z.hi >>> 7) & 1, (z.hi & 0x7f) | z.lo | ext)
  );
}

/** An x87 store to memory: unmasked, it writes nothing and so is never inexact. */
function isStore(format: Format, env: FloatEnv): boolean {
  return env.x87 && format.maxExponent !== EXTENDED80.maxExponent;
}

function overflow(z: Unpacked, format: Format, env: FloatEnv): void {
  const toInfinity =
    env.rounding === ROUND_NEAREST || env.rounding === (z.sign !== 0 ? ROUND_DOWN : ROUND_UP);
  env.flags |= OE | PE;
  env.roundedUp = toInfinity;
  if (toInfinity) {
    setInfinity(z, z.sign);
    return;
  }
  z.exp = format.maxExponent;
  z.hi = format.precision === 24 ? 0xffffff00 | 0 : -1;
  z.lo = format.precision === 24 ? 0 : format.precision === 53 ? 0xfffff800 | 0 : -1;
}

/** Handles a nonzero result whose exponent is below the format's smallest. */
function underflow(z: Unpacked, ext: number, format: Format, env: FloatEnv): void {
  const distance = format.minExponent - z.exp;
  // Tininess is detected after rounding (SDM vol. 1, 4.9.1.5), as if the exponent had no bound.
  const tiny = distance > 1 || !carriesOut(z, ext, format.precision, env.rounding);
  if (tiny && (env.masks & UE) === 0) {
    env.flags |= UE;
    if (isStore(format, env)) return;
    if (roundSignificand(z, ext, format.precision, env)) env.flags |= PE;
    if (env.x87) {
      z.exp += UNMASKED_BIAS;
      if (z.exp < format.minExponent) {
        setZero(z, z.sign);
        env.flags |= PE;
      }
    }
    return;
  }
  if (tiny && env.ftz) {
    setZero(z, z.sign);
    env.flags |= UE | PE;
    return;
  }
  const shifted = shiftRightJam(z, ext, distance);
  z.exp = format.minExponent;
  if (roundSignificand(z, shifted, format.precision, env)) {
    env.flags |= tiny ? UE | PE : PE;
  }
  if ((z.hi | z.lo) === 0) setZero(z, z.sign);
}

/** Shifts hi:lo:ext right by `count` bits, or-ing what falls off into the lowest bit. @returns the new ext. */
export function shiftRightJam(z: Unpacked, ext: number, count: number): number {
  let hi = z.hi;
  let lo = z.lo;
  let sticky = 0;
  let left = count;
  while (left >= 32 && (hi | lo | ext) !== 0) {
    if (ext !== 0) sticky = 1;
    ext = lo;
    lo = hi;
    hi = 0;
    left -= 32;
  }
  if (left >= 32) left = 0;
  if (left > 0) {
    if (ext << (32 - left) !== 0) sticky = 1;
    ext = (ext >>> left) | (lo << (32 - left));
    lo = (lo >>> left) | (hi << (32 - left));
    hi = hi >>> left;
  }
  z.hi = hi | 0;
  z.lo = lo | 0;
  return ext | sticky;
}

/**
 * Rounds the FINITE, normalized `z` (with 32 further bits `ext`, the lowest of them sticky) to `format` and
 * makes the masked or unmasked response to overflow, underflow and inexactness.
 *
 * Unmasked, in x87 registers: the exponent is biased by 24576. Unmasked in SSE, and in x87 stores to memory:
 * flags only, and the caller must not use z.
 */
export function roundTo(z: Unpacked, ext: number, format: Format, env: FloatEnv): void {
  z.kind = FINITE;
  z.denormal = 0;
  if (z.exp < format.minExponent) {
    underflow(z, ext, format, env);
    return;
  }
  const exponent = z.exp;
  const inexact = roundSignificand(z, ext, format.precision, env);
  if (z.exp > format.maxExponent) {
    if ((env.masks & OE) !== 0) {
      z.exp = exponent;
      overflow(z, format, env);
      return;
    }
    env.flags |= OE;
    if (isStore(format, env)) {
      env.roundedUp = false;
      return;
    }
    if (env.x87) {
      z.exp -= UNMASKED_BIAS;
      if (z.exp > format.maxExponent) {
        setInfinity(z, z.sign);
        env.flags |= PE;
        env.roundedUp = true;
      }
    }
  }
  if (inexact) env.flags |= PE;
}

/** z = the FINITE x87 value a itself: a denormal is not an underflow, even unmasked. */
export function deliverUnchanged(z: Unpacked, a: Unpacked, env: FloatEnv): void {
  const masks = env.masks;
  env.masks = masks | UE;
  copyUnpacked(z, a);
  roundTo(z, 0, EXTENDED80, env);
  env.masks = masks;
}
