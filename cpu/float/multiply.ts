/** Multiplication. */

import type { FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { invalid, nanOrDenormal } from "./nan.js";
import { roundTo } from "./round.js";
import { INFINITE, ZERO, setFinite, setInfinity, setZero, type Unpacked } from "./unpacked.js";

const TWO16 = 65536;

/** z = a * b, rounded to `format`. z may be a or b. */
export function multiply(z: Unpacked, a: Unpacked, b: Unpacked, format: Format, env: FloatEnv): void {
  if (nanOrDenormal(z, a, b, format, env)) return;
  const sign = a.sign ^ b.sign;
  if (a.kind === INFINITE || b.kind === INFINITE) {
    if (a.kind === ZERO || b.kind === ZERO) invalid(z, env);
    else setInfinity(z, sign);
    return;
  }
  if (a.kind === ZERO || b.kind === ZERO) {
    setZero(z, sign);
    return;
  }
  // 16-bit limbs of a times 32-bit limbs of b: every partial sum is an exact double.
  const a0 = a.lo & 0xffff;
  const a1 = a.lo >>> 16;
  const a2 = a.hi & 0xffff;
  const a3 = a.hi >>> 16;
  const b0 = b.lo >>> 0;
  const b1 = b.hi >>> 0;
  let column = a0 * b0;
  const low = column % TWO16;
  column = (column - low) / TWO16 + a1 * b0;
  const p1 = column % TWO16;
  column = (column - p1) / TWO16 + a2 * b0 + a0 * b1;
  const p2 = column % TWO16;
  column = (column - p2) / TWO16 + a3 * b0 + a1 * b1;
  const p3 = column % TWO16;
  column = (column - p3) / TWO16 + a2 * b1;
  const p4 = column % TWO16;
  column = (column - p4) / TWO16 + a3 * b1;

  const top = Math.floor(column / TWO16);
  let hi = top | 0;
  let lo = ((column - top * TWO16) * TWO16 + p4) | 0;
  let ext = (p3 << 16) | p2;
  if ((low | p1) !== 0) ext |= 1;
  let exp = a.exp + b.exp + 1;
  if (hi >= 0) {
    hi = (hi << 1) | (lo >>> 31);
    lo = (lo << 1) | (ext >>> 31);
    ext = (ext << 1) | (ext & 1);
    exp--;
  }
  setFinite(z, sign, exp, hi, lo);
  roundTo(z, ext, format, env);
}
