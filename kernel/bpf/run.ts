import { BPF, BPF_SCRATCH_WORDS, type BpfProgram } from "./instruction.js";

/**
 * Asks a program that {@link verifyBpf} has found right.
 * @param context the record, in 32-bit words
 * @returns what it returns, 32 bits without a sign; null: it divided by zero, which ends it
 */
export function runBpf(program: BpfProgram, context: Uint32Array): number | null {
  const scratch = new Uint32Array(BPF_SCRATCH_WORDS);
  let [a, x] = [0, 0];
  for (let at = 0; at < program.length; at++) {
    const { code, jt, jf, k } = program[at]!;
    switch (code) {
      case BPF.LD_IMM:
        a = k;
        break;
      case BPF.LD_ABS:
        a = context[k / 4]!;
        break;
      case BPF.LD_MEM:
        a = scratch[k]!;
        break;
      case BPF.LD_LEN:
        a = context.byteLength;
        break;
      case BPF.LDX_IMM:
        x = k;
        break;
      case BPF.LDX_MEM:
        x = scratch[k]!;
        break;
      case BPF.LDX_LEN:
        x = context.byteLength;
        break;
      case BPF.ST:
        scratch[k] = a;
        break;
      case BPF.STX:
        scratch[k] = x;
        break;
      case BPF.TAX:
        x = a;
        break;
      case BPF.TXA:
        a = x;
        break;
      case BPF.RET_K:
        return k;
      case BPF.RET_A:
        return a;
      case BPF.JA:
        at += k;
        break;
      case BPF.JEQ_K:
      case BPF.JEQ_X:
      case BPF.JGT_K:
      case BPF.JGT_X:
      case BPF.JGE_K:
      case BPF.JGE_X:
      case BPF.JSET_K:
      case BPF.JSET_X:
        at += holds(code, a, (code & OPERAND_X) === 0 ? k : x) ? jt : jf;
        break;
      default: {
        const operand = (code & OPERAND_X) === 0 ? k : x;
        if (code === BPF.DIV_X && operand === 0) return null;
        a = compute(code, a, operand);
      }
    }
  }
  throw new Error("a BPF program without an end was not verified");
}

/** The operand is X, not k (BPF_X). */
const OPERAND_X = 0x08;

function holds(code: number, a: number, operand: number): boolean {
  switch (code & ~OPERAND_X) {
    case BPF.JEQ_K:
      return a === operand;
    case BPF.JGT_K:
      return a > operand;
    case BPF.JGE_K:
      return a >= operand;
    default:
      return (a & operand) !== 0;
  }
}

function compute(code: number, a: number, operand: number): number {
  switch (code & ~OPERAND_X) {
    case BPF.ADD_K:
      return (a + operand) >>> 0;
    case BPF.SUB_K:
      return (a - operand) >>> 0;
    case BPF.MUL_K:
      return Math.imul(a, operand) >>> 0;
    case BPF.DIV_K:
      return Math.floor(a / operand);
    case BPF.OR_K:
      return (a | operand) >>> 0;
    case BPF.AND_K:
      return (a & operand) >>> 0;
    // Of a distance in X only five bits count, as of the processor's own shifts.
    case BPF.LSH_K:
      return (a << operand) >>> 0;
    case BPF.RSH_K:
      return a >>> operand;
    case BPF.XOR_K:
      return (a ^ operand) >>> 0;
    default:
      return -a >>> 0;
  }
}
