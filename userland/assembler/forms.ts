import {
  Code,
  CodeExt,
  EncodingKind,
  MemorySizeExt,
  Mnemonic,
  OpCodeOperandKind,
  Register,
  type OpCodeInfo,
} from "iced-x86";
import type { Operand, RegisterOperand } from "./operands.js";

/** One opcode that a mnemonic can be encoded as, with what is needed to match operands to it. */
export interface Form {
  readonly code: Code;
  readonly operandKinds: readonly OpCodeOperandKind[];
  /** Indices into `operandKinds` of the operands that the text spells out. */
  readonly explicit: readonly number[];
  /** Bytes of the memory operand; 0 where any or none. */
  readonly memorySize: number;
  /** 16, 32, 64, or 0 where the opcode has none. */
  readonly operandSize: number;
}

const K = OpCodeOperandKind;

const IMPLICIT_MEMORY: ReadonlySet<OpCodeOperandKind> = new Set([
  K.seg_rSI,
  K.es_rDI,
  K.seg_rDI,
  K.seg_rBX_al,
]);
const ACCUMULATORS: ReadonlySet<OpCodeOperandKind> = new Set([K.al, K.ax, K.eax, K.rax, K.dx]);

const FIXED: ReadonlyMap<OpCodeOperandKind, Register> = new Map([
  [K.al, Register.AL],
  [K.cl, Register.CL],
  [K.ax, Register.AX],
  [K.dx, Register.DX],
  [K.eax, Register.EAX],
  [K.rax, Register.RAX],
  [K.st0, Register.ST0],
  [K.es, Register.ES],
  [K.cs, Register.CS],
  [K.ss, Register.SS],
  [K.ds, Register.DS],
  [K.fs, Register.FS],
  [K.gs, Register.GS],
]);

/** Operand kinds that take a general register, and its size in bytes. */
const GENERAL: ReadonlyMap<OpCodeOperandKind, number> = new Map([
  [K.r8_or_mem, 1],
  [K.r8_reg, 1],
  [K.r8_opcode, 1],
  [K.r16_or_mem, 2],
  [K.r16_reg, 2],
  [K.r16_reg_mem, 2],
  [K.r16_rm, 2],
  [K.r16_opcode, 2],
  [K.r32_or_mem, 4],
  [K.r32_reg, 4],
  [K.r32_reg_mem, 4],
  [K.r32_rm, 4],
  [K.r32_opcode, 4],
  [K.r64_or_mem, 8],
  [K.r64_reg, 8],
  [K.r64_reg_mem, 8],
  [K.r64_rm, 8],
  [K.r64_opcode, 8],
]);

const MMX: ReadonlySet<OpCodeOperandKind> = new Set([K.mm_or_mem, K.mm_reg, K.mm_rm]);
const XMM: ReadonlySet<OpCodeOperandKind> = new Set([K.xmm_or_mem, K.xmm_reg, K.xmm_rm]);

/** Operand kinds that may be memory. */
export const MEMORY_KINDS: ReadonlySet<OpCodeOperandKind> = new Set([
  K.mem,
  K.mem_offs,
  K.r8_or_mem,
  K.r16_or_mem,
  K.r32_or_mem,
  K.r64_or_mem,
  K.mm_or_mem,
  K.xmm_or_mem,
]);

export const BRANCH_KINDS: ReadonlySet<OpCodeOperandKind> = new Set([K.br64_4]);
const SHORT_BRANCH_KINDS: ReadonlySet<OpCodeOperandKind> = new Set([K.br64_1]);

/** Immediate operand kinds: bits stored, and bits they are extended to when the instruction runs. */
export const IMMEDIATE_BITS: ReadonlyMap<OpCodeOperandKind, readonly [stored: number, extended: number]> =
  new Map([
    [K.imm8, [8, 8]],
    [K.imm8sex16, [8, 16]],
    [K.imm8sex32, [8, 32]],
    [K.imm8sex64, [8, 64]],
    [K.imm16, [16, 16]],
    [K.imm32, [32, 32]],
    [K.imm32sex64, [32, 64]],
    [K.imm64, [64, 64]],
  ]);

function registerFits(kind: OpCodeOperandKind, operand: RegisterOperand): boolean {
  const fixed = FIXED.get(kind);
  if (fixed !== undefined) return operand.register === fixed;
  switch (operand.kind) {
    case "general":
      return GENERAL.get(kind) === operand.size;
    case "mmx":
      return MMX.has(kind);
    case "xmm":
      return XMM.has(kind);
    case "x87":
      return kind === K.sti_opcode;
    case "segment":
      return kind === K.seg_reg;
    case "control":
      return kind === K.cr_reg;
    case "debug":
      return kind === K.dr_reg;
    default:
      return false;
  }
}

function immediateFits(kind: OpCodeOperandKind, value: bigint): boolean {
  if (kind === K.imm8_const_1) return value === 1n;
  const bits = IMMEDIATE_BITS.get(kind);
  if (!bits) return false;
  const [stored, extended] = bits;
  if (value < -(1n << BigInt(extended - 1)) || value >= 1n << BigInt(extended)) return false;
  const signed = BigInt.asIntN(extended, value);
  return stored === extended || BigInt.asIntN(stored, signed) === signed;
}

/** Whether the operands may stand in the form's explicit places. */
export function fits(form: Form, operands: readonly Operand[]): boolean {
  if (operands.length !== form.explicit.length) return false;
  return operands.every((operand, i) => {
    const kind = form.operandKinds[form.explicit[i]!]!;
    switch (operand.type) {
      case "register":
        return registerFits(kind, operand);
      case "memory":
        if (!MEMORY_KINDS.has(kind) || kind === K.mem_offs) return false;
        return operand.size === undefined || form.memorySize === 0 || form.memorySize === operand.size;
      case "immediate":
        if (BRANCH_KINDS.has(kind) || SHORT_BRANCH_KINDS.has(kind)) return operand.label !== undefined;
        // A label's address is only known at the end: it needs 32 bits or more.
        if (operand.label !== undefined) return (IMMEDIATE_BITS.get(kind)?.[0] ?? 0) >= 32;
        return immediateFits(kind, operand.value);
    }
  });
}

export function describeForm(info: OpCodeInfo): Form {
  const operandKinds = Array.from({ length: info.opCount }, (_, i) => info.opKind(i));
  const isString = operandKinds.some((kind) => IMPLICIT_MEMORY.has(kind));
  const explicit: number[] = [];
  operandKinds.forEach((kind, i) => {
    if (!IMPLICIT_MEMORY.has(kind) && !(isString && ACCUMULATORS.has(kind))) explicit.push(i);
  });
  return {
    code: info.code,
    operandKinds,
    explicit,
    memorySize: MemorySizeExt.size(info.memorySize),
    operandSize: info.operandSize,
  };
}

let byMnemonic: Map<string, Form[]> | undefined;

/** Mnemonics that the manuals use and iced spells otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  jz: "je",
  jnz: "jne",
  jc: "jb",
  jnc: "jae",
  setz: "sete",
  setnz: "setne",
  setc: "setb",
  setnc: "setae",
  cmovz: "cmove",
  cmovnz: "cmovne",
  cmovc: "cmovb",
  cmovnc: "cmovae",
  movabs: "mov",
};

function build(): Map<string, Form[]> {
  const table = new Map<string, Form[]>();
  for (const code of Object.values(Code)) {
    if (typeof code !== "number" || code === Code.INVALID) continue;
    const info = CodeExt.opCode(code);
    if (
      info.isInstruction &&
      info.encoding === EncodingKind.Legacy &&
      info.mode64 &&
      info.decoderOption === 0
    ) {
      const mnemonic = Mnemonic[info.mnemonic]!.toLowerCase();
      const forms = table.get(mnemonic) ?? [];
      forms.push(describeForm(info));
      table.set(mnemonic, forms);
    }
    info.free();
  }
  return table;
}

/** The 64-bit-mode legacy-encoded forms of a mnemonic (SSE and x87 included, VEX not); undefined if there are none. */
export function formsOf(mnemonic: string): readonly Form[] | undefined {
  byMnemonic ??= build();
  return byMnemonic.get(ALIASES[mnemonic] ?? mnemonic);
}
