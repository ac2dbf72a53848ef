/** Values of the program's own types, as gdb writes them. */

import type { Member, Type } from "../dwarf/types.js";
import { hex, type View } from "./view.js";

const MOST_ELEMENTS = 200;
const MOST_CHARACTERS = 200;
const DEEPEST = 8;
/** From so many alike on they are counted. */
const REPEATS = 10;
const SIZES: ReadonlySet<number> = new Set([1, 2, 4, 8]);

/** What is at an address, in one line. */
export function valueText(view: View, type: Type, address: number, bits: Member["bits"] = null): string {
  return textOf(view, type, address, bits, 0);
}

/** A pointer with its type, anything else as `valueText` has it: what stands alone needs to say what it is. */
export function typedText(view: View, type: Type, address: number, bits: Member["bits"] = null): string {
  const text = valueText(view, type, address, bits);
  const plain = type.target?.kind === "character" || type.target?.kind === "other";
  return type.kind === "pointer" && !plain ? `(${type.name}) ${text}` : text;
}

function textOf(view: View, type: Type, address: number, bits: Member["bits"], depth: number): string {
  if (type.kind === "structure") return structureText(view, type, address, depth);
  if (type.kind === "array") return arrayText(view, type, address, depth);
  if (type.kind === "float") return floatText(view, type, address);
  if (!SIZES.has(type.size)) return `${type.size} bytes at ${hex(address)}`;
  const whole = view.number(address, type.size);
  if (whole === null) return `<no memory can be read at ${hex(address)}>`;
  const count = bits?.count ?? 8 * type.size;
  const unsigned = BigInt.asUintN(count, whole >> BigInt(bits?.first ?? 0));
  const value = type.signed ? BigInt.asIntN(count, unsigned) : unsigned;
  switch (type.kind) {
    case "pointer":
      return pointerText(view, type, unsigned);
    case "character":
      return `${value} '${characterText(Number(unsigned & 0xffn), "'")}'`;
    case "boolean":
      return value === 0n ? "false" : value === 1n ? "true" : String(value);
    case "enumeration":
      return enumerationText(type, value);
    default:
      return String(value);
  }
}

/** One of an enumeration's names, or those of the bits that are set. */
function enumerationText(type: Type, value: bigint): string {
  const whole = type.values.get(Number(value));
  if (whole !== undefined) return whole;
  let rest = value;
  const names: string[] = [];
  for (const [bit, name] of type.values) {
    const mask = BigInt(bit);
    if (mask <= 0n || (mask & (mask - 1n)) !== 0n || (rest & mask) === 0n) continue;
    names.push(name);
    rest &= ~mask;
  }
  return names.length > 0 && rest === 0n ? `(${names.join(" | ")})` : `(${type.name}) ${value}`;
}

function pointerText(view: View, type: Type, value: bigint): string {
  const address = Number(value);
  const name = value >= 0x1000n && value < 1n << 47n ? view.nameAt(address) : undefined;
  const text = `${hex(value)}${name === undefined ? "" : ` <${name}>`}`;
  if (type.target?.kind !== "character" || type.target.size !== 1 || value === 0n) return text;
  const bytes = view.memory.read(address, MOST_CHARACTERS);
  const end = bytes.indexOf(0);
  if (bytes.length === 0) return text;
  return `${text} ${quoted(end < 0 ? bytes : bytes.subarray(0, end))}${end < 0 ? "..." : ""}`;
}

function structureText(view: View, type: Type, address: number, depth: number): string {
  if (depth >= DEEPEST) return "{...}";
  const parts = type.members.map(({ name, offset, type: inner, bits }) => {
    const text = textOf(view, inner, address + offset, bits, depth + 1);
    return name === "" ? text : `${name} = ${text}`;
  });
  return parts.length === 0 ? `${type.size} bytes at ${hex(address)}` : `{${parts.join(", ")}}`;
}

function arrayText(view: View, type: Type, address: number, depth: number): string {
  const { target, count } = type;
  if (target === null || target.size === 0 || depth >= DEEPEST) return "{...}";
  if (target.kind === "character" && target.size === 1 && count !== null)
    return textArray(view, address, count);
  const shown = Math.min(count ?? 0, MOST_ELEMENTS);
  const parts: string[] = [];
  let last = "";
  let alike = 0;
  const close = (): void => {
    if (alike >= REPEATS) parts.push(`${last} <repeats ${alike} times>`);
    else for (let i = 0; i < alike; i++) parts.push(last);
  };
  for (let i = 0; i < shown; i++) {
    const text = textOf(view, target, address + i * target.size, null, depth + 1);
    if (text === last) {
      alike++;
      continue;
    }
    close();
    last = text;
    alike = 1;
  }
  close();
  return `{${parts.join(", ")}${shown < (count ?? 0) ? "..." : ""}}`;
}

/** Without the zeroes at its end. */
function textArray(view: View, address: number, count: number): string {
  const bytes = view.memory.read(address, Math.min(count, MOST_CHARACTERS));
  if (bytes.length === 0 && count > 0) return `<no memory can be read at ${hex(address)}>`;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return `${quoted(bytes.subarray(0, end))}${bytes.length < count && end === bytes.length ? "..." : ""}`;
}

function quoted(bytes: Uint8Array): string {
  return `"${[...bytes].map((byte) => characterText(byte, '"')).join("")}"`;
}

const ESCAPES: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  27: "\\033",
};

function characterText(byte: number, quote: string): string {
  const character = String.fromCharCode(byte);
  if (character === quote || character === "\\") return `\\${character}`;
  if (byte >= 0x20 && byte < 0x7f) return character;
  return ESCAPES[byte] ?? `\\${byte.toString(8).padStart(3, "0")}`;
}

/** Of the exponent, with the 63 bits behind the mantissa's point. */
const LONG_DOUBLE_BIAS = 16383 + 63;

/** float, double, and x87's long double. */
function floatText(view: View, type: Type, address: number): string {
  const bytes = view.memory.read(address, type.size);
  if (bytes.length < type.size) return `<no memory can be read at ${hex(address)}>`;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type.size === 4) return numberText(Number(data.getFloat32(0, true).toPrecision(9)));
  if (type.size === 8) return numberText(data.getFloat64(0, true));
  if (type.size !== 16 || bytes.length < 10) return `${type.size} bytes at ${hex(address)}`;
  const exponent = data.getUint16(8, true);
  const mantissa = Number(data.getBigUint64(0, true));
  const sign = (exponent & 0x8000) === 0 ? 1 : -1;
  if ((exponent & 0x7fff) === 0x7fff)
    return (data.getBigUint64(0, true) << 1n) % (1n << 64n) === 0n ? numberText(sign * Infinity) : "nan";
  return numberText(sign * mantissa * 2 ** ((exponent & 0x7fff) - LONG_DOUBLE_BIAS));
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
