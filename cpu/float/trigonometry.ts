/**
 * FSIN, FCOS, FSINCOS, FPTAN and FPATAN: correctly rounded after the reduction that Intel's processors make, by a pi
 * of 66 significand bits (SDM vol. 1, 8.3.8). So the sine of a large number is as far off here as it is there.
 */

import type { FloatEnv } from "./env.js";
import {
  BITS,
  PI,
  SMALL_EXPONENT,
  arctangent,
  deliver,
  magnitudeOf,
  over,
  scaled,
  significand,
  sineAndCosine,
} from "./fixed-point.js";
import { EXTENDED80 } from "./formats.js";
import { invalid, nanOrDenormal, nanOrDenormal1 } from "./nan.js";
import { INFINITE, ZERO, copyUnpacked, setFinite, setZero, type Unpacked } from "./unpacked.js";

/** pi/2 as the processor has it, times 2^67. */
const HALF_PI = 0xc90fdaa22168c234cn;
const HALF_PI_BITS = 67;

interface Reduced {
  /** Multiples of pi/2 taken off, modulo 4. */
  quadrant: number;
  /** The rest in fixed point, |rest| <= pi/4. */
  rest: bigint;
}

function reduce(x: Unpacked): Reduced {
  const value = magnitudeOf(x);
  const half = scaled(HALF_PI, BITS - HALF_PI_BITS);
  const quotient = (2n * value + half) / (2n * half);
  return { quadrant: Number(quotient & 3n), rest: value - quotient * half };
}

/** One of the functions' results: `value`, already signed, in fixed point. */
function deliverSigned(z: Unpacked, value: bigint, env: FloatEnv): void {
  deliver(z, value < 0n ? 1 : 0, value < 0n ? -value : value, -BITS, true, env);
}

/** z = a * (1 ± a tiny amount), `up` for a greater magnitude. */
function nearly(z: Unpacked, a: Unpacked, up: boolean, env: FloatEnv): void {
  const value = significand(a) << 64n;
  deliver(z, a.sign, up ? value : value - 1n, a.exp - 127, true, env);
}

/** z = 1 less a tiny amount. */
function nearlyOne(z: Unpacked, env: FloatEnv): void {
  deliver(z, 0, (1n << 127n) - 1n, -127, true, env);
}

/**
 * Handles the arguments for which the functions are plain. `z` receives the result where it is NaN.
 * @returns "done" when z is set, "out-of-range" for |x| >= 2^63 (C2), else "compute".
 */
function prepare(z: Unpacked, x: Unpacked, env: FloatEnv): "done" | "out-of-range" | "compute" {
  const flags = env.flags;
  if (nanOrDenormal1(z, x, EXTENDED80, env)) return "done";
  if (x.kind === INFINITE) {
    env.flags = flags;
    invalid(z, env);
    return "done";
  }
  return x.kind !== ZERO && x.exp >= 63 ? "out-of-range" : "compute";
}

/** z = sin(x). @returns false, with z untouched, for |x| >= 2^63 */
export function sine(z: Unpacked, x: Unpacked, env: FloatEnv): boolean {
  const how = prepare(z, x, env);
  if (how === "compute") computeSine(z, x, env);
  return how !== "out-of-range";
}

/** z = cos(x). @returns false, with z untouched, for |x| >= 2^63 */
export function cosine(z: Unpacked, x: Unpacked, env: FloatEnv): boolean {
  const how = prepare(z, x, env);
  if (how === "compute") computeCosine(z, x, env);
  return how !== "out-of-range";
}

/** s = sin(x), c = cos(x); neither may be x. @returns false, with both untouched, for |x| >= 2^63 */
export function sineCosine(s: Unpacked, c: Unpacked, x: Unpacked, env: FloatEnv): boolean {
  const how = prepare(s, x, env);
  if (how === "done") copyUnpacked(c, s);
  else if (how === "compute") {
    computeSine(s, x, env);
    computeCosine(c, x, env);
  }
  return how !== "out-of-range";
}

/** z = tan(x). @returns false, with z untouched, for |x| >= 2^63 */
export function tangent(z: Unpacked, x: Unpacked, env: FloatEnv): boolean {
  const how = prepare(z, x, env);
  if (how !== "compute") return how === "done";
  if (x.kind === ZERO) setZero(z, x.sign);
  else if (x.exp < -SMALL_EXPONENT) nearly(z, x, true, env);
  else {
    const { quadrant, rest } = reduce(x);
    const { sine: s, cosine: c } = sineAndCosine(rest);
    const value = (quadrant & 1) === 0 ? over(s, c) : over(-c, s);
    deliverSigned(z, x.sign !== 0 ? -value : value, env);
  }
  return true;
}

function computeSine(z: Unpacked, x: Unpacked, env: FloatEnv): void {
  if (x.kind === ZERO) setZero(z, x.sign);
  else if (x.exp < -SMALL_EXPONENT) nearly(z, x, false, env);
  else {
    const { quadrant, rest } = reduce(x);
    const both = sineAndCosine(rest);
    const value = (quadrant & 1) === 0 ? both.sine : both.cosine;
    deliverSigned(z, ((quadrant & 2) !== 0) !== (x.sign !== 0) ? -value : value, env);
  }
}

function computeCosine(z: Unpacked, x: Unpacked, env: FloatEnv): void {
  if (x.kind === ZERO) setFinite(z, 0, 0, 0x80000000, 0);
  else if (x.exp < -SMALL_EXPONENT) nearlyOne(z, env);
  else {
    const { quadrant, rest } = reduce(x);
    const both = sineAndCosine(rest);
    const value = (quadrant & 1) === 0 ? both.cosine : both.sine;
    deliverSigned(z, quadrant === 1 || quadrant === 2 ? -value : value, env);
  }
}

/** z = the angle of the point (x, y): FPATAN with ST(1) = y, ST(0) = x. z may be x or y. */
export function arctangent2(z: Unpacked, y: Unpacked, x: Unpacked, env: FloatEnv): void {
  if (nanOrDenormal(z, x, y, EXTENDED80, env)) return;
  const sign = y.sign;
  const left = x.sign !== 0;
  if (y.kind === INFINITE) {
    const eighths = x.kind !== INFINITE ? 4n : left ? 6n : 2n;
    deliver(z, sign, PI * eighths, -BITS - 3, true, env);
    return;
  }
  if (y.kind === ZERO || x.kind === INFINITE) {
    if (left) deliver(z, sign, PI, -BITS, true, env);
    else setZero(z, sign);
    return;
  }
  if (x.kind === ZERO) {
    deliver(z, sign, PI, -BITS - 1, true, env);
    return;
  }
  const distance = y.exp - x.exp;
  if (distance < -SMALL_EXPONENT) {
    if (left) deliver(z, sign, PI - 1n, -BITS, true, env);
    else {
      const top = significand(y) << 192n;
      const quotient = top / significand(x);
      const exact = quotient * significand(x) === top;
      deliver(z, sign, exact ? quotient - 1n : quotient, distance - 192, true, env);
    }
    return;
  }
  let angle: bigint;
  if (distance > SMALL_EXPONENT) angle = PI >> 1n;
  else {
    const a = scaled(significand(y), distance > 0 ? distance : 0);
    const b = scaled(significand(x), distance < 0 ? -distance : 0);
    angle = a <= b ? arctangent(over(a, b)) : (PI >> 1n) - arctangent(over(b, a));
  }
  deliver(z, sign, left ? PI - angle : angle, -BITS, true, env);
}
