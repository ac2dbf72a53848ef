/**
 * Records of real processors' answers, as tests/recorded/float/record.c writes them, and their comparison with ours.
 */

import {
  LANE_F32,
  LANE_F64,
  LANE_I32,
  LANE_I64,
  comisResult,
  sseArith,
  sseComis,
  sseCompare,
  sseConvert,
  sseRound,
  unmaskedSse,
} from "../../cpu/float/sse.js";
import { X87, X87_CONTROL, X87_STATUS, X87_TAGS, X87_TOP } from "../../cpu/state.js";
import * as arithmetic from "../../cpu/x87/arithmetic.js";
import * as functions from "../../cpu/x87/functions.js";
import * as transfer from "../../cpu/x87/transfer.js";
import { STATUS_ES, begin, end, pop, type X87Memory } from "../../cpu/x87/unit.js";

/** One x87 record: u8 op, pad, u16 cw, 10-byte st0, st1, memory operand; u16 sw, tag word, st0, st1, stored bytes. */
export const X87_RECORD = 72;
/** One SSE record: u32 op, mxcsr, 16-byte a, b, result, u32 mxcsr after, u32 eflags (bit 31: it trapped). */
export const SSE_RECORD = 64;

const buffer = new ArrayBuffer(0x2000);
export const memory: X87Memory = {
  u8: new Uint8Array(buffer),
  u16: new Uint16Array(buffer),
  i32: new Int32Array(buffer),
};
const OPERAND = 0x1800;
const STORE = 0x1820;
const m = memory;
const { ADD, SUB, MUL, DIV, SUBR, DIVR } = arithmetic;
const { F32, F64, I16, I32, I64, F80, BCD } = transfer;

function store(kind: number, truncate: boolean, pops: boolean): void {
  if (transfer.prepareStore(m, kind, truncate, OPERAND + 0x80)) {
    const bytes = transfer.FORMAT_BYTES[kind]!;
    m.u8.copyWithin(STORE, OPERAND + 0x80, OPERAND + 0x80 + bytes);
    if (pops) pop(m);
  }
}

/** Name and action of each op of record.c. */
export const X87_OPS: readonly (readonly [string, () => void])[] = [
  ["fadd", () => arithmetic.arithmetic(m, ADD, 0, 1, 0)],
  ["fsub", () => arithmetic.arithmetic(m, SUB, 0, 1, 0)],
  ["fmul", () => arithmetic.arithmetic(m, MUL, 0, 1, 0)],
  ["fdiv", () => arithmetic.arithmetic(m, DIV, 0, 1, 0)],
  ["fsqrt", () => arithmetic.sqrt(m)],
  ["fcom", () => arithmetic.compareRegister(m, 1, false, 0)],
  ["fucom", () => arithmetic.compareRegister(m, 1, true, 0)],
  ["fprem", () => functions.partialRemainder(m, false)],
  ["fprem1", () => functions.partialRemainder(m, true)],
  ["fscale", () => functions.scaleByStack(m)],
  ["fxtract", () => functions.extractParts(m)],
  ["frndint", () => arithmetic.roundInteger(m)],
  ["fst m32", () => store(F32, false, false)],
  ["fst m64", () => store(F64, false, false)],
  ["fist m16", () => store(I16, false, false)],
  ["fist m32", () => store(I32, false, false)],
  ["fistp m64", () => store(I64, false, true)],
  ["fbstp", () => store(BCD, false, true)],
  ["fld m32", () => transfer.loadMemory(m, F32, OPERAND)],
  ["fld m64", () => transfer.loadMemory(m, F64, OPERAND)],
  ["fild m16", () => transfer.loadMemory(m, I16, OPERAND)],
  ["fild m32", () => transfer.loadMemory(m, I32, OPERAND)],
  ["fild m64", () => transfer.loadMemory(m, I64, OPERAND)],
  ["fbld", () => transfer.loadMemory(m, BCD, OPERAND)],
  ["f2xm1", () => arithmetic.exponential(m)],
  ["fyl2x", () => functions.logarithm(m)],
  ["fyl2xp1", () => functions.logarithmPlusOne(m)],
  ["fptan", () => functions.partialTangent(m)],
  ["fpatan", () => functions.arctangent(m)],
  ["fsin", () => functions.sineOf(m, false)],
  ["fcos", () => functions.sineOf(m, true)],
  ["fsincos", () => functions.sineAndCosine(m)],
  ["fisttp m16", () => store(I16, true, true)],
  ["fisttp m32", () => store(I32, true, true)],
  ["fisttp m64", () => store(I64, true, true)],
  ["fxam", () => arithmetic.examine(m)],
  ["ftst", () => arithmetic.test(m)],
  ["fabs", () => arithmetic.changeSign(m, true)],
  ["fchs", () => arithmetic.changeSign(m, false)],
  ["fsubr", () => arithmetic.arithmetic(m, SUBR, 0, 1, 0)],
  ["fdivr", () => arithmetic.arithmetic(m, DIVR, 0, 1, 0)],
  ["fadd m32", () => arithmetic.arithmeticMemory(m, ADD, F32, OPERAND)],
  ["fmul m64", () => arithmetic.arithmeticMemory(m, MUL, F64, OPERAND)],
  ["fiadd m16", () => arithmetic.arithmeticMemory(m, ADD, I16, OPERAND)],
  ["fidiv m32", () => arithmetic.arithmeticMemory(m, DIV, I32, OPERAND)],
  ["fcom m64", () => arithmetic.compareMemory(m, F64, OPERAND, 0)],
  ["fld m80", () => transfer.loadMemory(m, F80, OPERAND)],
  ["fstp m80", () => store(F80, false, true)],
];

export const FIRST_TRANSCENDENTAL = 24;
export const LAST_TRANSCENDENTAL = 31;

/** Where a record's answer and ours differ. */
export interface Difference {
  op: string;
  /** Distance of the results in units of the last place; 0 when only flags differ, Infinity if not comparable. */
  ulps: number;
  text: string;
}

function hex(bytes: Uint8Array): string {
  return [...bytes]
    .reverse()
    .map((b) => b.toString(16).padStart(2, "0"))
    .join("");
}

function extendedOrder(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = 9; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  const magnitude = (((value >> 64n) & 0x7fffn) << 63n) | (value & 0x7fffffffffffffffn);
  return value >> 79n !== 0n ? -magnitude : magnitude;
}

function ulps(a: Uint8Array, b: Uint8Array): number {
  const d = extendedOrder(a) - extendedOrder(b);
  return Number(d < 0n ? -d : d);
}

/** Runs one record through ours. @returns null when every bit that the op defines is the same. */
export function compareX87(record: Uint8Array): Difference | null {
  const view = new DataView(record.buffer, record.byteOffset, X87_RECORD);
  const [name, run] = X87_OPS[record[0]!]!;
  m.u16[X87_CONTROL >> 1] = view.getUint16(2, true);
  m.u16[X87_STATUS >> 1] = 0;
  m.u8[X87_TOP] = 6;
  m.u8[X87_TAGS] = 0xc0;
  m.u8.fill(0, X87, X87 + 128);
  m.u8.set(record.subarray(4, 14), X87 + 96);
  m.u8.set(record.subarray(14, 24), X87 + 112);
  m.u8.set(record.subarray(24, 34), OPERAND);
  m.u8.fill(0xcc, STORE, STORE + 10);
  begin(m);
  run();
  end(m);
  const top = m.u8[X87_TOP]!;
  const status = m.u16[X87_STATUS >> 1]! | (top << 11);
  const at = (i: number): Uint8Array =>
    m.u8.slice(X87 + 16 * ((top + i) & 7), X87 + 16 * ((top + i) & 7) + 10);
  const wantStatus = view.getUint16(34, true);
  const want0 = record.subarray(38, 48);
  const want1 = record.subarray(48, 58);
  const wantOut = record.subarray(58, 68);
  const out = m.u8.slice(STORE, STORE + 10);
  // Which way a transcendental result was rounded is as implementation-specific as its last bit.
  const op = record[0]!;
  const statusMask = op >= FIRST_TRANSCENDENTAL && op <= LAST_TRANSCENDENTAL ? 0xfdff : 0xffff;
  const results = Math.max(ulps(at(0), want0), ulps(at(1), want1));
  const same = results === 0 && hex(at(0)) === hex(want0) && hex(at(1)) === hex(want1);
  if (same && ((status ^ wantStatus) & statusMask) === 0 && hex(out) === hex(wantOut)) return null;
  const text =
    `${name} cw=${view.getUint16(2, true).toString(16)} st0=${hex(record.subarray(4, 14))} ` +
    `st1=${hex(record.subarray(14, 24))} m=${hex(record.subarray(24, 34))}\n` +
    `   real sw=${wantStatus.toString(16)} ${hex(want0)} ${hex(want1)} ${hex(wantOut)}\n` +
    `   ours sw=${status.toString(16)} ${hex(at(0))} ${hex(at(1))} ${hex(out)}`;
  return { op: name, ulps: same ? 0 : results, text };
}

/** Whether ST(0)'s unmasked exception is pending after the last comparison. */
export function pending(): boolean {
  return (m.u8[X87_STATUS]! & STATUS_ES) !== 0;
}

type SseRun = (mxcsr: number) => number;
const A = OPERAND >> 2;
const B = A + 4;
const D = A + 8;

function arith(op: number): [string, SseRun][] {
  const name = ["add", "sub", "mul", "div", "sqrt", "min", "max"][op]!;
  return [
    [`${name}ss`, (c) => sseArith(op, false, 1, m.i32, D, A, B, c)],
    [`${name}sd`, (c) => sseArith(op, true, 1, m.i32, D, A, B, c)],
    [`${name}ps`, (c) => sseArith(op, false, 4, m.i32, D, A, B, c)],
    [`${name}pd`, (c) => sseArith(op, true, 2, m.i32, D, A, B, c)],
  ];
}

function horizontal(op: number, name: string): [string, SseRun][] {
  return [
    [`${name}ps`, (c) => sseArith(op, false, 4, m.i32, D, A, B, c)],
    [`${name}pd`, (c) => sseArith(op, true, 2, m.i32, D, A, B, c)],
  ];
}

function predicate(p: number): [string, SseRun][] {
  return [
    [`cmpps ${p}`, (c) => sseCompare(p, false, 4, m.i32, D, A, B, c)],
    [`cmppd ${p}`, (c) => sseCompare(p, true, 2, m.i32, D, A, B, c)],
  ];
}

function zeroUpper(run: SseRun): SseRun {
  return (c) => {
    const flags = run(c);
    m.i32.fill(0, D + 2, D + 4);
    return flags;
  };
}

export const SSE_OPS: readonly (readonly [string, SseRun])[] = [
  ...[0, 1, 2, 3, 4, 5, 6].flatMap(arith),
  ...horizontal(7, "addsub"),
  ...horizontal(8, "hadd"),
  ...horizontal(9, "hsub"),
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap(predicate),
  ["comiss", (c) => sseComis(true, false, m.i32, A, B, c)],
  ["comisd", (c) => sseComis(true, true, m.i32, A, B, c)],
  ["ucomiss", (c) => sseComis(false, false, m.i32, A, B, c)],
  ["ucomisd", (c) => sseComis(false, true, m.i32, A, B, c)],
  ["cvtss2sd", (c) => sseConvert(LANE_F32, LANE_F64, false, 1, m.i32, D, B, c)],
  ["cvtpd2ps", zeroUpper((c) => sseConvert(LANE_F64, LANE_F32, false, 2, m.i32, D, B, c))],
  ["cvtps2dq", (c) => sseConvert(LANE_F32, LANE_I32, false, 4, m.i32, D, B, c)],
  ["cvttps2dq", (c) => sseConvert(LANE_F32, LANE_I32, true, 4, m.i32, D, B, c)],
  ["cvtpd2dq", zeroUpper((c) => sseConvert(LANE_F64, LANE_I32, false, 2, m.i32, D, B, c))],
  ["cvttsd2si", zeroUpper((c) => sseConvert(LANE_F64, LANE_I64, true, 1, m.i32, D, B, c))],
  ["cvtsd2si", zeroUpper((c) => sseConvert(LANE_F64, LANE_I64, false, 1, m.i32, D, B, c))],
  ["cvtsi2ss", (c) => sseConvert(LANE_I64, LANE_F32, false, 1, m.i32, D, B, c)],
  ["cvtsi2sd", (c) => sseConvert(LANE_I64, LANE_F64, false, 1, m.i32, D, B, c)],
  ["cvtdq2ps", (c) => sseConvert(LANE_I32, LANE_F32, false, 4, m.i32, D, B, c)],
  ["roundps", (c) => sseRound(4, false, 4, m.i32, D, B, c)],
  ["roundpd", (c) => sseRound(9, true, 2, m.i32, D, B, c)],
];

/** The same for an SSE record. */
export function compareSse(record: Uint8Array): Difference | null {
  const view = new DataView(record.buffer, record.byteOffset, SSE_RECORD);
  const op = record[0]!;
  const [name, run] = SSE_OPS[op]!;
  const mxcsr = view.getUint32(4, true);
  m.u8.set(record.subarray(8, 40), A * 4);
  m.u8.set(record.subarray(8, 24), D * 4);
  const flags = run(mxcsr);
  const trapped = (view.getUint32(60, true) & 0x80000000) !== 0;
  const ours = mxcsr | flags;
  const want = view.getUint32(56, true);
  const isComis = op >= 50 && op <= 53;
  const result = m.u8.slice(D * 4, D * 4 + 16);
  const sameResult =
    trapped ||
    (isComis
      ? comisResult.eflags === (view.getUint32(60, true) & 0x8d5)
      : hex(result) === hex(record.subarray(40, 56)));
  if (sameResult && ours === want && trapped === (unmaskedSse(flags, mxcsr) !== 0)) return null;
  const text =
    `${name} mxcsr=${mxcsr.toString(16)} a=${hex(record.subarray(8, 24))} b=${hex(record.subarray(24, 40))}\n` +
    `   real ${want.toString(16)} ${hex(record.subarray(40, 56))} trapped=${trapped} eflags=${view.getUint32(60, true).toString(16)}\n` +
    `   ours ${ours.toString(16)} ${hex(result)} eflags=${comisResult.eflags.toString(16)}`;
  return { op: name, ulps: sameResult ? 0 : Infinity, text };
}
