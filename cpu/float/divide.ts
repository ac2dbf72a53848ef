/** Division. */

import { ZE, type FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { invalid, nanOrDenormal } from "./nan.js";
import { quotientDigit, restHi, restLo } from "./quotient-digit.js";
import { roundTo } from "./round.js";
import {
  INFINITE,
  ZERO,
  compareSignificands,
  setFinite,
  setInfinity,
  setZero,
  type Unpacked,
} from "./unpacked.js";

const TWO20 = 2 ** 20;
const TWO32 = 2 ** 32;

/** z = a / b, rounded to `format`. z may be a or b. */
export function divide(z: Unpacked, a: Unpacked, b: Unpacked, format: Format, env: FloatEnv): void {
  const before = env.flags;
  if (nanOrDenormal(z, a, b, format, env)) return;
  const sign = a.sign ^ b.sign;
  if (a.kind === INFINITE) {
    if (b.kind === INFINITE) invalid(z, env);
    else setInfinity(z, sign);
    return;
  }
  if (b.kind === INFINITE) {
    setZero(z, sign);
    return;
  }
  if (b.kind === ZERO) {
    if (a.kind === ZERO) invalid(z, env);
    else {
      // Division by zero outranks the denormal operand: no DE.
      env.flags = before | ZE;
      setInfinity(z, sign);
    }
    return;
  }
  if (a.kind === ZERO) {
    setZero(z, sign);
    return;
  }

  const dHi = b.hi >>> 0;
  const dLo = b.lo >>> 0;
  const reciprocal = TWO20 / (dHi * TWO32 + dLo);
  let rHi = a.hi >>> 0;
  let rLo = a.lo >>> 0;
  let exp = a.exp - b.exp;
  const integerBit = compareSignificands(a.hi, a.lo, b.hi, b.lo) >= 0;
  if (integerBit) {
    rLo -= dLo;
    rHi -= dHi;
    if (rLo < 0) {
      rLo += TWO32;
      rHi--;
    }
  }
  // Four quotient digits of 20 bits.
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  for (let i = 0; i < 4; i++) {
    const q = quotientDigit(rHi, rLo, dHi, dLo, Math.floor((rHi * TWO32 + rLo) * reciprocal), TWO20);
    rHi = restHi;
    rLo = restLo;
    q0 = q1;
    q1 = q2;
    q2 = q3;
    q3 = q;
  }
  let hi = (q0 << 12) | (q1 >>> 8);
  let lo = (q1 << 24) | (q2 << 4) | (q3 >>> 16);
  let ext = q3 << 16;
  if (rHi !== 0 || rLo !== 0) ext |= 1;
  if (integerBit) {
    ext = (lo << 31) | (ext >>> 1) | (ext & 1);
    lo = (lo >>> 1) | (hi << 31);
    hi = (hi >>> 1) | 0x80000000;
  } else exp--;
  setFinite(z, sign, exp, hi, lo);
  roundTo(z, ext, format, env);
}
