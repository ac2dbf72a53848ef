import { Code } from "iced-x86";
import { describe, expect, it } from "vitest";
import { Assembler, AssemblerError } from "../../userland/index.js";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of some lines of code, which lie at 0x401000. */
function assemble(text: string): string {
  const asm = new Assembler().label("_start").code(text);
  return hex(asm.link().segments[0]!.bytes);
}

// The bytes are those that GNU as writes for the same text.
const ENCODINGS: readonly (readonly [text: string, bytes: string])[] = [
  ["nop", "90"],
  ["ret", "c3"],
  ["ret 8", "c20800"],
  ["syscall", "0f05"],
  ["ud2", "0f0b"],
  ["int3", "cc"],
  ["mov rax, 5", "48c7c005000000"],
  ["mov eax, 60", "b83c000000"],
  ["mov rax, 0x123456789abcdef0", "48b8f0debc9a78563412"],
  ["mov al, 'a'", "b061"],
  ["mov ah, bl", "88dc"],
  ["mov r8b, sil", "4188f0"],
  ["mov [rbp], al", "884500"],
  ["mov [rsp], rdi", "48893c24"],
  ["mov dword ptr [rax+rcx*4+8], 7", "c744880807000000"],
  ["mov rax, fs:[0]", "64488b042500000000"],
  ["mov rax, [fs:0]", "64488b042500000000"],
  ["mov rax, [0x1000]", "488b042500100000"],
  ["lea rsi, [r12+r13*8-0x100]", "4b8db4ec00ffffff"],
  ["lea rax, [rax+rsp]", "488d0404"],
  ["add eax, ecx", "01c8"],
  ["add rax, -1", "4883c0ff"],
  ["add al, 255", "04ff"],
  ["add eax, 0xffffffff", "83c0ff"],
  ["push 5", "6a05"],
  ["push 256", "6800010000"],
  ["push rbp", "55"],
  ["call rax", "ffd0"],
  ["jmp qword ptr [rax]", "ff20"],
  ["rep movsb", "f3a4"],
  ["repne scasb", "f2ae"],
  ["stosq", "48ab"],
  ["lock cmpxchg [rdi], rcx", "f0480fb10f"],
  ["shl rax, 1", "48d1e0"],
  ["shl rax, cl", "48d3e0"],
  ["bt rax, 63", "480fbae03f"],
  ["imul eax, ecx, 5", "6bc105"],
  ["movzx eax, byte ptr [rdi]", "0fb607"],
  ["movdqa xmm1, [rsi]", "660f6f0e"],
  ["movq xmm0, rax", "66480f6ec0"],
  ["pblendvb xmm1, xmm2", "660f3810ca"],
  ["fld tbyte ptr [rax]", "db28"],
  ["fadd st0, st(1)", "d8c1"],
  ["fnstenv [rax]", "d930"],
  ["fxsave [rax]", "0fae00"],
  ["xsave [rsp]", "0fae2424"],
  ["wrpkru", "0f01ef"],
  ["cwd", "6699"],
  ["db 0x0f, 0x0b, 'x'", "0f0b78"],
  ["dw 1\n dd 2\n dq -1", "010002000000ffffffffffffffff"],
];

describe("Assembler encodes", () => {
  it.each(ENCODINGS)("%s", (text, bytes) => {
    expect(assemble(text)).toBe(bytes);
  });

  it("the form that is named, where another is shorter or comes first", () => {
    const asm = new Assembler().label("_start");
    asm.form(Code.Add_r32_rm32, ["eax", "ecx"]).form(Code.Add_rm64_imm32, ["rax", "1"]);
    asm.form(Code.Inc_rm8, ["byte ptr [rax]"], { lock: true });
    expect(hex(asm.link().segments[0]!.bytes)).toBe("03c1" + "4881c001000000" + "f0fe00");
  });
});

describe("Assembler refuses", () => {
  it.each([
    ["frob rax", 'no instruction "frob"'],
    ["mov rax", "takes no such operands"],
    ["mov al, 256", "takes no such operands"],
    ["mov [rax], 5", "needs a size"],
    ["mov eax, [rax+rbx+rcx]", "too many registers"],
    ["jmp nowhere", 'no label "nowhere"'],
    ["mov ah, r8b", "REX"],
    ["here:\n here:", "is there twice"],
  ])("%s", (text, message) => {
    expect(() => assemble(text)).toThrow(AssemblerError);
    expect(() => assemble(text)).toThrow(message);
  });

  it("a branch that is too short", () => {
    const far = new Assembler().code("_start: jmp short away").reserve(200).label("away").u8(0x90);
    expect(() => far.link()).toThrow("too far away");
  });

  it("an absolute address in a program that may be loaded anywhere", () => {
    const asm = new Assembler().code("_start: mov eax, _start");
    expect(() => asm.link({ allowAbsolute: false })).toThrow("use lea");
  });
});

describe("Assembler resolves", () => {
  it("branches both ways, in 32 and 8 bits", () => {
    expect(assemble("a: jmp b\n b: jne a\n jmp short c\n c: call a")).toBe(
      "e900000000" + "0f85f5ffffff" + "eb00" + "e8eeffffff",
    );
  });

  it("memory relative to RIP, before an immediate too", () => {
    const asm = new Assembler().code("_start: lea rax, [y+4]\n cmp dword ptr [y], 5");
    asm.section(".data").reserve(8).label("y").u64(0);
    expect(hex(asm.link().segments[0]!.bytes)).toBe("488d0505100000" + "833dfa0f000005");
  });

  it("addresses in code and data", () => {
    const asm = new Assembler().code("_start: mov eax, y\n mov rbx, [rcx*8+y]\n dq y");
    asm.section(".data").label("y").u64("_start");
    const [text, data] = asm.link().segments;
    expect(hex(text!.bytes)).toBe("b800204000" + "488b1ccd00204000" + "0020400000000000");
    expect(hex(data!.bytes)).toBe("0010400000000000");
  });
});

describe("Assembler lays out", () => {
  it("sections on pages of their own, each with its protection, zeroes not stored", () => {
    const asm = new Assembler().code("_start: ret");
    asm.section(".bss").align(16).label("zeroes").reserve(10_000);
    asm.section("jit", { write: true, execute: true, address: 0x700000 }).bytes([1]).reserve(4).u8(2);
    asm.section(".rodata").string("text");
    const { segments, symbols, entry } = asm.link();
    expect(
      segments.map(({ name, address, memorySize, write, execute, bytes }) => ({
        name,
        address,
        memorySize,
        write,
        execute,
        stored: bytes.length,
      })),
    ).toEqual([
      { name: ".rodata", address: 0x401000, memorySize: 4, write: false, execute: false, stored: 4 },
      { name: ".text", address: 0x402000, memorySize: 1, write: false, execute: true, stored: 1 },
      { name: ".bss", address: 0x403000, memorySize: 10_000, write: true, execute: false, stored: 0 },
      { name: "jit", address: 0x700000, memorySize: 6, write: true, execute: true, stored: 6 },
    ]);
    expect(hex(segments[3]!.bytes)).toBe("010000000002");
    expect(entry).toBe(0x402000);
    expect(symbols).toEqual([
      { name: "_start", address: 0x402000, size: 1, isFunction: true },
      { name: "zeroes", address: 0x403000, size: 10_000, isFunction: false },
    ]);
  });

  it("but not two sections in one place", () => {
    const asm = new Assembler().code("_start: ret");
    asm.section("a", { address: 0x700000 }).reserve(5000).section("b", { address: 0x701000 }).u8(1);
    expect(() => asm.link()).toThrow('sections "a" and "b" overlap');
  });
});
