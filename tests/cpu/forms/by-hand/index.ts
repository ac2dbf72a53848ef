import { Code, Decoder, DecoderOptions } from "iced-x86";
import type { FormsGroup, FormsProgram } from "../layout.js";
import { addresses } from "./addresses.js";
import { controlFlow } from "./control-flow.js";
import { faults } from "./faults.js";
import { stack } from "./stack.js";
import { state } from "./state.js";
import { strings } from "./strings.js";

/** The groups whose cases are written one by one. */
export const handWrittenGroups: readonly FormsGroup[] = [
  { name: "control-flow", build: controlFlow },
  { name: "stack", build: stack },
  { name: "strings", build: strings },
  { name: "addresses", build: addresses },
  { name: "state", build: state },
  { name: "faults", build: faults },
];

/** The bytes of an ELF file's executable segment. */
function textOf({ elf }: FormsProgram): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  const headers = Number(view.getBigUint64(32, true));
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const header = headers + i * 56;
    const executable = view.getUint32(header, true) === 1 && (view.getUint32(header + 4, true) & 1) !== 0;
    if (!executable) continue;
    const offset = Number(view.getBigUint64(header + 8, true));
    return elf.subarray(offset, offset + Number(view.getBigUint64(header + 32, true)));
  }
  throw new RangeError("no executable segment");
}

/** Every form in the hand-written programs' code, found by disassembling it. */
export function handWrittenCodes(): Set<Code> {
  const codes = new Set<Code>();
  for (const group of handWrittenGroups) {
    const decoder = new Decoder(64, textOf(group.build()), DecoderOptions.None);
    while (decoder.canDecode) {
      const instruction = decoder.decode();
      codes.add(instruction.code);
      instruction.free();
    }
    decoder.free();
  }
  return codes;
}
