import type { MemoryView } from "../guest-memory.js";

/** How much of a string is shown, in bytes; strace's default. */
export const SHOWN_BYTES = 32;
/** How far a path is followed; Linux's PATH_MAX. */
const PATH_BYTES = 4096;

const SHORT: Readonly<Record<number, string>> = {
  0x22: '\\"',
  0x5c: "\\\\",
  0x09: "\\t",
  0x0a: "\\n",
  0x0b: "\\v",
  0x0c: "\\f",
  0x0d: "\\r",
};

/** Bytes in double quotes, escaped as strace does: octal, as short as the next byte allows. */
export function quote(bytes: Uint8Array): string {
  let text = '"';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const next = bytes[i + 1] ?? 0;
    if (SHORT[byte] !== undefined) text += SHORT[byte];
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(next >= 0x30 && next <= 0x39 ? 3 : 1, "0")}`;
  }
  return `${text}"`;
}

/** Bytes in double quotes, each as `\x..` (strace's form for random ones). */
export function quoteHex(bytes: Uint8Array): string {
  return `"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

/** A buffer of known length: at most 32 bytes of it; its address where it cannot be read. */
export function bufferText(memory: MemoryView, va: bigint, length: number, how = quote): string {
  if (va === 0n) return "NULL";
  const shown = Math.min(length, SHOWN_BYTES);
  const bytes = memory.read(Number(va), shown);
  if (bytes.length < shown) return `0x${va.toString(16)}`;
  return how(bytes) + (length > SHOWN_BYTES ? "..." : "");
}

/** A NUL-terminated string; paths are shown whole, other strings up to 32 bytes. */
export function stringText(memory: MemoryView, va: bigint, whole: boolean): string {
  if (va === 0n) return "NULL";
  const limit = whole ? PATH_BYTES : SHOWN_BYTES + 1;
  const bytes = memory.read(Number(va), limit);
  const end = bytes.indexOf(0);
  if (end >= 0) return quote(bytes.subarray(0, end));
  if (bytes.length < limit) return `0x${va.toString(16)}`;
  return `${quote(bytes.subarray(0, whole ? limit : SHOWN_BYTES))}...`;
}

/** argv: `["ls", "-l"]`; envp: `0x7ffe... /* 12 vars *\/`. */
export function stringsText(memory: MemoryView, va: bigint, counted: boolean): string {
  if (va === 0n) return "NULL";
  const texts: string[] = [];
  for (let i = 0; ; i++) {
    const entry = memory.read(Number(va) + i * 8, 8);
    if (entry.length < 8) return `0x${va.toString(16)}`;
    const at = new DataView(entry.buffer, entry.byteOffset).getBigUint64(0, true);
    if (at === 0n) break;
    if (!counted && texts.length >= SHOWN_BYTES) {
      texts.push("...");
      break;
    }
    texts.push(counted ? "" : stringText(memory, at, false));
  }
  if (counted) return `0x${va.toString(16)} /* ${texts.length} var${texts.length === 1 ? "" : "s"} */`;
  return `[${texts.join(", ")}]`;
}
