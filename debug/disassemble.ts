import { Decoder, DecoderOptions, FastFormatter } from "iced-x86";

/** One instruction in Intel syntax, as `lock or byte ptr [rbx],0`; undefined where the bytes are none. */
export function disassemble(bytes: Uint8Array, rip: number): string | undefined {
  if (bytes.length === 0) return undefined;
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  decoder.ip = BigInt(rip);
  const instruction = decoder.decode();
  const formatter = new FastFormatter();
  try {
    formatter.spaceAfterOperandSeparator = true;
    formatter.useHexPrefix = true;
    formatter.uppercaseHex = false;
    return instruction.isInvalid ? undefined : formatter.format(instruction);
  } finally {
    formatter.free();
    instruction.free();
    decoder.free();
  }
}
