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
