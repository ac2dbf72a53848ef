import type { FormsProgram } from "../layout.js";
import { HandCases, scratch, type Memory } from "./hand-cases.js";

const SIZES = { b: 1, w: 2, d: 4, q: 8 } as const;
const MIDDLE = 0x80;
const AROUND: Memory = { offset: MIDDLE - 0x40, length: 0xc0 };

/** Bytes in which runs of eight repeat, so that comparisons and scans go on for a while. */
const PATTERN = Uint8Array.from({ length: 0x200 }, (_, i) => ((i >> 3) & 7) * 0x25);

/** Writes the pattern over [-0x80, 0x180) from the scratch memory's middle. */
const FILL = `
  fill:
    cld
    lea rsi, [pattern]
    mov edi, ${scratch(-0x80)}
    mov ecx, ${PATTERN.length}
    rep movsb
    ret
`;

export function strings(): FormsProgram {
  const cases = new HandCases();
  const { program } = cases;
  program.within(".rodata", () => program.label("pattern").bytes(PATTERN));
  program.code(`jmp after_fill\n ${FILL}\n after_fill:`);
  const plans: readonly (readonly [name: string, prefixes: readonly string[]])[] = [
    ["movs", ["", "rep"]],
    ["stos", ["", "rep"]],
    ["lods", ["", "rep"]],
    ["cmps", ["", "repe", "repne"]],
    ["scas", ["", "repe", "repne"]],
  ];
  for (const [name, prefixes] of plans) {
    for (const [letter, size] of Object.entries(SIZES)) {
      for (const prefix of prefixes) {
        for (const down of [false, true]) {
          for (const count of prefix === "" ? [5] : [0, 1, 7]) {
            for (const apart of name === "movs" ? [32, size, -size, 3] : [32, 8]) {
              for (const narrow of count === 7 || prefix === "" ? [false, true] : [false]) {
                const source = scratch(MIDDLE + (down ? 56 : 0));
                // Where the address is 32 bits wide, the registers' upper halves are ignored, and cleared by an update.
                const upper = narrow ? "0x700000000" : "0";
                const title = `${narrow ? "addr32 " : ""}${prefix} ${name}${letter} x${count} ${down ? "down" : "up"} by ${apart}`;
                const body = (): void => {
                  program.code(`
                    call fill
                    mov rax, 0x6f6f6f6f25252525
                    mov rsi, ${upper}+${source}
                    mov rdi, ${upper}+${source + apart}
                    mov rcx, ${upper}+${count}
                    cmp eax, -1
                    ${down ? "std" : "cld"}
                    ${narrow ? "db 0x67" : ""}
                    ${prefix} ${name}${letter}
                    cld
                  `);
                };
                const memory = name === "movs" || name === "stos" ? { memory: [AROUND] } : {};
                cases.add(title.trim(), body, {
                  registers: ["rax", "rcx", "rsi", "rdi"],
                  flags: 0x8d5,
                  ...memory,
                });
              }
            }
          }
        }
      }
    }
  }
  for (const mask of ["0", "-1", "0x8000000000000080", "0x7f807f807f807f80"]) {
    const load = `call fill\n mov rax, ${mask}\n mov rbx, 0x1122334455667788\n mov edi, ${scratch(MIDDLE)}`;
    cases.add(`maskmovq ${mask}`, `${load}\n movq mm1, rax\n movq mm0, rbx\n maskmovq mm0, mm1\n emms`, {
      memory: [AROUND],
    });
    cases.add(
      `maskmovdqu ${mask}`,
      `${load}\n movq xmm1, rax\n pshufd xmm1, xmm1, 0x14\n movq xmm0, rbx\n pshufd xmm0, xmm0, 0x4e\n maskmovdqu xmm0, xmm1`,
      { memory: [AROUND] },
    );
  }
  for (const index of [0, 1, 0x7f, 0xff]) {
    cases.add(`xlatb ${index}`, `call fill\n mov ebx, ${scratch(0)}\n mov eax, 0x1200+${index}\n xlatb`, {
      registers: ["rax"],
    });
  }
  return cases.finish();
}
