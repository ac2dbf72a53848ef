/*
 * What a classic BPF program must be before it is taken (bpf_check_classic, seccomp_check_filter): then it reads
 * nothing but the record and its own scratch words, and comes to an end.
 */
import { BPF, BPF_MAX_INSTRUCTIONS, BPF_SCRATCH_WORDS, type BpfProgram } from "./instruction.js";

/** What is wrong, and where. */
export interface BpfMistake {
  /** The instruction, from 0; null: the program as a whole. */
  readonly at: number | null;
  readonly text: string;
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(BPF));
const CONDITIONAL = new Set<number>([
  ...[BPF.JEQ_K, BPF.JEQ_X, BPF.JGT_K, BPF.JGT_X],
  ...[BPF.JGE_K, BPF.JGE_X, BPF.JSET_K, BPF.JSET_X],
]);
const ALL_WORDS = 2 ** BPF_SCRATCH_WORDS - 1;

/**
 * Checks a program. A jump has no sign, so none goes back.
 * @param contextBytes how long the record is that the program is asked about
 * @returns the first mistake in the order of the instructions, or null
 */
export function verifyBpf(program: BpfProgram, contextBytes: number): BpfMistake | null {
  const { length } = program;
  if (length === 0) return { at: null, text: "the program is empty" };
  if (length > BPF_MAX_INSTRUCTIONS)
    return { at: null, text: `${length} instructions; ${BPF_MAX_INSTRUCTIONS} are permitted` };
  for (let at = 0; at < length; at++) {
    const text = instructionMistake(program, at, contextBytes);
    if (text !== null) return { at, text };
  }
  const last = program[length - 1]!.code;
  if (last !== BPF.RET_K && last !== BPF.RET_A)
    return { at: length - 1, text: "the last instruction is no RET" };
  return scratchMistake(program);
}

function instructionMistake(program: BpfProgram, at: number, contextBytes: number): string | null {
  const { code, jt, jf, k } = program[at]!;
  const left = program.length - at - 1;
  if (!KNOWN.has(code)) return `there is no code 0x${code.toString(16)} here`;
  switch (code) {
    case BPF.LD_ABS:
      if (k % 4 !== 0) return `a load at ${k}, which is not a multiple of 4`;
      return k < contextBytes ? null : `a load at ${k}, beyond the ${contextBytes} bytes of the context`;
    case BPF.LD_MEM:
    case BPF.LDX_MEM:
    case BPF.ST:
    case BPF.STX:
      return k < BPF_SCRATCH_WORDS ? null : `scratch word ${k}; there are ${BPF_SCRATCH_WORDS}`;
    case BPF.DIV_K:
      return k === 0 ? "a division by zero" : null;
    case BPF.LSH_K:
    case BPF.RSH_K:
      return k < 32 ? null : `a shift by ${k}`;
    case BPF.JA:
      return k < left ? null : "a jump beyond the end";
    default:
      return CONDITIONAL.has(code) && (jt >= left || jf >= left) ? "a jump beyond the end" : null;
  }
}

/** A scratch word is read only where every way there has written it. */
function scratchMistake(program: BpfProgram): BpfMistake | null {
  // Bits of the words that every jump to an instruction has written; what nothing leads to has them all.
  const atTarget = new Int32Array(program.length).fill(ALL_WORDS);
  let written = 0;
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    written &= atTarget[at]!;
    if (code === BPF.ST || code === BPF.STX) written |= 1 << k;
    else if ((code === BPF.LD_MEM || code === BPF.LDX_MEM) && (written & (1 << k)) === 0)
      return { at, text: `scratch word ${k} may not have been written` };
    else if (code === BPF.JA || CONDITIONAL.has(code)) {
      const targets = code === BPF.JA ? [at + 1 + k] : [at + 1 + jt, at + 1 + jf];
      for (const target of targets) atTarget[target]! &= written;
      written = ALL_WORDS;
    }
  }
  return null;
}
