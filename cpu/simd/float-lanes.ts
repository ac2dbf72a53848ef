import type { Builder } from "../ir/builder.js";
import type { Expr, Slot } from "../ir/nodes.js";
import { MXCSR } from "../state.js";

/**
 * What the inline fast paths of SSE floating point need to ask about their operands, the same for scalars and
 * vectors. The fast path is taken when the host's IEEE arithmetic gives x86's result and no new MXCSR flag; all
 * else (NaNs, denormals, other roundings, unmasked exceptions) is the soft float's.
 */

/** PE is already set, all exceptions are masked, rounding is to nearest, neither FTZ nor DAZ. */
const MODE_MASK = ~0x1f | 0;
const MODE_INEXACT = 0x1fa0;
/** The same without PE: good for exact results. */
const MODE_EXACT = 0x1f80;
const PE = 0x20;

/** A form of an instruction: PS, PD, SS or SD. */
export type Form = "ps" | "pd" | "ss" | "sd";
export const FORMS: readonly Form[] = ["ps", "pd", "ss", "sd"];

export const isDouble = (form: Form): boolean => form.endsWith("d");
export const isPacked = (form: Form): boolean => form.startsWith("p");
export const lanesOf = (form: Form): number => (isPacked(form) ? (isDouble(form) ? 2 : 4) : 1);
/** Bytes of an operand. */
export const bytesOf = (form: Form): 4 | 8 | 16 => (isPacked(form) ? 16 : isDouble(form) ? 8 : 4);

/** One form's arithmetic and predicates. Masks are i32 0/1 for scalars, lanes of ones for vectors. */
export class Lanes {
  readonly packed: boolean;
  readonly double: boolean;
  /** Prefix of the float operations. */
  readonly type: "f32" | "f64" | "f32x4" | "f64x2";
  readonly lanes: number;
  private readonly integer: string;
  private readonly logic: string;

  constructor(
    private readonly b: Builder,
    readonly form: Form,
  ) {
    this.packed = isPacked(form);
    this.double = isDouble(form);
    this.lanes = lanesOf(form);
    this.type = this.packed ? (this.double ? "f64x2" : "f32x4") : this.double ? "f64" : "f32";
    this.integer = this.packed ? (this.double ? "i64x2" : "i32x4") : this.double ? "i64" : "i32";
    this.logic = this.packed ? "v128" : "i32";
  }

  op(name: string, ...args: Expr[]): Expr {
    return this.b.op(`${this.type}.${name}`, args);
  }
  /** The value in a slot, bound. */
  get(slot: Slot): Expr {
    const { b } = this;
    const width = bytesOf(this.form);
    return b.let(b.get(slot, width, this.packed ? "v128" : this.double ? "f64" : "f32"));
  }
  set(value: Expr): void {
    this.b.set("a", bytesOf(this.form), value);
  }

  and(...masks: Expr[]): Expr {
    return masks.reduce((x, y) => this.b.op(`${this.logic}.and`, [x, y]));
  }
  or(x: Expr, y: Expr): Expr {
    return this.b.op(`${this.logic}.or`, [x, y]);
  }
  /** Whether the mask holds in all lanes, as an i32. */
  all(mask: Expr): Expr {
    return this.packed ? this.b.op(`${this.integer}.all_true`, [mask]) : mask;
  }

  /** A float constant by its bits in binary64 (for doubles) and binary32. */
  constant(bits64: bigint, bits32: number): Expr {
    const { b } = this;
    if (this.packed) {
      const lane = this.double
        ? bits64 | (bits64 << 64n)
        : BigInt(bits32) * 0x00000001_00000001_00000001_00000001n;
      return b.v128(lane);
    }
    return this.double
      ? b.op("f64.reinterpret_i64", [b.i64(bits64)])
      : b.op("f32.reinterpret_i32", [b.i32(bits32)]);
  }
  zero(): Expr {
    return this.constant(0n, 0);
  }
  isZero(x: Expr): Expr {
    return this.op("eq", x, this.zero());
  }
  /** Normal, infinite or zero: neither NaN nor denormal. */
  plain(x: Expr): Expr {
    const smallest = this.constant(0x0010000000000000n, 0x00800000);
    return this.or(this.op("ge", this.op("abs", x), smallest), this.isZero(x));
  }
  /**
   * Finite and larger than the smallest normal number. That one itself may be a result that was tiny before it was
   * rounded, an underflow.
   */
  safeResult(x: Expr): Expr {
    const magnitude = this.op("abs", x);
    const smallest = this.constant(0x0010000000000000n, 0x00800000);
    const infinity = this.constant(0x7ff0000000000000n, 0x7f800000);
    return this.and(this.op("gt", magnitude, smallest), this.op("lt", magnitude, infinity));
  }
  /** At most half of the significand's bits are used in all of these, so that the product of any two is exact. */
  short(...values: Expr[]): Expr {
    const { b } = this;
    const bits = values.map((v) => (this.packed ? v : b.op(`${this.integer}.reinterpret_${this.type}`, [v])));
    const logic = this.packed ? "v128" : this.integer;
    const any = bits.reduce((x, y) => b.op(`${logic}.or`, [x, y]));
    const low = this.double ? 0x7ffffffn : 0xfffn;
    if (!this.packed) return b.eqz(b.and(any, this.double ? b.i64(low) : b.i32(Number(low))));
    const lowBits = b.v128(this.double ? low | (low << 64n) : low * 0x00000001_00000001_00000001_00000001n);
    return b.op(`${this.integer}.eq`, [b.op("v128.and", [any, lowBits]), b.v128(0n)]);
  }
}

/** Whether an inexact result to nearest raises nothing new. */
export function inexactIsSilent(b: Builder): Expr {
  return b.eq(b.and(b.state(MXCSR, 4), b.i32(MODE_MASK)), b.i32(MODE_INEXACT));
}

/** Whether MXCSR is as the above but for PE. */
export function nearestAllMasked(b: Builder): Expr {
  return b.eq(b.and(b.state(MXCSR, 4), b.i32(MODE_MASK & ~PE)), b.i32(MODE_EXACT));
}

/**
 * Runs `fast` when `ok` (i32) holds and the result is known to raise nothing new: PE is sticky already, or the
 * result is exact as `exact` finds out. Else the callout.
 */
export function guarded(b: Builder, ok: Expr, exact: () => Expr, fast: () => void): void {
  const valid = b.let(ok);
  const go = b.variable(b.and(valid, inexactIsSilent(b)));
  b.if(b.eqz(go), () => {
    b.if(b.and(valid, nearestAllMasked(b)), () => b.assign(go, exact()));
  });
  b.if(go, fast, () => b.callout());
}
