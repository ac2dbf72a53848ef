import type { FormsProgram } from "../layout.js";
import { HandCases, scratch, type Memory } from "./hand-cases.js";

const AREA = 0x400;
const at = scratch(AREA);

/** FXSAVE's image without what names the last x87 instruction and its operand (bytes 6 to 23), and MXCSR_MASK. */
function image(registers: number): Memory[] {
  return [
    { offset: AREA, length: 6 },
    { offset: AREA + 24, length: 4 },
    { offset: AREA + 32, length: 16 * registers },
  ];
}

/** Fills the area with a byte, sets up x87, SSE and MMX state. */
const SET_UP = `
  cld
  mov edi, ${at}
  mov ecx, 0x900
  mov al, 0x5a
  rep stosb
  fninit
  fld1
  fldpi
  fldl2e
  fldz
  push 0x7f80
  ldmxcsr [rsp]
  pop rax
  mov rax, 0x1122334455667788
  movq xmm0, rax
  pshufd xmm0, xmm0, 0x44
  movdqa xmm7, xmm0
  psrldq xmm7, 3
  movdqa xmm15, xmm7
  pslld xmm15, 5
  pxor xmm1, xmm1
  pxor xmm8, xmm8
  mov edi, ${at}
`;

const OTHER = `
  fninit
  pxor xmm0, xmm0
  pcmpeqb xmm7, xmm7
  pxor xmm15, xmm15
  push 0x1f80
  ldmxcsr [rsp]
  pop rax
`;

function fxsave(cases: HandCases): void {
  const sse: Memory = { offset: AREA + 160, length: 256 };
  for (const suffix of ["", "64"]) {
    cases.add(`fxsave${suffix}`, `${SET_UP} fxsave${suffix} [rdi]`, { memory: [...image(8), sse] });
    cases.add(
      `fxrstor${suffix}`,
      `${SET_UP} fxsave${suffix} [rdi]\n ${OTHER} mov edi, ${at}\n fxrstor${suffix} [rdi]\n mov byte ptr [rdi+4], 0\n fxsave [rdi]`,
      { memory: [...image(8), sse] },
    );
  }
  cases.add(
    "fxsave after MMX",
    `fninit\n mov rax, 0x8877665544332211\n movq mm3, rax\n mov edi, ${at}\n fxsave [rdi]\n emms`,
    {
      memory: image(8)
        .slice(0, 1)
        .concat({ offset: AREA + 32 + 48, length: 10 }),
    },
  );
  cases.add("emms", `fninit\n movq mm3, mm2\n emms\n mov edi, ${at}\n fxsave [rdi]`, {
    memory: image(0).slice(0, 1),
  });
  cases.add(
    "movq2dq and movdq2q set the tags",
    `fninit\n movdq2q mm1, xmm0\n mov edi, ${at}\n fxsave [rdi]\n fninit`,
    {
      memory: image(0).slice(0, 1),
    },
  );
}

function xsave(cases: HandCases): void {
  const header: Memory = { offset: AREA + 512, length: 64 };
  const sse: Memory = { offset: AREA + 160, length: 256 };
  const begin =
    "mov ecx, 64\n mov rsi, rdi\n add rdi, 512\n xor eax, eax\n rep stosb\n mov rdi, rsi\n xor edx, edx";
  for (const mask of [0, 1, 2, 3, 0x200, 0x203]) {
    for (const suffix of ["", "64"]) {
      // XSTATE_BV keeps the bits outside the mask, and the areas outside it are not touched.
      cases.add(
        `xsave${suffix} ${mask.toString(16)}`,
        `${SET_UP} ${begin}\n or dword ptr [rdi+512], 2\n mov eax, ${mask}\n xsave${suffix} [rdi]`,
        { memory: [...image(8), sse, header] },
      );
      for (const held of [mask, 0]) {
        cases.add(
          `xrstor${suffix} ${mask.toString(16)} of ${held.toString(16)}`,
          `${SET_UP} ${begin}\n mov eax, 0x203\n xsave${suffix} [rdi]\n ${OTHER}\n mov edi, ${at}
           mov dword ptr [rdi+512], ${held}\n mov eax, ${mask}\n xor edx, edx\n xrstor${suffix} [rdi]
           fxsave [rdi]\n xor ecx, ecx\n rdpkru\n mov ebx, eax\n mov eax, 0x55555554\n xor edx, edx\n wrpkru`,
          { registers: ["rbx"], memory: [...image(8), sse] },
        );
      }
    }
  }
}

/** The protected-mode environment: control, status and tags are compared, the last instruction's place is not. */
function environment(cases: HandCases): void {
  const load = "fninit\n fld1\n fldz\n fldpi\n fchs\n fld1\n fldz\n fdivp st(1), st0";
  const nan = "fldz\n fldz\n fdivp st(1), st0";
  const words = (size: number): Memory[] => [0, 1, 2].map((i) => ({ offset: AREA + i * size, length: 2 }));
  const set = `mov edi, ${at}`;
  for (const [prefix, size] of [
    ["", 4],
    ["0x66, ", 2],
  ] as const) {
    const name = size === 4 ? "" : "16-bit ";
    const registers: Memory = { offset: AREA + 7 * size, length: 80 };
    cases.add(`${name}fnstenv`, `${set}\n ${load}\n ${nan}\n db ${prefix} 0xd9, 0x37\n fnstcw [rdi+64]`, {
      memory: [...words(size), { offset: AREA + 64, length: 2 }],
    });
    cases.add(
      `${name}fnsave`,
      `${set}\n ${load}\n db ${prefix} 0xdd, 0x37\n fnstsw ax\n movzx ebx, ax\n fnstcw [rdi+120]`,
      {
        registers: ["rbx"],
        memory: [...words(size), registers, { offset: AREA + 120, length: 2 }],
      },
    );
    cases.add(
      `${name}frstor`,
      `${set}\n ${load}\n db ${prefix} 0xdd, 0x37\n fninit\n fldl2e\n db ${prefix} 0xdd, 0x27\n fxsave [rdi]`,
      {
        memory: [
          { offset: AREA, length: 5 },
          { offset: AREA + 32, length: 128 },
        ],
      },
    );
    cases.add(
      `${name}fldenv`,
      `${set}\n ${load}\n db ${prefix} 0xd9, 0x37\n mov word ptr [rdi+${2 * size}], 0xffff\n fninit
      db ${prefix} 0xd9, 0x27\n fxsave [rdi]`,
      { memory: [{ offset: AREA, length: 5 }] },
    );
  }
  // The tags that FNSTENV makes: valid, zero, special, empty.
  cases.add(
    "fnstenv tags",
    `${set}\n fninit\n fldz\n fld1\n fldz\n fchs\n push 0\n push 1\n fld tbyte ptr [rsp]\n mov word ptr [rsp+8], 0x7fff
    fld tbyte ptr [rsp]\n add rsp, 16\n fnstenv [rdi]`,
    { memory: words(4) },
  );
  for (const control of [0x37f, 0x000, 0xffff, 0xf40]) {
    cases.add(
      `fldcw ${control.toString(16)}`,
      `${set}\n fninit\n mov word ptr [rdi], ${control}\n fldcw [rdi]\n fnstcw [rdi]
      fnstsw [rdi+2]\n fninit`,
      { memory: [{ offset: AREA, length: 4 }] },
    );
  }
  for (const [title, body] of [
    ["fincstp", "fincstp"],
    ["fdecstp", "fdecstp"],
    ["fdecstp eight times", "fdecstp\n".repeat(8)],
    ["ffree st0", "ffree st(0)"],
    ["ffree st3", "ffree st(3)"],
    ["ffreep", "db 0xdf, 0xc1"],
    ["fnclex", "fnclex"],
    ["fclex", "db 0x9b\n fnclex"],
    ["fninit", "fninit"],
    ["finit", "db 0x9b\n fninit"],
    ["wait", "wait"],
  ] as const) {
    cases.add(`x87: ${title}`, `${set}\n ${load}\n ${body}\n fxsave [rdi]`, {
      memory: [{ offset: AREA, length: 5 }],
    });
  }
  cases.add(
    "fstcw, fstsw",
    `${set}\n ${load}\n db 0x9b\n fnstcw [rdi]\n db 0x9b\n fnstsw [rdi+2]\n xor eax, eax\n db 0x9b\n fnstsw ax
    mov ebx, eax\n db 0x9b\n fnstenv [rdi+32]\n db 0x9b\n fnsave [rdi+64]`,
    {
      registers: ["rbx"],
      memory: [
        { offset: AREA, length: 4 },
        { offset: AREA + 36, length: 2 },
        { offset: AREA + 68, length: 2 },
      ],
    },
  );
}

function system(cases: HandCases): void {
  for (const value of [0x55555554, 0, 0xfffffffc, 0x0000000c]) {
    cases.add(
      `wrpkru ${value.toString(16)}`,
      `xor ecx, ecx\n xor edx, edx\n mov rax, 0xffffffff00000000\n or rax, ${value === 0xfffffffc ? -4 : value}\n wrpkru
       mov edx, 7\n mov rax, -1\n rdpkru\n mov rbx, rax\n mov rsi, rdx\n mov eax, 0x55555554\n xor edx, edx\n wrpkru`,
      { registers: ["rbx", "rsi"] },
    );
  }
  for (const value of [0x1f80, 0xffbf, 0x0000, 0xffff]) {
    cases.add(
      `ldmxcsr ${value.toString(16)}`,
      `mov edi, ${at}\n mov dword ptr [rdi], ${value}\n ldmxcsr [rdi]\n stmxcsr [rdi+4]
      mov dword ptr [rdi], 0x1f80\n ldmxcsr [rdi]`,
      { memory: [{ offset: AREA + 4, length: 4 }] },
    );
  }
}

export function state(): FormsProgram {
  const cases = new HandCases();
  fxsave(cases);
  xsave(cases);
  environment(cases);
  system(cases);
  return cases.finish();
}
