/** Comparison, and minimum and maximum as SSE defines them. */

import { DE, IE, type FloatEnv } from "./env.js";
import { INFINITE, QNAN, ZERO, compareSignificands, type Unpacked } from "./unpacked.js";

export const LESS = -1;
export const EQUAL = 0;
export const GREATER = 1;
export const UNORDERED = 2;

/**
 * Compares a with b.
 * @param signalQuiet IE also for a quiet NaN (FCOM, COMISS, CMPLTSS …), not only for a signaling one.
 * @returns LESS, EQUAL, GREATER or UNORDERED.
 */
export function compare(a: Unpacked, b: Unpacked, signalQuiet: boolean, env: FloatEnv): number {
  if (a.kind >= QNAN || b.kind >= QNAN) {
    if (signalQuiet || a.kind > QNAN || b.kind > QNAN) env.flags |= IE;
    return UNORDERED;
  }
  if ((a.denormal | b.denormal) !== 0) env.flags |= DE;
  return order(a, b);
}

/** Orders two numbers, neither of them a NaN. */
export function order(a: Unpacked, b: Unpacked): number {
  if (a.kind === ZERO && b.kind === ZERO) return EQUAL;
  if (a.kind === ZERO) return b.sign !== 0 ? GREATER : LESS;
  if (b.kind === ZERO || a.sign !== b.sign) return a.sign !== 0 ? LESS : GREATER;
  let magnitude: number;
  if (a.kind === INFINITE || b.kind === INFINITE) {
    magnitude = (a.kind === INFINITE ? 1 : 0) - (b.kind === INFINITE ? 1 : 0);
  } else {
    magnitude = a.exp - b.exp;
    if (magnitude === 0) magnitude = compareSignificands(a.hi, a.lo, b.hi, b.lo);
  }
  if (magnitude === 0) return EQUAL;
  return magnitude < 0 !== (a.sign !== 0) ? LESS : GREATER;
}

/**
 * MINSS and its kin: whether the first operand is the result. The second is returned unchanged if either is a
 * NaN (IE even for a quiet one) and when the two are equal, zeros of either sign included.
 */
export function minimumIsFirst(a: Unpacked, b: Unpacked, env: FloatEnv): boolean {
  return compare(a, b, true, env) === LESS;
}

/** MAXSS and its kin: whether the first operand is the result. */
export function maximumIsFirst(a: Unpacked, b: Unpacked, env: FloatEnv): boolean {
  return compare(a, b, true, env) === GREATER;
}
