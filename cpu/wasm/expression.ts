import type { Expr, Slot, Width } from "../ir/nodes.js";
import type { ValueType } from "../ir/ops.js";
import type { ByteWriter } from "./encoder.js";

/** What a tier decides about an expression's leaves: where operands and locals are. */
export interface Leaves {
  operand(slot: Slot, width: Width, type: ValueType, signed: boolean): void;
  state(address: number, width: Width, type: ValueType, signed: boolean): void;
  immediate(): void;
  small(): void;
  local(index: number): number;
}

/** Opcodes by type and width. */
const SIGNED_LOADS: Partial<Record<ValueType, Partial<Record<Width, number>>>> = {
  i32: { 1: 0x2c, 2: 0x2e, 4: 0x28 },
  i64: { 1: 0x30, 2: 0x32, 4: 0x34, 8: 0x29 },
};
const LOADS: Partial<Record<ValueType, Partial<Record<Width, number>>>> = {
  i32: { 1: 0x2d, 2: 0x2f, 4: 0x28 },
  i64: { 1: 0x31, 2: 0x33, 4: 0x35, 8: 0x29 },
  f32: { 4: 0x2a },
  f64: { 8: 0x2b },
};
const STORES: Partial<Record<ValueType, Partial<Record<Width, number>>>> = {
  i32: { 1: 0x3a, 2: 0x3b, 4: 0x36 },
  i64: { 1: 0x3c, 2: 0x3d, 4: 0x3e, 8: 0x37 },
  f32: { 4: 0x38 },
  f64: { 8: 0x39 },
};

/** A load of the address on the stack, plus a constant offset. Alignment is given as unknown. */
export function emitLoad(
  w: ByteWriter,
  type: ValueType,
  width: Width,
  signed: boolean,
  offset: number,
): void {
  if (type === "v128") {
    // Narrower vector loads fill the low bytes and clear the rest.
    if (width === 16) w.raw([0xfd, 0x00]);
    else if (width === 4) w.raw([0xfd, 0x5c]);
    else if (width === 8) w.raw([0xfd, 0x5d]);
    else throw new Error(`no vector load of ${width} bytes`);
  } else {
    const code = (signed ? SIGNED_LOADS : LOADS)[type]?.[width];
    if (code === undefined) throw new Error(`no load of ${width} bytes as ${type}`);
    w.byte(code);
  }
  w.byte(0);
  w.u32(offset);
}

/** A store of the value on the stack to the address below it, plus a constant offset. */
export function emitStore(w: ByteWriter, type: ValueType, width: Width, offset: number): void {
  if (type === "v128") {
    if (width === 16) w.raw([0xfd, 0x0b]);
    // v128.store32_lane and store64_lane of lane 0.
    else if (width === 4) w.raw([0xfd, 0x5a]);
    else if (width === 8) w.raw([0xfd, 0x5b]);
    else throw new Error(`no vector store of ${width} bytes`);
    w.byte(0);
    w.u32(offset);
    if (width !== 16) w.byte(0);
    return;
  }
  const code = STORES[type]?.[width];
  if (code === undefined) throw new Error(`no store of ${width} bytes of ${type}`);
  w.byte(code);
  w.byte(0);
  w.u32(offset);
}

/** Leaves the expression's value on the stack. */
export function emitExpression(w: ByteWriter, leaves: Leaves, e: Expr): void {
  switch (e.kind) {
    case "const":
      return emitConstant(w, e.type, e.value);
    case "op":
      for (const arg of e.args) emitExpression(w, leaves, arg);
      w.raw(e.info.code);
      if (e.lane !== undefined) w.byte(e.lane);
      return;
    case "shuffle":
      for (const arg of e.args) emitExpression(w, leaves, arg);
      w.raw([0xfd, 0x0d, ...e.lanes]);
      return;
    case "select":
      emitExpression(w, leaves, e.yes);
      emitExpression(w, leaves, e.no);
      emitExpression(w, leaves, e.cond);
      if (e.type === "v128") w.raw([0x1c, 1, 0x7b]);
      else w.byte(0x1b);
      return;
    case "local":
      w.byte(0x20);
      w.u32(leaves.local(e.index));
      return;
    case "operand":
      return leaves.operand(e.slot, e.width, e.type, e.signed);
    case "state":
      return leaves.state(e.address, e.width, e.type, e.signed);
    case "immediate":
      return leaves.immediate();
    case "small":
      return leaves.small();
  }
}

function emitConstant(w: ByteWriter, type: ValueType, value: bigint): void {
  if (type === "i32") {
    w.byte(0x41);
    w.s64(BigInt.asIntN(32, value));
  } else if (type === "i64") {
    w.byte(0x42);
    w.s64(value);
  } else if (type === "v128") {
    w.raw([0xfd, 0x0c]);
    for (let i = 0n; i < 16n; i++) w.byte(Number((value >> (8n * i)) & 0xffn));
  } else throw new Error(`no constants of type ${type}`);
}
