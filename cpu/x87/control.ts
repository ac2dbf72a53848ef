/** x87 control instructions: words, stack top, tags. They leave FIP, FDP and FOP alone. */

import { Mnemonic, Register } from "iced-x86";
import { DONE, FAULTED, defineCallout, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { lower, type DecodeContext, type Lower } from "../decode/context.js";
import { RAX, X87_CONTROL, X87_END, X87_STATUS, X87_TAGS, X87_TOP } from "../state.js";
import { BUFFER, FLOATING_POINT_ERROR } from "./callout.js";
import { STATUS_C1, isPending, physical, pop, updateSummary, type X87Memory } from "./unit.js";

/** Control word after FNINIT: nearest, 64 bits, all exceptions masked. */
export const INITIAL_CONTROL = 0x37f;
/** Bit 6 always reads as 1; bits 7, 13-15 as 0. */
const CONTROL_BITS = 0x1f3f;
const CONTROL_ONES = 0x40;

/** The status word with TOP in its place. */
export function statusWord(m: X87Memory): number {
  return m.u16[X87_STATUS >> 1]! | (m.u8[X87_TOP]! << 11);
}

export function setStatusWord(m: X87Memory, status: number): void {
  m.u16[X87_STATUS >> 1] = status & ~0x3800;
  m.u8[X87_TOP] = (status >>> 11) & 7;
}

export function setControl(m: X87Memory, control: number): void {
  m.u16[X87_CONTROL >> 1] = (control & CONTROL_BITS) | CONTROL_ONES;
}

/** FNINIT's effect on everything but the register contents, which stay. */
export function initialize(m: X87Memory): void {
  m.u8.fill(0, X87_STATUS, X87_END);
  m.u16[X87_CONTROL >> 1] = INITIAL_CONTROL;
}

/** Defines a control instruction. Waiting ones raise a pending #MF first. `run` returns false after a fault. */
export function defineControl(
  name: string,
  waits: boolean,
  run: (m: X87Memory, parameter: number, pointer: number, context: CalloutContext) => unknown,
): void {
  defineCallout(name, (context, record): CalloutStatus => {
    const m = context.memory;
    if (waits && isPending(m)) {
      context.raise(FLOATING_POINT_ERROR);
      return FAULTED;
    }
    return run(m, context.a(record), context.e(record), context) === false ? FAULTED : DONE;
  });
}

function clearC1(m: X87Memory): void {
  m.u16[X87_STATUS >> 1] = m.u16[X87_STATUS >> 1]! & ~STATUS_C1;
}

function turn(m: X87Memory, by: number): void {
  m.u8[X87_TOP] = (m.u8[X87_TOP]! + by) & 7;
  clearC1(m);
}

function free(m: X87Memory, i: number): void {
  m.u8[X87_TAGS] = m.u8[X87_TAGS]! & ~(1 << physical(m, i));
}

defineControl("x87.wait", true, () => undefined);
defineControl("x87.initialize", false, (m) => void initialize(m));
defineControl("x87.clearExceptions", false, (m) => {
  m.u16[X87_STATUS >> 1] = m.u16[X87_STATUS >> 1]! & 0x7f00;
});
defineControl("x87.loadControl", true, (m, _p, pointer, context) => {
  if (!context.readGuest(pointer, 0, 2, BUFFER)) return false;
  setControl(m, m.u16[BUFFER >> 1]!);
  updateSummary(m);
  return true;
});
defineControl("x87.storeControl", false, (_m, _p, pointer, context) =>
  context.writeGuest(pointer, 0, 2, X87_CONTROL),
);
defineControl("x87.storeStatus", false, (m, _p, pointer, context) => {
  m.u16[BUFFER >> 1] = statusWord(m);
  return context.writeGuest(pointer, 0, 2, BUFFER);
});
defineControl("x87.statusToAx", false, (m) => {
  m.u16[RAX >> 1] = statusWord(m);
});
defineControl("x87.turn", true, (m, p) => void turn(m, p === 0 ? 7 : 1));
defineControl("x87.free", true, (m, p) => {
  free(m, p & 7);
  if (p > 7) pop(m);
});

/** A control instruction with a memory operand, or none. */
export function control(name: string, waits: boolean): Lower {
  return (x: DecodeContext) => {
    if (waits) x.callout("x87.wait", { a: 0, e: 0 });
    const e = x.instruction.opCount > 0 && x.isMemory(0) ? x.address() : 0;
    x.callout(name, { a: 0, e });
  };
}

lower([Mnemonic.Wait, Mnemonic.Fnop], control("x87.wait", false));
lower(Mnemonic.Fninit, control("x87.initialize", false));
lower(Mnemonic.Finit, control("x87.initialize", true));
lower(Mnemonic.Fnclex, control("x87.clearExceptions", false));
lower(Mnemonic.Fclex, control("x87.clearExceptions", true));
lower(Mnemonic.Fldcw, control("x87.loadControl", false));
lower(Mnemonic.Fnstcw, control("x87.storeControl", false));
lower(Mnemonic.Fstcw, control("x87.storeControl", true));
for (const [mnemonic, waits] of [
  [Mnemonic.Fnstsw, false],
  [Mnemonic.Fstsw, true],
] as const)
  lower(mnemonic, (x) => control(x.isMemory(0) ? "x87.storeStatus" : "x87.statusToAx", waits)(x));
lower(Mnemonic.Fincstp, (x) => x.callout("x87.turn", { a: 1, e: 0 }));
lower(Mnemonic.Fdecstp, (x) => x.callout("x87.turn", { a: 0, e: 0 }));
for (const [mnemonic, pops] of [
  [Mnemonic.Ffree, 0],
  [Mnemonic.Ffreep, 8],
] as const)
  lower(mnemonic, (x) =>
    x.callout("x87.free", { a: pops | (x.instruction.opRegister(0) - Register.ST0), e: 0 }),
  );
/** The 8087's and 80287's FENI, FDISI and FSETPM do nothing today. */
lower([Mnemonic.Fneni, Mnemonic.Fndisi, Mnemonic.Fnsetpm], (x) => x.emit("nop"));
