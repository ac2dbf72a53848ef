import { InstructionInfoFactory, MemorySizeExt, OpAccess, OpKind, Register, RegisterExt } from "iced-x86";
import type { DecodeContext } from "../decode/context.js";
import { define } from "../ir/registry.js";
import type { RecordFields } from "../record.js";
import { ALIGNED, WRITES } from "./access.js";
import { GPR, RDI, TEMP, ZERO } from "../state.js";

/** Memory operands outside of 64-bit mode: 16- and 32-bit offsets, always through a segment. */

/** The scratch register that holds the address of an instruction's memory operand. */
export const ADDRESS = TEMP + 8 * 7;

define(
  "ea16",
  (b) =>
    b.set(
      "a",
      8,
      b.and(b.add(b.add(b.get("b", 8), b.shl(b.get("c", 8), b.extU(b.small))), b.immediate), b.i64(0xffff)),
    ),
  "rare",
);

export const segmentNumber = (register: Register): number => register - Register.ES;

const registerOf = (register: Register): number =>
  register === Register.None ? ZERO : GPR + 8 * RegisterExt.number(register);

/** Bytes of the memory operand's address: 2 or 4. */
export function addressBytes(x: DecodeContext): 2 | 4 {
  const { memoryBase, memoryIndex, memoryDisplSize } = x.instruction;
  const register = memoryBase !== Register.None ? memoryBase : memoryIndex;
  const bytes = register === Register.None ? memoryDisplSize : RegisterExt.size(register);
  return bytes === 2 ? 2 : 4;
}

/**
 * Emits the offset of the memory operand into ADDRESS.
 * @param esp what stands for ESP as base: POP counts its own increment
 */
export function emitOffset(x: DecodeContext, esp?: number): void {
  const ins = x.instruction;
  const fields: RecordFields = {
    a: ADDRESS,
    b: ins.memoryBase === Register.ESP && esp !== undefined ? esp : registerOf(ins.memoryBase),
    c: registerOf(ins.memoryIndex),
    d: Math.log2(ins.memoryIndexScale),
    immediate: BigInt.asIntN(32, ins.memoryDisplacement),
  };
  x.emit(addressBytes(x) === 2 ? "ea16" : "ea32", fields);
}

/** Emits the checks of ADDRESS, and the segment's base. */
export function emitSegment(
  x: DecodeContext,
  segment: Register,
  bytes: number,
  write: boolean,
  aligned = false,
): void {
  const d = (write ? WRITES : 0) | (aligned ? ALIGNED : 0);
  x.callout("compat.segment", { a: ADDRESS, b: segmentNumber(segment), c: bytes, d });
}

/** Emits the linear address of the memory operand into ADDRESS, for such an access. */
export function emitLinear(x: DecodeContext, { bytes, write, aligned }: Access, esp?: number): void {
  emitOffset(x, esp);
  emitSegment(x, x.instruction.memorySegment, bytes, write, aligned);
}

/** The same, with what iced-x86 says of the instruction's access. */
export function emitLinearAsUsed(x: DecodeContext): void {
  const { instruction } = x;
  let write = false;
  const factory = new InstructionInfoFactory();
  const info = factory.info(instruction);
  for (let i = 0; i < instruction.opCount; i++)
    if (instruction.opKind(i) === OpKind.Memory) {
      const access = info.opAccess(i);
      write = access !== OpAccess.Read && access !== OpAccess.CondRead && access !== OpAccess.NoMemAccess;
    }
  info.free();
  factory.free();
  emitLinear(x, {
    bytes: Math.max(1, MemorySizeExt.size(instruction.memorySize)),
    write,
  });
}

/** Emits the linear address of a masked store's bytes, at DI or EDI. */
export function emitDestination(x: DecodeContext, bytes: number): void {
  const short = x.instruction.opKind(0) === OpKind.MemorySegDI;
  x.emit(short ? "ea16" : "ea32", { a: ADDRESS, b: RDI, c: ZERO, d: 0, immediate: 0 });
  emitSegment(x, x.instruction.memorySegment, bytes, true);
}

/** How much an instruction accesses, and how. */
export interface Access {
  readonly bytes: number;
  readonly write: boolean;
  readonly aligned?: boolean;
}

/** Bytes of a load or store micro-op of that name, and whether it writes or is going to. */
export function accessOf(name: string): Access {
  return {
    bytes: Number(/\.(\d+)$/.exec(name)![1]),
    write: name.startsWith("st") || name.startsWith("ldw"),
    aligned: name.startsWith("lda") || name.startsWith("sta"),
  };
}
