/**
 * Records what this machine's processor makes of every MMX and SSE instruction, into tests/recorded/simd/answers.json.
 *
 *     node record-simd.mjs [--outputs FILE]
 *
 * Needs GNU as, gcc and an x86-64 with SSE4.2. `--outputs` also writes the raw states, to find what differs.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { STATES, STATE_BYTES, instructions, state } from "../tests/cpu/simd-cases.js";

/** Bytes for the code of a case. */
const SLOT = 512;
/** A NOP that no case has: DS NOP DWORD PTR [RAX + RAX + 0x12345678]. */
const NOP = Buffer.from("3e0f1f840078563412", "hex");

/** RDI is the state before, RSI the one after; both have the same layout. */
function caseText(text: string): string {
  const each = (n: number, line: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => line(i)).join("\n");
  return `.balign ${SLOT}
    push rbx
    ldmxcsr [rdi+136]
    ${each(4, (i) => `movdqu xmm${i}, [rdi+${16 * i}]`)}
    ${each(4, (i) => `movq mm${i}, [rdi+${64 + 8 * i}]`)}
    mov rax, [rdi+96]\nmov rcx, [rdi+104]\nmov rdx, [rdi+112]\nmov rbx, [rdi+120]
    push [rdi+128]
    popfq
    ${text}
    pushfq
    pop [rsi+128]
    ${each(4, (i) => `movdqu [rsi+${16 * i}], xmm${i}`)}
    ${each(4, (i) => `movq [rsi+${64 + 8 * i}], mm${i}`)}
    mov [rsi+96], rax\nmov [rsi+104], rcx\nmov [rsi+112], rdx\nmov [rsi+120], rbx
    stmxcsr [rsi+136]
    movdqu xmm0, [rdi+160]
    movdqu [rsi+160], xmm0
    emms
    pop rbx
    ret
`;
}

const HARNESS = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern unsigned char cases[];
static unsigned char before[${STATE_BYTES}] __attribute__((aligned(16))), after[${STATE_BYTES}] __attribute__((aligned(16)));
int main(int argc, char **argv) {
  int n = atoi(argv[1]), states = atoi(argv[2]);
  unsigned char *in = malloc(states * ${STATE_BYTES});
  FILE *f = fopen(argv[3], "rb");
  if (fread(in, ${STATE_BYTES}, states, f) != states) return 1;
  FILE *o = fopen(argv[4], "wb");
  for (int i = 0; i < n; i++)
    for (int j = 0; j < states; j++) {
      memcpy(before, in + j * ${STATE_BYTES}, ${STATE_BYTES});
      memset(after, 0, sizeof after);
      ((void (*)(void *, void *))(cases + ${SLOT} * (long)i))(before, after);
      unsigned ldmxcsr = 0x1f80;
      __asm__ volatile("ldmxcsr %0" :: "m"(ldmxcsr));
      fwrite(after, 1, sizeof after, o);
    }
  return fclose(o);
}`;

const { values } = parseArgs({ options: { outputs: { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "simd-"));
try {
  const file = (name: string): string => join(folder, name);
  const texts = instructions();
  // maskmovdqu stores to [rdi]: into the memory operand for once.
  const nop = `.byte ${[...NOP].join()}`;
  const body = [...texts, nop].map((t) =>
    caseText(/maskmov/.test(t) ? `lea rdi, [rdi+160]\n${t}\nlea rdi, [rdi-160]` : t),
  );
  writeFileSync(
    file("cases.s"),
    `.intel_syntax noprefix\n.text\n.globl cases\n.balign ${SLOT}\ncases:\n${body.join("")}.balign ${SLOT}\n.section .note.GNU-stack\n`,
  );
  writeFileSync(file("main.c"), HARNESS);
  execFileSync("as", ["-o", file("cases.o"), file("cases.s")]);
  execFileSync("objcopy", ["-O", "binary", "-j", ".text", file("cases.o"), file("cases.bin")]);
  execFileSync("gcc", ["-O1", "-w", "-no-pie", "-o", file("main"), file("main.c"), file("cases.o")]);
  writeFileSync(file("in"), Buffer.concat(Array.from({ length: STATES }, (_, i) => state(i))));
  execFileSync(file("main"), [String(texts.length), String(STATES), file("in"), file("out")]);
  const code = readFileSync(file("cases.bin"));
  const out = readFileSync(file("out"));
  const size = STATES * STATE_BYTES;
  const slot = (i: number): Buffer => {
    const bytes = code.subarray(i * SLOT, (i + 1) * SLOT);
    return bytes.subarray(0, bytes.lastIndexOf(0xc3) + 1);
  };
  // The last case is a NOP: around it stands what all have in common.
  const frame = slot(texts.length);
  const split = frame.indexOf(NOP);
  const prologue = frame.subarray(0, split);
  const epilogue = frame.subarray(split + NOP.length);
  const answers = texts.map((text, i) => {
    const bytes = slot(i).subarray(prologue.length, slot(i).length - epilogue.length);
    const digest = createHash("sha256")
      .update(out.subarray(i * size, (i + 1) * size))
      .digest("hex")
      .slice(0, 16);
    return [text, bytes.toString("hex"), digest];
  });
  const record = {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    prologue: prologue.toString("hex"),
    epilogue: epilogue.toString("hex"),
  };
  const head = JSON.stringify(record).slice(0, -1);
  const lines = answers.map((a) => JSON.stringify(a)).join(",\n");
  writeFileSync(join("tests", "recorded", "simd", "answers.json"), `${head}, "answers": [\n${lines}\n]}\n`);
  if (values.outputs !== undefined) writeFileSync(values.outputs, out);
  console.log(`${answers.length} instructions, ${STATES} states each`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
