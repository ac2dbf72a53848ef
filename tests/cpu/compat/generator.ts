import { Code, Decoder, DecoderOptions, Mnemonic, OpKind, Register, type Instruction } from "iced-x86";
import { BlockDecoder } from "../../../cpu/decode/block-decoder.js";
import "../../../cpu/instructions.js";
import { cpuModel } from "../../../cpu/models.js";
import { opNumber } from "../../../cpu/ir/registry.js";
import { Random } from "../random-code.js";
import { BYTES, CODE, DATA, ldt, type Case } from "./layout.js";

/** What a processor answers by itself, or what starts something that no case may. */
const LEFT_OUT = new Set<number>([
  Mnemonic.Syscall,
  Mnemonic.Sysenter,
  Mnemonic.Sysexit,
  Mnemonic.Sysret,
  Mnemonic.Rdtsc,
  Mnemonic.Rdtscp,
  Mnemonic.Cpuid,
  Mnemonic.Xgetbv,
  Mnemonic.Rdpkru,
  Mnemonic.Wrpkru,
  Mnemonic.Rdpid,
  // Without BMI1 and LZCNT these are BSF and BSR.
  Mnemonic.Tzcnt,
  Mnemonic.Lzcnt,
  // Their results are approximations, or they save state that the cases do not set.
  Mnemonic.Rcpps,
  Mnemonic.Rcpss,
  Mnemonic.Rsqrtps,
  Mnemonic.Rsqrtss,
  Mnemonic.Xsave,
  Mnemonic.Xrstor,
  Mnemonic.Fsin,
  Mnemonic.Fcos,
  Mnemonic.Fsincos,
  Mnemonic.Fptan,
  Mnemonic.Fpatan,
  Mnemonic.Fyl2x,
  Mnemonic.Fyl2xp1,
  Mnemonic.F2xm1,
]);

const CODES = [0x23, ldt(0), ldt(0), ldt(1), ldt(1)];
const STACKS = [0x2b, ldt(2), ldt(3), ldt(4)];
const DATAS = [0x2b, 0x2b, ldt(2), ldt(2), ldt(3), ldt(4), ldt(5), ldt(0), 0, ldt(10)];
/** What is put where code looks for a selector. */
const SELECTORS = [
  0x33,
  0x23,
  0x2b,
  ldt(0),
  ldt(1),
  ldt(2),
  ldt(3),
  ldt(6),
  ldt(7),
  ldt(8),
  ldt(9),
  ldt(11),
  0,
  3,
  0x10,
  0x28,
  ldt(0) - 1,
];
const PREFIXES = [0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x65, 0xf2, 0xf3, 0xf0, 0x64];
/** One-byte opcodes that only these modes have, or that have to do with the stack, segments or far pointers. */
const FAVOURED = [
  0x27, 0x2f, 0x37, 0x3f, 0xd4, 0xd5, 0xd6, 0xce, 0x62, 0x63, 0xc4, 0xc5, 0x60, 0x61, 0x9a, 0xea, 0xcf, 0xcb,
  0xca, 0xff, 0xff, 0x8e, 0x8c, 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0xc8, 0xc9, 0xe0, 0xe1, 0xe2, 0xe3,
  0xe8, 0xe9, 0xc3, 0xc2, 0x9c, 0x9d, 0x68, 0x6a, 0x8f, 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xa6, 0xa7, 0xae,
  0xaf, 0xd7, 0xa0, 0xa1, 0xa2, 0xa3, 0x8d, 0x40, 0x48, 0x50, 0x58, 0x50, 0x54, 0x5c, 0xd9, 0xdb, 0xdd, 0xdf,
];
const FAVOURED_0F = [
  0xb2, 0xb4, 0xb5, 0xa0, 0xa1, 0xa8, 0xa9, 0x02, 0x03, 0x00, 0xa3, 0xab, 0xb3, 0xbb, 0xba, 0xc7, 0xae, 0xf7,
  0x80, 0x8f,
];

export interface Generated extends Case {
  readonly text: string;
  /** Flags that the manuals leave undefined after the instructions. */
  readonly undefinedFlags: number;
  /** A double shift of 16 bits by more than 16. */
  readonly hasUndefinedResult: boolean;
}

/** Random instructions of 32- and 16-bit code that the CPU model announces: the same seed, the same cases. */
export class Generator {
  private readonly random: Random;
  private readonly decoder = new BlockDecoder(cpuModel("x86-64-v2")!);
  private readonly undefinedOp = opNumber("raise.6");

  constructor(seed: number) {
    this.random = new Random(seed);
    for (let i = 0; i < 16; i++) this.random.next();
  }

  private below(n: number): number {
    return (this.random.next() >>> 4) % n;
  }
  private of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  next(): Generated {
    for (;;) {
      const made = this.attempt();
      if (made !== null) return made;
    }
  }

  private bytes(): Uint8Array {
    const bytes: number[] = [];
    while (this.below(3) === 0 && bytes.length < 4) bytes.push(this.of(PREFIXES));
    const kind = this.below(8);
    if (kind < 3) bytes.push(this.of(FAVOURED));
    else if (kind === 3) bytes.push(0x0f, this.of(FAVOURED_0F));
    else if (kind === 4) bytes.push(0x0f);
    while (bytes.length < 15) bytes.push(this.random.next() >>> 13);
    if (this.below(4) === 0) {
      // A direct far pointer, or an immediate that is a selector.
      const at = 1 + this.below(8);
      const selector = this.of(SELECTORS);
      bytes[at] = selector & 0xff;
      bytes[at + 1] = selector >>> 8;
    }
    return Uint8Array.from(bytes);
  }

  private attempt(): Generated | null {
    const cs = this.of(CODES);
    const bits = cs === ldt(1) ? 16 : 32;
    const offset = this.below(16) === 0 ? BYTES - 1 - this.below(16) : 0x100 + this.below(0x40);
    const rip = (cs & 4) !== 0 ? offset : CODE + offset;
    const whole = this.bytes();
    const decoder = new Decoder(bits, whole, DecoderOptions.None);
    decoder.ip = BigInt(rip);
    const instruction = decoder.decode();
    try {
      const { length, code, mnemonic } = instruction;
      if (code === Code.INVALID || LEFT_OUT.has(mnemonic)) return null;
      if (mnemonic === Mnemonic.Int && instruction.immediate8 === 0x80) return null;
      const view = { bits, base: (cs & 4) !== 0 ? CODE : 0, limit: 0xffffffff } as const;
      const decoded = this.decoder.decode(whole, rip, 1, undefined, view);
      const isUd = mnemonic === Mnemonic.Ud0 || mnemonic === Mnemonic.Ud1 || mnemonic === Mnemonic.Ud2;
      if (decoded.records[0]!.op === this.undefinedOp && !isUd) return null;
      const usesFs = instruction.segmentPrefix === Register.FS && this.below(4) !== 0;
      if (usesFs) return null;
      const room = Math.min(length, BYTES - offset);
      const regs = Array.from({ length: 8 }, (_, i) => this.value(i));
      return {
        cs,
        ss: this.of(STACKS),
        ds: this.of(DATAS),
        es: this.of(DATAS),
        fs: this.of(DATAS),
        gs: this.of(DATAS),
        offset,
        flags: (this.random.next() & 0x8d5) | (this.below(4) === 0 ? 0x400 : 0),
        seed: this.random.next(),
        regs,
        code: whole.slice(0, room),
        text: instruction.toString(),
        undefinedFlags: flagBits(instruction.rflagsUndefined),
        hasUndefinedResult: DOUBLE_SHIFTS.has(code) && (shiftCount(instruction, regs[1]!) & 31) > 16,
      };
    } finally {
      instruction.free();
      decoder.free();
    }
  }

  private value(register: number): number {
    const kind = this.below(8);
    // ECX counts: mostly few.
    if (register === 1 && kind < 4) return this.below(20);
    if (kind === 0) return this.random.next();
    if (kind === 1) return this.of(SELECTORS);
    if (kind === 2)
      return this.of([
        0, 1, 0xff, 0x80, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x1ffe, 0xffe, 0x1000,
      ]);
    // Offsets in the data, flat or from the segment's base.
    const offset = this.below(8) === 0 ? 0xff0 + this.below(0x20) : this.below(BYTES);
    return (this.below(2) === 0 ? DATA + offset : offset) & ((this.below(3) !== 0 ? ~3 : ~0) >>> 0);
  }
}

const DOUBLE_SHIFTS = new Set<number>([
  Code.Shld_rm16_r16_imm8,
  Code.Shrd_rm16_r16_imm8,
  Code.Shld_rm16_r16_CL,
  Code.Shrd_rm16_r16_CL,
]);
const shiftCount = (instruction: Instruction, ecx: number): number =>
  instruction.opKind(2) === OpKind.Immediate8 ? instruction.immediate8 : ecx;

/** RFLAGS of iced's RflagsBits: OF 1, SF 2, ZF 4, AF 8, CF 16, PF 32. */
function flagBits(bits: number): number {
  return (
    ((bits & 1) !== 0 ? 0x800 : 0) |
    ((bits & 2) !== 0 ? 0x80 : 0) |
    ((bits & 4) !== 0 ? 0x40 : 0) |
    ((bits & 8) !== 0 ? 0x10 : 0) |
    ((bits & 16) !== 0 ? 1 : 0) |
    ((bits & 32) !== 0 ? 4 : 0)
  );
}
