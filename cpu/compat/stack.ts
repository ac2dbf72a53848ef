import { Code, Mnemonic, Register } from "iced-x86";
import { defineCallout, DONE, FAULTED } from "../callouts.js";
import { IMMEDIATE, type DecodeContext } from "../decode/context.js";
import { isSegment, selectorOf } from "../integer/move.js";
import { BOUNCE, GPR, RBP, RSP } from "../state.js";
import { ADDRESS, emitLinear, segmentNumber } from "./addressing.js";
import { lowerCompat } from "./lowerings.js";
import { StackPointer } from "./stack-pointer.js";

/**
 * PUSH, POP and their kin on ESP or SP, in operands of 2 or 4 bytes. Registers change after all that can fault, but for
 * POPA, which keeps what it has loaded, and PUSHA what it has stored, as recorded on real processors.
 */

/** a = where the operand lies, d = its bytes, c = the bytes of it that are written (of a selector, 2). */
defineCallout("compat.push", (context, record) => {
  const stack = new StackPointer(context);
  const width = context.d(record);
  if (!stack.write(-width, context.c(record), context.a(record))) return FAULTED;
  stack.move(-width);
  return DONE;
});

/** a = where the value goes, zero-extended from d bytes if d is 4. */
defineCallout("compat.pop", (context, record) => {
  const stack = new StackPointer(context);
  const { u8, u32 } = context.memory;
  const width = context.d(record);
  const to = context.a(record);
  if (!stack.read(0, width, BOUNCE)) return FAULTED;
  stack.move(width);
  u8.copyWithin(to, BOUNCE, BOUNCE + width);
  if (width === 4) u32[(to >>> 2) + 1] = 0;
  return DONE;
});

/** a = scratch for the c bytes that are read of the d at the top, b = scratch for ESP behind them. */
defineCallout("compat.peek", (context, record) => {
  const stack = new StackPointer(context);
  const { u8, u32 } = context.memory;
  const width = context.d(record);
  if (!stack.read(0, context.c(record), context.a(record))) return FAULTED;
  const after = context.b(record);
  u8.copyWithin(BOUNCE, RSP, RSP + 8);
  stack.move(width);
  u8.copyWithin(after, RSP, RSP + 8);
  u8.copyWithin(RSP, BOUNCE, BOUNCE + 8);
  u32[(context.a(record) >>> 2) + 1] = 0;
  return DONE;
});

defineCallout("compat.pusha", (context, record) => {
  const stack = new StackPointer(context);
  const width = context.d(record);
  for (let i = 0; i < 8; i++) if (!stack.write(-width * (i + 1), width, GPR + 8 * i)) return FAULTED;
  stack.move(-8 * width);
  return DONE;
});

defineCallout("compat.popa", (context, record) => {
  const stack = new StackPointer(context);
  const { u8, u32 } = context.memory;
  const width = context.d(record);
  for (let i = 0; i < 8; i++) {
    const register = GPR + 8 * (7 - i);
    if (!stack.read(width * i, width, BOUNCE)) return FAULTED;
    if (register === RSP) continue;
    u8.copyWithin(register, BOUNCE, BOUNCE + width);
    if (width === 4) u32[(register >>> 2) + 1] = 0;
  }
  stack.move(8 * width);
  return DONE;
});

/**
 * d = bytes of a push | nesting level << 8, immediate = bytes of locals (SDM vol. 2, ENTER). What is pushed before a
 * fault stays, as recorded on real processors; registers do not change.
 */
defineCallout("compat.enter", (context, record) => {
  const stack = new StackPointer(context);
  const { u8, u32 } = context.memory;
  const width = context.d(record) & 0xff;
  const level = (context.d(record) >>> 8) & 31;
  const bp = u32[RBP >>> 2]!;
  // ESP behind the first push, of which a 16-bit stack moves SP only.
  const frame = (u32[RSP >>> 2]! & ~stack.mask) | ((stack.offset - width) & stack.mask);
  if (!stack.write(-width, width, RBP)) return FAULTED;
  for (let i = 1; i < level; i++)
    if (!stack.readAt(bp - width * i, width, BOUNCE) || !stack.write(-width * (i + 1), width, BOUNCE))
      return FAULTED;
  u32[BOUNCE >>> 2] = frame;
  if (level > 0 && !stack.write(-width * (level + 1), width, BOUNCE)) return FAULTED;
  const pushes = level === 0 ? 1 : level + 1;
  const moved = -width * pushes - (context.immediateLow(record) & 0xffff);
  // What the new ESP points to must be writable too.
  if (!stack.mayWrite(moved, width)) return FAULTED;
  u8.copyWithin(RBP, BOUNCE, BOUNCE + width);
  if (width === 4) u32[(RBP >>> 2) + 1] = 0;
  stack.move(moved);
  return DONE;
});

defineCallout("compat.leave", (context, record) => {
  const stack = new StackPointer(context);
  const { u8, u32 } = context.memory;
  const width = context.d(record);
  const bp = (u32[RBP >>> 2]! & stack.mask) >>> 0;
  if (!stack.readAt(bp, width, BOUNCE)) return FAULTED;
  stack.moveTo(bp + width);
  u8.copyWithin(RBP, BOUNCE, BOUNCE + width);
  if (width === 4) u32[(RBP >>> 2) + 1] = 0;
  return DONE;
});

/** Bytes that a push or pop of the instruction moves. */
const stackBytes = (x: DecodeContext): 2 | 4 =>
  Math.abs(x.instruction.stackPointerIncrement) % 4 === 2 ? 2 : 4;

lowerCompat(Mnemonic.Push, (x) => {
  const width = stackBytes(x);
  const register = x.isRegister(0) ? x.instruction.opRegister(0) : Register.None;
  // A selector is written as 2 bytes; what lies above it stays.
  if (isSegment(register)) return x.callout("compat.push", { a: selectorOf(register), c: 2, d: width });
  const a = x.read(0, width);
  const immediate = a === IMMEDIATE ? { immediate: x.immediate(0) } : {};
  x.callout("compat.push", { a, c: width, d: width, ...immediate });
});
lowerCompat(Mnemonic.Pop, (x) => {
  const width = stackBytes(x);
  const register = x.isRegister(0) ? x.instruction.opRegister(0) : Register.None;
  if (register !== Register.None && !isSegment(register))
    return x.callout("compat.pop", { a: x.reg(0), d: width });
  const value = x.temp();
  const after = x.temp();
  // Of a selector only 2 bytes are read.
  x.callout("compat.peek", { a: value, b: after, c: isSegment(register) ? 2 : width, d: width });
  if (isSegment(register)) x.callout("loadSegment", { a: value, b: segmentNumber(register) });
  else {
    emitLinear(x, { bytes: width, write: true }, after);
    x.emit(`st.${width}.b`, { a: value, b: ADDRESS, immediate: 0 });
  }
  x.emit("mov.8", { a: RSP, b: after });
});
for (const [mnemonic, name, d] of [
  [Mnemonic.Pusha, "pusha", 2],
  [Mnemonic.Pushad, "pusha", 4],
  [Mnemonic.Popa, "popa", 2],
  [Mnemonic.Popad, "popa", 4],
] as const)
  lowerCompat(mnemonic, (x) => x.callout(`compat.${name}`, { d }));
lowerCompat(Mnemonic.Enter, (x) => {
  const width = x.code === Code.Enterw_imm16_imm8 ? 2 : 4;
  const level = Number(x.instruction.immediate(1));
  x.callout("compat.enter", { d: width | (level << 8), immediate: x.instruction.immediate(0) });
});
lowerCompat(Mnemonic.Leave, (x) => x.callout("compat.leave", { d: x.code === Code.Leavew ? 2 : 4 }));

for (const [mnemonic, width] of [
  [Mnemonic.Pushf, 2],
  [Mnemonic.Pushfd, 4],
] as const)
  lowerCompat(mnemonic, (x) => {
    const temp = x.temp();
    x.emit("rflags", { a: temp });
    x.callout("compat.push", { a: temp, c: width, d: width });
  });
for (const [mnemonic, width] of [
  [Mnemonic.Popf, 2],
  [Mnemonic.Popfd, 4],
] as const)
  lowerCompat(mnemonic, (x) => {
    const temp = x.temp();
    x.callout("compat.pop", { a: temp, d: width });
    x.emit(width === 2 ? "setrflags.2" : "setrflags.8", { b: temp });
    x.emit("stop");
  });
