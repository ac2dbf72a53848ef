import { Code, Mnemonic, OpKind } from "iced-x86";
import { defineCallout, FAULTED, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { IMMEDIATE, lower, type DecodeContext } from "../decode/context.js";
import { EXIT_FAR } from "../exit-codes.js";
import { RFLAGS_OTHER } from "../registers.js";
import { CS, LONG, type Descriptor, type SegmentFault } from "../segments.js";
import { BOUNCE, EXIT_CODE, RIP, RSP, SELECTOR } from "../state.js";
import { StackPointer } from "./stack-pointer.js";

/**
 * IRET, far RET, CALL and JMP, of all modes, to code at the same privilege level (SDM vol. 2). Without call gates:
 * Linux gives user mode none. Registers change after all that can fault.
 */
const VECTOR_GP = 13;
const RFLAGS_NT = 0x4000;

function refuse(context: CalloutContext, { vector, errorCode }: SegmentFault): CalloutStatus {
  context.raise(vector, errorCode);
  return FAULTED;
}

/** Halves of the instruction pointer in `width` bytes at linear `at`, zero-extended. */
function pointerAt(context: CalloutContext, at: number, width: number): readonly [number, number] {
  const { u16, u32 } = context.memory;
  return width === 2 ? [u16[at >>> 1]!, 0] : [u32[at >>> 2]!, width === 8 ? u32[(at >>> 2) + 1]! : 0];
}

/** Whether the code segment has such an offset: below the limit, or canonical. */
function hasOffset(code: Descriptor, [low, high]: readonly [number, number]): boolean {
  if ((code.attributes & LONG) === 0) return low <= code.limit;
  return high < 0x8000 || high >>> 15 === 0x1ffff;
}

/** Loads CS and the instruction pointer, and leaves for it. */
function enter(
  context: CalloutContext,
  selector: number,
  code: Descriptor,
  [low, high]: readonly [number, number],
): CalloutStatus {
  const { u32 } = context.memory;
  context.registers.segments.loadCode(selector, code);
  u32[RIP >>> 2] = low;
  u32[(RIP >>> 2) + 1] = (code.attributes & LONG) !== 0 ? high : 0;
  u32[EXIT_CODE >>> 2] = EXIT_FAR;
  return FAULTED;
}

/** The order in which IRET reads its items, as recorded on real processors: RFLAGS, CS, RIP, then the others. */
const ORDER = [2, 1, 0, 3, 4];

/** d = bytes of an item on the stack. */
defineCallout("iret", (context, record) => {
  const { registers, memory } = context;
  const { u16, u32 } = memory;
  const { segments } = registers;
  const width = context.d(record);
  if ((registers.rflags & RFLAGS_NT) !== 0) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
  const stack = new StackPointer(context);
  const item = (i: number): number => BOUNCE + 8 * i;
  // 64-bit mode always pops RSP and SS.
  const items = stack.long ? 5 : 3;
  for (const i of ORDER) if (i < items && !stack.read(width * i, width, item(i))) return FAULTED;
  const selector = u16[item(1) >>> 1]!;
  const code = segments.codeFor(selector, true);
  if ("vector" in code) return refuse(context, code);
  const target = pointerAt(context, item(0), width);
  if (stack.long) {
    const ss = u16[item(4) >>> 1]!;
    const found = segments.stackFor(ss);
    if ("vector" in found) return refuse(context, found);
    if (!hasOffset(code, target)) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
    segments.loadStack(ss, found);
    const [low, high] = pointerAt(context, item(3), width);
    u32[RSP >>> 2] = low;
    u32[(RSP >>> 2) + 1] = high;
  } else {
    if (!hasOffset(code, target)) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
    stack.move(3 * width);
  }
  const flags = width === 2 ? (registers.rflags & ~0xffff) | u16[item(2) >>> 1]! : u32[item(2) >>> 2]!;
  registers.rflags = flags & (RFLAGS_OTHER | 0x8d5);
  return enter(context, selector, code, target);
});

/** d = bytes of an item on the stack, c = bytes of parameters. */
defineCallout("retf", (context, record) => {
  const width = context.d(record);
  const stack = new StackPointer(context);
  if (!stack.read(width, width, BOUNCE + 8) || !stack.read(0, width, BOUNCE)) return FAULTED;
  const selector = context.memory.u16[(BOUNCE + 8) >>> 1]!;
  const code = context.registers.segments.codeFor(selector, true);
  if ("vector" in code) return refuse(context, code);
  const target = pointerAt(context, BOUNCE, width);
  if (!hasOffset(code, target)) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
  stack.move(2 * width + context.c(record));
  return enter(context, selector, code, target);
});

/** a = where the offset lies, b = where the selector, d = bytes of the offset. */
defineCallout("jmp.far.indirect", (context, record) => {
  const selector = context.memory.u16[context.b(record) >>> 1]!;
  const code = context.registers.segments.codeFor(selector, false);
  if ("vector" in code) return refuse(context, code);
  const target = pointerAt(context, context.a(record), context.d(record));
  if (!hasOffset(code, target)) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
  return enter(context, selector, code, target);
});

/** The same, and immediate = RIP behind the instruction. */
defineCallout("call.far.indirect", (context, record) => {
  const { u8, u32 } = context.memory;
  const width = context.d(record);
  const selector = context.memory.u16[context.b(record) >>> 1]!;
  const code = context.registers.segments.codeFor(selector, false);
  if ("vector" in code) return refuse(context, code);
  const target = pointerAt(context, context.a(record), width);
  const stack = new StackPointer(context, (code.attributes & LONG) !== 0);
  u8.fill(0, BOUNCE, BOUNCE + 8);
  u8.copyWithin(BOUNCE, SELECTOR + 2 * CS, SELECTOR + 2 * CS + 2);
  u32[(BOUNCE + 8) >>> 2] = context.immediateLow(record);
  u32[(BOUNCE + 12) >>> 2] = context.immediateHigh(record);
  // As recorded on real processors: both are written before the target is checked.
  if (!stack.write(-width, width, BOUNCE) || !stack.write(-2 * width, width, BOUNCE + 8)) return FAULTED;
  if (!hasOffset(code, target)) return refuse(context, { vector: VECTOR_GP, errorCode: 0 });
  stack.move(-2 * width);
  return enter(context, selector, code, target);
});

/** Bytes of a far pointer's offset. */
const FAR: ReadonlyMap<Code, 2 | 4 | 8> = new Map([
  [Code.Jmp_m1616, 2],
  [Code.Jmp_m1632, 4],
  [Code.Jmp_m1664, 8],
  [Code.Jmp_ptr1616, 2],
  [Code.Jmp_ptr1632, 4],
  [Code.Call_m1616, 2],
  [Code.Call_m1632, 4],
  [Code.Call_m1664, 8],
  [Code.Call_ptr1616, 2],
  [Code.Call_ptr1632, 4],
]);

export const isFar = (x: DecodeContext): boolean => FAR.has(x.code);

export function lowerFar(x: DecodeContext, name: "jmp" | "call"): void {
  const { instruction } = x;
  const width = FAR.get(x.code)!;
  const offset = x.temp();
  const selector = x.temp();
  const kind = instruction.opKind(0);
  if (kind === OpKind.FarBranch16 || kind === OpKind.FarBranch32) {
    const target = kind === OpKind.FarBranch16 ? instruction.farBranch16 : instruction.farBranch32;
    x.emit("mov.8", { a: offset, b: IMMEDIATE, immediate: target >>> 0 });
    x.emit("mov.8", { a: selector, b: IMMEDIATE, immediate: instruction.farBranchSelector });
  } else {
    const address = x.address();
    x.emit(`ld.${width}.b`, { a: offset, b: address, immediate: 0 });
    x.emit("ld.2.b", { a: selector, b: address, immediate: width });
  }
  x.callout(`${name}.far.indirect`, { a: offset, b: selector, d: width, immediate: x.next });
  x.emit("stop");
}

for (const [mnemonic, d] of [
  [Mnemonic.Iret, 2],
  [Mnemonic.Iretd, 4],
  [Mnemonic.Iretq, 8],
] as const)
  lower(mnemonic, (x) => {
    x.callout("iret", { d });
    x.emit("stop");
  });
lower(Mnemonic.Retf, (x) => {
  const { code } = x;
  const d =
    code === Code.Retfq || code === Code.Retfq_imm16
      ? 8
      : code === Code.Retfw || code === Code.Retfw_imm16
        ? 2
        : 4;
  x.callout("retf", { d, c: x.instruction.opCount > 0 ? Number(x.instruction.immediate(0)) : 0 });
  x.emit("stop");
});
