import { OpKind, RegisterExt } from "iced-x86";
import "../ir/simd-ops.js";
import type { DecodeContext } from "../decode/context.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { X87_STATUS, X87_TOP } from "../state.js";

/**
 * Operands of vector instructions. Slot a is the destination and first source, slot b the second source: a vector
 * register, or a scratch vector register that the memory operand was loaded into.
 */

const GENERAL_PROTECTION = 13;
const FLOATING_POINT_ERROR = 16;
/** ES of the x87 status word: an unmasked exception is pending. */
const X87_ERROR_SUMMARY = 0x80;

const based = (b: Builder): Expr => b.add(b.get("b", 8), b.immediate);
const indexed = (b: Builder): Expr =>
  b.add(b.add(b.get("e", 8), b.add(b.get("b", 8), b.shl(b.get("c", 8), b.extU(b.small)))), b.immediate);

/** Binds the address and refuses one that is not a multiple of 16, before the page is looked at (SDM vol. 2, table 2-21). */
function aligned(b: Builder, address: Expr): Expr {
  const bound = b.let(address);
  b.if(b.and(b.wrap(bound), b.i32(15)), () => b.exception(GENERAL_PROTECTION));
  return bound;
}

for (const [form, address] of [
  ["b", based],
  ["x", indexed],
] as const) {
  define(`lda.16.${form}`, (b) => b.set("a", 16, b.load(aligned(b, address(b)), 16)));
  define(`sta.16.${form}`, (b) => b.store(aligned(b, address(b)), 16, b.get("a", 16)));
  // Into the low lane of a vector register whose other lanes become 0.
  for (const width of [4, 8] as const)
    define(`ldv.${width}.${form}`, (b) => b.set("a", 16, b.load(address(b), width, "v128")));
}

/** A waiting x87 exception comes before any MMX instruction. */
define(
  "mmx.check",
  (b) =>
    b.if(b.and(b.state(X87_STATUS, 1), b.i32(X87_ERROR_SUMMARY)), () => b.exception(FLOATING_POINT_ERROR)),
  "rare",
);
/** Every MMX instruction but EMMS leaves TOP 0 and all registers tagged valid (SDM vol. 1, 9.6.2). */
define("mmx.enter", enterMmx, "rare");

export function enterMmx(b: Builder): void {
  // The tag byte is the one behind TOP.
  b.setState(X87_TOP, 2, b.i32(0xff00));
}

/** Writes an MMX register, whose sign and exponent bits become ones. */
export function setMmx(b: Builder, value: Expr): void {
  b.set("a", 16, b.op("i64x2.replace_lane", [value, b.i64(0xffff)], 1));
  enterMmx(b);
}

export function isMmxOperand(x: DecodeContext, i: number): boolean {
  return x.isRegister(i) && RegisterExt.isMM(x.instruction.opRegister(i));
}

/** Operand i as a 16-byte vector; a memory operand must be aligned, as SSE has it. */
export function vector(x: DecodeContext, i: number): number {
  if (!x.isMemory(i)) return x.reg(i);
  const to = x.vectorTemp();
  x.loadAs("lda.16", to);
  return to;
}

/** Operand i as a vector of which only the low `width` bytes count; no alignment is asked for. */
export function partial(x: DecodeContext, i: number, width: Width): number {
  if (!x.isMemory(i)) return x.reg(i);
  const to = x.vectorTemp();
  x.load(width, to);
  return to;
}

export function storeAligned(x: DecodeContext, from: number): void {
  const { form, fields } = x.isLong ? x.memory() : x.segmented({ bytes: 16, write: true, aligned: true });
  x.emit(`sta.16.${form}`, { ...fields, a: from });
}

/** The instruction's immediate byte, unsigned. */
export function immediateByte(x: DecodeContext): number {
  const { instruction } = x;
  for (let i = 0; i < instruction.opCount; i++)
    if (instruction.opKind(i) === OpKind.Immediate8) return instruction.immediate8;
  throw new Error("the instruction has no immediate byte");
}

/** An MMX instruction: the pending-exception check, then `body`. */
export function mmx(x: DecodeContext, body: () => void): void {
  x.emit("mmx.check");
  body();
}
