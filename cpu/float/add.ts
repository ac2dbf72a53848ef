/** Addition and subtraction. */

import { ROUND_DOWN, type FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { invalid, nanOrDenormal } from "./nan.js";
import { roundTo, shiftRightJam } from "./round.js";
import {
  INFINITE,
  ZERO,
  compareSignificands,
  createUnpacked,
  setFinite,
  setInfinity,
  setZero,
  type Unpacked,
} from "./unpacked.js";

const shifted = createUnpacked();

/** z = a + b, rounded to `format`. z may be a or b. */
export function add(z: Unpacked, a: Unpacked, b: Unpacked, format: Format, env: FloatEnv): void {
  addSigned(z, a, b, b.sign, format, env);
}

/** z = a - b, rounded to `format`. z may be a or b. */
export function subtract(z: Unpacked, a: Unpacked, b: Unpacked, format: Format, env: FloatEnv): void {
  addSigned(z, a, b, b.sign ^ 1, format, env);
}

/** a plus the magnitude of b under `bSign`; a NaN b keeps its own sign. */
function addSigned(
  z: Unpacked,
  a: Unpacked,
  b: Unpacked,
  bSign: number,
  format: Format,
  env: FloatEnv,
): void {
  if (nanOrDenormal(z, a, b, format, env)) return;
  const aSign = a.sign;
  if (a.kind === INFINITE) {
    if (b.kind === INFINITE && aSign !== bSign) invalid(z, env);
    else setInfinity(z, aSign);
    return;
  }
  if (b.kind === INFINITE) {
    setInfinity(z, bSign);
    return;
  }
  if (a.kind === ZERO) {
    if (b.kind === ZERO) {
      setZero(z, aSign === bSign ? aSign : zeroSign(env));
      return;
    }
    setFinite(z, bSign, b.exp, b.hi, b.lo);
    roundTo(z, 0, format, env);
    return;
  }
  if (b.kind === ZERO) {
    setFinite(z, aSign, a.exp, a.hi, a.lo);
    roundTo(z, 0, format, env);
    return;
  }

  let order = a.exp - b.exp;
  if (order === 0) order = compareSignificands(a.hi, a.lo, b.hi, b.lo);
  const big = order >= 0 ? a : b;
  const small = order >= 0 ? b : a;
  const sign = order >= 0 ? aSign : bSign;
  let exp = big.exp;
  const distance = exp - small.exp;
  let hi = big.hi;
  let lo = big.lo;
  shifted.hi = small.hi;
  shifted.lo = small.lo;
  let ext = distance === 0 ? 0 : shiftRightJam(shifted, 0, distance);

  if (aSign === bSign) {
    const low = (lo + shifted.lo) | 0;
    const carryLow = low >>> 0 < lo >>> 0 ? 1 : 0;
    const high = (hi >>> 0) + (shifted.hi >>> 0) + carryLow;
    hi = high | 0;
    lo = low;
    if (high > 0xffffffff) {
      ext = (lo << 31) | (ext >>> 1) | (ext & 1);
      lo = (lo >>> 1) | (hi << 31);
      hi = (hi >>> 1) | 0x80000000;
      exp++;
    }
    setFinite(z, sign, exp, hi, lo);
    roundTo(z, ext, format, env);
    return;
  }

  if (order === 0) {
    setZero(z, zeroSign(env));
    return;
  }
  const borrowExt = ext !== 0 ? 1 : 0;
  ext = -ext | 0;
  const need = (shifted.lo >>> 0) + borrowExt;
  const borrowLow = lo >>> 0 < need ? 1 : 0;
  lo = (lo - need) | 0;
  hi = (hi - shifted.hi - borrowLow) | 0;
  while (hi === 0) {
    hi = lo;
    lo = ext;
    ext = 0;
    exp -= 32;
  }
  const shift = Math.clz32(hi);
  if (shift > 0) {
    hi = (hi << shift) | (lo >>> (32 - shift));
    lo = (lo << shift) | (ext >>> (32 - shift));
    ext <<= shift;
    exp -= shift;
  }
  setFinite(z, sign, exp, hi, lo);
  roundTo(z, ext, format, env);
}

/** The sign of an exact zero sum of operands of unlike sign. */
function zeroSign(env: FloatEnv): number {
  return env.rounding === ROUND_DOWN ? 1 : 0;
}
