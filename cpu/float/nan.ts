/** Which NaN an operation returns, and the flags that NaN and denormal operands raise. */

import { DE, IE, type FloatEnv } from "./env.js";
import { quiet, type Format } from "./formats.js";
import {
  QNAN,
  SNAN,
  UNSUPPORTED,
  compareSignificands,
  copyUnpacked,
  isNan,
  setIndefinite,
  type Unpacked,
} from "./unpacked.js";

/** Masked response to an invalid operation: IE and the real indefinite. */
export function invalid(z: Unpacked, env: FloatEnv): void {
  env.flags |= IE;
  setIndefinite(z);
}

/** x87: the NaN with the larger significand; a quiet one wins over a signaling one (SDM vol. 1, table 4-7). */
function selectX87(a: Unpacked, b: Unpacked): Unpacked {
  if (!isNan(a)) return b;
  if (!isNan(b)) return a;
  if (a.kind !== b.kind) return a.kind === QNAN ? a : b;
  const order = compareSignificands(a.hi, a.lo, b.hi, b.lo);
  if (order !== 0) return order > 0 ? a : b;
  return a.sign === 0 ? a : b;
}

/**
 * Handles the operands that decide a two-operand result by themselves: NaNs and unsupported encodings.
 * Otherwise raises DE for denormal operands.
 * @returns true when z holds the result.
 */
export function nanOrDenormal(z: Unpacked, a: Unpacked, b: Unpacked, format: Format, env: FloatEnv): boolean {
  if (a.kind < QNAN && b.kind < QNAN) {
    if ((a.denormal | b.denormal) !== 0) env.flags |= DE;
    return false;
  }
  if (a.kind === UNSUPPORTED || b.kind === UNSUPPORTED) {
    invalid(z, env);
    return true;
  }
  if (a.kind === SNAN || b.kind === SNAN) env.flags |= IE;
  copyUnpacked(z, env.x87 ? selectX87(a, b) : isNan(a) ? a : b);
  quiet(z, format);
  return true;
}

/** The same for one operand. */
export function nanOrDenormal1(z: Unpacked, a: Unpacked, format: Format, env: FloatEnv): boolean {
  if (a.kind < QNAN) {
    if (a.denormal !== 0) env.flags |= DE;
    return false;
  }
  if (a.kind === UNSUPPORTED) {
    invalid(z, env);
    return true;
  }
  if (a.kind === SNAN) env.flags |= IE;
  copyUnpacked(z, a);
  quiet(z, format);
  return true;
}
