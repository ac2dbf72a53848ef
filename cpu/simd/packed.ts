import { Mnemonic } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { isMmxOperand, mmx, partial, setMmx, vector } from "./operands.js";

/** The result from both sources, 16 bytes each. In the MMX form the upper 8 of each are 0 and those of the result ignored. */
export type PackedBody = (b: Builder, x: Expr, y: Expr) => Expr;

export interface PackedOptions {
  readonly kind?: "hot" | "rare";
  /** The MMX form's meaning: the same, another, or none. */
  readonly mmx?: "same" | PackedBody;
  /** Bytes of a memory operand of the MMX form. */
  readonly mmxBytes?: 4 | 8;
}

/** Defines micro-op `name` (and `name.m`): a = body(a, b). */
export function definePacked(name: string, body: PackedBody, options: PackedOptions = {}): void {
  const { kind = "rare", mmx: mmxForm } = options;
  define(name, (b) => b.set("a", 16, body(b, b.let(b.get("a", 16)), b.let(b.get("b", 16)))), kind);
  if (mmxForm === undefined) return;
  const mmxBody = mmxForm === "same" ? body : mmxForm;
  define(
    `${name}.m`,
    (b) => setMmx(b, mmxBody(b, b.let(b.get("a", 8, "v128")), b.let(b.get("b", 8, "v128")))),
    "rare",
  );
}

/** The lowering of a two-operand packed instruction to micro-op `name`. */
export function lowerPacked(name: string, mmxBytes: 4 | 8 = 8): (x: DecodeContext) => void {
  return (x) => {
    if (!isMmxOperand(x, 0)) return x.emit(name, { b: vector(x, 1), a: x.reg(0) });
    mmx(x, () => x.emit(`${name}.m`, { b: partial(x, 1, mmxBytes), a: x.reg(0) }));
  };
}

/** A packed instruction: its micro-op is called as its (first) mnemonic. */
export function packed(
  mnemonics: Mnemonic | readonly Mnemonic[],
  body: PackedBody,
  options: PackedOptions = {},
): void {
  const list = typeof mnemonics === "number" ? [mnemonics] : mnemonics;
  const name = Mnemonic[list[0]].toLowerCase();
  definePacked(name, body, options);
  lower(list, lowerPacked(name, options.mmxBytes));
}

/** A body that is one WebAssembly operation. */
export const operation =
  (name: string): PackedBody =>
  (b, x, y) =>
    b.op(name, [x, y]);

/** One of the second source alone. */
export const unary =
  (name: string): PackedBody =>
  (b, _x, y) =>
    b.op(name, [y]);

/** The low 8 bytes of x and, above them, those of y. */
export function joined(b: Builder, x: Expr, y: Expr): Expr {
  return b.shuffle(x, y, [...Array(8).keys(), ...Array.from({ length: 8 }, (_, i) => 16 + i)]);
}

/** Byte numbers for a shuffle out of numbers of `width`-byte lanes. */
export function laneBytes(width: number, lanes: readonly number[]): number[] {
  return lanes.flatMap((lane) => Array.from({ length: width }, (_, i) => lane * width + i));
}
