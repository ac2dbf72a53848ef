import { describe, expect, it } from "vitest";
import { BareMachine, CODE, STACK_TOP } from "./bare-machine.js";

const DATA = 0x600000;
const PF = 14;

/** Every test runs in both tiers: the interpreter and the reference evaluator. */
describe.each([
  ["interpreter", false],
  ["reference evaluator", true],
])("%s", (_name, reference) => {
  const machine = (): BareMachine => new BareMachine({ reference });

  it("runs to SYSCALL with RCX and R11 set (SDM vol. 2, SYSCALL)", () => {
    const m = machine().load("mov eax, 60\nxor edi, edi\nsyscall\nnop");
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.rip).toBe(CODE + 5 + 2 + 2);
    expect(m.cpu.registers.number(1)).toBe(m.cpu.registers.rip);
    expect(m.cpu.registers.number(11) & 0x40).toBe(0x40);
    expect(m.cpu.instructions).toBe(3);
  });

  it("stops after exactly the number of instructions asked for", () => {
    const source = "mov ecx, 1000\nl: dec ecx\njnz l\nsyscall";
    for (const steps of [0, 1, 2, 3, 7, 100, 1999]) {
      const m = machine().load(source);
      expect(m.run(steps)).toBe("budget");
      expect(m.cpu.instructions).toBe(steps);
      m.run(5000);
      expect(m.cpu.instructions).toBe(2002);
    }
  });

  it("leaves registers, flags and memory as before a faulting instruction", () => {
    const m = machine();
    m.map(DATA, 1, { write: false });
    m.load(`stc\nmov rbx, ${DATA}\nmov eax, 7\nadd [rbx], eax\nsyscall`);
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 7, address: DATA });
    expect(m.cpu.registers.rflags & 1).toBe(1);
    expect(m.cpu.registers.number(0)).toBe(7);
    expect(m.cpu.instructions).toBe(3);
    m.mapFrame(DATA, m.frameOf(DATA), { write: true });
    expect(m.run()).toBe("syscall");
    expect(m.peek64(DATA)).toBe(7n);
    expect(m.cpu.instructions).toBe(5);
  });

  it("checks both pages of a crossing store before it writes either", () => {
    const m = machine();
    m.map(DATA, 1);
    m.load(`mov rbx, ${DATA + 4092}\nmov rax, -1\nmov [rbx], rax\nsyscall`);
    expect(m.run()).toBe("exception");
    // CR2 is the first byte on the faulting page.
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 6, address: DATA + 4096 });
    expect(m.peek64(DATA + 4088)).toBe(0n);
    m.map(DATA + 4096, 1);
    expect(m.run()).toBe("syscall");
    expect(m.peek64(DATA + 4088)).toBe(0xffffffff00000000n);
  });

  it("stops a rep at its element and goes on from there", () => {
    const m = machine();
    m.map(DATA, 1);
    m.load(`mov rdi, ${DATA + 4000}\nmov ecx, 200\nmov al, 0x5a\nrep stosb\nmov r8, rcx\nsyscall`);
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, address: DATA + 4096 });
    expect(m.cpu.registers.number(1)).toBe(200 - 96);
    expect(m.cpu.registers.number(7)).toBe(DATA + 4096);
    m.map(DATA + 4096, 1);
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(8)).toBe(0);
    expect(m.peek(DATA + 4096, 105)).toEqual(Uint8Array.of(...Array<number>(104).fill(0x5a), 0));
    expect(m.cpu.instructions).toBe(6);
  });

  it("copies a rep movsb onto its own tail element by element", () => {
    const m = machine();
    m.map(DATA, 1);
    m.poke(DATA, Uint8Array.of(1, 2, 3));
    m.load(`mov rsi, ${DATA}\nmov rdi, ${DATA + 3}\nmov ecx, 9\nrep movsb\nsyscall`);
    m.run();
    expect(m.peek(DATA, 12)).toEqual(Uint8Array.of(1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3));
  });

  it("sees code that it changes itself, also ahead in the same block", () => {
    const m = machine().load(`
      mov byte ptr [target + 1], 9
      target: mov eax, 1
      syscall`);
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(0)).toBe(9);
  });

  it("sees code changed through another mapping of its frame", () => {
    const m = machine().load(`
      mov r8d, 3
      again:
      call body
      mov byte ptr [rbx], 42
      dec r8d
      jnz again
      syscall
      body: mov eax, 7
      ret`);
    const alias = 0x900000;
    m.mapFrame(alias, m.frameOf(CODE));
    m.cpu.registers.setNumber(3, alias + (m.labels.get("body")! - CODE) + 1);
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(0)).toBe(42);
  });

  it("executes an instruction across a page boundary, and sees its second page exchanged", () => {
    const m = machine();
    // mov eax, imm32 with two bytes on the second page; then syscall.
    const at = CODE + 4096 - 3;
    m.load("nop", CODE, 1);
    m.map(CODE + 4096, 1, { execute: true });
    m.poke(at, Uint8Array.of(0xb8, 1, 0, 0, 0, 0x0f, 0x05));
    const run = (): number => {
      m.cpu.registers.rip = at;
      expect(m.run()).toBe("syscall");
      return m.cpu.registers.number(0);
    };
    expect(run()).toBe(1);
    expect(run()).toBe(1);
    const other = m.frames.allocate();
    m.mapFrame(CODE + 4096, other, { execute: true });
    m.poke(CODE + 4096, Uint8Array.of(1, 0, 0x0f, 0x05));
    expect(run()).toBe(0x10001);
    m.tables.clear(CODE + 4096);
    m.mmu.invalidatePage(CODE + 4096);
    m.cpu.registers.rip = at;
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 0x14, address: CODE + 4096 });
    expect(m.cpu.registers.rip).toBe(at);
  });

  it("raises #DB after each instruction under TF", () => {
    const m = machine().load("pushfq\nor dword ptr [rsp], 0x100\npopfq\nmov eax, 1\nmov eax, 2\nsyscall");
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(1);
    // The instruction behind POPF is the first to trap.
    expect(m.cpu.registers.number(0)).toBe(1);
    expect(m.run()).toBe("exception");
    expect(m.cpu.registers.number(0)).toBe(2);
  });

  it.each([
    ["int3", 3, 0, 1],
    ["ud2", 6, 0, 0],
    ["hlt", 13, 0, 0],
    ["int 0x20", 13, 0x102, 0],
    ["xor ecx, ecx\nxor edx, edx\nmov eax, 5\ndiv ecx", 0, 0, 9],
    ["mov ecx, 1\nrdpkru", 13, 0, 5],
    ["mov edx, 1\nxor ecx, ecx\nwrpkru", 13, 0, 7],
    ["mov rax, 0x8000000000000000\nmov rbx, [rax]", 13, 0, 10],
    ["mov rbp, 0x8000000000000000\nmov rbx, [rbp]", 12, 0, 10],
    ["mov rsp, 0x8000000000000000\npush rax", 12, 0, 10],
    ["mov rax, 0x8000000000000000\njmp rax", 13, 0, 10],
  ])("%s raises vector %i", (source, vector, errorCode, offset) => {
    const m = machine().load(`${source}\nnop`);
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(vector);
    expect(m.cpu.exit.errorCode).toBe(errorCode);
    expect(m.cpu.registers.rip).toBe(CODE + offset);
  });

  it("returns far", () => {
    const m = machine().load(`
      mov eax, 0x2b
      push rax
      push rsp
      pushfq
      mov eax, 0x33
      push rax
      lea rax, [there]
      push rax
      db 0x48, 0xcf ; iretq
      ud2
      there: syscall`);
    expect(m.run()).toBe("syscall");
    expect(m.cpu.registers.number(4)).toBe(STACK_TOP - 72);
    const wrong = machine().load("mov eax, 0x2b\npush rax\npush rax\ndb 0x48, 0xcb ; retfq");
    expect(wrong.run()).toBe("exception");
    expect(wrong.cpu.exit).toMatchObject({ vector: 13, errorCode: 0x28 });
  });

  it("undoes the return address of a call to a non-canonical address", () => {
    const m = machine().load("mov rax, 0x8000000000000000\ncall rax");
    expect(m.run()).toBe("exception");
    expect(m.cpu.registers.number(4)).toBe(STACK_TOP - 64);
  });

  // A computed jump's target is looked up in a table by address and address space.
  it.each([
    [0xffff_ffff_ffff_ffffn, 14],
    [0xffff_ffff_8100_0123n, 14],
    [0xffff_8000_0000_0001n, 14],
    [0x0000_8000_0000_0000n, 13],
    // The code itself, with bits above bit 47 as the address space's number would be, and as another one's.
    [0x0001_0000_0000_0000n + BigInt(CODE), 13],
    [0x0003_0000_0000_0000n + BigInt(CODE), 13],
  ])("a jump to %d, where no user may fetch, is vector %d", (target, vector) => {
    const m = machine().load(`
      dec ecx
      jz out
      mov rax, ${CODE}
      jmp rax
    out:
      mov rax, ${target}
      jmp rax`);
    m.cpu.registers.setNumber(1, 4);
    expect(m.cpu.run(1000)).toBe("exception");
    expect(m.cpu.exit.vector).toBe(vector);
    if (vector === 14) {
      expect(m.cpu.exit.addressBig).toBe(target);
      expect(m.cpu.registers.ripBig).toBe(target);
      // Once more from there, as after a signal handler that returned to it.
      expect(m.cpu.run(10)).toBe("exception");
      expect(m.cpu.exit.addressBig).toBe(target);
      expect(m.cpu.registers.ripBig).toBe(target);
    } else expect(m.cpu.registers.rip).toBeLessThan(CODE + 64);
  });

  it("#UD for what the model does not announce", () => {
    const m = new BareMachine({ reference, cpu: "x86-64-v1" }).load("popcnt eax, eax");
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(6);
    const noKeys = new BareMachine({ reference, pku: false }).load("xor ecx, ecx\nrdpkru");
    expect(noKeys.run()).toBe("exception");
    expect(noKeys.cpu.exit.vector).toBe(6);
  });

  it("checks PKRU for data, switches rights with WRPKRU, and never for fetches", () => {
    const m = machine();
    m.map(DATA, 1, { key: 3 });
    m.load(`mov rbx, ${DATA}
      mov [rbx], rbx
      xor ecx, ecx
      xor edx, edx
      mov eax, 0x80
      wrpkru
      mov rsi, [rbx]
      mov [rbx], rsi
      syscall`);
    m.mapFrame(CODE, m.frameOf(CODE), { write: true, execute: true, key: 3 });
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 0x27, address: DATA });
    expect(m.cpu.registers.number(6)).toBe(DATA);
    expect(m.cpu.pkruWriter.rip).toBe(m.cpu.registers.rip - 6);
    m.cpu.registers.pkru = 0;
    expect(m.run()).toBe("syscall");
  });
});
