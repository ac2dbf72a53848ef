import { meaningOf } from "./meaning.js";
import type { MemoryRow, StackRow } from "./rows.js";
import { hex, type View } from "./view.js";

const ROW_BYTES = 16;

/** Bytes in hexadecimal and as characters, 16 a row; rows end where readable memory ends. */
export function memoryRows(view: View, address: number, length: number): MemoryRow[] {
  const bytes = view.memory.read(address, length);
  const rows: MemoryRow[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const part = bytes.slice(at, at + ROW_BYTES);
    const codes = Array.from({ length: ROW_BYTES }, (_, i) =>
      i < part.length ? part[i]!.toString(16).padStart(2, "0") : "  ",
    );
    const shown = `${codes.slice(0, 8).join(" ")}  ${codes.slice(8).join(" ")}`;
    const characters = [...part].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    );
    rows.push({
      address: address + at,
      bytes: part,
      text: `${hex(address + at)}  ${shown}  |${characters.join("")}|`,
    });
  }
  return rows;
}

/** The words at the stack pointer and above it, and what each may be. */
export function stackRows(view: View, count: number): StackRow[] {
  const rsp = Number(view.registers.rsp);
  const rows: StackRow[] = [];
  for (let i = 0; i < count; i++) {
    const address = rsp + 8 * i;
    const value = view.number(address, 8);
    if (value === null) break;
    const registers = (["rsp", "rbp"] as const).filter((name) => Number(view.registers[name]) === address);
    const meaning = meaningOf(view, value);
    const offset = `+0x${(8 * i).toString(16).padStart(2, "0")}`;
    const text = `${hex(address)} ${offset}  0x${value.toString(16).padStart(16, "0")}  ${registers.join(",").padEnd(4)} ${meaning}`;
    rows.push({ address, value, registers, meaning, text: text.trimEnd() });
  }
  return rows;
}
