import { Mnemonic, RegisterExt } from "iced-x86";
import { defineCallout, DONE, FAULTED, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { IMMEDIATE, type DecodeContext } from "../decode/context.js";
import { DS, ES } from "../segments.js";
import { BOUNCE, RAX, RBX, ZERO } from "../state.js";
import { linearIn } from "./access.js";
import {
  ADDRESS,
  addressBytes,
  emitLinearAsUsed,
  emitOffset,
  emitSegment,
  segmentNumber,
} from "./addressing.js";
import { lowerCompat } from "./lowerings.js";

/** Instructions that 64-bit mode does not have, and those whose addresses are computed otherwise. */
const VECTOR_DE = 0;
const VECTOR_BR = 5;
const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const AH = RAX + 1;

/** SF, ZF and PF of a byte. */
function byteFlags(value: number): number {
  let parity = value ^ (value >>> 4);
  parity ^= parity >>> 2;
  parity ^= parity >>> 1;
  return ((parity & 1) === 0 ? PF : 0) | (value === 0 ? ZF : 0) | (value & SF);
}

function setFlags(context: CalloutContext, mask: number, value: number): CalloutStatus {
  context.registers.rflags = (context.registers.rflags & ~mask) | value;
  return DONE;
}

/** DAA: d = 1; DAS: d = -1. */
defineCallout("compat.decimalAdjust", (context, record) => {
  const sign = context.d(record);
  const { u8 } = context.memory;
  const { rflags } = context.registers;
  const old = u8[RAX]!;
  let al = old;
  let flags = 0;
  if ((al & 15) > 9 || (rflags & AF) !== 0) {
    al += 6 * sign;
    flags = AF | (rflags & CF) | (al < 0 || al > 0xff ? CF : 0);
  }
  if (old > 0x99 || (rflags & CF) !== 0) {
    al += 0x60 * sign;
    flags |= CF;
  } else if (sign > 0) flags &= ~CF;
  u8[RAX] = al;
  return setFlags(context, CF | PF | AF | ZF | SF, flags | byteFlags(u8[RAX]!));
});

/** AAA: d = 1; AAS: d = -1. */
defineCallout("compat.asciiAdjust", (context, record) => {
  const sign = context.d(record);
  const { u8, u16 } = context.memory;
  const adjusts = (u8[RAX]! & 15) > 9 || (context.registers.rflags & AF) !== 0;
  if (adjusts) u16[RAX >>> 1]! += 0x106 * sign;
  u8[RAX]! &= 15;
  return setFlags(context, CF | AF, adjusts ? CF | AF : 0);
});

/** d = the base. */
defineCallout("compat.aam", (context, record) => {
  const { u8 } = context.memory;
  const base = context.d(record);
  if (base === 0) {
    context.raise(VECTOR_DE);
    return FAULTED;
  }
  const al = u8[RAX]!;
  u8[AH] = Math.floor(al / base);
  u8[RAX] = al % base;
  return setFlags(context, CF | PF | AF | ZF | SF | 0x800, byteFlags(u8[RAX]));
});
defineCallout("compat.aad", (context, record) => {
  const { u8 } = context.memory;
  u8[RAX]! += u8[AH]! * context.d(record);
  u8[AH] = 0;
  return setFlags(context, CF | PF | AF | ZF | SF | 0x800, byteFlags(u8[RAX]!));
});
defineCallout("compat.salc", (context) => {
  context.memory.u8[RAX] = (context.registers.rflags & CF) !== 0 ? 0xff : 0;
  return DONE;
});

lowerCompat(Mnemonic.Daa, (x) => x.callout("compat.decimalAdjust", { d: 1 }));
lowerCompat(Mnemonic.Das, (x) => x.callout("compat.decimalAdjust", { d: -1 }));
lowerCompat(Mnemonic.Aaa, (x) => x.callout("compat.asciiAdjust", { d: 1 }));
lowerCompat(Mnemonic.Aas, (x) => x.callout("compat.asciiAdjust", { d: -1 }));
lowerCompat(Mnemonic.Aam, (x) => x.callout("compat.aam", { d: x.instruction.immediate8 }));
lowerCompat(Mnemonic.Aad, (x) => x.callout("compat.aad", { d: x.instruction.immediate8 }));
lowerCompat(Mnemonic.Salc, (x) => x.callout("compat.salc"));

/** a = the index, b and c = the bounds, d = bytes of each. */
defineCallout("compat.bound", (context, record) => {
  const { i32, u16 } = context.memory;
  const short = context.d(record) === 2;
  const signed = (at: number): number => (short ? (u16[at >>> 1]! << 16) >> 16 : i32[at >>> 2]!);
  const index = signed(context.a(record));
  if (index >= signed(context.b(record)) && index <= signed(context.c(record))) return DONE;
  context.raise(VECTOR_BR);
  return FAULTED;
});
lowerCompat(Mnemonic.Bound, (x) => {
  const d = x.size(0) as 2 | 4;
  emitLinearAsUsed(x);
  const b = x.temp();
  const c = x.temp();
  x.emit(`ld.${d}.b`, { a: b, b: ADDRESS, immediate: 0 });
  x.emit(`ld.${d}.b`, { a: c, b: ADDRESS, immediate: d });
  x.callout("compat.bound", { a: x.reg(0), b, c, d });
});

/** a = the selector that is changed, b = the one whose RPL it must have. */
defineCallout("compat.arpl", (context, record) => {
  const { u16 } = context.memory;
  const at = context.a(record) >>> 1;
  const rpl = u16[context.b(record) >>> 1]! & 3;
  const lower = (u16[at]! & 3) < rpl;
  if (lower) u16[at] = (u16[at]! & ~3) | rpl;
  return setFlags(context, ZF, lower ? ZF : 0);
});
/** In memory, which is written only where it changes: a = the offset, c = the segment. */
defineCallout("compat.arplMemory", (context, record) => {
  const { u16, u32 } = context.memory;
  const offset = u32[context.a(record) >>> 2]!;
  const segment = context.c(record);
  const from = linearIn(context, segment, offset, 2, false);
  if (from < 0 || !context.access.read(from, 0, 2, BOUNCE)) return FAULTED;
  const rpl = u16[context.b(record) >>> 1]! & 3;
  const lower = (u16[BOUNCE >>> 1]! & 3) < rpl;
  if (lower) {
    u16[BOUNCE >>> 1] = (u16[BOUNCE >>> 1]! & ~3) | rpl;
    const to = linearIn(context, segment, offset, 2, true);
    if (to < 0 || !context.access.write(to, 0, 2, BOUNCE)) return FAULTED;
  }
  return setFlags(context, ZF, lower ? ZF : 0);
});
lowerCompat(Mnemonic.Arpl, (x) => {
  const b = x.reg(1);
  if (x.isRegister(0)) return x.callout("compat.arpl", { a: x.reg(0), b });
  emitOffset(x);
  x.callout("compat.arplMemory", { a: ADDRESS, b, c: segmentNumber(x.instruction.memorySegment) });
});

for (const [mnemonic, segment] of [
  [Mnemonic.Les, ES],
  [Mnemonic.Lds, DS],
] as const)
  lowerCompat(mnemonic, (x) => {
    const width = x.size(0);
    emitLinearAsUsed(x);
    const offset = x.temp();
    const selector = x.temp();
    x.emit(`ld.${width}.b`, { a: offset, b: ADDRESS, immediate: 0 });
    x.emit("ld.2.b", { a: selector, b: ADDRESS, immediate: width });
    x.callout("loadSegment", { a: selector, b: segment });
    x.emit(`mov.${width}`, { a: x.reg(0), b: offset });
  });

lowerCompat(Mnemonic.Lea, (x) => {
  emitOffset(x);
  x.emit(`mov.${x.size(0)}`, { a: x.reg(0), b: ADDRESS });
});

lowerCompat(Mnemonic.Xlatb, (x) => {
  const { memoryBase, memorySegment } = x.instruction;
  const index = x.temp();
  x.emit("movz.1", { a: index, b: RAX });
  const name = RegisterExt.size(memoryBase) === 2 ? "ea16" : "ea32";
  x.emit(name, { a: ADDRESS, b: RBX, c: index, d: 0, immediate: 0 });
  emitSegment(x, memorySegment, 1, false);
  x.emit("ld.1.b", { a: RAX, b: ADDRESS, immediate: 0 });
});

/** Bit tests in memory by a register, whose index goes beyond the operand. */
for (const mnemonic of [Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc] as const) {
  const name = Mnemonic[mnemonic].toLowerCase();
  lowerCompat(mnemonic, (x) => {
    if (!x.isMemory(0)) return bitTest(x, name, x.reg(0));
    const width = (x.isRegister(1) ? x.size(1) : x.size(0)) as 2 | 4;
    const writes = name !== "bt";
    emitOffset(x);
    if (x.isRegister(1)) {
      x.emit(`btaddress.${width}`, { a: ADDRESS, b: x.reg(1) });
      x.emit(addressBytes(x) === 2 ? "ea16" : "ea32", {
        a: ADDRESS,
        b: ADDRESS,
        c: ZERO,
        d: 0,
        immediate: 0,
      });
    }
    emitSegment(x, x.instruction.memorySegment, width, writes);
    const temp = x.temp();
    x.emit(`${writes ? "ldw" : "ld"}.${width}.b`, { a: temp, b: ADDRESS, immediate: 0 });
    bitTest(x, name, temp);
    if (writes) x.emit(`st.${width}.b`, { a: temp, b: ADDRESS, immediate: 0 });
  });
}

function bitTest(x: DecodeContext, name: string, a: number): void {
  const width = x.isRegister(1) ? x.size(1) : x.size(0);
  if (x.isRegister(1)) x.emit(`${name}.${width}`, { a, b: x.reg(1) });
  else x.emit(`${name}.${width}`, { a, b: IMMEDIATE, immediate: x.immediate(1) });
}
