import { Encoder, Instruction, OpCodeOperandKind, OpKind, Register, RegisterExt } from "iced-x86";
import { AssemblerError } from "./error.js";
import { BRANCH_KINDS, IMMEDIATE_BITS, type Form } from "./forms.js";
import type { Operand } from "./operands.js";

const K = OpCodeOperandKind;

export interface Prefixes {
  readonly lock?: boolean;
  readonly rep?: boolean;
  readonly repne?: boolean;
}

/** A place in the bytes that depends on a label's address. */
export interface Hole {
  /** Bytes from the instruction's start. */
  readonly offset: number;
  /** `rel32`/`rel8` count from the instruction's end; the others hold the address. */
  readonly kind: "rel8" | "rel32" | "abs32s" | "abs32" | "abs64";
  readonly label: string;
  readonly addend: bigint;
}

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly holes: readonly Hole[];
}

const IMMEDIATE_KINDS: ReadonlyMap<OpCodeOperandKind, OpKind> = new Map([
  [K.imm8, OpKind.Immediate8],
  [K.imm8_const_1, OpKind.Immediate8],
  [K.imm8sex16, OpKind.Immediate8to16],
  [K.imm8sex32, OpKind.Immediate8to32],
  [K.imm8sex64, OpKind.Immediate8to64],
  [K.imm16, OpKind.Immediate16],
  [K.imm32, OpKind.Immediate32],
  [K.imm32sex64, OpKind.Immediate32to64],
  [K.imm64, OpKind.Immediate64],
]);

const IMPLICIT: ReadonlyMap<OpCodeOperandKind, readonly [OpKind, Register]> = new Map([
  [K.seg_rSI, [OpKind.MemorySegRSI, Register.None]],
  [K.es_rDI, [OpKind.MemoryESRDI, Register.None]],
  [K.seg_rDI, [OpKind.MemorySegRDI, Register.None]],
  [K.al, [OpKind.Register, Register.AL]],
  [K.ax, [OpKind.Register, Register.AX]],
  [K.eax, [OpKind.Register, Register.EAX]],
  [K.rax, [OpKind.Register, Register.RAX]],
  [K.dx, [OpKind.Register, Register.DX]],
]);

/** The provisional address that instructions are encoded at: every hole is written over later. */
const HERE = 0x400000n;

let encoder: Encoder | undefined;

function setImplicit(instruction: Instruction, index: number, kind: OpCodeOperandKind): void {
  if (kind === K.seg_rBX_al) {
    instruction.setOpKind(index, OpKind.Memory);
    instruction.memoryBase = Register.RBX;
    instruction.memoryIndex = Register.AL;
    return;
  }
  const [opKind, register] = IMPLICIT.get(kind)!;
  instruction.setOpKind(index, opKind);
  if (opKind === OpKind.Register) instruction.setOpRegister(index, register);
}

function setOperand(instruction: Instruction, index: number, form: Form, operand: Operand): void {
  const kind = form.operandKinds[index]!;
  switch (operand.type) {
    case "register":
      instruction.setOpKind(index, OpKind.Register);
      instruction.setOpRegister(index, operand.register);
      return;
    case "memory":
      instruction.setOpKind(index, OpKind.Memory);
      instruction.memoryBase = operand.base;
      instruction.memoryIndex = operand.index;
      instruction.memoryIndexScale = operand.scale;
      instruction.segmentPrefix = operand.segment;
      if (operand.base === Register.RIP) {
        if (operand.label === undefined) throw new AssemblerError("memory relative to RIP wants a label");
        instruction.memoryDisplSize = 8;
        instruction.memoryDisplacement = HERE;
      } else {
        const bare = operand.base === Register.None;
        const small =
          operand.displacement >= -128n && operand.displacement < 128n && operand.label === undefined;
        const wide = [operand.base, operand.index].some((register) => RegisterExt.size(register) === 4)
          ? 4
          : 8;
        instruction.memoryDisplSize = bare || !small ? wide : operand.displacement === 0n ? 0 : 1;
        instruction.memoryDisplacement = BigInt.asUintN(wide * 8, operand.displacement);
      }
      return;
    case "immediate":
      if (BRANCH_KINDS.has(kind) || kind === K.br64_1) {
        instruction.setOpKind(index, OpKind.NearBranch64);
        instruction.nearBranch64 = HERE;
        return;
      }
      // ENTER has two immediates.
      instruction.setOpKind(
        index,
        form.operandKinds[0] === K.imm16 && index === 1 ? OpKind.Immediate8_2nd : IMMEDIATE_KINDS.get(kind)!,
      );
      instruction.setImmediateI64(index, BigInt.asIntN(64, operand.label === undefined ? operand.value : 0n));
  }
}

/** Encodes one form with operands that fit it. Throws {@link AssemblerError} where iced finds it impossible. */
export function encode(form: Form, operands: readonly Operand[], prefixes: Prefixes): Encoded {
  encoder ??= new Encoder(64);
  const instruction = new Instruction();
  try {
    instruction.code = form.code;
    form.operandKinds.forEach((kind, i) => {
      const at = form.explicit.indexOf(i);
      if (at < 0) setImplicit(instruction, i, kind);
      else setOperand(instruction, i, form, operands[at]!);
    });
    if (prefixes.lock) instruction.hasLockPrefix = true;
    if (prefixes.rep) instruction.hasRepPrefix = true;
    if (prefixes.repne) instruction.hasRepnePrefix = true;
    try {
      encoder.encode(instruction, HERE);
    } catch (error) {
      encoder.takeBuffer();
      throw new AssemblerError(String(error instanceof Error ? error.message : error));
    }
    const bytes = encoder.takeBuffer();
    return { bytes, holes: findHoles(encoder, form, operands) };
  } finally {
    instruction.free();
  }
}

function findHoles(from: Encoder, form: Form, operands: readonly Operand[]): Hole[] {
  if (!operands.some((operand) => operand.type !== "register" && operand.label !== undefined)) return [];
  const offsets = from.getConstantOffsets();
  const holes: Hole[] = [];
  operands.forEach((operand, i) => {
    if (operand.type === "memory" && operand.label !== undefined) {
      const kind = operand.base === Register.RIP ? "rel32" : "abs32s";
      const offset = offsets.displacementOffset;
      holes.push({ offset, kind, label: operand.label, addend: operand.displacement });
    } else if (operand.type === "immediate" && operand.label !== undefined) {
      const operandKind = form.operandKinds[form.explicit[i]!]!;
      const [stored, extended] = IMMEDIATE_BITS.get(operandKind) ?? [0, 0];
      const branch = operandKind === K.br64_1 ? "rel8" : "rel32";
      const kind = stored === 0 ? branch : stored === 64 ? "abs64" : extended === 64 ? "abs32s" : "abs32";
      holes.push({ offset: offsets.immediateOffset, kind, label: operand.label, addend: operand.value });
    }
  });
  offsets.free();
  return holes;
}
