/** Which instructions can have a probe, and how one is executed without its breakpoint (arch/x86/kernel/uprobes.c). */

import { ENOEXEC, ENOTSUPP } from "../errno.js";

/** MAX_UINSN_BYTES: what is kept of the text at a probe. */
export const PROBED_BYTES = 16;
export const BREAKPOINT = 0xcc;

export interface ProbedInstruction {
  /** The file's bytes there, the instruction first. */
  readonly bytes: Uint8Array;
  /** Linux does its work itself; others it executes in [uprobes]. */
  readonly emulated: boolean;
}

/** ES, CS, SS, DS and LOCK. */
const REFUSED_PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0]);
const PREFIXES = new Set([...REFUSED_PREFIXES, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3]);

/**
 * First bytes of instructions that have no probes: what does not exist in 64-bit mode, INS and OUTS, IN and OUT, INT n,
 * INT1, INT3, IRET, HLT, CLI and STI. All that begin with 0f can.
 */
const REFUSED = new Set([
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f],
  ...[0x60, 0x61, 0x62, 0x6c, 0x6d, 0x6e, 0x6f, 0x82, 0x9a],
  ...[0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xe4, 0xe5, 0xe6, 0xe7, 0xea],
  ...[0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa, 0xfb],
]);
/** MOV to SS and POP SS hold off traps. */
const MOV_TO_SEGMENT = 0x8e;
const SS_FIELD = 2;

/** @returns what there is at a place, or -ENOTSUPP (no probe can be there) or -ENOEXEC (no instruction) */
export function probedInstruction(bytes: Uint8Array): ProbedInstruction | number {
  let at = 0;
  let refused = false;
  let operandSize = false;
  while (PREFIXES.has(bytes[at]!)) {
    refused ||= REFUSED_PREFIXES.has(bytes[at]!);
    operandSize ||= bytes[at] === 0x66;
    at++;
  }
  let rex = -1;
  if ((bytes[at]! & 0xf0) === 0x40) rex = bytes[at++]!;
  const opcode = bytes[at];
  if (opcode === undefined || at >= PROBED_BYTES - 1) return -ENOEXEC;
  // An EVEX prefix that no instruction follows.
  if (opcode === 0x62) return -ENOEXEC;
  if (refused || REFUSED.has(opcode)) return -ENOTSUPP;
  if (opcode === MOV_TO_SEGMENT && ((bytes[at + 1]! >>> 3) & 7) === SS_FIELD) return -ENOTSUPP;
  const branch = isBranch(opcode, bytes[at + 1]!);
  if (branch && operandSize) return -ENOTSUPP;
  const push = opcode >= 0x50 && opcode <= 0x57 && (at === 0 ? rex === -1 : at === 1 && rex === 0x41);
  return { bytes, emulated: branch || push || (opcode === 0x90 && at === 0) };
}

/** JMP, CALL and Jcc to a place that the instruction names. */
function isBranch(opcode: number, second: number): boolean {
  if (opcode === 0xeb || opcode === 0xe9 || opcode === 0xe8) return true;
  return (opcode & 0xf0) === 0x70 || (opcode === 0x0f && (second & 0xf0) === 0x80);
}
