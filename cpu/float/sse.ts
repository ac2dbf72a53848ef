/**
 * SSE floating point on operands in linear memory: the slow path behind the inline one, exact under every MXCSR.
 *
 * Operands and results are addressed by int32 index (byte address / 4) into a view of the machine's memory, which
 * must be 4-byte aligned. All lanes are read before any is written, so destination and sources may overlap.
 *
 * Every function returns the exceptions raised (IE … PE, as in MXCSR bits 5-0). The caller ors them into MXCSR and,
 * if `flags & ~(mxcsr >> 7) & 0x3f`, raises #XM; then nothing has been written. As SDM vol. 1, 11.5.3 has it, an
 * unmasked pre-computation exception in any lane hides the post-computation exceptions of all lanes.
 */

import { add, subtract } from "./add.js";
import { EQUAL, LESS, UNORDERED, compare, maximumIsFirst, minimumIsFirst } from "./compare.js";
import { divide } from "./divide.js";
import { ALL_EXCEPTIONS, PE, PRE_COMPUTATION, createFloatEnv, setMxcsr } from "./env.js";
import { BINARY32, BINARY64, pack32, pack64, unpack32, unpack64 } from "./formats.js";
import { convert, fromInt32, fromInt64, roundToIntegral, toInteger } from "./integer.js";
import { multiply } from "./multiply.js";
import { squareRoot } from "./square-root.js";
import { copyUnpacked, createUnpacked, type Unpacked } from "./unpacked.js";

/** Operations of `sseArith`. */
export const SSE_ADD = 0;
export const SSE_SUB = 1;
export const SSE_MUL = 2;
export const SSE_DIV = 3;
/** Of b alone. */
export const SSE_SQRT = 4;
export const SSE_MIN = 5;
export const SSE_MAX = 6;
/** Even lanes subtract, odd lanes add (ADDSUBPS/PD). */
export const SSE_ADDSUB = 7;
/** Horizontal: low half of the result from pairs of a, high half from pairs of b (HADDPS/PD). */
export const SSE_HADD = 8;
export const SSE_HSUB = 9;

/** Lane types of `sseConvert`. */
export const LANE_F32 = 0;
export const LANE_F64 = 1;
export const LANE_I32 = 2;
export const LANE_I64 = 3;

const env = createFloatEnv(false);
const x = createUnpacked();
const y = createUnpacked();
const z = createUnpacked();
const integer = { lo: 0, hi: 0 };
/** The result before it may be written: 16 bytes. */
const result = new Int32Array(4);

function load(u: Unpacked, double: boolean, memory: Int32Array, index: number): void {
  if (double) unpack64(u, memory[index]!, memory[index + 1]!, env.daz);
  else unpack32(u, memory[index]!, env.daz);
}

function store(double: boolean, lane: number): void {
  if (double) pack64(z, result, lane * 2);
  else result[lane] = pack32(z);
}

/** Drops hidden post-computation flags and writes the result unless an unmasked exception forbids it. */
function finish(memory: Int32Array, dst: number, words: number): number {
  let flags = env.flags;
  const unmasked = flags & ~env.masks;
  if ((unmasked & PRE_COMPUTATION) !== 0) flags &= PRE_COMPUTATION;
  if (unmasked === 0) for (let i = 0; i < words; i++) memory[dst + i] = result[i]!;
  return flags;
}

function arithmetic(op: number, double: boolean): void {
  const format = double ? BINARY64 : BINARY32;
  switch (op) {
    case SSE_ADD:
      add(z, x, y, format, env);
      return;
    case SSE_SUB:
      subtract(z, x, y, format, env);
      return;
    case SSE_MUL:
      multiply(z, x, y, format, env);
      return;
    case SSE_DIV:
      divide(z, x, y, format, env);
      return;
    case SSE_SQRT:
      squareRoot(z, y, format, env);
      return;
    case SSE_MIN:
      copyUnpacked(z, minimumIsFirst(x, y, env) ? x : y);
      return;
    case SSE_MAX:
      copyUnpacked(z, maximumIsFirst(x, y, env) ? x : y);
      return;
    default:
      throw new RangeError(`no SSE operation ${op}`);
  }
}

/**
 * dst[i] = a[i] op b[i] for `lanes` lanes of binary64 (`double`) or binary32; one lane for the scalar forms, which
 * leave the rest of dst alone. `a` is the instruction's first (destination) operand, `b` its second.
 */
export function sseArith(
  op: number,
  double: boolean,
  lanes: number,
  memory: Int32Array,
  dst: number,
  a: number,
  b: number,
  mxcsr: number,
): number {
  setMxcsr(env, mxcsr);
  const words = double ? 2 : 1;
  const horizontal = op === SSE_HADD || op === SSE_HSUB;
  for (let lane = 0; lane < lanes; lane++) {
    let laneOp = op;
    if (horizontal) {
      const half = lanes >> 1;
      const pair = (lane < half ? a : b) + (lane < half ? lane : lane - half) * 2 * words;
      load(x, double, memory, pair);
      load(y, double, memory, pair + words);
      laneOp = op === SSE_HADD ? SSE_ADD : SSE_SUB;
    } else {
      load(x, double, memory, a + lane * words);
      load(y, double, memory, b + lane * words);
      if (op === SSE_ADDSUB) laneOp = (lane & 1) !== 0 ? SSE_ADD : SSE_SUB;
    }
    arithmetic(laneOp, double);
    if (op === SSE_MIN || op === SSE_MAX) normalizeDenormal(z, double);
    store(double, lane);
  }
  return finish(memory, dst, lanes * words);
}

/** MIN and MAX pass operands through: a denormal, held normalized, gets its encoding's shape back. */
function normalizeDenormal(u: Unpacked, double: boolean): void {
  if (u.denormal === 0) return;
  const format = double ? BINARY64 : BINARY32;
  let shift = format.minExponent - u.exp;
  u.exp = format.minExponent;
  if (shift >= 32) {
    u.lo = u.hi;
    u.hi = 0;
    shift -= 32;
  }
  if (shift > 0) {
    u.lo = (u.lo >>> shift) | (u.hi << (32 - shift));
    u.hi >>>= shift;
  }
}

/** Whether predicate (CMPPS imm8 bits 2-0) holds for a comparison's outcome. */
function predicateHolds(predicate: number, order: number): boolean {
  switch (predicate & 3) {
    case 0:
      return (order === EQUAL) !== predicate > 3;
    case 1:
      return (order === LESS) !== predicate > 3;
    case 2:
      return (order === LESS || order === EQUAL) !== predicate > 3;
    default:
      return (order === UNORDERED) !== predicate > 3;
  }
}

/** CMPPS/PD/SS/SD with `predicate` 0-7: all-ones or zero lanes. */
export function sseCompare(
  predicate: number,
  double: boolean,
  lanes: number,
  memory: Int32Array,
  dst: number,
  a: number,
  b: number,
  mxcsr: number,
): number {
  setMxcsr(env, mxcsr);
  const words = double ? 2 : 1;
  const signalQuiet = (predicate & 3) === 1 || (predicate & 3) === 2;
  for (let lane = 0; lane < lanes; lane++) {
    load(x, double, memory, a + lane * words);
    load(y, double, memory, b + lane * words);
    const mask = predicateHolds(predicate & 7, compare(x, y, signalQuiet, env)) ? -1 : 0;
    result[lane * words] = mask;
    result[lane * words + words - 1] = mask;
  }
  return finish(memory, dst, lanes * words);
}

/** ZF, PF and CF as COMISS sets them, at their places in RFLAGS; valid after `sseComis` when nothing was unmasked. */
export const comisResult = { eflags: 0 };

/** COMISS/SD (`signalQuiet`) and UCOMISS/SD: compares the low lanes into `comisResult`. OF, SF and AF are cleared. */
export function sseComis(
  signalQuiet: boolean,
  double: boolean,
  memory: Int32Array,
  a: number,
  b: number,
  mxcsr: number,
): number {
  setMxcsr(env, mxcsr);
  load(x, double, memory, a);
  load(y, double, memory, b);
  const order = compare(x, y, signalQuiet, env);
  comisResult.eflags = order === UNORDERED ? 0x45 : order === EQUAL ? 0x40 : order === LESS ? 0x01 : 0;
  return env.flags;
}

function convertLane(from: number, to: number, truncate: boolean, lane: number): void {
  if (to === LANE_I32 || to === LANE_I64) {
    toInteger(integer, x, to === LANE_I64 ? 64 : 32, truncate, env);
    if (to === LANE_I64) {
      result[lane * 2] = integer.lo;
      result[lane * 2 + 1] = integer.hi;
    } else result[lane] = integer.lo;
    return;
  }
  convert(z, x, to === LANE_F64 ? BINARY64 : BINARY32, from === LANE_F32 || from === LANE_F64, env);
  store(to === LANE_F64, lane);
}

/**
 * Converts `lanes` lanes from one LANE_* type to another: every CVT instruction. `truncate` for CVTT*. Writes
 * exactly lanes * size(to) bytes: zeroing the rest (CVTPD2PS, CVTPD2DQ) is the caller's.
 */
export function sseConvert(
  from: number,
  to: number,
  truncate: boolean,
  lanes: number,
  memory: Int32Array,
  dst: number,
  src: number,
  mxcsr: number,
): number {
  setMxcsr(env, mxcsr);
  for (let lane = 0; lane < lanes; lane++) {
    switch (from) {
      case LANE_F32:
        unpack32(x, memory[src + lane]!, env.daz);
        break;
      case LANE_F64:
        unpack64(x, memory[src + lane * 2]!, memory[src + lane * 2 + 1]!, env.daz);
        break;
      case LANE_I32:
        fromInt32(x, memory[src + lane]!);
        break;
      default:
        fromInt64(x, memory[src + lane * 2]!, memory[src + lane * 2 + 1]!);
    }
    convertLane(from, to, truncate, lane);
  }
  return finish(memory, dst, lanes * (to === LANE_F64 || to === LANE_I64 ? 2 : 1));
}

/** ROUNDPS/PD/SS/SD: imm8 bits 1-0 rounding mode, bit 2 take it from MXCSR instead, bit 3 no PE. */
export function sseRound(
  imm8: number,
  double: boolean,
  lanes: number,
  memory: Int32Array,
  dst: number,
  src: number,
  mxcsr: number,
): number {
  setMxcsr(env, mxcsr);
  const format = double ? BINARY64 : BINARY32;
  const rounding = (imm8 & 4) !== 0 ? env.rounding : imm8 & 3;
  const words = double ? 2 : 1;
  for (let lane = 0; lane < lanes; lane++) {
    load(x, double, memory, src + lane * words);
    roundToIntegral(z, x, rounding, false, format, env);
    store(double, lane);
  }
  if ((imm8 & 8) !== 0) env.flags &= ~PE;
  return finish(memory, dst, lanes * words);
}

/** The exceptions among `flags` that `mxcsr` does not mask: not 0 means #XM. */
export function unmaskedSse(flags: number, mxcsr: number): number {
  return flags & ~(mxcsr >>> 7) & ALL_EXCEPTIONS;
}
