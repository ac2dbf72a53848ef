/** Square root. */

import type { FloatEnv } from "./env.js";
import type { Format } from "./formats.js";
import { invalid, nanOrDenormal1 } from "./nan.js";
import { roundTo } from "./round.js";
import { FINITE, INFINITE, ZERO, setFinite, setInfinity, setZero, type Unpacked } from "./unpacked.js";

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
  // Digit by digit in halves: `root` gains one bit a step, `rest` stays below twice the root plus one.
  const odd = a.exp & 1;
  let inHi = a.hi;
  let inLo = a.lo;
  // With an even exponent the radicand is in [1, 2): its first bit pair is 01; else it is shifted up by one.
  let restTop = 0;
  let restHi = 0;
  let restLo = odd !== 0 ? inHi >>> 30 : inHi >>> 31;
  const first = odd !== 0 ? 2 : 1;
  inHi = (inHi << first) | (inLo >>> (32 - first));
  inLo <<= first;
  restLo -= 1;
  let rootHi = 0;
  let rootLo = 1;
  const steps = format.precision === 64 ? 63 : format.precision + 1;
  for (let i = 0; i < steps; i++) {
    restTop = (restTop << 2) | (restHi >>> 30);
    restHi = (restHi << 2) | (restLo >>> 30);
    restLo = (restLo << 2) | (inHi >>> 30);
    inHi = (inHi << 2) | (inLo >>> 30);
    inLo <<= 2;
    // trial = 4 * root + 1
    const trialTop = rootHi >>> 30;
    const trialHi = (rootHi << 2) | (rootLo >>> 30);
    const trialLo = (rootLo << 2) | 1;
    rootHi = (rootHi << 1) | (rootLo >>> 31);
    rootLo <<= 1;
    const lowBorrow = restLo >>> 0 < trialLo >>> 0 ? 1 : 0;
    const highDifference = (restHi >>> 0) - (trialHi >>> 0) - lowBorrow;
    const topDifference = restTop - trialTop - (highDifference < 0 ? 1 : 0);
    if (topDifference >= 0) {
      restLo = (restLo - trialLo) | 0;
      restHi = highDifference | 0;
      restTop = topDifference;
      rootLo |= 1;
    }
  }
  let ext: number;
  if (steps === 63) {
    // 64 root bits are there. The next bit is 1 exactly when the rest exceeds the root (never a tie).
    const exceeds =
      restTop > 0 || restHi >>> 0 > rootHi >>> 0 || (restHi === rootHi && restLo >>> 0 > rootLo >>> 0);
    ext = (exceeds ? 0x80000000 : 0) | ((restTop | restHi | restLo) !== 0 ? 1 : 0);
  } else {
    const shift = 63 - steps;
    if (shift >= 32) {
      rootHi = rootLo << (shift - 32);
      rootLo = 0;
    } else {
      rootHi = (rootHi << shift) | (rootLo >>> (32 - shift));
      rootLo <<= shift;
    }
    ext = (restTop | restHi | restLo) !== 0 || (inHi | inLo) !== 0 ? 1 : 0;
  }
  setFinite(z, 0, (a.exp - odd) / 2, rootHi, rootLo);
  roundTo(z, ext, format, env);
}
