/** Remainders, scaling and the transcendental instructions, on the register stack. */

import { isSuppressed } from "../float/env.js";
import { yLog2X, yLog2XPlus1 } from "../float/logarithm.js";
import { remainder } from "../float/remainder.js";
import { extract, scale } from "../float/scale-extract.js";
import { arctangent2, cosine, sine, sineCosine, tangent } from "../float/trigonometry.js";
import { QNAN, createUnpacked, setFinite, type Unpacked } from "../float/unpacked.js";
import {
  STATUS_C0,
  STATUS_C2,
  STATUS_C3,
  canPush,
  deliver,
  deliverUnderflow,
  env,
  isEmpty,
  loadIndefinite,
  loadRegister,
  pushValue,
  setConditions,
  stackUnderflow,
  storeRegister,
  type X87Memory,
} from "./unit.js";
import { X87_STATUS } from "../state.js";

const x = createUnpacked();
const y = createUnpacked();
const z = createUnpacked();
const w = createUnpacked();
const status = { partial: false, quotient: 0 };

/** FPREM and FPREM1 (`nearest`): C2 partial; C0, C3, C1 the quotient's bits 2, 1, 0. */
export function partialRemainder(m: X87Memory, nearest: boolean): void {
  if (isEmpty(m, 0) || isEmpty(m, 1)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  loadRegister(x, m, 0);
  loadRegister(y, m, 1);
  remainder(z, x, y, nearest, status, env);
  if (isSuppressed(env)) return;
  deliver(m, 0, z, 0);
  const q = status.quotient;
  setConditions(
    m,
    (status.partial ? STATUS_C2 : 0) | ((q & 4) !== 0 ? STATUS_C0 : 0) | ((q & 2) !== 0 ? STATUS_C3 : 0),
  );
  env.roundedUp = (q & 1) !== 0;
}

export function scaleByStack(m: X87Memory): void {
  if (isEmpty(m, 0) || isEmpty(m, 1)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  loadRegister(x, m, 0);
  loadRegister(y, m, 1);
  scale(z, x, y, env);
  deliver(m, 0, z, 0);
}

/** FYL2X, FYL2XP1, FPATAN: ST(1) = f(ST(0), ST(1)), then pop. */
function popping(m: X87Memory, f: (z: Unpacked, st0: Unpacked, st1: Unpacked) => void): void {
  if (isEmpty(m, 0) || isEmpty(m, 1)) {
    deliverUnderflow(m, 1, 1);
    return;
  }
  loadRegister(x, m, 0);
  loadRegister(y, m, 1);
  f(z, x, y);
  deliver(m, 1, z, 1);
}

export function logarithm(m: X87Memory): void {
  popping(m, (r, st0, st1) => yLog2X(r, st0, st1, env));
}

export function logarithmPlusOne(m: X87Memory): void {
  popping(m, (r, st0, st1) => yLog2XPlus1(r, st0, st1, env));
}

export function arctangent(m: X87Memory): void {
  popping(m, (r, st0, st1) => arctangent2(r, st1, st0, env));
}

/** FSIN and FCOS (`co`): C2 and no change for |ST(0)| >= 2^63. */
export function sineOf(m: X87Memory, co: boolean): void {
  if (isEmpty(m, 0)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  loadRegister(x, m, 0);
  const inRange = (co ? cosine : sine)(z, x, env);
  setRange(m, inRange);
  if (inRange) deliver(m, 0, z, 0);
}

function setRange(m: X87Memory, inRange: boolean): void {
  const word = m.u16[X87_STATUS >> 1]! & ~STATUS_C2;
  m.u16[X87_STATUS >> 1] = inRange ? word : word | STATUS_C2;
}

/** Replaces ST(0) by `first` and pushes `second`, unless a pre-computation exception is unmasked. */
function replaceAndPush(m: X87Memory, first: Unpacked, second: Unpacked): void {
  if (isSuppressed(env)) return;
  storeRegister(m, 0, first);
  pushValue(m, second);
}

/**
 * Checks the stack for FXTRACT, FPTAN and FSINCOS, which replace ST(0) and push.
 * @returns false when it failed; masked, both results are then the indefinite.
 */
function stackReady(m: X87Memory): boolean {
  if (!isEmpty(m, 0) && isEmpty(m, 7)) return true;
  if (isEmpty(m, 0)) {
    if (!stackUnderflow()) return false;
    loadIndefinite(z);
    storeRegister(m, 0, z);
    pushValue(m, z);
  } else {
    canPush(m);
    if (isSuppressed(env)) return false;
    loadIndefinite(z);
    storeRegister(m, 1, z);
  }
  return false;
}

export function extractParts(m: X87Memory): void {
  if (!stackReady(m)) return;
  loadRegister(x, m, 0);
  extract(z, w, x, env);
  replaceAndPush(m, z, w);
}

export function partialTangent(m: X87Memory): void {
  if (!stackReady(m)) return;
  loadRegister(x, m, 0);
  const inRange = tangent(z, x, env);
  setRange(m, inRange);
  if (!inRange) return;
  if (z.kind === QNAN) replaceAndPush(m, z, z);
  else {
    setFinite(w, 0, 0, 0x80000000, 0);
    replaceAndPush(m, z, w);
  }
}

export function sineAndCosine(m: X87Memory): void {
  if (!stackReady(m)) return;
  loadRegister(x, m, 0);
  const inRange = sineCosine(z, w, x, env);
  setRange(m, inRange);
  if (inRange) replaceAndPush(m, z, w);
}
