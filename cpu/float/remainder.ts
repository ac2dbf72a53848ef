/** FPREM and FPREM1: exact remainders, reduced in parts when the exponents are far apart. */

import type { FloatEnv } from "./env.js";
import { EXTENDED80 } from "./formats.js";
import { invalid, nanOrDenormal } from "./nan.js";
import { quotientDigit, restHi, restLo } from "./quotient-digit.js";
import { deliverUnchanged, roundTo } from "./round.js";
import { INFINITE, ZERO, copyUnpacked, normalize, setFinite, setZero, type Unpacked } from "./unpacked.js";

const TWO32 = 2 ** 32;
const DIGIT_BITS = 20;

/** What FPREM reports beside the remainder. */
export interface RemainderStatus {
  /** C2: only a partial reduction was made; the program must go on. */
  partial: boolean;
  /** The low three bits of the quotient; 0 when partial. */
  quotient: number;
}

/**
 * z = a - b * Q, with Q = a / b truncated (FPREM) or rounded to nearest even (`nearest`: FPREM1). z may be a.
 *
 * When the exponents differ by 64 or more, one call lowers the difference by an amount that Intel leaves open
 * (32 to 63, SDM vol. 2, FPREM); see `partialBits`.
 */
export function remainder(
  z: Unpacked,
  a: Unpacked,
  b: Unpacked,
  nearest: boolean,
  status: RemainderStatus,
  env: FloatEnv,
): void {
  status.partial = false;
  status.quotient = 0;
  const before = env.flags;
  if (nanOrDenormal(z, a, b, EXTENDED80, env)) return;
  if (a.kind === INFINITE || b.kind === ZERO) {
    env.flags = before;
    invalid(z, env);
    return;
  }
  if (a.kind === ZERO) {
    setZero(z, a.sign);
    return;
  }
  const distance = a.exp - b.exp;
  if (b.kind === INFINITE) {
    deliverUnchanged(z, a, env);
    return;
  }
  if (distance < -1 || (distance < 0 && !nearest)) {
    copyUnpacked(z, a);
    roundTo(z, 0, EXTENDED80, env);
    return;
  }

  const dHi = b.hi >>> 0;
  const dLo = b.lo >>> 0;
  let rHi = a.hi >>> 0;
  let rLo = a.lo >>> 0;
  let quotient = 0;
  let exp = a.exp;
  status.partial = distance >= 64;
  if (distance >= 0) {
    let left = distance >= 64 ? partialBits(distance) : distance;
    exp -= left;
    if (rHi > dHi || (rHi === dHi && rLo >= dLo)) {
      quotient = 1;
      rLo -= dLo;
      rHi -= dHi;
      if (rLo < 0) {
        rLo += TWO32;
        rHi--;
      }
    }
    const divisor = dHi * TWO32 + dLo;
    while (left > 0) {
      const bits = left > DIGIT_BITS ? DIGIT_BITS : left;
      left -= bits;
      const scale = 1 << bits;
      const estimate = Math.floor(((rHi * TWO32 + rLo) / divisor) * scale);
      const q = quotientDigit(rHi, rLo, dHi, dLo, estimate, scale);
      rHi = restHi;
      rLo = restLo;
      quotient = (quotient << bits) | q;
    }
  }

  let sign = a.sign;
  if (nearest && !status.partial) {
    // Compare the rest with half the divisor. At distance -1 the rest is a itself, one binade below b.
    const order =
      distance < 0
        ? rHi !== dHi
          ? rHi - dHi
          : rLo - dLo
        : rHi * 2 + (rLo >= 0x80000000 ? 1 : 0) !== dHi
          ? rHi * 2 + (rLo >= 0x80000000 ? 1 : 0) - dHi
          : ((rLo << 1) >>> 0) - dLo;
    if (order > 0 || (order === 0 && (quotient & 1) !== 0)) {
      quotient++;
      sign ^= 1;
      if (distance < 0) {
        // 2b - a in units of a's binade; fits 64 bits since a > b/2.
        rLo = 2 * dLo - rLo;
        rHi = 2 * dHi - rHi;
        const carry = Math.floor(rLo / TWO32);
        rLo -= carry * TWO32;
        rHi += carry;
      } else {
        rLo = dLo - rLo;
        rHi = dHi - rHi;
        if (rLo < 0) {
          rLo += TWO32;
          rHi--;
        }
      }
    }
  }
  if (!status.partial) status.quotient = quotient & 7;
  if (rHi === 0 && rLo === 0) {
    setZero(z, a.sign);
    return;
  }
  setFinite(z, sign, exp, rHi | 0, rLo | 0);
  normalize(z);
  roundTo(z, 0, EXTENDED80, env);
}

/** How many quotient bits a partial reduction takes off the exponent difference (at least 64). */
function partialBits(distance: number): number {
  return 32 + (distance & 31);
}
