/** FSCALE and FXTRACT. */

import { ZE, type FloatEnv } from "./env.js";
import { EXTENDED80 } from "./formats.js";
import { fromInt32 } from "./integer.js";
import { invalid, nanOrDenormal, nanOrDenormal1 } from "./nan.js";
import { deliverUnchanged, roundTo } from "./round.js";
import { FINITE, INFINITE, ZERO, copyUnpacked, setInfinity, setZero, type Unpacked } from "./unpacked.js";

/** Beyond this every scaling of every finite number overflows or vanishes, biased or not. */
const SCALE_LIMIT = 0x20000;

/** z = a * 2^trunc(b). z may be a. */
export function scale(z: Unpacked, a: Unpacked, b: Unpacked, env: FloatEnv): void {
  if (nanOrDenormal(z, a, b, EXTENDED80, env)) return;
  const sign = a.sign;
  if (b.kind === INFINITE) {
    if (b.sign === 0) {
      if (a.kind === ZERO) invalid(z, env);
      else setInfinity(z, sign);
    } else if (a.kind === INFINITE) invalid(z, env);
    else setZero(z, sign);
    return;
  }
  if (a.kind !== FINITE) {
    copyUnpacked(z, a);
    return;
  }
  let shift = 0;
  if (b.kind === FINITE && b.exp >= 0) {
    shift = b.exp > 16 ? SCALE_LIMIT : b.hi >>> (31 - b.exp);
    if (b.sign !== 0) shift = -shift;
  }
  if (b.kind === ZERO) {
    deliverUnchanged(z, a, env);
    return;
  }
  copyUnpacked(z, a);
  z.exp += shift;
  roundTo(z, 0, EXTENDED80, env);
}

/** Splits a into its exponent and its significand (of a's sign, in [1, 2)). Neither output may be a. */
export function extract(exponent: Unpacked, significand: Unpacked, a: Unpacked, env: FloatEnv): void {
  if (nanOrDenormal1(significand, a, EXTENDED80, env)) {
    copyUnpacked(exponent, significand);
    return;
  }
  copyUnpacked(significand, a);
  if (a.kind === ZERO) {
    env.flags |= ZE;
    setInfinity(exponent, 1);
  } else if (a.kind === INFINITE) setInfinity(exponent, 0);
  else {
    fromInt32(exponent, a.exp);
    significand.exp = 0;
    significand.denormal = 0;
  }
}
