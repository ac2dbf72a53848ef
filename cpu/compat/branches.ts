import { Code, Mnemonic } from "iced-x86";
import { defineCallout, DONE, FAULTED, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { IMMEDIATE, type DecodeContext } from "../decode/context.js";
import { EXIT_DISPATCH } from "../exit-codes.js";
import { CONDITIONS } from "../flags.js";
import { isFar, lowerFar } from "./far.js";
import { CS } from "../segments.js";
import { BOUNCE, EXIT_CODE, RCX, RIP } from "../state.js";
import { lowerCompat } from "./lowerings.js";
import { StackPointer } from "./stack-pointer.js";

/** Near branches outside of 64-bit mode: EIP or IP, checked against the limit of CS before anything changes. */
const VECTOR_OF = 4;
const VECTOR_GP = 13;

/** Whether EIP may be `target`; false after #GP(0). */
function isWithinLimit(context: CalloutContext, target: number): boolean {
  if (target <= context.registers.segments.limit(CS)) return true;
  context.raise(VECTOR_GP, 0);
  return false;
}

/** Leaves the block for EIP `target`. */
function goTo(context: CalloutContext, target: number): CalloutStatus {
  const { u32 } = context.memory;
  u32[RIP >>> 2] = target;
  u32[(RIP >>> 2) + 1] = 0;
  u32[EXIT_CODE >>> 2] = EXIT_DISPATCH;
  return FAULTED;
}

const targetAt = (context: CalloutContext, at: number, width: number): number =>
  width === 2 ? context.memory.u16[at >>> 1]! : context.memory.u32[at >>> 2]!;

/** a = where the target lies, d = its bytes. */
defineCallout("compat.jmp", (context, record) => {
  const target = targetAt(context, context.a(record), context.d(record));
  return isWithinLimit(context, target) ? goTo(context, target) : FAULTED;
});

/** c = EIP behind the instruction. */
defineCallout("compat.call", (context, record) => {
  const width = context.d(record);
  const target = targetAt(context, context.a(record), width);
  const stack = new StackPointer(context);
  context.memory.u32[BOUNCE >>> 2] = context.c(record);
  // As recorded on real processors: the return address is written before the target is checked.
  if (!stack.write(-width, width, BOUNCE) || !isWithinLimit(context, target)) return FAULTED;
  stack.move(-width);
  return goTo(context, target);
});

/** c = bytes of parameters. */
defineCallout("compat.ret", (context, record) => {
  const width = context.d(record);
  const stack = new StackPointer(context);
  if (!stack.read(0, width, BOUNCE)) return FAULTED;
  const target = targetAt(context, BOUNCE, width);
  if (!isWithinLimit(context, target)) return FAULTED;
  stack.move(width + context.c(record));
  return goTo(context, target);
});

const LOOP = 0;
const LOOPE = 1;
const LOOPNE = 2;
const JCXZ = 3;
const ZF = 0x40;
/** d = kind | bytes of the counter << 8, immediate = target, c = EIP behind the instruction. */
defineCallout("compat.loop", (context, record) => {
  const { u16, u32 } = context.memory;
  const kind = context.d(record) & 0xff;
  const short = context.d(record) >>> 8 === 2;
  let count = short ? u16[RCX >>> 1]! : u32[RCX >>> 2]!;
  if (kind !== JCXZ) count = short ? (count - 1) & 0xffff : (count - 1) >>> 0;
  const zero = (context.registers.rflags & ZF) !== 0;
  const taken =
    kind === JCXZ ? count === 0 : count !== 0 && (kind === LOOP || (kind === LOOPE ? zero : !zero));
  const target = taken ? context.immediateLow(record) : context.c(record);
  if (taken && !isWithinLimit(context, target)) return FAULTED;
  if (kind !== JCXZ) {
    if (short) u16[RCX >>> 1] = count;
    else {
      u32[RCX >>> 2] = count;
      u32[(RCX >>> 2) + 1] = 0;
    }
  }
  return goTo(context, target);
});

/** Condition codes in encoding order, of RFLAGS. */
function holds(flags: number, code: number): boolean {
  const bit = (n: number): boolean => ((flags >>> n) & 1) !== 0;
  const less = bit(7) !== bit(11);
  const even = [bit(11), bit(0), bit(6), bit(0) || bit(6), bit(7), bit(2), less, bit(6) || less][code >>> 1]!;
  return even !== ((code & 1) !== 0);
}
/** A conditional branch to an offset beyond the limit of CS: #GP(0) if it is taken. d = condition. */
defineCallout("compat.beyond", (context, record) => {
  if (!holds(context.registers.rflags, context.d(record))) return DONE;
  context.raise(VECTOR_GP, 0);
  return FAULTED;
});

defineCallout("compat.into", (context) => {
  if ((context.registers.rflags & 0x800) === 0) return DONE;
  context.raise(VECTOR_OF);
  return FAULTED;
});

const isNear = (x: DecodeContext): boolean => !x.isRegister(0) && !x.isMemory(0);
const targetOf = (x: DecodeContext): number => Number(x.instruction.nearBranchTarget);
const isBeyond = (x: DecodeContext): boolean => targetOf(x) > x.view.limit;

lowerCompat(Mnemonic.Jmp, (x) => {
  if (isFar(x)) return lowerFar(x, "jmp");
  if (isNear(x)) return x.emit(isBeyond(x) ? "raise.13" : "jmp");
  const d = x.size(0);
  x.callout("compat.jmp", { a: x.read(0, d), d });
  x.emit("stop");
});
lowerCompat(Mnemonic.Call, (x) => {
  if (isFar(x)) return lowerFar(x, "call");
  if (isNear(x)) {
    const d = x.code === Code.Call_rel16 ? 2 : 4;
    const a = x.temp();
    x.emit("mov.8", { a, b: IMMEDIATE, immediate: targetOf(x) });
    x.callout("compat.call", { a, c: x.next, d });
  } else {
    const d = x.size(0);
    x.callout("compat.call", { a: x.read(0, d), c: x.next, d });
  }
  x.emit("stop");
});
lowerCompat(Mnemonic.Ret, (x) => {
  const { instruction } = x;
  const c = instruction.opCount > 0 ? Number(instruction.immediate(0)) : 0;
  x.callout("compat.ret", { c, d: x.code === Code.Retnw || x.code === Code.Retnw_imm16 ? 2 : 4 });
  x.emit("stop");
});

["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"].forEach(
  (suffix, i) =>
    lowerCompat(Mnemonic[`J${suffix}` as keyof typeof Mnemonic], (x) =>
      isBeyond(x) ? x.callout("compat.beyond", { d: i }) : x.emit(`j.${CONDITIONS[i]}`),
    ),
);
for (const [mnemonic, kind] of [
  [Mnemonic.Loop, LOOP],
  [Mnemonic.Loope, LOOPE],
  [Mnemonic.Loopne, LOOPNE],
  [Mnemonic.Jcxz, JCXZ],
  [Mnemonic.Jecxz, JCXZ],
] as const)
  lowerCompat(mnemonic, (x) => {
    const name = Code[x.code];
    const short = kind === JCXZ ? mnemonic === Mnemonic.Jcxz : !name.endsWith("_ECX");
    x.callout("compat.loop", { c: x.next, d: kind | ((short ? 2 : 4) << 8), immediate: targetOf(x) });
    x.emit("stop");
  });
lowerCompat(Mnemonic.Into, (x) => x.callout("compat.into"));
// Intel's processors know SYSCALL in 64-bit mode only.
lowerCompat(Mnemonic.Syscall, (x) => x.emit("raise.6"));
