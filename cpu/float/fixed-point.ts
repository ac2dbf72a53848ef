/**
 * Fixed-point arithmetic on BigInt for the x87's transcendental instructions: a number v stands for v / 2^BITS.
 * They are rare and irregular, so clarity wins over speed here.
 */

import type { FloatEnv } from "./env.js";
import { EXTENDED80 } from "./formats.js";
import { roundTo } from "./round.js";
import { setFinite, type Unpacked } from "./unpacked.js";

/** Fraction bits: 64 for the result, 128 of margin, and 128 for arguments down to 2^-SMALL_EXPONENT. */
export const BITS = 320;
export const ONE = 1n << BigInt(BITS);
/** Below 2^-SMALL_EXPONENT, series are their first term to more than 64 bits of relative precision. */
export const SMALL_EXPONENT = 100;
const SHIFT = BigInt(BITS);

export function times(a: bigint, b: bigint): bigint {
  return (a * b) >> SHIFT;
}

export function over(a: bigint, b: bigint): bigint {
  return (a << SHIFT) / b;
}

/** The significand as an integer: |u| = significand(u) * 2^(u.exp - 63). */
export function significand(u: Unpacked): bigint {
  return (BigInt(u.hi >>> 0) << 32n) | BigInt(u.lo >>> 0);
}

/** |u| in fixed point, truncated; u.exp must be well below BITS. */
export function magnitudeOf(u: Unpacked): bigint {
  return scaled(significand(u), u.exp - 63 + BITS);
}

/** value * 2^exp, truncated. */
export function scaled(value: bigint, exp: number): bigint {
  return exp >= 0 ? value << BigInt(exp) : value >> BigInt(-exp);
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(parseInt(hex[0]!, 16)));
}

/**
 * z = ±value * 2^exp rounded to 64 bits. `inexact` says that the true result is not value but a little more, as
 * after any truncation.
 */
export function deliver(
  z: Unpacked,
  sign: number,
  value: bigint,
  exp: number,
  inexact: boolean,
  env: FloatEnv,
): void {
  const length = bitLength(value);
  const top = scaled(value, 96 - length);
  const sticky = inexact || (length > 96 && scaled(top, length - 96) !== value);
  const word = (shift: bigint): number => Number(BigInt.asIntN(32, top >> shift));
  setFinite(z, sign, exp + length - 1, word(64n), word(32n));
  roundTo(z, word(0n) | (sticky ? 1 : 0), EXTENDED80, env);
}

/** arctan(1/n) by its series. */
function arctanReciprocal(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let k = 3n, negative = true; power !== 0n; k += 2n, negative = !negative) {
    power /= n * n;
    sum += negative ? -power / k : power / k;
  }
  return sum;
}

/** 2 * artanh(u): the logarithm of (1 + u) / (1 - u). */
export function twiceArtanh(u: bigint): bigint {
  const square = times(u, u);
  let power = u;
  let sum = u;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = times(power, square);
    sum += power / k;
  }
  return sum * 2n;
}

/** pi, by Machin's formula. */
export const PI = 16n * arctanReciprocal(5n) - 4n * arctanReciprocal(239n);
/** The natural logarithm of 2. */
export const LN2 = twiceArtanh(ONE / 3n);

/** e^t - 1. */
export function exponentialMinusOne(t: bigint): bigint {
  const halvings = 8;
  const small = t >> BigInt(halvings);
  let term = small;
  let sum = small;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = times(term, small) / k;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = times(sum, sum) + 2n * sum;
  return sum;
}

/** Sine and cosine of t, |t| < 1. */
export function sineAndCosine(t: bigint): { sine: bigint; cosine: bigint } {
  const square = times(t, t);
  let sine = t;
  let term = t;
  for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
    term = -times(term, square) / (k * (k + 1n));
    sine += term;
  }
  let cosine = ONE;
  term = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -times(term, square) / (k * (k + 1n));
    cosine += term;
  }
  return { sine, cosine };
}

/** arctan(r), 0 <= r <= 1: a double's estimate, corrected by the series at the small remaining angle. */
export function arctangent(r: bigint): bigint {
  const exponent = r === 0n ? 0 : bitLength(r);
  const double = Number(scaled(r, 60 - exponent)) * 2 ** (exponent - 60 - BITS);
  const estimate = toFixed(Math.atan(double));
  const { sine, cosine } = sineAndCosine(estimate);
  const u = over(times(r, cosine) - sine, cosine + times(r, sine));
  const square = times(u, u);
  let power = u;
  let sum = u;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = -times(power, square);
    sum += power / k;
  }
  return estimate + sum;
}

/** A double in [0, 1], exactly where it has a bit above 2^-BITS. */
function toFixed(value: number): bigint {
  let exponent = 0;
  while (value > 0 && value < 0.5) {
    value *= 2;
    exponent++;
  }
  return scaled(BigInt(value * 2 ** 53), BITS - 53 - exponent);
}
