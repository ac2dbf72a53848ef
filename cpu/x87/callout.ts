/** How an x87 instruction becomes a callout: operands in the record, the checks around it, the last-instruction pointers. */

import { Register, type Instruction } from "iced-x86";
import { CPU_STATE_BASE } from "../../mmu/layout.js";
import { DONE, FAULTED, defineCallout, type CalloutContext } from "../callouts.js";
import type { DecodeContext } from "../decode/context.js";
// For its effect: it defines mmx.check.
import "../simd/operands.js";
import { X87_DP, X87_IP, X87_OPCODE } from "../state.js";
import { begin, end, isPending, type X87Memory } from "./unit.js";

/** #MF: x87 floating-point error. */
export const FLOATING_POINT_ERROR = 16;

/** Scratch bytes of one callout, between the CPU state and the TLB: up to an XSAVE area. */
export const BUFFER = CPU_STATE_BASE + 0x4000;

/**
 * What an instruction does between `begin` and `end`. `parameter` is the record's a, `operand` its b (the address of
 * a loaded operand), `pointer` its e (where the operand's guest address lies, or 0).
 * @returns false after a fault, with nothing changed.
 */
type Run = (
  m: X87Memory,
  parameter: number,
  operand: number,
  pointer: number,
  context: CalloutContext,
) => unknown;

/**
 * Defines a waiting, non-control x87 instruction: #MF first if an exception is pending; FIP afterwards. FOP and FDP
 * change only at an unmasked exception, as on processors that announce FDP_EXCPTN_ONLY (CPUID.7.0:EBX bit 6).
 */
export function defineX87(name: string, run: Run): void {
  defineCallout(name, (context, record) => {
    const m = context.memory;
    if (isPending(m)) {
      context.raise(FLOATING_POINT_ERROR);
      return FAULTED;
    }
    begin(m);
    const pointer = context.e(record);
    if (run(m, context.a(record), context.b(record), pointer, context) === false) return FAULTED;
    m.i32[X87_IP >> 2] = context.immediateLow(record);
    m.i32[(X87_IP >> 2) + 1] = context.immediateHigh(record);
    if (end(m)) {
      m.u16[X87_OPCODE >> 1] = context.d(record);
      if (pointer !== 0) m.u8.copyWithin(X87_DP, pointer, pointer + 8);
    }
    return DONE;
  });
}

/** Emits the callout of a register form. */
export function emitX87(x: DecodeContext, name: string, parameter: number): void {
  x.callout(name, { a: parameter, b: 0, d: opcodeOf(x.instruction), e: 0, immediate: x.rip });
}

/** Emits the callout of a form whose memory operand the callout itself accesses. */
export function emitX87Memory(x: DecodeContext, name: string, parameter: number): void {
  const pointer = x.address();
  x.callout(name, { a: parameter, b: 0, d: opcodeOf(x.instruction), e: pointer, immediate: x.rip });
}

/** Emits the load of a 2-, 4- or 8-byte operand, then the callout; a pending #MF comes before the load's faults. */
export function emitX87Load(x: DecodeContext, name: string, parameter: number, bytes: 2 | 4 | 8): void {
  x.emit("mmx.check");
  const pointer = x.address();
  const operand = x.temp();
  x.emit(`ld.${bytes}.b`, { a: operand, b: pointer, immediate: 0 });
  x.callout(name, { a: parameter, b: operand, d: opcodeOf(x.instruction), e: pointer, immediate: x.rip });
}

/** FOP: the low three bits of the first opcode byte and the ModRM byte. */
function opcodeOf(instruction: Instruction): number {
  const info = instruction.opCode;
  let opcode = info.opCode;
  const group = info.groupIndex;
  const length = info.opCodeLength;
  info.free();
  if (length === 2) {
    // Register forms are encoded with their first register, to which i is added.
    for (let i = 0; i < instruction.opCount; i++) {
      const register = instruction.opRegister(i);
      if (register > Register.ST0 && register <= Register.ST7) opcode |= register - Register.ST0;
    }
    return opcode & 0x7ff;
  }
  return ((opcode & 7) << 8) | (group << 3) | addressingBits(instruction);
}

/** mod and r/m of a memory operand. */
function addressingBits(instruction: Instruction): number {
  const base = instruction.memoryBase;
  if (base === Register.RIP || base === Register.EIP) return 5;
  if (base === Register.None) return 4;
  const number = (base >= Register.RAX ? base - Register.RAX : base - Register.EAX) & 7;
  const size = instruction.memoryDisplSize;
  const mod = size === 0 ? 0 : size === 1 ? 0x40 : 0x80;
  return mod | (instruction.memoryIndex !== Register.None || number === 4 ? 4 : number);
}
