import { describe, expect, it } from "vitest";
import { BareMachine, CODE } from "./bare-machine.js";

const DATA = 0x600000;
const AREA = DATA + 0x1000;
const RAX = 0;
const RDX = 2;
const RBX = 3;
const GP = 13;
const PF = 14;
const MF = 16;

const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");

/** Expectations that are byte strings were printed by an Intel Xeon (family 6, model 167) running the same code. */
describe.each([
  ["interpreter", false],
  ["reference evaluator", true],
])("x87 instructions, %s", (_name, reference) => {
  function machine(source: string): BareMachine {
    const m = new BareMachine({ reference });
    m.map(DATA, 4);
    m.cpu.resetXstate();
    m.load(source);
    m.cpu.registers.setNumber(RBX, DATA);
    return m;
  }
  const word = (m: BareMachine, at: number): number => new DataView(m.peek(at, 2).buffer).getUint16(0, true);

  // A division by zero with ZE unmasked: control word at DATA, the zero at DATA + 4.
  const divides = "fldcw word ptr [rbx]\nfld1\nfdiv dword ptr [rbx+4]\n";

  it("keeps an unmasked exception pending until the next waiting instruction, which raises #MF", () => {
    const m = machine(`${divides}here: fnstsw word ptr [rbx+8]\nthere: fld1\nsyscall`);
    m.poke(DATA, Uint8Array.of(0x7b, 0x03));
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(MF);
    expect(m.cpu.registers.rip).toBe(m.labels.get("there"));
    expect(word(m, DATA + 8)).toBe(0xb884);
    expect(m.run()).toBe("exception");
  });

  it("raises a pending #MF before an MMX instruction and before a page fault of the same instruction", () => {
    for (const next of ["movd mm0, eax", "fld qword ptr [rax]", "fstp qword ptr [rax]", "wait"]) {
      const m = machine(`${divides}xor eax, eax\nhere: ${next}\nsyscall`);
      m.poke(DATA, Uint8Array.of(0x7b, 0x03));
      expect(m.run()).toBe("exception");
      expect([next, m.cpu.exit.vector, m.cpu.registers.rip]).toEqual([next, MF, m.labels.get("here")]);
    }
  });

  it("FNSTENV stores opcode and data pointer of the instruction that failed, then masks all exceptions", () => {
    const m = machine(`${divides}fnstenv [rbx+16]\nfnstsw ax\nfld1\nsyscall`);
    m.poke(DATA, Uint8Array.of(0x7b, 0x03));
    expect(m.run()).toBe("syscall");
    // FDIV is at CODE + 4; D8 /6 with an 8-bit displacement from RBX has the ModRM byte 73.
    expect(hex(m.peek(DATA + 16, 28))).toBe("7b03ffff84b8ffffff3fffff0400400000007300040060000000ffff");
    expect(m.cpu.registers.number(RAX) & 0xffff).toBe(0x3804);
  });

  it("FNSTENV and FLDENV in the 16-bit form leave FOP and the pointers' upper halves out", () => {
    const m = machine("fninit\nfld1\nfldz\nfnstenv [rbx]\nfninit\nfldenv [rbx]\nfnstsw ax\nsyscall");
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(RAX) & 0xffff).toBe(0x3000);
  });

  it("FNSAVE initializes, FRSTOR brings everything back", () => {
    const m = machine(
      "fninit\nfld1\nfldpi\nfnsave [rbx]\nfnstsw ax\nmov edx, eax\nfrstor [rbx]\nfxch st(0), st(1)\nfstp qword ptr [rbx+200]\nfstp qword ptr [rbx+208]\nfnstsw ax\nsyscall",
    );
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(RDX) & 0xffff).toBe(0);
    expect(m.peek64(DATA + 200)).toBe(0x3ff0000000000000n);
    expect(m.peek64(DATA + 208)).toBe(0x400921fb54442d18n);
    expect(hex(m.peek(DATA + 8, 2))).toBe("ff0f");
  });

  it("FLDCW keeps only the bits that exist", () => {
    const m = machine(
      "fldcw word ptr [rbx]\nfnstcw word ptr [rbx+8]\nfldcw word ptr [rbx+2]\nfnstcw word ptr [rbx+10]\nsyscall",
    );
    m.poke(DATA, Uint8Array.of(0xff, 0xff, 0, 0));
    expect(m.run()).toBe("syscall");
    expect([word(m, DATA + 8), word(m, DATA + 10)]).toEqual([0x1f7f, 0x40]);
  });

  it("writes and pops nothing when a store faults", () => {
    const m = machine("fninit\nfld1\nxor eax, eax\nfstp tbyte ptr [rax]\nsyscall");
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 6, address: 0 });
    m.load("fnstsw ax\nsyscall", CODE + 0x10000);
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(RAX) & 0xffff).toBe(0x3800);
  });

  it("MMX writes make all registers valid and their exponents all ones", () => {
    const m = machine("fninit\nmov eax, 5\nmovd mm3, eax\nfxsave64 [rbx]\nemms\nfnstenv [rbx+512]\nsyscall");
    expect(m.run()).toBe("syscall");
    expect(m.peek(DATA + 4, 1)[0]).toBe(0xff);
    expect(hex(m.peek(DATA + 32 + 48, 16))).toBe("0500000000000000ffff000000000000");
    expect(hex(m.peek(DATA + 520, 2))).toBe("ffff");
  });

  describe("XSAVE", () => {
    const save = (mask: number): string => `mov eax, ${mask}\nxor edx, edx\nxsave64 [rbx]\n`;
    const at = (m: BareMachine): BareMachine => {
      m.cpu.registers.setNumber(RBX, AREA);
      m.poke(AREA, new Uint8Array(2700).fill(0xaa));
      m.poke(AREA + 512, new Uint8Array(64));
      return m;
    };

    it("stores the components asked for, and touches nothing else", () => {
      const m = at(machine(`fninit\nfld1\nfldpi\n${save(0x201)}syscall`));
      m.cpu.registers.pkru = 0x55555554;
      expect(m.run()).toBe("syscall");
      expect(hex(m.peek(AREA + 512, 16))).toBe("01020000000000000000000000000000");
      expect(hex(m.peek(AREA, 8))).toBe("7f030030c0000000");
      expect(hex(m.peek(AREA + 24, 24))).toBe("aaaaaaaaaaaaaaaa35c26821a2da0fc90040000000000000");
      expect(hex(m.peek(AREA + 160, 8))).toBe("aaaaaaaaaaaaaaaa");
      expect(hex(m.peek(AREA + 2688, 8))).toBe("54555555aaaaaaaa");
    });

    it("XRSTOR puts a component that the header lacks into its initial state", () => {
      const m = at(machine(`fninit\nfld1\n${save(3)}mov eax, 0x203\nxrstor64 [rbx]\nfnstsw ax\nsyscall`));
      m.cpu.registers.pkru = 0x55555554;
      expect(m.run()).toBe("syscall");
      expect(m.cpu.registers.pkru).toBe(0);
      expect(m.cpu.registers.number(RAX) & 0xffff).toBe(0x3800);
    });

    it.each([
      ["a misaligned area", AREA + 32, undefined, 0],
      ["a component outside XCR0", AREA, 512, 4],
      ["a compacted area", AREA, 527, 0x80],
      ["a reserved header byte", AREA, 535, 1],
      ["a reserved bit of MXCSR", AREA, 26, 1],
    ])("XRSTOR refuses %s with #GP(0)", (_what, address, offset, value) => {
      const m = at(machine("mov eax, 3\nxor edx, edx\nxrstor64 [rbx]\nsyscall"));
      m.poke(AREA, new Uint8Array(1024));
      if (offset !== undefined) m.poke(AREA + offset, Uint8Array.of(value));
      m.cpu.registers.setNumber(RBX, address);
      expect(m.run()).toBe("exception");
      expect(m.cpu.exit).toMatchObject({ vector: GP, errorCode: 0 });
    });

    it("XRSTOR ignores header bytes 24 to 63, and MXCSR when SSE is not asked for", () => {
      const m = at(machine("mov eax, 1\nxor edx, edx\nxrstor64 [rbx]\nsyscall"));
      m.poke(AREA, new Uint8Array(1024));
      m.poke(AREA + 536, new Uint8Array(40).fill(1));
      m.poke(AREA + 26, Uint8Array.of(1));
      expect(m.run()).toBe("syscall");
    });

    it("FXSAVE wants 16-byte alignment and leaves the last 96 bytes alone", () => {
      const m = at(machine("fxsave64 [rbx]\nfxsave64 [rbx+8]\nsyscall"));
      expect(m.run()).toBe("exception");
      expect(m.cpu.exit).toMatchObject({ vector: GP, errorCode: 0 });
      expect(hex(m.peek(AREA + 408, 16))).toBe("0000000000000000aaaaaaaaaaaaaaaa");
    });
  });
});
