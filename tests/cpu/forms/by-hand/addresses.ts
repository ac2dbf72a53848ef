import type { FormsProgram } from "../layout.js";
import { HandCases, scratch } from "./hand-cases.js";

const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"].concat(
  Array.from({ length: 8 }, (_, i) => `r${i + 8}`),
);
const SCALES = [1, 2, 4, 8];
const DISPLACEMENTS = [0, 0x12, -0x80, 0x12345, -0x7fffffff];

const low = (register: string): string =>
  /\d/.test(register) ? `${register}d` : register.replace(/^r/, "e");

/** Every register but RSP gets a value of its own, with bits in both halves. */
const SET_REGISTERS =
  "set_registers:\n" +
  REGISTERS.filter((register) => register !== "rsp")
    .map(
      (register, i) => `mov ${register}, ${0x1000000fn * BigInt(i + 3) + 0x123456700n * BigInt(i * i + 1)}`,
    )
    .join("\n") +
  "\nret\n";

/** LEA with every base and index, in turn with every scale and size of displacement, and three operand sizes. */
function lea(cases: HandCases): void {
  let turn = 0;
  for (const base of [undefined, ...REGISTERS]) {
    for (const index of [undefined, ...REGISTERS.filter((register) => register !== "rsp")]) {
      turn++;
      const scale = SCALES[turn % 4]!;
      const displacement = DISPLACEMENTS[turn % 5]!;
      const narrow = turn % 7 === 3;
      const name = (register: string): string => (narrow ? low(register) : register);
      const parts = [base && name(base), index && `${name(index)}*${scale}`].filter(
        (part) => part !== undefined,
      );
      if (parts.length === 0 || displacement !== 0) parts.push(String(displacement));
      const operand = `[${parts.join("+").replaceAll("+-", "-")}]`;
      const to = ["rax", "eax", "ax", "rax"][turn % 4]!;
      const text = `lea ${to}, ${operand}`;
      const body = `
        mov [${scratch(0)}], r14
        mov [${scratch(8)}], rsp
        call set_registers
        mov rsp, 0x7766554433221100
        ${text}
        mov r14, [${scratch(0)}]
        mov rsp, [${scratch(8)}]
      `;
      cases.add(text, body, { registers: ["rax"] });
    }
  }
}

function dq(value: number): string {
  return Array.from({ length: 8 }, (_, i) => (i < 4 ? (value >>> (i * 8)) & 0xff : 0)).join(", ");
}

/** MOV between the accumulator and an absolute address, in both address sizes. */
function absolute(cases: HandCases): void {
  const at = scratch(0x40);
  const fill = `mov rax, 0x8182838485868788\n mov [${at}], rax\n mov rax, 0x1112131415161718`;
  for (const [name, prefix, opcode] of [
    ["al", "", 0xa0],
    ["ax", "0x66,", 0xa1],
    ["eax", "", 0xa1],
    ["rax", "0x48,", 0xa1],
  ] as const) {
    const memory = { memory: [{ offset: 0x40, length: 8 }] };
    cases.add(`mov ${name}, moffs`, `${fill}\n db ${prefix} ${opcode}, ${dq(at)}`, { registers: ["rax"] });
    cases.add(`mov moffs, ${name}`, `${fill}\n db ${prefix} ${opcode + 2}, ${dq(at)}`, memory);
    const narrow = dq(at).split(", ").slice(0, 4).join(", ");
    cases.add(`mov ${name}, moffs32`, `${fill}\n db 0x67, ${prefix} ${opcode}, ${narrow}`, {
      registers: ["rax"],
    });
    cases.add(`mov moffs32, ${name}`, `${fill}\n db 0x67, ${prefix} ${opcode + 2}, ${narrow}`, memory);
  }
}

/** The base of FS and GS added to an address, and what sets and reads it. */
function segments(cases: HandCases): void {
  const fill = `mov rax, 0x8182838485868788\n mov [${scratch(0x40)}], rax`;
  for (const segment of ["fs", "gs"]) {
    const set = `${fill}\n mov rax, ${0x7_0000_0000n + BigInt(scratch(0))}`;
    cases.add(
      `${segment} base added`,
      `${set}\n mov eax, eax\n wr${segment}base rax\n rd${segment}base rbx\n mov rcx, ${segment}:[0x40]
       mov rdx, 0x30\n mov dl, ${segment}:[rdx+0x11]\n xor eax, eax\n wr${segment}base rax`,
      { registers: ["rbx", "rcx", "rdx"] },
    );
    cases.add(
      `${segment} base, 32 bits`,
      `${set}\n wr${segment}base rax\n rd${segment}base r9\n rd${segment}base ebx\n wr${segment}base eax
       rd${segment}base rcx\n xor eax, eax\n wr${segment}base eax`,
      { registers: ["rbx", "rcx", "r9"] },
    );
    // The base counts after the 32-bit address has wrapped.
    cases.add(
      `${segment} base, 32-bit address`,
      `${set}\n mov eax, eax\n wr${segment}base rax\n mov edx, 0x80000020\n mov rcx, ${segment}:[edx+edx]
       xor eax, eax\n wr${segment}base rax`,
      { registers: ["rcx"] },
    );
    cases.add(`lea ignores ${segment}`, `mov edx, 5\n lea rax, ${segment}:[rdx+1]`, { registers: ["rax"] });
  }
  cases.add(
    "ds, es, ss and cs change nothing",
    `${fill}\n mov ebx, ${scratch(0)}\n mov al, es:[rbx+0x40]\n mov cl, cs:[rbx+0x41]
    mov dl, ds:[rbp-rbp+${scratch(0x42)}]`.replace("rbp-rbp+", ""),
    { registers: ["rax", "rcx", "rdx"] },
  );
}

/** Accesses that lie across the end of a page, and cache-line flushes. */
function edges(cases: HandCases): void {
  const edge = scratch(0x1000);
  cases.program.code(`mov ecx, 64\n edge_fill:\n mov [${edge - 32}+rcx], cl\n dec ecx\n jns edge_fill`);
  for (const offset of [1, 3, 7, 8, 15]) {
    cases.add(
      `loads across a page, ${offset} before`,
      `mov esi, ${edge - offset}\n mov ax, [rsi]\n mov ecx, [rsi]\n mov rdx, [rsi]
      movdqu xmm1, [rsi]\n movq rbx, xmm1\n movhlps xmm1, xmm1\n movq r9, xmm1`,
      {
        registers: ["rcx", "rdx", "rbx", "r9"],
      },
    );
    cases.add(
      `stores across a page, ${offset} before`,
      `mov esi, ${edge - offset}\n mov rax, 0x8182838485868788
      movq xmm1, rax\n pshufd xmm1, xmm1, 0x14\n movdqu [rsi], xmm1\n not qword ptr [rsi]\n inc dword ptr [rsi]
      lock xadd [rsi], ax`,
      { memory: [{ offset: 0x1000 - 16, length: 32 }] },
    );
  }
  cases.add(
    "clflush",
    `mov esi, ${edge}\n mov eax, 7\n mov [rsi], eax\n clflush byte ptr [rsi]\n mov eax, [rsi]`,
    {
      registers: ["rax"],
    },
  );
}

export function addresses(): FormsProgram {
  const cases = new HandCases();
  cases.program.code(`jmp after_set\n ${SET_REGISTERS}\n after_set:`);
  lea(cases);
  absolute(cases);
  segments(cases);
  edges(cases);
  return cases.finish();
}
