/** Every x87 instruction but the control and state ones (control.ts, state-image.ts). */

import { Mnemonic, Register } from "iced-x86";
import { lower, type DecodeContext, type Lower } from "../decode/context.js";
import { FLAG_AUX, FLAG_RESULT } from "../state.js";
import * as arithmetic from "./arithmetic.js";
import { BUFFER, defineX87, emitX87, emitX87Load, emitX87Memory } from "./callout.js";
import * as functions from "./functions.js";
import * as transfer from "./transfer.js";
import { pop, type X87Memory } from "./unit.js";

/** Several small numbers in one record field. */
const pack = (a: number, b = 0, c = 0, pops = 0): number => a | (b << 8) | (c << 16) | (pops << 24);
const first = (p: number): number => p & 0xff;
const second = (p: number): number => (p >>> 8) & 0xff;
const third = (p: number): number => (p >>> 16) & 0xff;
const popsOf = (p: number): number => p >>> 24;

/** The stack index of register operand i. */
function stackIndex(x: DecodeContext, i: number): number {
  return x.instruction.opRegister(i) - Register.ST0;
}

/** Format of the memory operand of an instruction on reals or on integers. */
function formatOf(x: DecodeContext, integer: boolean): number {
  switch (x.size(0) as number) {
    case 2:
      return transfer.I16;
    case 4:
      return integer ? transfer.I32 : transfer.F32;
    case 8:
      return integer ? transfer.I64 : transfer.F64;
    default:
      return transfer.F80;
  }
}

function load(x: DecodeContext, name: string, parameter: number): void {
  emitX87Load(x, name, parameter, x.size(0) as 2 | 4 | 8);
}

// --- arithmetic

defineX87(
  "x87.arithmetic",
  (m, p) => void arithmetic.arithmetic(m, first(p), second(p), third(p), popsOf(p)),
);
defineX87("x87.arithmeticMemory", (m, p, at) => void arithmetic.arithmeticMemory(m, first(p), second(p), at));

function arithmeticRegisters(op: number, pops: number): Lower {
  return (x) => emitX87(x, "x87.arithmetic", pack(op, stackIndex(x, 0), stackIndex(x, 1), pops));
}

function arithmeticLowering(op: number, integer: boolean): Lower {
  const registers = arithmeticRegisters(op, 0);
  return (x) => {
    if (x.isMemory(0)) load(x, "x87.arithmeticMemory", pack(op, formatOf(x, integer)));
    else registers(x);
  };
}

for (const [name, op] of [
  ["add", arithmetic.ADD],
  ["mul", arithmetic.MUL],
  ["sub", arithmetic.SUB],
  ["subr", arithmetic.SUBR],
  ["div", arithmetic.DIV],
  ["divr", arithmetic.DIVR],
] as const) {
  lower(Mnemonic[`F${name}`], arithmeticLowering(op, false));
  lower(Mnemonic[`F${name}p`], arithmeticRegisters(op, 1));
  lower(Mnemonic[`Fi${name}`], arithmeticLowering(op, true));
}

// --- comparison

defineX87("x87.compare", (m, p) => void arithmetic.compareRegister(m, first(p), second(p) !== 0, popsOf(p)));
defineX87("x87.compareMemory", (m, p, at) => void arithmetic.compareMemory(m, first(p), at, popsOf(p)));
defineX87("x87.compareToFlags", (m, p) =>
  setLazyFlags(m, arithmetic.compareToFlags(m, first(p), second(p) !== 0, popsOf(p))),
);

/** ZF, PF and CF in cpu/flags.ts's form; SF, OF and AF are cleared. */
function setLazyFlags(m: X87Memory, flags: number): void {
  const cf = flags & 1;
  const pf = (flags >>> 2) & 1;
  const zf = (flags >>> 6) & 1;
  m.i32[FLAG_RESULT >> 2] = zf ^ 1;
  m.i32[(FLAG_RESULT >> 2) + 1] = 0;
  m.i32[FLAG_AUX >> 2] = (cf !== 0 ? 0xc0000000 : 0) | ((pf ^ zf) << 8);
}

/** FCOM's operand: ST(i) of the last register operand, ST(1) if none is written. */
function compared(x: DecodeContext): number {
  const { opCount } = x.instruction;
  return opCount === 0 ? 1 : stackIndex(x, opCount - 1);
}

function compareLowering(quiet: boolean, integer: boolean, pops: number): Lower {
  return (x) => {
    if (x.instruction.opCount > 0 && x.isMemory(0))
      load(x, "x87.compareMemory", pack(formatOf(x, integer), 0, 0, pops));
    else emitX87(x, "x87.compare", pack(pops === 2 ? 1 : compared(x), quiet ? 1 : 0, 0, pops));
  };
}

lower(Mnemonic.Fcom, compareLowering(false, false, 0));
lower(Mnemonic.Fcomp, compareLowering(false, false, 1));
lower(Mnemonic.Fcompp, compareLowering(false, false, 2));
lower(Mnemonic.Fucom, compareLowering(true, false, 0));
lower(Mnemonic.Fucomp, compareLowering(true, false, 1));
lower(Mnemonic.Fucompp, compareLowering(true, false, 2));
lower(Mnemonic.Ficom, compareLowering(false, true, 0));
lower(Mnemonic.Ficomp, compareLowering(false, true, 1));
for (const [mnemonic, quiet, pops] of [
  [Mnemonic.Fcomi, 0, 0],
  [Mnemonic.Fcomip, 0, 1],
  [Mnemonic.Fucomi, 1, 0],
  [Mnemonic.Fucomip, 1, 1],
] as const)
  lower(mnemonic, (x) => emitX87(x, "x87.compareToFlags", pack(compared(x), quiet, 0, pops)));

// --- one-operand and transcendental instructions

const PLAIN: readonly (readonly [number, (m: X87Memory) => void])[] = [
  [Mnemonic.Fsqrt, arithmetic.sqrt],
  [Mnemonic.Frndint, arithmetic.roundInteger],
  [Mnemonic.Fabs, (m) => arithmetic.changeSign(m, true)],
  [Mnemonic.Fchs, (m) => arithmetic.changeSign(m, false)],
  [Mnemonic.Ftst, arithmetic.test],
  [Mnemonic.Fxam, arithmetic.examine],
  [Mnemonic.F2xm1, arithmetic.exponential],
  [Mnemonic.Fyl2x, functions.logarithm],
  [Mnemonic.Fyl2xp1, functions.logarithmPlusOne],
  [Mnemonic.Fpatan, functions.arctangent],
  [Mnemonic.Fptan, functions.partialTangent],
  [Mnemonic.Fsin, (m) => functions.sineOf(m, false)],
  [Mnemonic.Fcos, (m) => functions.sineOf(m, true)],
  [Mnemonic.Fsincos, functions.sineAndCosine],
  [Mnemonic.Fprem, (m) => functions.partialRemainder(m, false)],
  [Mnemonic.Fprem1, (m) => functions.partialRemainder(m, true)],
  [Mnemonic.Fscale, functions.scaleByStack],
  [Mnemonic.Fxtract, functions.extractParts],
];
defineX87("x87.plain", (m, p) => void PLAIN[p]![1](m));
for (const [number, [mnemonic]] of PLAIN.entries()) lower(mnemonic, (x) => emitX87(x, "x87.plain", number));

// --- loads, stores, exchanges

defineX87("x87.load", (m, p, at) => void transfer.loadMemory(m, p, at));
defineX87("x87.loadTen", (m, p, _at, pointer, context) => {
  if (!context.readGuest(pointer, 0, 10, BUFFER)) return false;
  transfer.loadMemory(m, p, BUFFER);
  return true;
});
defineX87("x87.loadStack", (m, p) => void transfer.loadStack(m, p));
defineX87("x87.constant", (m, p) => void transfer.loadConstant(m, p));
defineX87("x87.store", (m, p, _at, pointer, context) => {
  const kind = first(p);
  if (!transfer.prepareStore(m, kind, second(p) !== 0, BUFFER)) return true;
  if (!context.writeGuest(pointer, 0, transfer.FORMAT_BYTES[kind]!, BUFFER)) return false;
  if (popsOf(p) !== 0) pop(m);
  return true;
});
defineX87("x87.storeStack", (m, p) => void transfer.storeStack(m, first(p), popsOf(p)));
defineX87("x87.exchange", (m, p) => void transfer.exchange(m, p));
defineX87("x87.move", (m, p, at) => {
  const flags = m.u8[at]!;
  const condition = second(p) === 0 ? 0x01 : second(p) === 1 ? 0x40 : second(p) === 2 ? 0x41 : 0x04;
  transfer.conditionalMove(m, first(p), ((flags & condition) !== 0) !== (third(p) !== 0));
});

lower(Mnemonic.Fld, (x) => {
  if (!x.isMemory(0)) emitX87(x, "x87.loadStack", stackIndex(x, x.instruction.opCount - 1));
  else if (formatOf(x, false) === transfer.F80) emitX87Memory(x, "x87.loadTen", transfer.F80);
  else load(x, "x87.load", formatOf(x, false));
});
lower(Mnemonic.Fild, (x) => load(x, "x87.load", formatOf(x, true)));
lower(Mnemonic.Fbld, (x) => emitX87Memory(x, "x87.loadTen", transfer.BCD));
for (const [number, mnemonic] of [
  Mnemonic.Fld1,
  Mnemonic.Fldl2t,
  Mnemonic.Fldl2e,
  Mnemonic.Fldpi,
  Mnemonic.Fldlg2,
  Mnemonic.Fldln2,
  Mnemonic.Fldz,
].entries())
  lower(mnemonic, (x) => emitX87(x, "x87.constant", number));

function storeLowering(integer: boolean, truncate: boolean, pops: number): Lower {
  return (x) => {
    if (x.isMemory(0)) emitX87Memory(x, "x87.store", pack(formatOf(x, integer), truncate ? 1 : 0, 0, pops));
    else emitX87(x, "x87.storeStack", pack(stackIndex(x, 0), 0, 0, pops));
  };
}
lower(Mnemonic.Fst, storeLowering(false, false, 0));
lower([Mnemonic.Fstp, Mnemonic.Fstpnce], storeLowering(false, false, 1));
lower(Mnemonic.Fist, storeLowering(true, false, 0));
lower(Mnemonic.Fistp, storeLowering(true, false, 1));
lower(Mnemonic.Fisttp, storeLowering(true, true, 1));
lower(Mnemonic.Fbstp, (x) => emitX87Memory(x, "x87.store", pack(transfer.BCD, 0, 0, 1)));
lower(Mnemonic.Fxch, (x) => emitX87(x, "x87.exchange", stackIndex(x, x.instruction.opCount - 1)));

for (const [number, name] of (["b", "e", "be", "u"] as const).entries())
  for (const negated of [0, 1] as const) {
    const mnemonic = Mnemonic[`Fcmov${negated === 1 ? "n" : ""}${name}` as "Fcmovb"];
    lower(mnemonic, (x) => {
      const flags = x.temp();
      x.emit("rflags", { a: flags });
      x.callout("x87.move", {
        a: pack(stackIndex(x, 1), number, negated),
        b: flags,
        d: 0,
        e: 0,
        immediate: x.rip,
      });
    });
  }
