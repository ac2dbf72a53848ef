import {
  CodeExt,
  Decoder,
  DecoderOptions,
  InstructionInfoFactory,
  MemorySize,
  MemorySizeExt,
  OpAccess,
  OpCodeOperandKind,
  Register,
  RegisterExt,
  RflagsBits,
  type Instruction,
} from "iced-x86";
import { Assembler } from "../../../userland/index.js";
import { AssemblerError } from "../../../userland/assembler/error.js";
import { describeForm, IMMEDIATE_BITS, MEMORY_KINDS, type Form } from "../../../userland/assembler/forms.js";
import type { AnnouncedCode } from "./codes.js";
import { immediatesFor } from "./immediates.js";
import type { ValueKind } from "./values.js";

const K = OpCodeOperandKind;

/** Something that holds a value before or after the instruction: a register at its full width, or memory at RDI. */
export interface Slot {
  /** `rax`, `xmm1`, `mm1`, `memory`. */
  readonly name: string;
  readonly bytes: number;
  readonly kind: ValueKind;
  /** Where in the slot the value lies; the bits around it are random. */
  readonly shift: number;
  /** For memory: bytes from RDI. */
  readonly offset: number;
}

/** Where an explicit operand's value is. */
export interface Place {
  readonly slot: string | undefined;
  readonly shift: number;
  readonly bits: number;
  readonly immediate?: number;
}

/** One instruction with its operands, and what goes into it and comes out. */
export interface Shape {
  readonly announced: AnnouncedCode;
  readonly variant: Variant;
  readonly operands: readonly string[];
  readonly lock: boolean;
  readonly text: string;
  readonly places: readonly Place[];
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** RFLAGS bits that the manuals leave undefined whatever the operands. */
  readonly undefinedFlags: number;
  readonly comparesFlags: boolean;
  readonly comparesMxcsr: boolean;
  /** Number of shapes that share the variant's cases: one for each immediate. */
  readonly siblings: number;
}

/** Which registers, or memory: low ones, those that need REX, high bytes, the same one twice, memory, with LOCK. */
export type Variant = "low" | "rex" | "high" | "same" | "memory" | "lock";
const VARIANTS: readonly Variant[] = ["low", "memory", "rex", "high", "same", "lock"];

const GENERAL = [
  ["rbx", "rdx"],
  ["r9", "rsi"],
] as const;

const BYTE_NAMES: Readonly<Record<string, string>> = { rbx: "bl", rdx: "dl", rsi: "sil" };

function generalName(full: string, bits: number, high: boolean): string {
  if (bits === 8) return high ? `${full[1]!}h` : (BYTE_NAMES[full] ?? `${full}b`);
  if (/^r\d/.test(full)) return full + { 16: "w", 32: "d", 64: "" }[bits]!;
  return { 16: full.slice(1), 32: `e${full.slice(1)}`, 64: full }[bits]!;
}

const GENERAL_BITS: ReadonlyMap<OpCodeOperandKind, number> = new Map([
  ...[K.r8_or_mem, K.r8_reg, K.r8_opcode].map((kind) => [kind, 8] as const),
  ...[K.r16_or_mem, K.r16_reg, K.r16_reg_mem, K.r16_rm, K.r16_opcode].map((kind) => [kind, 16] as const),
  ...[K.r32_or_mem, K.r32_reg, K.r32_reg_mem, K.r32_rm, K.r32_opcode].map((kind) => [kind, 32] as const),
  ...[K.r64_or_mem, K.r64_reg, K.r64_reg_mem, K.r64_rm, K.r64_opcode].map((kind) => [kind, 64] as const),
]);

const FIXED: ReadonlyMap<OpCodeOperandKind, readonly [text: string, slot: string, bits: number]> = new Map([
  [K.al, ["al", "rax", 8]],
  [K.cl, ["cl", "rcx", 8]],
  [K.ax, ["ax", "rax", 16]],
  [K.eax, ["eax", "rax", 32]],
  [K.rax, ["rax", "rax", 64]],
]);

const MM: ReadonlySet<OpCodeOperandKind> = new Set([K.mm_or_mem, K.mm_reg, K.mm_rm]);
const XMM: ReadonlySet<OpCodeOperandKind> = new Set([K.xmm_or_mem, K.xmm_reg, K.xmm_rm]);

interface Chosen {
  readonly text: string;
  readonly place: Place;
}

/** The text of operand number `position` in a variant; undefined where the variant has nothing new for it. */
function choose(form: Form, position: number, variant: Variant, immediate: number): Chosen | undefined {
  const kind = form.operandKinds[form.explicit[position]!]!;
  const wantsMemory = variant === "memory" || variant === "lock";
  const memoryOnly = kind === K.mem;
  if (memoryOnly || (wantsMemory && MEMORY_KINDS.has(kind))) {
    return { text: "[rdi]", place: { slot: "memory", shift: 0, bits: form.memorySize * 8 } };
  }
  const fixed = FIXED.get(kind);
  if (fixed) return { text: fixed[0], place: { slot: fixed[1], shift: 0, bits: fixed[2] } };
  const bits = GENERAL_BITS.get(kind);
  const number = variant === "same" ? 0 : Math.min(position, 1);
  if (bits !== undefined) {
    const high = variant === "high" && bits === 8;
    const slot = GENERAL[variant === "rex" ? 1 : 0][number]!;
    return { text: generalName(slot, bits, high), place: { slot, shift: high ? 8 : 0, bits } };
  }
  if (MM.has(kind)) {
    const slot = ["mm1", "mm2"][number]!;
    return { text: slot, place: { slot, shift: 0, bits: 64 } };
  }
  if (XMM.has(kind)) {
    const slot = (variant === "rex" ? ["xmm9", "xmm14"] : ["xmm1", "xmm2"])[number]!;
    return { text: slot, place: { slot, shift: 0, bits: 128 } };
  }
  if (kind === K.imm8_const_1)
    return { text: "1", place: { slot: undefined, shift: 0, bits: 8, immediate: 1 } };
  const stored = IMMEDIATE_BITS.get(kind);
  if (stored)
    return { text: String(immediate), place: { slot: undefined, shift: 0, bits: stored[0], immediate } };
  return undefined;
}

/** Whether a variant says anything that `low` does not. */
function isNew(form: Form, variant: Variant, canLock: boolean): boolean {
  const kinds = form.explicit.map((i) => form.operandKinds[i]!);
  const generals = kinds.filter((kind) => GENERAL_BITS.has(kind));
  const xmms = kinds.filter((kind) => XMM.has(kind));
  switch (variant) {
    case "low":
      return true;
    case "memory":
      return kinds.some((kind) => MEMORY_KINDS.has(kind) && kind !== K.mem);
    case "lock":
      return canLock && kinds.some((kind) => MEMORY_KINDS.has(kind));
    case "rex":
      return generals.length > 0 || xmms.length > 0;
    case "high":
      return generals.some((kind) => GENERAL_BITS.get(kind) === 8);
    case "same":
      return Math.max(generals.length, xmms.length, kinds.filter((kind) => MM.has(kind)).length) === 2;
  }
}

function elementKind(size: MemorySize, fallback: ValueKind): ValueKind {
  const element = MemorySizeExt.elementType(size);
  if (element === MemorySize.Float32) return "f32";
  if (element === MemorySize.Float64) return "f64";
  const bytes = MemorySizeExt.elementSize(size);
  if (bytes === 1) return "int8";
  if (bytes === 2) return "int16";
  if (bytes === 4) return "int32";
  return bytes === 8 ? "int64" : fallback;
}

/** Integer elements by the last letter of an MMX or SSE mnemonic. */
function suffixKind(mnemonic: string): ValueKind {
  if (/(p|s)s$/.test(mnemonic)) return "f32";
  if (/(p|s)d$/.test(mnemonic) && !/^p/.test(mnemonic)) return "f64";
  const letter = /[bwdq]$/.exec(mnemonic)?.[0];
  return ({ b: "int8", w: "int16", d: "int32", q: "int64" } as const)[
    (letter ?? "b") as "b" | "w" | "d" | "q"
  ];
}

const INTEGER_KIND: Readonly<Record<number, ValueKind>> = {
  8: "int8",
  16: "int16",
  32: "int32",
  64: "int64",
};

const FLOATING =
  /^(add|sub|mul|div|min|max|sqrt|cmp|comi|ucomi|cvt|round|dp|hadd|hsub|addsub|rcp|rsqrt)\w*(ps|pd|ss|sd|pi|si|dq)\w*$/;

const FLAG_BITS: readonly (readonly [iced: RflagsBits, bit: number])[] = [
  [RflagsBits.CF, 0x1],
  [RflagsBits.PF, 0x4],
  [RflagsBits.AF, 0x10],
  [RflagsBits.ZF, 0x40],
  [RflagsBits.SF, 0x80],
  [RflagsBits.OF, 0x800],
];

/** iced's flag set as RFLAGS bits (the status flags only). */
function statusBits(bits: number): number {
  return FLAG_BITS.reduce((sum, [iced, bit]) => (bits & iced ? sum | bit : sum), 0);
}

let factory: InstructionInfoFactory | undefined;

const READS: ReadonlySet<OpAccess> = new Set([
  OpAccess.Read,
  OpAccess.CondRead,
  OpAccess.ReadWrite,
  OpAccess.ReadCondWrite,
  OpAccess.CondWrite,
]);
const WRITES: ReadonlySet<OpAccess> = new Set([
  OpAccess.Write,
  OpAccess.CondWrite,
  OpAccess.ReadWrite,
  OpAccess.ReadCondWrite,
]);

interface Usage {
  readonly name: string;
  readonly bytes: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

function usageOf(instruction: Instruction): Usage[] {
  factory ??= new InstructionInfoFactory();
  const info = factory.info(instruction);
  const found = new Map<string, Usage>();
  const add = (name: string, bytes: number, access: OpAccess): void => {
    const before = found.get(name);
    const reads = READS.has(access) || (before?.reads ?? false);
    const writes = WRITES.has(access) || (before?.writes ?? false);
    found.set(name, { name, bytes, reads, writes });
  };
  for (const used of info.usedRegisters() as { register: Register; access: OpAccess; free(): void }[]) {
    const { register, access } = used;
    used.free();
    const isVector = RegisterExt.isVectorRegister(register);
    const full = isVector ? register : RegisterExt.fullRegister(register);
    if (full === Register.RDI || full === Register.RSP || RegisterExt.isSegmentRegister(register)) continue;
    const name = Register[full]!.toLowerCase().replace(/^zmm|^ymm/, "xmm");
    add(name, isVector ? 16 : 8, access);
  }
  for (const used of info.usedMemory() as { access: OpAccess; memorySize: MemorySize; free(): void }[]) {
    add("memory", MemorySizeExt.size(used.memorySize), used.access);
    used.free();
  }
  info.free();
  return [...found.values()];
}

/** The bytes of a shape's instruction. */
function encodingOf(
  announced: AnnouncedCode,
  operands: readonly string[],
  lock: boolean,
): Uint8Array | undefined {
  try {
    const asm = new Assembler().label("_start").form(announced.code, operands, lock ? { lock } : {});
    return asm.link().segments[0]!.bytes;
  } catch (error) {
    if (error instanceof AssemblerError) return undefined;
    throw error;
  }
}

/** Bytes around RDI that bit tests with a register offset may reach: bits -256 to 255. */
const BIT_STRING = { offset: -32, bytes: 64 };

function slotFor(usage: Usage, announced: AnnouncedCode, places: readonly Place[], size: MemorySize): Slot {
  const place = places.find((one) => one.slot === usage.name);
  const { name, bytes } = usage;
  if (name === "memory" || name.startsWith("xmm") || name.startsWith("mm")) {
    const suffix = suffixKind(announced.mnemonic);
    const kind = name === "memory" || size !== MemorySize.Unknown ? elementKind(size, suffix) : suffix;
    const isBitString =
      name === "memory" && /^bt[src]?$/.test(announced.mnemonic) && places[1]?.slot !== undefined;
    if (isBitString) return { name, kind: "int8", shift: 0, ...BIT_STRING };
    return { name, bytes, kind, shift: 0, offset: 0 };
  }
  return { name, bytes, kind: INTEGER_KIND[place?.bits ?? 64]!, shift: place?.shift ?? 0, offset: 0 };
}

function makeShape(
  announced: AnnouncedCode,
  form: Form,
  variant: Variant,
  immediate: number,
  siblings: number,
): Shape | undefined {
  const chosen: Chosen[] = [];
  for (let i = 0; i < form.explicit.length; i++) {
    const one = choose(form, i, variant, immediate);
    if (!one)
      throw new RangeError(
        `${announced.name}: no operand ${i} of kind ${K[form.operandKinds[form.explicit[i]!]!]!}`,
      );
    chosen.push(one);
  }
  const operands = chosen.map((one) => one.text);
  const places = chosen.map((one) => one.place);
  const lock = variant === "lock";
  const bytes = encodingOf(announced, operands, lock);
  if (!bytes) return undefined;
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const instruction = decoder.decode();
  try {
    // Some bytes are another instruction's where an operand is memory: 0F 0D is a prefetch, or else a no-operation.
    if (instruction.code !== announced.code) return undefined;
    const size = CodeExt.opCode(announced.code);
    const memorySize = size.memorySize;
    size.free();
    const usages = usageOf(instruction);
    const slots = usages.map((usage) => ({ usage, slot: slotFor(usage, announced, places, memorySize) }));
    // What is written is an input too: a partial write shows what it keeps.
    const inputs = slots.map(({ slot }) => slot);
    const written = slots.filter(({ usage }) => usage.writes).map(({ slot }) => slot);
    const outputs = written.length > 0 ? written : inputs;
    const isInteger = !/^(MMX|SSE|SSSE)/.test(announced.feature);
    return {
      announced,
      variant,
      operands,
      lock,
      text: `${lock ? "lock " : ""}${announced.mnemonic} ${operands.join(", ")}`.trim(),
      places,
      inputs,
      outputs,
      undefinedFlags: statusBits(instruction.rflagsUndefined),
      comparesFlags: isInteger || statusBits(instruction.rflagsModified) !== 0,
      comparesMxcsr: FLOATING.test(announced.mnemonic),
      siblings,
    };
  } finally {
    instruction.free();
    decoder.free();
  }
}

/** Every shape of a form: each variant that can be encoded, with each of its immediates. */
export function shapesOf(announced: AnnouncedCode): Shape[] {
  const info = CodeExt.opCode(announced.code);
  const form = describeForm(info);
  const canLock = info.canUseLockPrefix;
  info.free();
  const hasImmediate = form.explicit.some((i) => IMMEDIATE_BITS.has(form.operandKinds[i]!));
  return VARIANTS.filter((variant) => isNew(form, variant, canLock)).flatMap((variant) => {
    const width = form.explicit.map((i) => IMMEDIATE_BITS.get(form.operandKinds[i]!)?.[0] ?? 0);
    const all = hasImmediate ? immediatesFor(announced, Math.max(...width)) : [0];
    const immediates =
      variant === "low" ? all : all.filter((_, i) => i % 3 === 1 || all.length < 3).slice(0, 4);
    return immediates.flatMap((value) => makeShape(announced, form, variant, value, immediates.length) ?? []);
  });
}
