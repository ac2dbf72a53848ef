import { Decoder, DecoderOptions, Register } from "iced-x86";
import type { Registers } from "../registers.js";

/** Does the instruction's faulting access go through SS: PUSH, POP, CALL, RET, or a base of RSP or RBP? */
export function usesStackSegment(bytes: Uint8Array, registers: Registers): boolean {
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const instruction = decoder.decode();
  try {
    if (instruction.memorySegment === Register.SS) return instruction.memoryBase !== Register.None;
    const sp = registers.get(4);
    const top = sp >> 47n;
    return instruction.isStackInstruction && top !== 0n && top !== 0x1ffffn;
  } finally {
    instruction.free();
    decoder.free();
  }
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3]);
const MOV_TO_SEGMENT = 0x8e;
const SS_FIELD = 2;

/** MOV to SS, behind which debug traps wait for one instruction more. */
export function loadsStackSegment(bytes: Uint8Array): boolean {
  let at = 0;
  while (PREFIXES.has(bytes[at]!)) at++;
  if ((bytes[at]! & 0xf0) === 0x40) at++;
  return bytes[at] === MOV_TO_SEGMENT && ((bytes[at + 1]! >>> 3) & 7) === SS_FIELD;
}
