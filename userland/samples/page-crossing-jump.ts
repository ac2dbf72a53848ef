import { at, PAGE, RW, RX, sample, type SampleProgram } from "./sample.js";

/** The jump's opcode and two low bytes of its distance end the first page; the two high bytes begin the second. */
const JUMP = PAGE - 3;
const TARGET = 0x100;
const DISTANCE = TARGET - (JUMP + 5);

/** Where the jump leads once its high bytes are zeroes. */
const DIVERTED = JUMP + 5 + (DISTANCE & 0xffff);

/** mov eax, value; ret */
function returning(value: number): number[] {
  return [0xb8, value & 0xff, value >> 8, 0, 0, 0xc3];
}

function copy(program: SampleProgram, offset: number, bytes: readonly number[]): void {
  const template = program.unique("template");
  program.within(".rodata", () => program.label(template).bytes(bytes));
  program
    .load("rdi", at(0) + offset)
    .load("rsi", template)
    .code(`mov ecx, ${bytes.length}\n rep movsb`);
}

function victim(program: SampleProgram): void {
  program.map(0, 2, RW);
  copy(program, TARGET, returning(1));
  copy(program, JUMP, [0xe9, ...[0, 8, 16, 24].map((shift) => (DISTANCE >> shift) & 0xff)]);
  program.protect(0, 2, RX);
}

function round(program: SampleProgram, how: string): void {
  program
    .callAt(at(0) + JUMP)
    .print(`${how}: the jump leads to `)
    .printUnsigned("rax")
    .line("");
  program.discard(1, 1).report(`${how}: madvise(DONTNEED) of its second page: `);
  program
    .callAt(at(0) + JUMP)
    .print(`${how}: the jump leads to `)
    .printUnsigned("rax")
    .print(" (")
    .printFault();
  program.line(")");
}

/**
 * Discarding the page with a jump's high bytes turns it into another jump: here, one into code of somebody else's
 * choosing. A seal refuses the discard, for the page cannot be written.
 */
export const pageCrossingJump = sample(
  "page-crossing-jump",
  "discarding half of a jump diverts it; a seal refuses the discard",
  (program) => {
    program.requireMseal().catchFaults();
    program.map(DIVERTED >> 12, 1, RW);
    copy(program, DIVERTED, returning(666));
    program.protect(DIVERTED >> 12, 1, RX);
    victim(program);
    round(program, "unsealed");
    victim(program);
    program.seal(0, 2).report("mseal: ");
    round(program, "sealed");
  },
);
