import {
  CodeExt,
  Instruction,
  OpAccess,
  OpCodeOperandKind,
  InstructionInfoFactory,
  RflagsBits,
} from "iced-x86";
import type { Program } from "../../../userland/index.js";
import { describeForm, MEMORY_KINDS } from "../../../userland/assembler/forms.js";
import { announcedCodes, type AnnouncedCode } from "./codes.js";
import { finishForms, flushWhenFull, SCRATCH_MIDDLE, startForms } from "./generated.js";
import type { Closeness, Field, FormsGroup, FormsProgram, Printed } from "./layout.js";
import { Random, specialCount, VALUE_BITS, valueOf, type ValueKind } from "./values.js";

const K = OpCodeOperandKind;

/** Exceptions masked: 64-bit precision with each rounding, then 53 and 24 bits. */
const CONTROL_WORDS = [0x37f, 0x77f, 0xb7f, 0xf7f, 0x27f, 0x07f, 0xe7f] as const;

/**
 * One exception unmasked, and all: it stays pending, for FXSAVE does not wait, and shows what an instruction leaves
 * undone, or does with a wrapped exponent.
 */
const UNMASKED = [0x37e, 0x37d, 0x37b, 0x377, 0x36f, 0x35f, 0x340, 0xf77] as const;

/** Registers that hold something before the instruction: the ordinary three; none and one underflow, eight overflow. */
const DEPTHS = [3, 0, 1, 8] as const;

const SCRATCH_IMAGE = SCRATCH_MIDDLE + 0x400;
const CLEAN_IMAGE = SCRATCH_MIDDLE + 0x800;

/** FXSAVE's layout. */
const IMAGE_STATUS = 2;
const IMAGE_TAGS = 4;
const IMAGE_REGISTERS = 32;
const IMAGE_REGISTER_STRIDE = 16;

const RECORD_CONTROL = 8;
const RECORD_MEMORY = 16;
const RECORD_REGISTERS = 32;
const RECORD_BYTES = RECORD_REGISTERS + 3 * 16;

/** Status-word bits that are compared where nothing is undefined: exceptions, SF, ES, C0-C3, TOP, B. */
const ALL_STATUS = 0xffff;
const CONDITION_BITS: readonly (readonly [RflagsBits, number])[] = [
  [RflagsBits.C0, 0x100],
  [RflagsBits.C1, 0x200],
  [RflagsBits.C2, 0x400],
  [RflagsBits.C3, 0x4000],
];
const C1 = 0x200;
const PRECISION = 0x20;
const UNDERFLOW = 0x10;

const TRANSCENDENTAL = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/;

interface Shape {
  readonly announced: AnnouncedCode;
  readonly operands: readonly string[];
  readonly depth: number;
  readonly memory: ValueKind | undefined;
  readonly memoryBytes: number;
  readonly writesMemory: boolean;
  /** It compares into RFLAGS, or depends on them. */
  readonly flags: boolean;
  readonly storesAx: boolean;
  readonly statusMask: number;
  readonly closeness: Closeness;
}

interface Case {
  readonly registers: readonly bigint[];
  readonly memory: bigint;
  readonly control: number;
  readonly flags: number;
}

function memoryKind(name: string, bytes: number): ValueKind {
  if (name.includes("bcd")) return "bcd";
  if (name.includes("fp")) return bytes === 4 ? "f32" : bytes === 8 ? "f64" : "f80";
  return bytes === 2 ? "int16" : bytes === 4 ? "int32" : "int64";
}

function statusMask(code: number): number {
  const instruction = new Instruction();
  instruction.code = code;
  const bits = instruction.rflagsUndefined;
  instruction.free();
  return CONDITION_BITS.reduce((mask, [iced, bit]) => (bits & iced ? mask & ~bit : mask), ALL_STATUS);
}

function writesMemory(code: number): boolean {
  const instruction = new Instruction();
  instruction.code = code;
  const factory = new InstructionInfoFactory();
  const info = factory.info(instruction);
  const access = info.op0Access;
  info.free();
  factory.free();
  instruction.free();
  return access === OpAccess.Write || access === OpAccess.CondWrite;
}

function shapesOf(announced: AnnouncedCode): Shape[] {
  const info = CodeExt.opCode(announced.code);
  const form = describeForm(info);
  info.free();
  const kinds = form.explicit.map((i) => form.operandKinds[i]!);
  const hasMemory = kinds.some((kind) => MEMORY_KINDS.has(kind));
  const stackRegisters = kinds.includes(K.sti_opcode) ? [1, 2, 0, 3] : [-1];
  const transcendental = TRANSCENDENTAL.test(announced.mnemonic);
  // What a transcendental raises for an inexact result, and how it rounds, is each CPU's own.
  const ownBits = transcendental ? C1 | PRECISION | UNDERFLOW : 0;
  const shapes: Shape[] = [];
  for (const index of stackRegisters) {
    for (const depth of DEPTHS) {
      if (index > 0 && index !== 1 && depth !== 3) continue;
      const operands = kinds.map((kind) =>
        kind === K.sti_opcode ? `st(${index})` : kind === K.st0 ? "st0" : "[rdi]",
      );
      shapes.push({
        announced,
        operands,
        depth,
        memory: hasMemory ? memoryKind(announced.name, form.memorySize) : undefined,
        memoryBytes: hasMemory ? form.memorySize : 0,
        writesMemory: hasMemory && writesMemory(announced.code),
        flags: /^f(u?comip?|cmov.*)$/.test(announced.mnemonic),
        storesAx: kinds.includes(K.ax),
        statusMask: statusMask(announced.code) & ~ownBits,
        closeness: transcendental ? "transcendental" : "exact",
      });
    }
  }
  return shapes;
}

const EXPONENT_BIAS = 16383;

/** The exponent that an 80-bit value would have if it were normal, without the bias; NaN and infinity are large. */
function exponentOf(value: bigint): number {
  const exponent = Number((value >> 64n) & 0x7fffn);
  const mantissa = BigInt.asUintN(64, value);
  return Math.max(exponent, 1) - EXPONENT_BIAS - (64 - mantissa.toString(2).length);
}

/**
 * Whether the manuals leave the result open: F2XM1 and FYL2XP1 outside their ranges, and how far FPREM gets at once
 * where it does not get to the end.
 */
function isOpen(mnemonic: string, [st0, st1]: readonly bigint[]): boolean {
  if (mnemonic === "f2xm1") return exponentOf(st0!) >= 0;
  if (mnemonic === "fyl2xp1") return exponentOf(st0!) >= -2;
  return mnemonic.startsWith("fprem") && Math.abs(exponentOf(st0!) - exponentOf(st1!)) >= 63;
}

function casesOf(shape: Shape): Case[] {
  let seed = shape.depth;
  for (const letter of shape.announced.name + shape.operands.join())
    seed = Math.imul(seed ^ letter.charCodeAt(0), 0x01000193);
  const random = new Random(seed);
  const special = specialCount("f80");
  const isPlain = shape.depth === 3 && !shape.operands.includes("st(2)") && !shape.operands.includes("st(3)");
  const count = !isPlain ? 6 : shape.memory !== undefined || shape.operands.length > 0 ? 96 : 120;
  const memorySpecial = shape.memory === undefined ? special : specialCount(shape.memory);
  const cases = Array.from({ length: count }, (_, index) => {
    const paired = index < (count * 2) / 3;
    const pair = Math.floor(index * 0.6180339887 * special * memorySpecial) % (special * memorySpecial);
    const first = paired ? pair % special : special;
    const second = paired ? Math.floor(pair / special) : memorySpecial;
    const registers = [
      valueOf("f80", first, random),
      valueOf("f80", second, random),
      valueOf("f80", special, random),
    ];
    const memory = shape.memory === undefined ? 0n : valueOf(shape.memory, second, random);
    const masked = index % 3 === 0 ? random.pick(CONTROL_WORDS) : CONTROL_WORDS[0];
    const unmasks = index % 4 === 1 && shape.closeness === "exact";
    const control = unmasks ? random.pick(UNMASKED) : masked;
    return { registers, memory, control, flags: random.u32() & 0x8d5 };
  });
  return cases.filter((one) => shape.depth < 3 || !isOpen(shape.announced.mnemonic, one.registers));
}

function put(program: Program, value: bigint, bits: number, bytes: number): void {
  for (let i = 0; i < bytes; i += 8)
    program.u64(BigInt.asUintN(64, BigInt.asUintN(bits, value) >> BigInt(i * 8)));
}

function emit(program: Program, shape: Shape): Printed {
  const cases = casesOf(shape);
  const label = program.unique("cases");
  program.within(".rodata", () => {
    program.align(16).label(label);
    for (const one of cases) {
      program.u64(0x202 | one.flags).u64(one.control);
      put(program, one.memory, shape.memory === undefined ? 64 : VALUE_BITS[shape.memory], 16);
      for (const register of one.registers) put(program, register, 80, 16);
    }
  });
  const loop = program.unique("loop");
  program.code(`
    lea r12, [${label}]
    mov r13d, ${cases.length}
    mov edi, ${SCRATCH_MIDDLE}
    ${loop}:
    fxrstor [rdi+${CLEAN_IMAGE - SCRATCH_MIDDLE}]
    fldcw [r12+${RECORD_CONTROL}]
    mov rax, [r12+${RECORD_MEMORY}]
    mov [rdi], rax
    mov rax, [r12+${RECORD_MEMORY + 8}]
    mov [rdi+8], rax
  `);
  for (let i = shape.depth - 1; i >= 0; i--) {
    program.code(`fld tbyte ptr [r12+${RECORD_REGISTERS + (i % 3) * 16}]`);
  }
  if (shape.flags) program.code("push qword ptr [r12]\n popfq");
  program.form(shape.announced.code, shape.operands);
  const fields: Field[] = [];
  let at = 0;
  const field = (name: string, bytes: number, closeness: Closeness = "exact"): number => {
    fields.push({ name, bytes, closeness });
    at += bytes;
    return at - bytes;
  };
  if (shape.flags) program.code(`pushfq\n pop rax\n and eax, 0x8d5\n mov [r14+${field("flags", 2)}], ax`);
  program.code(`fxsave [rdi+${SCRATCH_IMAGE - SCRATCH_MIDDLE}]\n mov esi, ${SCRATCH_IMAGE}`);
  program.code(
    `mov ax, [rsi+${IMAGE_STATUS}]\n and ax, ${shape.statusMask}\n mov [r14+${field("status", 2)}], ax`,
  );
  program.code(`mov al, [rsi+${IMAGE_TAGS}]\n mov [r14+${field("tags", 1)}], al`);
  for (let i = 0; i < 3; i++) {
    const from = IMAGE_REGISTERS + i * IMAGE_REGISTER_STRIDE;
    const to = field(`st${i}`, 10, shape.closeness);
    program.code(`mov rax, [rsi+${from}]\n mov [r14+${to}], rax`);
    program.code(`mov ax, [rsi+${from + 8}]\n mov [r14+${to + 8}], ax`);
  }
  if (shape.writesMemory) {
    const to = field("[rdi]", shape.memoryBytes);
    for (let i = 0; i < shape.memoryBytes;) {
      const left = shape.memoryBytes - i;
      const [size, register] =
        left >= 8 ? ([8, "rax"] as const) : left >= 4 ? ([4, "eax"] as const) : ([2, "ax"] as const);
      program.code(`mov ${register}, [rdi+${i}]\n mov [r14+${to + i}], ${register}`);
      i += size;
    }
  }
  program.code(`lea r14, [r14+${at}]\n add r12, ${RECORD_BYTES}\n dec r13d\n jnz ${loop}`);
  flushWhenFull(program);
  return {
    form: shape.announced.name,
    title: `${shape.announced.name}: ${shape.announced.mnemonic} ${shape.operands.join(", ")} (${shape.depth} loaded)`,
    fields,
    cases: cases.length,
    describe(index): string {
      const one = cases[index]!;
      const values = one.registers
        .slice(0, Math.min(shape.depth, 3))
        .map((value, i) => `st${i}=${value.toString(16)}`);
      if (shape.memory !== undefined) values.push(`[rdi]=${one.memory.toString(16)}`);
      if (shape.flags) values.push(`flags=${one.flags.toString(16)}`);
      return [...values, `control=${one.control.toString(16)}`].join(" ");
    },
  };
}

function isX87(one: AnnouncedCode): boolean {
  return one.byHand === undefined && one.feature.startsWith("FPU");
}

export function x87Codes(): AnnouncedCode[] {
  return announcedCodes().filter(isX87);
}

/** The x87 forms, each over many values, control words and stack depths. */
export const x87Group: FormsGroup = {
  name: "x87",
  build(): FormsProgram {
    const program = startForms();
    program.code(`
      mov edi, ${CLEAN_IMAGE}
      fninit
      fxsave [rdi]
      lea rdi, [rdi+${IMAGE_REGISTERS}]
      xor eax, eax
      mov ecx, 16
      rep stosq
    `);
    const printed = x87Codes()
      .flatMap((one) => shapesOf(one))
      .map((shape) => emit(program, shape));
    return { elf: finishForms(program), printed };
  },
};
