/** Classic BPF: the machine of socket filters and of seccomp (linux/filter.h, linux/bpf_common.h). */

/** One instruction (struct sock_filter). */
export interface BpfInstruction {
  readonly code: number;
  /** Instructions to skip where a test holds, and where it does not. */
  readonly jt: number;
  readonly jf: number;
  /** An operand without a sign, 32 bits. */
  readonly k: number;
}

export type BpfProgram = readonly BpfInstruction[];

/** Instructions a program may have (BPF_MAXINSNS). */
export const BPF_MAX_INSTRUCTIONS = 4096;
/** Bytes of one in memory. */
export const BPF_INSTRUCTION_BYTES = 8;
/** 32-bit words of scratch memory (BPF_MEMWORDS). */
export const BPF_SCRATCH_WORDS = 16;

/** The codes that a program about a record in memory may use: those of seccomp. A is the accumulator, X the index. */
export const BPF = {
  LD_IMM: 0x00,
  LD_ABS: 0x20,
  LD_MEM: 0x60,
  LD_LEN: 0x80,
  LDX_IMM: 0x01,
  LDX_MEM: 0x61,
  LDX_LEN: 0x81,
  ST: 0x02,
  STX: 0x03,
  ADD_K: 0x04,
  ADD_X: 0x0c,
  SUB_K: 0x14,
  SUB_X: 0x1c,
  MUL_K: 0x24,
  MUL_X: 0x2c,
  DIV_K: 0x34,
  DIV_X: 0x3c,
  OR_K: 0x44,
  OR_X: 0x4c,
  AND_K: 0x54,
  AND_X: 0x5c,
  LSH_K: 0x64,
  LSH_X: 0x6c,
  RSH_K: 0x74,
  RSH_X: 0x7c,
  NEG: 0x84,
  XOR_K: 0xa4,
  XOR_X: 0xac,
  JA: 0x05,
  JEQ_K: 0x15,
  JEQ_X: 0x1d,
  JGT_K: 0x25,
  JGT_X: 0x2d,
  JGE_K: 0x35,
  JGE_X: 0x3d,
  JSET_K: 0x45,
  JSET_X: 0x4d,
  RET_K: 0x06,
  RET_A: 0x16,
  TAX: 0x07,
  TXA: 0x87,
} as const;

/** Writes instructions as they lie in memory; `bytes` has room for all. */
export function encodeBpf(program: BpfProgram, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(i * BPF_INSTRUCTION_BYTES, code, true);
    view.setUint8(i * BPF_INSTRUCTION_BYTES + 2, jt);
    view.setUint8(i * BPF_INSTRUCTION_BYTES + 3, jf);
    view.setUint32(i * BPF_INSTRUCTION_BYTES + 4, k, true);
  }
}

/** Reads instructions as they lie in memory; `bytes` holds whole ones. */
export function decodeBpf(bytes: Uint8Array): BpfInstruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program: BpfInstruction[] = [];
  for (let at = 0; at < bytes.length; at += BPF_INSTRUCTION_BYTES)
    program.push({
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    });
  return program;
}
