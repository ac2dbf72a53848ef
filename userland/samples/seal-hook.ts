import { MADV, PROT, SYS } from "../linux.js";
import { at, PAGE, RW, sample, type SampleProgram } from "./sample.js";

/** sealab's own: PR_SET_SEAL_HOOK. */
const PR_SET_SEAL_HOOK = 0x5345_414c;

/** Of the context that a hook is asked about: where the operation is, and its argument; madvise's number. */
const OPERATION = 0;
const ARGUMENT = 40;
const MADVISE = 5;

type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** ld [operation]; jeq #madvise; ld [argument]; jeq #MADV_DONTNEED; ret #1; ret #0 */
const DISCARDS: readonly Instruction[] = [
  [0x20, 0, 0, OPERATION],
  [0x15, 0, 3, MADVISE],
  [0x20, 0, 0, ARGUMENT],
  [0x15, 0, 1, MADV.DONTNEED],
  [0x06, 0, 0, 1],
  [0x06, 0, 0, 0],
];

/** Jumps behind its own end. */
const BROKEN: readonly Instruction[] = [
  [0x05, 0, 0, 1],
  [0x06, 0, 0, 1],
];

const EVERYTHING: readonly Instruction[] = [[0x06, 0, 0, 1]];

function attach(program: SampleProgram, instructions: readonly Instruction[]): SampleProgram {
  const [code, description] = [program.unique("filter"), program.unique("fprog")];
  program.within(".data", () => {
    program.align(8).label(code);
    for (const [what, jt, jf, k] of instructions) program.u16(what).bytes([jt, jf]).u32(k);
    program.label(description).u64(instructions.length).u64(0);
  });
  program.code(`lea rax, [${code}]\n mov [${description}+8], rax`);
  return program.syscall(SYS.prctl, PR_SET_SEAL_HOOK, description, 0, 0, 0);
}

function tryAll(program: SampleProgram, page: number, which: string): void {
  program.discard(page, 1).report(`${which}: madvise(DONTNEED): `);
  program.load("rbx", at(page)).code("mov rax, [rbx]");
  program.print(`${which}: the data is `).printHex("rax").line("");
  program.protect(page, 1, RW).report(`${which}: mprotect(READ|WRITE): `);
  program.unmap(page, 1).report(`${which}: munmap: `);
}

/**
 * A process says which calls its seals let through after all. Only the model `hook` has the call; elsewhere it is
 * refused, and the seals hold.
 */
export const sealHook = sample(
  "seal-hook",
  "a BPF program lets the discards of sealed memory through (--sealing hook)",
  (program) => {
    program.requireMseal().catchFaults();
    for (const page of [0, 2]) program.map(page, 1, RW).store(at(page), 0x1234).protect(page, 1, PROT.READ);
    program.syscall(SYS.mseal, at(0), PAGE, 0).report("mseal of page 0: ");
    attach(program, BROKEN).report("prctl, a program that jumps too far: ");
    attach(program, DISCARDS).report("prctl, a program that permits discards: ");
    program.syscall(SYS.mseal, at(2), PAGE, 0).report("mseal of page 2: ");
    attach(program, EVERYTHING).report("prctl, another that permits everything: ");
    tryAll(program, 0, "page 0, sealed before");
    tryAll(program, 2, "page 2, sealed after");
  },
);
