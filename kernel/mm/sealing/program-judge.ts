import type { BpfProgram } from "../../bpf/instruction.js";
import { runBpf } from "../../bpf/run.js";
import type { HookContext, HookOperation, RefusalJudge } from "./hooked-model.js";

/** What the program is told of, in 32-bit words (docs/models.md has the table). */
const CONTEXT_WORDS = 12;
export const CONTEXT_BYTES = 4 * CONTEXT_WORDS;

/** How the operations are numbered for a program. */
export const OPERATIONS: Readonly<Record<HookOperation, number>> = {
  munmap: 1,
  mmap: 2,
  mremap: 3,
  mprotect: 4,
  madvise: 5,
  msync: 6,
  mseal: 7,
  brk: 8,
  shmdt: 9,
  force: 10,
};

/** Of the context's flags: the caller could overwrite the area, by its protection and by PKRU. */
const WRITABLE = 1;

const TWO_32 = 2 ** 32;

/** A program of the guest's: 1 permits after all, 0 lets the refusal stand. */
export class ProgramJudge implements RefusalJudge {
  constructor(private readonly program: BpfProgram) {}

  judge(context: HookContext): boolean | string {
    const answer = runBpf(this.program, contextWords(context));
    if (answer === null) return "the program divided by zero";
    if (answer > 1) return `the program answered ${answer}, neither 0 nor 1`;
    return answer === 1;
  }
}

function contextWords({
  operation,
  area,
  pkru,
  prot,
  key,
  advice,
  writable,
  bits,
}: HookContext): Uint32Array {
  const { start, end } = area;
  return Uint32Array.of(
    OPERATIONS[operation],
    writable === true ? WRITABLE : 0,
    start % TWO_32,
    start / TWO_32,
    end % TWO_32,
    end / TWO_32,
    area.prot,
    area.key,
    area.bits,
    pkru,
    prot ?? advice ?? bits ?? 0,
    key ?? -1,
  );
}
