import { Assembler } from "../../userland/assembler.js";
import { BareMachine } from "./bare-machine.js";
import { Random } from "./random-code.js";

const CODE = 0x400000;
const CODE_PAGES = 2;
const DATA = 0x600000;
const DATA_PAGES = 4;
const PAGE = 4096;
const STEPS = 24;
const MAX_BUDGET = 3000;

const GENERAL = ["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"];
const NARROW: Record<number, (name: string) => string> = {
  8: (name) => name,
  4: (name) => (/^r\d/.test(name) ? `${name}d` : `e${name.slice(1)}`),
  2: (name) => (/^r\d/.test(name) ? `${name}w` : name.slice(1)),
  1: (name) => (/^r\d/.test(name) ? `${name}b` : /^r[sd]i$/.test(name) ? `${name.slice(1)}l` : `${name[1]}l`),
};
const HIGH = ["ah", "ch", "dh"];
const SIZE: Record<number, string> = { 1: "byte", 2: "word", 4: "dword", 8: "qword", 16: "xmmword" };
const CONDITIONS = ["o", "no", "b", "ae", "z", "nz", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const ALU = ["add", "sub", "and", "or", "xor", "adc", "sbb", "cmp", "test"];
const VECTOR = [
  "paddd",
  "paddq",
  "psubb",
  "pxor",
  "pand",
  "por",
  "pcmpeqd",
  "punpcklbw",
  "pmuludq",
  "pshufb",
  "addps",
  "mulpd",
  "subsd",
  "addss",
  "movss",
  "movsd",
  "unpcklpd",
  "cvtdq2ps",
  "sqrtsd",
  "maxps",
  "packssdw",
];

/** Programs with loops, calls, faults and branches over two pages of code. */
export class FlowProgram {
  private readonly lines: string[] = [];
  private readonly blocks: number;
  /** Lines on the first page. */
  private middle = 0;

  constructor(private readonly random: Random) {
    this.blocks = 5 + this.below(10);
    for (let i = 0; i < this.blocks; i++) {
      this.lines.push(`b${i}:`);
      for (let n = 1 + this.below(8); n > 0; n--) this.lines.push(this.instruction());
      this.lines.push(this.end());
      if (i === this.blocks >> 1) this.middle = this.lines.length;
    }
    this.lines.push("jmp b0");
  }

  get source(): string {
    return this.lines.join("\n");
  }

  /** The second half stands on the second page. */
  assemble(base: number): Uint8Array {
    const asm = new Assembler();
    asm.code(`start:\n${this.lines.slice(0, this.middle).join("\n")}\njmp far`);
    asm.align(PAGE);
    asm.code(`far:\n${this.lines.slice(this.middle).join("\n")}`);
    const image = asm.link({ base, entry: "start" });
    const bytes = new Uint8Array(CODE_PAGES * PAGE);
    for (const segment of image.segments) bytes.set(segment.bytes, segment.address - base);
    return bytes;
  }

  private below(n: number): number {
    return this.random.next() % n;
  }
  private one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  private register(width = this.one([1, 2, 4, 8])): string {
    if (width === 1 && this.below(4) === 0) return this.one(HIGH);
    return NARROW[width]!(this.one(GENERAL));
  }
  private memory(width: number): string {
    const base = this.one(["rbx", "rbp"]);
    const place = this.below(3) === 0 ? `${base}+r12*${this.one([1, 2, 4, 8])}` : base;
    return `${SIZE[width]} ptr [${place}+${this.below(6000)}]`;
  }
  private legacy(width: number): string {
    // AH and its like cannot stand beside a register that needs REX.
    return NARROW[width]!(this.one(["rax", "rcx", "rdx"]));
  }

  private instruction(): string {
    const width = this.one([1, 2, 4, 8, 4, 8]);
    const wide = this.one([2, 4, 8]);
    const v = (): string => `xmm${this.below(8)}`;
    switch (this.below(24)) {
      case 0:
      case 1:
      case 2:
        return `${this.one(ALU)} ${this.legacy(width)}, ${this.legacy(width)}`;
      case 3:
        return `${this.one(ALU)} ${this.register(width)}, ${this.below(127)}`;
      case 4:
        return `${this.one(ALU)} ${NARROW[width]!(this.one(GENERAL))}, ${this.memory(width)}`.replace(
          /^test (.*), (.*)$/,
          "test $2, $1",
        );
      case 5:
        return `${this.one(["add", "xor", "sub", "or"])} ${this.memory(width)}, ${NARROW[width]!(this.one(GENERAL))}`;
      case 6:
      case 7:
        return `mov ${NARROW[width]!(this.one(GENERAL))}, ${this.memory(width)}`;
      case 8:
      case 9:
        return `mov ${this.memory(width)}, ${NARROW[width]!(this.one(GENERAL))}`;
      case 10:
        return `lea ${NARROW[8]!(this.one(GENERAL))}, [${this.one(GENERAL)}+${this.one(GENERAL)}*4+${this.below(99)}]`;
      case 11:
        return `${this.one(["shl", "shr", "sar", "rol", "ror", "rcl", "rcr"])} ${this.register(width)}, ${this.one(["cl", "1", "7"])}`;
      case 12:
        return `imul ${NARROW[wide]!(this.one(GENERAL))}, ${NARROW[wide]!(this.one(GENERAL))}`;
      case 13:
        return `set${this.one(CONDITIONS)} ${this.register(1)}`;
      case 14:
        return `cmov${this.one(CONDITIONS)} ${NARROW[wide]!(this.one(GENERAL))}, ${NARROW[wide]!(this.one(GENERAL))}`;
      case 15:
        return `${this.one(["movzx", "movsx"])} ${NARROW[this.one([4, 8])]!(this.one(GENERAL))}, ${NARROW[this.one([1, 2])]!(this.one(GENERAL))}`;
      case 16:
        return this.one(["inc", "dec", "neg", "not"]) + ` ${this.register(width)}`;
      case 17:
        return this.one([
          `push ${this.one(GENERAL)}\npop ${this.one(GENERAL)}`,
          `xchg ${this.one(GENERAL)}, ${this.one(GENERAL)}`,
          `bt ${this.one(GENERAL)}, ${this.below(60)}`,
          `bswap ${this.one(GENERAL)}`,
          "cqo",
          "lahf",
          "pushfq\npop rdx",
          "stc",
          "cmc",
        ]);
      case 18:
        return `mul ${NARROW[wide]!(this.one(GENERAL))}`;
      case 19:
        return `movdqu ${v()}, ${this.memory(16)}`;
      case 20:
        return `movdqu ${this.memory(16)}, ${v()}`;
      case 21:
      case 22:
        return `${this.one(VECTOR)} ${v()}, ${v()}`;
      default:
        return this.one([
          `cvtsi2sd ${v()}, ${this.one(GENERAL)}`,
          `movq ${v()}, ${this.one(GENERAL)}`,
          `movd ${NARROW[4]!(this.one(GENERAL))}, ${v()}`,
          `movsd ${v()}, ${this.memory(8)}`,
          `movlhps ${v()}, ${v()}`,
          `pextrw ${NARROW[4]!(this.one(GENERAL))}, ${v()}, ${this.below(8)}`,
          `ucomisd ${v()}, ${v()}`,
          "and r12, 0x3ff",
          "inc r12",
        ]);
    }
  }

  private end(): string {
    const to = (): string => `b${this.below(this.blocks)}`;
    switch (this.below(8)) {
      case 0:
        return `jmp ${to()}`;
      case 1:
        return `call ${to()}`;
      case 2:
        return `dec r13\njnz ${to()}`;
      case 3:
        return this.below(3) === 0 ? "ret" : "";
      case 4:
        return `cmp ${this.one(GENERAL)}, ${this.one(GENERAL)}\nj${this.one(CONDITIONS)} ${to()}`;
      default:
        return `j${this.one(CONDITIONS)} ${to()}`;
    }
  }
}

/**
 * Runs such programs in the interpreter alone and with everything compiled at once, and tells where they part: after
 * each of many runs of so many instructions, between which pages of code move, change and are looked up anew.
 */
export class RandomFlow {
  private readonly random: Random;
  /** Regions made so far. */
  made = 0;
  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** @returns null if both end alike each time; otherwise the program and where they part */
  next(): string | null {
    const { random } = this;
    const program = new FlowProgram(random);
    const bytes = program.assemble(CODE);
    const registers = Array.from(
      { length: 16 },
      () => random.next() * ((random.next() & 1) === 0 ? 1 : 2 ** 16),
    );
    const seed = random.next();
    const machines = [Infinity, 0].map((hot) => {
      const machine = new BareMachine({ hot, megabytes: 4 });
      machine.map(CODE, CODE_PAGES, { execute: true });
      machine.map(DATA, DATA_PAGES);
      machine.poke(CODE, bytes);
      machine.poke(
        DATA,
        Uint8Array.from({ length: DATA_PAGES * PAGE }, (_, i) => (i * 37) >> 3),
      );
      const { cpu } = machine;
      registers.forEach((value, i) => i !== 4 && cpu.registers.setNumber(i, value % 2 ** 47));
      cpu.registers.setNumber(3, DATA);
      cpu.registers.setNumber(5, DATA + 0x1000);
      cpu.registers.setNumber(12, registers[12]! & 0x3ff);
      cpu.registers.rip = CODE;
      return machine;
    });
    const plans = [new Random(seed), new Random(seed)];
    for (let step = 0; step < STEPS; step++) {
      const [one, other] = machines.map((machine, i) => this.step(machine, plans[i]!));
      if (one !== other) return `step ${step}\n${program.source}\ninterpreter ${one}\ncompiled    ${other}`;
    }
    this.made += machines[1]!.cpu.regions!.made;
    return null;
  }

  /** One run of some instructions. What faults begins anew. */
  private step(machine: BareMachine, random: Random): string {
    const { cpu, mmu } = machine;
    const budget = 1 + (random.next() % MAX_BUDGET);
    const reason = cpu.run(budget);
    const { vector, errorCode, address } = cpu.exit;
    const why = reason === "exception" ? `${vector}/${errorCode}/${address.toString(16)}` : "";
    const values = Array.from({ length: 16 }, (_, i) => cpu.registers.get(i).toString(16)).join(" ");
    const state = Buffer.from(cpu.xsaveArea()).toString("base64");
    const data = machine.peek(DATA, DATA_PAGES * PAGE);
    let sum = 0;
    for (const byte of data) sum = (Math.imul(sum, 31) + byte) | 0;
    const said = `${reason} ${why} rip ${cpu.registers.rip.toString(16)} after ${cpu.instructions}, flags ${cpu.registers.rflags.toString(16)}, ${values}, memory ${sum}, ${state}`;
    if (reason !== "budget") {
      cpu.registers.rip = CODE;
      cpu.registers.setNumber(4, 0x7fff_e000);
      cpu.registers.setNumber(3, DATA);
      cpu.registers.setNumber(5, DATA + 0x1000);
      cpu.registers.setNumber(12, 7);
    }
    switch (random.next() % 8) {
      case 0:
        mmu.invalidatePage(CODE + PAGE * (random.next() & 1));
        break;
      case 1:
        mmu.flush();
        break;
      case 2:
        this.replaceSecond(machine, random.next() % 400);
        break;
      case 3:
        machine.memory.onCodeWrite(machine.frameOf(CODE + PAGE), random.next() & 0xfff, 1);
        break;
      case 4:
        cpu.registers.pkru = random.next() & 1 ? 0 : 0x5555_5554;
        break;
    }
    return said;
  }

  /** The second page becomes another frame, of the same bytes but for one that is a NOP now. */
  private replaceSecond(machine: BareMachine, at: number): void {
    const va = CODE + PAGE;
    const bytes = machine.peek(va, PAGE);
    bytes[at] = 0x90;
    machine.mapFrame(va, machine.frames.allocate(), { execute: true });
    machine.poke(va, bytes);
  }
}
