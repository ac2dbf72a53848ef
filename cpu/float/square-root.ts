/** Square root. */

import type { FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { invalid, nanOrDenormal1 } from "./nan.js";
import { roundTo } from "./round.js";
import { FINITE, INFINITE, ZERO, setFinite, setInfinity, setZero, type Unpacked } from "./unpacked.js";

const TWO16 = 2 ** 16;
const TWO32 = 2 ** 32;

/** z = sqrt(a), rounded to `format`. z may be a. */
export function squareRoot(z: Unpacked, a: Unpacked, format: Format, env: FloatEnv): void {
  if (a.sign !== 0 && (a.kind === FINITE || a.kind === INFINITE)) {
    invalid(z, env);
    return;
  }
  if (nanOrDenormal1(z, a, format, env)) return;
  if (a.kind === ZERO) {
    setZero(z, a.sign);
    return;
  }
  if (a.kind === INFINITE) {
    setInfinity(z, 0);
    return;
  }
  // The radicand of 128 bits, in [2^126, 2^128), has a root of 64 bits. Its upper half is hi:lo; the next bit, below.
  const odd = a.exp & 1;
  const hi = odd !== 0 ? a.hi >>> 0 : a.hi >>> 1;
  const lo = odd !== 0 ? a.lo >>> 0 : ((a.lo >>> 1) | (a.hi << 31)) >>> 0;
  const below = odd !== 0 ? 0 : (a.lo & 1) * 0x8000;

  // The root's upper half, with its rest, from a double's estimate.
  let top = Math.min(Math.floor(Math.sqrt(hi * TWO32 + lo)), TWO32 - 1);
  square(top);
  let rest = (hi - squareHi) * TWO32 + (lo - squareLo);
  while (rest < 0) {
    top--;
    rest += 2 * top + 1;
  }
  while (rest > 2 * top) {
    rest -= 2 * top + 1;
    top++;
  }
  // Its lower half is the rest over twice the upper half (Zimmermann's method), or one less.
  const divisor = 2 * top;
  let numerator = rest * TWO16 + below;
  const q1 = Math.floor(numerator / divisor);
  numerator = (numerator - q1 * divisor) * TWO16;
  const q0 = Math.floor(numerator / divisor);
  let bottom = q1 * TWO16 + q0;
  square(bottom);
  let restHi = numerator - q0 * divisor - squareHi;
  let restLo = -squareLo;
  if (bottom >= TWO32) {
    bottom -= TWO32;
    top++;
  }
  if (restLo < 0) {
    restLo += TWO32;
    restHi--;
  }
  if (restHi < 0) {
    // One less: the rest grows by 2 * root - 1.
    restLo += 2 * bottom - 1;
    restHi += 2 * top;
    const carry = Math.floor(restLo / TWO32);
    restLo -= carry * TWO32;
    restHi += carry;
    bottom--;
    if (bottom < 0) {
      bottom += TWO32;
      top--;
    }
  }
  // The next bit is 1 exactly when the rest exceeds the root (never a tie).
  const exceeds = restHi > top || (restHi === top && restLo > bottom);
  const ext = (exceeds ? 0x80000000 : 0) | (restHi !== 0 || restLo !== 0 ? 1 : 0);
  setFinite(z, 0, (a.exp - odd) / 2, top | 0, bottom | 0);
  roundTo(z, ext, format, env);
}

let squareHi = 0;
let squareLo = 0;

/** value * value, value <= 2^32, into squareHi * 2^32 + squareLo. */
function square(value: number): void {
  const h = Math.floor(value / TWO16);
  const l = value - h * TWO16;
  const middle = 2 * h * l * TWO16 + l * l;
  const carry = Math.floor(middle / TWO32);
  squareHi = h * h + carry;
  squareLo = middle - carry * TWO32;
}
