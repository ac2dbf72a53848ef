import type { FormsProgram } from "../layout.js";
import { HandCases, scratch } from "./hand-cases.js";

/** Quotients that fit and do not, and a divisor of zero, for each width. */
function divisions(cases: HandCases): void {
  const widths = [
    [8, "bl", 0x80n],
    [16, "bx", 0x8000n],
    [32, "ebx", 0x80000000n],
    [64, "rbx", 0x8000000000000000n],
  ] as const;
  for (const [bits, divisor, top] of widths) {
    const all = 2n * top - 1n;
    for (const mnemonic of ["div", "idiv"]) {
      for (const [high, low, by] of [
        [0n, 5n, 0n],
        [1n, 0n, 1n],
        [all, top, all],
        [0n, top, all],
        [0n, top, 1n],
        [0n, top - 1n, 1n],
        [top - 1n, all, all],
        [all - 1n, 0n, 2n],
      ]) {
        const dividend =
          bits === 8 ? `mov eax, ${high! * 256n + low!}` : `mov rdx, ${high}\n mov rax, ${low}`;
        cases.attempt(
          `${mnemonic} ${divisor}: ${high!.toString(16)}:${low!.toString(16)} by ${by!.toString(16)}`,
          `xor edx, edx\n ${dividend}\n mov rbx, ${by}\n ${mnemonic} ${divisor}`,
          { registers: ["rax", "rdx"] },
        );
      }
    }
  }
}

const REFUSED: readonly (readonly [title: string, code: string])[] = [
  ["ud2", "ud2"],
  ["ud1", "ud1 eax, ecx"],
  ["ud1, 16 bits", "ud1 ax, cx"],
  ["ud1, 64 bits, of memory at 0", "ud1 rax, [rbx]"],
  ["int3", "int3"],
  ["int 3", "db 0xcd, 3"],
  ["int 4", "db 0xcd, 4"],
  ["int 0x20", "db 0xcd, 0x20"],
  ["icebp", "db 0xf1"],
  ["hlt", "hlt"],
  ["cli", "cli"],
  ["sti", "sti"],
  ["in al, dx", "in al, dx"],
  ["out dx, eax", "out dx, eax"],
  ["outsb", "outsb"],
  ["mov rax, cr0", "mov rax, cr0"],
  ["mov rax, dr7", "mov rax, dr7"],
  ["rdmsr", "rdmsr"],
  ["wrmsr", "wrmsr"],
  ["swapgs", "swapgs"],
  ["invlpg", "mov eax, 0\n invlpg byte ptr [rax]"],
  ["wbinvd", "wbinvd"],
  ["clts", "clts"],
  ["lgdt", `mov ebx, ${scratch(0)}\n db 0x0f, 0x01, 0x13`],
  ["ltr", "db 0x0f, 0x00, 0xd8"],
  ["xsetbv", "xor ecx, ecx\n xsetbv"],
  ["sysretq", "sysretq"],
  ...[
    "0x06",
    "0x0e",
    "0x16",
    "0x1e",
    "0x27",
    "0x2f",
    "0x37",
    "0x3f",
    "0x60",
    "0x61",
    "0x82, 0xc0, 0",
    "0xce",
  ].map((bytes) => [`not in 64-bit mode: ${bytes}`, `db ${bytes}`] as const),
  ["not in 64-bit mode: aam", "db 0xd4, 0x0a"],
  ["not in 64-bit mode: salc", "db 0xd6"],
  ["not in 64-bit mode: far call", "db 0x9a, 0, 0, 0, 0, 0, 0"],
  ["lock mov", `mov ebx, ${scratch(0)}\n db 0xf0, 0x89, 0x03`],
  ["lock add to a register", "db 0xf0, 0x01, 0xc0"],
  ["lock cmp", `mov ebx, ${scratch(0)}\n db 0xf0, 0x39, 0x03`],
  ["lock bt", `mov ebx, ${scratch(0)}\n db 0xf0, 0x0f, 0xa3, 0x03`],
  ["lock nop", "db 0xf0, 0x90"],
  ["mov cs, eax", "db 0x8e, 0xc8"],
  ["a segment register that is not", "db 0x8e, 0xf0"],
  ["lea of a register", "db 0x8d, 0xc0"],
  ["group 4, opcode 2", "db 0xfe, 0xd0"],
  ["group 5, opcode 7", "db 0xff, 0xf8"],
  ["group 9 of a register, opcode 1", "db 0x0f, 0xc7, 0xc8"],
  ["pop, opcode 1", "db 0x8f, 0xc8"],
  ["mov imm, opcode 1", "db 0xc7, 0xc8, 0, 0, 0, 0"],
  [
    "an instruction of 16 bytes",
    "db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90",
  ],
  ["a read of a non-canonical address", "mov rbx, 0x8000000000000000\n mov al, [rbx]"],
  ["a write across the canonical limit", "mov rbx, 0x7ffffffffffc\n mov [rbx], rax"],
  ["a non-canonical stack", "mov r13, rsp\n mov rsp, 0x8000000000000000\n push rax"],
  ["a non-canonical frame", "mov r13, rbp\n mov rbp, 0x8000000000000000\n mov al, [rbp]"],
  ["a jump to a non-canonical address", "mov rbx, 0x8000000000000000\n jmp rbx"],
  ["a return to a non-canonical address", "mov rbx, 0x8000000000000000\n push rbx\n ret"],
  ["a read of nothing", "xor ebx, ebx\n mov al, [rbx]"],
  ["a write to nothing", "xor ebx, ebx\n mov [rbx], al"],
  ["a read, modify and write of nothing", "xor ebx, ebx\n add [rbx], al"],
  [
    "cmpxchg on read-only memory, unequal",
    "lea rbx, [flush]\n xor eax, eax\n xor ecx, ecx\n cmpxchg [rbx], ecx",
  ],
  ["a jump to nothing", "xor ebx, ebx\n jmp rbx"],
  ["a jump to data", `mov ebx, ${scratch(0)}\n jmp rbx`],
  ["a write to code", "lea rbx, [flush]\n mov [rbx], al"],
  ["movaps, not aligned", `mov ebx, ${scratch(1)}\n movaps xmm0, [rbx]`],
  ["addps, not aligned", `mov ebx, ${scratch(8)}\n addps xmm0, [rbx]`],
  ["movntdq, not aligned", `mov ebx, ${scratch(8)}\n movntdq [rbx], xmm0`],
  [
    "cmpxchg16b, not aligned",
    `mov ebx, ${scratch(8)}\n xor eax, eax\n xor edx, edx\n xchg rbx, rsi\n cmpxchg16b [rsi]`,
  ],
  ["fxsave, not aligned", `mov ebx, ${scratch(8)}\n fxsave [rbx]`],
  ["xsave, not aligned", `mov ebx, ${scratch(16)}\n mov eax, 3\n xor edx, edx\n xsave [rbx]`],
  ["ldmxcsr with a reserved bit", "push 0x11f80\n ldmxcsr [rsp]"],
  [
    "fxrstor with a reserved bit of MXCSR",
    `mov ebx, ${scratch(0x400)}\n fxsave [rbx]\n mov dword ptr [rbx+24], 0x11f80\n fxrstor [rbx]`,
  ],
  ["rdpkru with ECX", "mov ecx, 1\n rdpkru"],
  ["wrpkru with ECX", "mov ecx, 1\n xor edx, edx\n wrpkru"],
  ["wrpkru with EDX", "xor ecx, ecx\n mov edx, 1\n wrpkru"],
  ["wrfsbase of a non-canonical address", "mov rax, 0x8000000000000000\n wrfsbase rax"],
  ["xgetbv of a register that is not", "mov ecx, 7\n xgetbv"],
  [
    "rep that stops at an unmapped page",
    `mov edi, ${scratch(0x1ffc)}\n mov ecx, 10\n mov al, 7\n cld\n rep stosb`,
  ],
  ["rep that stops, downwards", `mov edi, 0x10000001\n mov ecx, 10\n mov al, 7\n std\n rep stosb`],
  ["a store across an unmapped page", `mov edi, ${scratch(0x1ffc)}\n mov rax, -1\n mov [rdi], rax`],
  ["a single step", "pushfq\n or dword ptr [rsp], 0x100\n popfq\n mov ebx, 1\n mov ebx, 2"],
  [
    "an unmasked SSE division by zero",
    "push 0x1d80\n ldmxcsr [rsp]\n pop rbx\n mov ebx, 1\n cvtsi2sd xmm1, ebx\n xorps xmm2, xmm2\n divsd xmm1, xmm2",
  ],
  [
    "an unmasked SSE invalid operation",
    "push 0x1f00\n ldmxcsr [rsp]\n pop rbx\n xorps xmm2, xmm2\n divsd xmm2, xmm2",
  ],
  [
    "an unmasked SSE inexact result",
    "push 0x0f80\n ldmxcsr [rsp]\n pop rbx\n mov rbx, 0x123456789\n cvtsi2ss xmm1, rbx",
  ],
  [
    "an unmasked x87 division by zero",
    "fninit\n push 0x37b\n fldcw [rsp]\n pop rbx\n fld1\n fldz\n fdivp st(1), st0\n nop\n wait",
  ],
  [
    "an unmasked x87 invalid operation",
    "fninit\n push 0x37e\n fldcw [rsp]\n pop rbx\n fldz\n fldz\n fdivp st(1), st0\n nop\n fld1",
  ],
  [
    "an unmasked x87 stack overflow",
    "fninit\n push 0x37e\n fldcw [rsp]\n pop rbx\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n wait",
  ],
  [
    "an unmasked x87 exception and a control instruction",
    "fninit\n push 0x37b\n fldcw [rsp]\n pop rbx\n fld1\n fldz\n fdivp st(1), st0\n fnstsw ax\n fnclex\n wait",
  ],
  [
    "an x87 exception unmasked afterwards",
    "fninit\n fld1\n fldz\n fdivp st(1), st0\n push 0x37b\n fldcw [rsp]\n pop rbx\n wait",
  ],
  [
    "an MMX instruction with an x87 exception pending",
    "fninit\n push 0x37b\n fldcw [rsp]\n pop rbx\n fld1\n fldz\n fdivp st(1), st0\n movq mm0, mm1",
  ],
];

export function faults(): FormsProgram {
  const cases = new HandCases();
  cases.program.catchFaults({ alternateStack: true });
  divisions(cases);
  for (const [title, code] of REFUSED) {
    const clear = "xor eax, eax\n xor ebx, ebx\n xor ecx, ecx\n xor edx, edx\n xor edi, edi";
    cases.program.code(clear);
    cases.attempt(title, code, { registers: ["rcx", "rdi"] });
    // What was unmasked is masked again, and nothing is left pending; DF and TF are clear.
    cases.program.code("fninit\n push 0x1f80\n ldmxcsr [rsp]\n pop rbx\n push 0x202\n popfq");
  }
  return cases.finish();
}
