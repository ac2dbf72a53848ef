/** Two-operand arithmetic, comparison and the one-operand instructions, on the register stack. */

import { add, subtract } from "../float/add.js";
import { EQUAL, GREATER, LESS, compare } from "../float/compare.js";
import { divide } from "../float/divide.js";
import { isSuppressed, type FloatEnv } from "../float/env.js";
import { EXTENDED80, registerFormat, unpack32, unpack64 } from "../float/formats.js";
import { fromInt32, roundToIntegral } from "../float/integer.js";
import { twoToXMinusOne } from "../float/logarithm.js";
import { multiply } from "../float/multiply.js";
import { squareRoot } from "../float/square-root.js";
import {
  INFINITE,
  QNAN,
  SNAN,
  UNSUPPORTED,
  ZERO,
  createUnpacked,
  setZero,
  type Unpacked,
} from "../float/unpacked.js";
import { X87 } from "../state.js";
import {
  STATUS_C0,
  STATUS_C2,
  STATUS_C3,
  deliver,
  deliverUnderflow,
  env,
  isEmpty,
  loadRegister,
  physical,
  pop,
  setConditions,
  stackUnderflow,
  type X87Memory,
} from "./unit.js";

/** Operations of `arithmetic`, numbered as the reg field of D8-DE encodes them. */
export const ADD = 0;
export const MUL = 1;
export const SUB = 4;
export const SUBR = 5;
export const DIV = 6;
export const DIVR = 7;

/** Operand formats in memory. */
export const M_F32 = 0;
export const M_F64 = 1;
export const M_I16 = 2;
export const M_I32 = 3;

const x = createUnpacked();
const y = createUnpacked();
const z = createUnpacked();

function compute(op: number, a: Unpacked, b: Unpacked, e: FloatEnv): void {
  const format = registerFormat(e.precision);
  switch (op) {
    case ADD:
      add(z, a, b, format, e);
      return;
    case MUL:
      multiply(z, a, b, format, e);
      return;
    case SUB:
      subtract(z, a, b, format, e);
      return;
    case SUBR:
      subtract(z, b, a, format, e);
      return;
    case DIV:
      divide(z, a, b, format, e);
      return;
    default:
      divide(z, b, a, format, e);
  }
}

/** ST(to) = ST(to) op ST(from), then `pops`. */
export function arithmetic(m: X87Memory, op: number, to: number, from: number, pops: number): void {
  if (isEmpty(m, to) || isEmpty(m, from)) {
    deliverUnderflow(m, to, pops);
    return;
  }
  loadRegister(x, m, to);
  loadRegister(y, m, from);
  compute(op, x, y, env);
  deliver(m, to, z, pops);
}

/** Reads the memory operand that lies at linear `at` (4-byte aligned). */
function loadOperand(u: Unpacked, m: X87Memory, kind: number, at: number): void {
  const index = at >> 2;
  if (kind === M_F32) unpack32(u, m.i32[index]!, false);
  else if (kind === M_F64) unpack64(u, m.i32[index]!, m.i32[index + 1]!, false);
  else fromInt32(u, kind === M_I16 ? (m.i32[index]! << 16) >> 16 : m.i32[index]!);
}

/** ST(0) = ST(0) op memory. */
export function arithmeticMemory(m: X87Memory, op: number, kind: number, at: number): void {
  if (isEmpty(m, 0)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  loadRegister(x, m, 0);
  loadOperand(y, m, kind, at);
  compute(op, x, y, env);
  deliver(m, 0, z, 0);
}

const UNORDERED_CONDITIONS = STATUS_C0 | STATUS_C2 | STATUS_C3;

function conditionsOf(order: number): number {
  switch (order) {
    case GREATER:
      return 0;
    case LESS:
      return STATUS_C0;
    case EQUAL:
      return STATUS_C3;
    default:
      return UNORDERED_CONDITIONS;
  }
}

function finishCompare(m: X87Memory, conditions: number, pops: number): void {
  setConditions(m, conditions);
  if (isSuppressed(env)) return;
  for (; pops > 0; pops--) pop(m);
}

function compareUnderflow(m: X87Memory, pops: number): void {
  stackUnderflow();
  finishCompare(m, UNORDERED_CONDITIONS, pops);
}

/** FCOM, FUCOM (`quiet`) and their popping forms. */
export function compareRegister(m: X87Memory, i: number, quiet: boolean, pops: number): void {
  if (isEmpty(m, 0) || isEmpty(m, i)) {
    compareUnderflow(m, pops);
    return;
  }
  loadRegister(x, m, 0);
  loadRegister(y, m, i);
  finishCompare(m, conditionsOf(compare(x, y, !quiet, env)), pops);
}

export function compareMemory(m: X87Memory, kind: number, at: number, pops: number): void {
  if (isEmpty(m, 0)) {
    compareUnderflow(m, pops);
    return;
  }
  loadRegister(x, m, 0);
  loadOperand(y, m, kind, at);
  finishCompare(m, conditionsOf(compare(x, y, true, env)), pops);
}

/** FTST: compares ST(0) with +0. */
export function test(m: X87Memory): void {
  if (isEmpty(m, 0)) {
    compareUnderflow(m, 0);
    return;
  }
  loadRegister(x, m, 0);
  setZero(y, 0);
  finishCompare(m, conditionsOf(compare(x, y, true, env)), 0);
}

/**
 * FCOMI, FUCOMI (`quiet`): the outcome as ZF, PF and CF in their RFLAGS places.
 * @returns the three flags, which processors set even when an unmasked exception keeps them from popping
 */
export function compareToFlags(m: X87Memory, i: number, quiet: boolean, pops: number): number {
  let flags = 0x45;
  if (isEmpty(m, 0) || isEmpty(m, i)) stackUnderflow();
  else {
    loadRegister(x, m, 0);
    loadRegister(y, m, i);
    const order = compare(x, y, !quiet, env);
    flags = order === GREATER ? 0 : order === LESS ? 0x01 : order === EQUAL ? 0x40 : 0x45;
  }
  if (!isSuppressed(env)) for (; pops > 0; pops--) pop(m);
  return flags;
}

/** FXAM: classifies ST(0) into C3, C2, C0, its sign into C1, without looking at exceptions. */
export function examine(m: X87Memory): void {
  loadRegister(x, m, 0);
  let conditions: number;
  if (isEmpty(m, 0)) conditions = STATUS_C3 | STATUS_C0;
  else if (x.kind === UNSUPPORTED) conditions = 0;
  else if (x.kind === QNAN || x.kind === SNAN) conditions = STATUS_C0;
  else if (x.kind === INFINITE) conditions = STATUS_C2 | STATUS_C0;
  else if (x.kind === ZERO) conditions = STATUS_C3;
  else conditions = x.denormal !== 0 ? STATUS_C3 | STATUS_C2 : STATUS_C2;
  setConditions(m, conditions);
  env.roundedUp = x.sign !== 0;
}

/** FABS (`clear`) and FCHS: the sign bit alone changes, whatever the encoding. */
export function changeSign(m: X87Memory, clear: boolean): void {
  if (isEmpty(m, 0)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  const at = (X87 + 16 * physical(m, 0)) >> 1;
  m.u16[at + 4] = clear ? m.u16[at + 4]! & 0x7fff : m.u16[at + 4]! ^ 0x8000;
}

function unary(m: X87Memory, run: (e: FloatEnv) => void): void {
  if (isEmpty(m, 0)) {
    deliverUnderflow(m, 0, 0);
    return;
  }
  loadRegister(x, m, 0);
  run(env);
  deliver(m, 0, z, 0);
}

export function sqrt(m: X87Memory): void {
  unary(m, (e) => squareRoot(z, x, registerFormat(e.precision), e));
}

export function roundInteger(m: X87Memory): void {
  unary(m, (e) => roundToIntegral(z, x, e.rounding, true, EXTENDED80, e));
}

export function exponential(m: X87Memory): void {
  unary(m, (e) => twoToXMinusOne(z, x, e));
}
