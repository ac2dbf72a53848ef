import { BPF, type BpfProgram } from "../bpf/instruction.js";
import { runBpf } from "../bpf/run.js";
import type { Provenance } from "../refusal.js";
import { actionOf, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_THREAD } from "./actions.js";
import type { SeccompListener } from "./listener.js";

/** One filter; those it was put on top of are asked too (struct seccomp_filter). Tasks and newer filters share it. */
export class SeccompFilter {
  /** Who answers its SECCOMP_RET_USER_NOTIF; null: nobody, or nobody any more. */
  listener: SeccompListener | null = null;

  constructor(
    readonly previous: SeccompFilter | null,
    readonly program: BpfProgram,
    /** SECCOMP_FILTER_FLAG_LOG. */
    readonly logs: boolean,
    /** SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. */
    readonly waitsKillable: boolean,
    readonly by: Provenance,
  ) {}

  /** This one and those before it, the newest first. */
  *chain(): Generator<SeccompFilter> {
    yield this;
    for (let filter = this.previous; filter !== null; filter = filter.previous) yield filter;
  }

  includes(other: SeccompFilter): boolean {
    for (const filter of this.chain()) if (filter === other) return true;
    return false;
  }
}

/** What a task has of seccomp; never changed, only replaced, so that clone may share it. */
export type SeccompState =
  | { readonly mode: "strict" }
  | { readonly mode: "filter"; readonly filter: SeccompFilter; readonly count: number };

/** As PR_GET_SECCOMP and /proc/PID/status number it. */
export function modeNumber(state: SeccompState | null): number {
  return state === null ? 0 : state.mode === "strict" ? 1 : 2;
}

export interface FilterAnswer {
  readonly answer: number;
  /** Whose answer it is. */
  readonly filter: SeccompFilter;
}

/** Asks all filters: the strongest action holds, of equal ones the newest filter's (seccomp_run_filters). */
export function askFilters(newest: SeccompFilter, context: Uint32Array): FilterAnswer {
  let strongest: FilterAnswer = { answer: SECCOMP_RET_ALLOW, filter: newest };
  for (const filter of newest.chain()) {
    const answer = runBpf(filter.program, context) ?? SECCOMP_RET_KILL_THREAD;
    // Actions compare with a sign: SECCOMP_RET_KILL_PROCESS is the least.
    if ((actionOf(answer) | 0) < (actionOf(strongest.answer) | 0)) strongest = { answer, filter };
  }
  return strongest;
}

/** The most instructions on the way through all filters, four more counted for each filter (MAX_INSNS_PER_PATH). */
export const MAX_INSTRUCTIONS_PER_PATH = 32_768;
const PER_FILTER = 4;

/** What the filters of a path count for when `added` comes on top (seccomp_attach_filter). */
export function pathLength(added: BpfProgram, below: SeccompFilter | null): number {
  let total = internalLength(added);
  for (const filter of below?.chain() ?? []) total += internalLength(filter.program) + PER_FILTER;
  return total;
}

/** How many instructions Linux makes of a classic program (bpf_convert_filter), which is what it counts. */
function internalLength(program: BpfProgram): number {
  // It clears A and X, and takes the record's address.
  let length = 3;
  for (const { code, jt, jf, k } of program) {
    switch (code) {
      case BPF.DIV_X:
        length += 5;
        break;
      case BPF.RET_K:
        length += 2;
        break;
      case BPF.JEQ_K:
      case BPF.JGT_K:
      case BPF.JGE_K:
      case BPF.JSET_K:
        // A constant with the highest bit set needs a register.
        length += (k >= 0x8000_0000 ? 1 : 0) + jumpLength(code, jt, jf);
        break;
      case BPF.JEQ_X:
      case BPF.JGT_X:
      case BPF.JGE_X:
      case BPF.JSET_X:
        length += jumpLength(code, jt, jf);
        break;
      default:
        length++;
    }
  }
  return length;
}

/** One where a way out leads to the next instruction and the test can be turned round, else two. */
function jumpLength(code: number, jt: number, jf: number): number {
  const inverts = code !== BPF.JSET_K && code !== BPF.JSET_X;
  return jf === 0 || (jt === 0 && inverts) ? 1 : 2;
}
