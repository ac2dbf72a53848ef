/** What a 64-bit value may mean to the program. */

import { areaName } from "../../kernel/mm/proc-maps.js";
import { VM_EXEC } from "../../kernel/mm/vm-flags.js";
import { hex, type View } from "./view.js";

const USER_END = 2 ** 47;
const LONGEST_TEXT = 40;
const SHORTEST_TEXT = 4;

/** `<main+0x4>`, `"hello"`, `[stack] -> 0x2a`, or nothing where it points nowhere. */
export function meaningOf(view: View, value: bigint): string {
  const address = Number(value);
  if (address >= USER_END || address < 0x1000) return smallNumber(value);
  const { mm } = view.task;
  const area = mm.findArea(address);
  if (area === null) return "";
  const name = view.nameAt(address);
  if ((area.flags & VM_EXEC) !== 0) return name === undefined ? areaName(mm, area) : `<${name}>`;
  const text = textAt(view, address);
  const parts: string[] = [];
  if (name !== undefined) parts.push(`<${name}>`);
  else parts.push(shortened(areaName(mm, area)));
  if (text !== null) parts.push(text);
  else {
    const inside = view.number(address, 8);
    if (inside !== null) {
      const symbol = inside < BigInt(USER_END) ? view.nameAt(Number(inside)) : undefined;
      parts.push(`-> ${hex(inside)}${symbol === undefined ? "" : ` <${symbol}>`}`);
    }
  }
  return parts.filter((part) => part !== "").join(" ");
}

/** The last component of a path. */
export function shortened(path: string): string {
  return path.startsWith("/") ? path.slice(path.lastIndexOf("/") + 1) : path;
}

function smallNumber(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  if (signed < 0n && signed > -65536n) return String(signed);
  const low = BigInt.asIntN(32, value);
  if (value < 1n << 32n && low < 0n && low > -65536n) return `${low} as int`;
  return value > 9n && value < 1_000_000n ? String(value) : "";
}

/** A text of printable ASCII, in quotes; null where there is none. */
function textAt(view: View, address: number): string | null {
  const bytes = view.memory.read(address, LONGEST_TEXT + 1);
  let length = 0;
  while (length < bytes.length && isPrintable(bytes[length]!)) length++;
  const ended = bytes[length] === 0;
  if (length < SHORTEST_TEXT || (!ended && length <= LONGEST_TEXT)) return null;
  const shown = bytes.subarray(0, Math.min(length, LONGEST_TEXT));
  const text = JSON.stringify(String.fromCharCode(...shown));
  return ended ? text : `${text}...`;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x09;
}
