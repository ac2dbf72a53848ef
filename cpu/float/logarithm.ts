/** F2XM1, FYL2X and FYL2XP1: correctly rounded, which real processors are not always (they stay within 1 ulp). */

import { PE, ZE, type FloatEnv } from "./env.js";
import {
  BITS,
  LN2,
  ONE,
  SMALL_EXPONENT,
  deliver,
  exponentialMinusOne,
  magnitudeOf,
  over,
  significand,
  times,
  twiceArtanh,
} from "./fixed-point.js";
import { EXTENDED80 } from "./formats.js";
import { invalid, nanOrDenormal, nanOrDenormal1 } from "./nan.js";
import {
  FINITE,
  INFINITE,
  ZERO,
  copyUnpacked,
  setFinite,
  setInfinity,
  setZero,
  type Unpacked,
} from "./unpacked.js";

/** z = 2^x - 1 for -1 <= x <= 1. Outside, where the result is undefined, x itself. z may be x. */
export function twoToXMinusOne(z: Unpacked, x: Unpacked, env: FloatEnv): void {
  if (nanOrDenormal1(z, x, EXTENDED80, env)) return;
  if (x.kind === INFINITE) {
    if (x.sign !== 0) setFinite(z, 1, 0, 0x80000000, 0);
    else setInfinity(z, 0);
    return;
  }
  if (x.kind === ZERO) {
    setZero(z, x.sign);
    return;
  }
  if (x.exp >= 0) {
    if (x.exp === 0 && ((x.hi << 1) | x.lo) === 0 && x.sign !== 0) setFinite(z, 1, -1, 0x80000000, 0);
    else {
      if (x.exp > 0 || ((x.hi << 1) | x.lo) !== 0) env.flags |= PE;
      copyUnpacked(z, x);
    }
    return;
  }
  if (x.exp < -SMALL_EXPONENT) {
    deliver(z, x.sign, significand(x) * LN2, x.exp - 63 - BITS, true, env);
    return;
  }
  const t = times(magnitudeOf(x), LN2);
  const value = exponentialMinusOne(x.sign !== 0 ? -t : t);
  deliver(z, x.sign, value < 0n ? -value : value, -BITS, true, env);
}

/** z = y * log2(x). z may be x or y. */
export function yLog2X(z: Unpacked, x: Unpacked, y: Unpacked, env: FloatEnv): void {
  const negative = x.sign !== 0 && (x.kind === FINITE || x.kind === INFINITE);
  const flags = env.flags;
  if (nanOrDenormal(z, x, y, EXTENDED80, env)) return;
  if (negative) {
    env.flags = flags;
    invalid(z, env);
    return;
  }
  if (x.kind === ZERO) {
    if (y.kind === ZERO) invalid(z, env);
    else {
      // Division by zero outranks a denormal y: no DE.
      if (y.kind === FINITE) env.flags = flags | ZE;
      setInfinity(z, y.sign ^ 1);
    }
    return;
  }
  if (x.kind === INFINITE) {
    if (y.kind === ZERO) invalid(z, env);
    else setInfinity(z, y.sign);
    return;
  }
  const powerOfTwo = ((x.hi << 1) | x.lo) === 0;
  const isOne = powerOfTwo && x.exp === 0;
  const sign = y.sign ^ (x.exp < 0 ? 1 : 0);
  if (y.kind === INFINITE) {
    if (isOne) invalid(z, env);
    else setInfinity(z, sign);
    return;
  }
  if (y.kind === ZERO || isOne) {
    setZero(z, sign);
    return;
  }
  if (powerOfTwo) {
    deliver(z, sign, significand(y) * BigInt(Math.abs(x.exp)), y.exp - 63, false, env);
    // Processors report every logarithm but that of 1 as inexact.
    env.flags |= PE;
    return;
  }
  // x = m * 2^e with m in [0.75, 1.5), so that the logarithm of an x near 1 loses nothing to cancellation.
  let exponent = x.exp;
  let m = significand(x) << BigInt(BITS - 63);
  if (m >= ONE + (ONE >> 1n)) {
    m >>= 1n;
    exponent++;
  }
  const log = over(twiceArtanh(over(m - ONE, m + ONE)), LN2) + BigInt(exponent) * ONE;
  deliver(
    z,
    y.sign ^ (log < 0n ? 1 : 0),
    significand(y) * (log < 0n ? -log : log),
    y.exp - 63 - BITS,
    true,
    env,
  );
}

/**
 * z = y * log2(x + 1). Defined for |x| < 1 - sqrt(1/2); beyond, it goes on as the formula does, and below -1 it is x. z may be x or y.
 */
export function yLog2XPlus1(z: Unpacked, x: Unpacked, y: Unpacked, env: FloatEnv): void {
  if (nanOrDenormal(z, x, y, EXTENDED80, env)) return;
  const sign = x.sign ^ y.sign;
  if (x.kind === ZERO) {
    if (y.kind === INFINITE) invalid(z, env);
    else setZero(z, sign);
    return;
  }
  if (x.kind === INFINITE) {
    if (x.sign !== 0 || y.kind === ZERO) invalid(z, env);
    else setInfinity(z, sign);
    return;
  }
  if (y.kind === INFINITE) {
    setInfinity(z, sign);
    return;
  }
  if (y.kind === ZERO) {
    setZero(z, sign);
    return;
  }
  if (x.exp < -SMALL_EXPONENT) {
    const product = over(significand(x) * significand(y), LN2);
    deliver(z, sign, product, x.exp + y.exp - 126, true, env);
    return;
  }
  if (x.exp >= 64) {
    copyUnpacked(z, x);
    const yCopy = { ...y };
    yLog2X(z, z, yCopy, env);
    return;
  }
  if (x.sign !== 0 && x.exp >= 0) {
    copyUnpacked(z, x);
    env.flags |= PE;
    return;
  }
  const magnitude = magnitudeOf(x);
  const value = x.sign !== 0 ? -magnitude : magnitude;
  let log: bigint;
  if (x.exp < -1) log = over(twiceArtanh(over(value, 2n * ONE + value)), LN2);
  else {
    let m = ONE + value;
    let exponent = 0;
    while (m >= ONE + (ONE >> 1n)) {
      m >>= 1n;
      exponent++;
    }
    while (m < ONE - (ONE >> 2n)) {
      m <<= 1n;
      exponent--;
    }
    log = over(twiceArtanh(over(m - ONE, m + ONE)), LN2) + BigInt(exponent) * ONE;
  }
  deliver(z, sign, significand(y) * (log < 0n ? -log : log), y.exp - 63 - BITS, true, env);
}
