import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";

/** Widths of an integer operation, in bytes. */
export const WIDTHS = [1, 2, 4, 8] as const;
export type IntegerWidth = (typeof WIDTHS)[number];

/** A constant of the type that `width` is computed in. */
export const constant = (b: Builder, width: Width, value: number): Expr =>
  width === 8 ? b.i64(value) : b.i32(value);

/** Keeps the low `width` bytes of an i32 computation. */
export const truncated = (b: Builder, width: Width, value: Expr): Expr =>
  width === 1 ? b.and(value, b.i32(0xff)) : width === 2 ? b.and(value, b.i32(0xffff)) : value;

/** The top bit of a `width`-byte value as an i32 of 0 or 1. */
export const topBit = (b: Builder, width: Width, value: Expr): Expr =>
  width === 8 ? b.wrap(b.shrU(value, b.i64(63))) : b.and(b.shrU(value, b.i32(8 * width - 1)), b.i32(1));
