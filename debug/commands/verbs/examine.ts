/** `x` and `print`: values and memory in the formats of gdb. */

import { instructionRows } from "../../views/instructions.js";
import { memoryRows } from "../../views/memory.js";
import { typedText } from "../../views/values.js";
import { hex, type View } from "../../views/view.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { placeOf, valueAt } from "../expression.js";
import { parseExpression } from "../parse-expression.js";
import { addressFrom } from "../location.js";
import { littleEndian } from "../scope.js";
import { lines, type Outcome, type Verb } from "../verb.js";

const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, g: 8 };
const FORMATS = "xduotacsi";
const LONGEST_TEXT = 200;
const MOST = 4096;

interface Format {
  readonly count: number;
  readonly letter: string;
  readonly size: number;
}

/** `4xg` in any order of letters. @throws CommandError */
function parseFormat(text: string, before: Format): Format {
  const match = /^(\d*)([a-z]*)$/.exec(text);
  let { letter, size } = before;
  let ownSize = false;
  for (const one of match?.[2] ?? "?") {
    if (SIZES[one] !== undefined) {
      size = SIZES[one];
      ownSize = true;
    } else if (FORMATS.includes(one)) letter = one;
    else throw new CommandError(`/${text}: expected a count, one of ${FORMATS}, and a size b h w g, as /4xg`);
  }
  if (letter === "a" && !ownSize) size = 8;
  if (letter === "c" && !ownSize) size = 1;
  const count = match![1] === "" ? 1 : Number(match![1]);
  if (count < 1 || count > MOST) throw new CommandError(`/${text}: expected a count from 1 to ${MOST}`);
  return { count, letter, size };
}

/** A value of `size` bytes in a format. */
function formatted(view: View, value: bigint, letter: string, size: number): string {
  const unsigned = BigInt.asUintN(8 * size, value);
  switch (letter) {
    case "d":
      return String(BigInt.asIntN(8 * size, value));
    case "u":
      return String(unsigned);
    case "o":
      return `0${unsigned.toString(8)}`;
    case "t":
      return unsigned.toString(2).padStart(1, "0");
    case "c": {
      const code = Number(unsigned & 0xffn);
      const shown =
        code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, "0")}`;
      return `${code} '${shown}'`;
    }
    case "a": {
      const name = unsigned < 1n << 47n ? view.nameAt(Number(unsigned)) : undefined;
      return `${hex(unsigned)}${name === undefined ? "" : ` <${name}>`}`;
    }
    default:
      return `0x${unsigned.toString(16).padStart(size * 2, "0")}`;
  }
}

function examine(context: Context, format: string, argument: string): Outcome {
  const view = context.view();
  const { examined } = context;
  const last = { count: 1, letter: "x", size: 8 };
  const before = examined === null ? last : parseFormat(examined.format, last);
  const { count, letter, size } = format === "" ? { ...before, count: 1 } : parseFormat(format, before);
  if (argument === "" && examined === null) throw new CommandError("x: expected an address, as x/4xg $rsp");
  const start = argument === "" ? examined!.address : addressFrom(argument, context.scope(view));
  const shown =
    letter === "i"
      ? code(view, start, count)
      : letter === "s"
        ? texts(view, start, count)
        : cells(view, start, count, letter, size);
  const unit = Object.keys(SIZES).find((one) => SIZES[one] === size)!;
  context.examined = { address: shown.next, format: `${letter}${unit}` };
  return lines(...shown.lines);
}

interface Shown {
  readonly lines: string[];
  readonly next: number;
}

function code(view: View, start: number, count: number): Shown {
  const rows = instructionRows(view, { from: start, count });
  if (rows.length === 0) throw unreadable(start);
  const last = rows.at(-1)!;
  return { lines: rows.map(({ text }) => text), next: last.address + last.bytes.length };
}

function texts(view: View, start: number, count: number): Shown {
  const out: string[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const bytes = view.memory.read(at, LONGEST_TEXT);
    if (bytes.length === 0) throw unreadable(at);
    const end = bytes.indexOf(0);
    const part = bytes.subarray(0, end < 0 ? bytes.length : end);
    const text = JSON.stringify(String.fromCharCode(...part)).replace(
      /[\u007f-\u00ff]/g,
      (one) => `\\x${one.charCodeAt(0).toString(16)}`,
    );
    out.push(`${placeText(view, at)}  ${text}${end < 0 ? "..." : ""}`);
    at += part.length + (end < 0 ? 0 : 1);
  }
  return { lines: out, next: at };
}

function cells(view: View, start: number, count: number, letter: string, size: number): Shown {
  const bytes = view.memory.read(start, count * size);
  if (bytes.length < size) throw unreadable(start);
  const perRow = letter === "a" ? 1 : { 1: 8, 2: 8, 4: 4, 8: 2 }[size]!;
  const out: string[] = [];
  for (let i = 0; i * size < bytes.length && i < count; i += perRow) {
    const values: string[] = [];
    for (let j = i; j < Math.min(i + perRow, count) && (j + 1) * size <= bytes.length; j++)
      values.push(formatted(view, littleEndian(bytes.subarray(j * size, (j + 1) * size)), letter, size));
    if (values.length > 0) out.push(`${placeText(view, start + i * size)}  ${values.join("  ")}`);
  }
  if (bytes.length < count * size) out.push(`${hex(start + bytes.length)}: no memory can be read there`);
  return { lines: out, next: start + count * size };
}

function placeText(view: View, address: number): string {
  const name = view.nameAt(address);
  return `${hex(address)}${name === undefined ? "" : ` <${name}>`}`;
}

function unreadable(address: number): CommandError {
  return new CommandError(`${hex(address)}: no memory can be read there`);
}

function print(context: Context, format: string, argument: string): Outcome {
  const view = context.view();
  if (argument === "") throw new CommandError("print: expected an expression, as $rax+8 or *(int *) $rsp");
  if (format === "") {
    const scope = context.scope(view);
    const place = placeOf(parseExpression(argument), scope);
    // What has only a size is printed as any number is.
    const type = place?.type;
    if (place !== null && type != null && type.size > 0) {
      const address = Number(BigInt.asUintN(64, place.address));
      if (type.kind !== "number") return lines(typedText(view, type, address, place.bits));
      const value = valueAt(place, scope);
      const bits = place.bits?.count ?? 8 * type.size;
      return lines(
        value >= 0n && value < 10n ? String(value) : `${value} = ${hex(BigInt.asUintN(bits, value))}`,
      );
    }
  }
  const value = context.value(argument);
  if (format !== "") {
    const { letter } = parseFormat(format, { count: 1, letter: "x", size: 8 });
    if (letter === "x") return lines(hex(BigInt.asUintN(64, value)));
    if (letter === "i" || letter === "s") return examine(context, format, argument);
    return lines(formatted(view, value, letter, letter === "c" ? 1 : 8));
  }
  const unsigned = BigInt.asUintN(64, value);
  const name = value >= 0x1000n && value < 1n << 47n ? view.nameAt(Number(value)) : undefined;
  if (name !== undefined) return lines(`${hex(unsigned)} <${name}>`);
  return lines(unsigned < 10n ? String(value) : `${value} = ${hex(unsigned)}`);
}

export const EXAMINE: readonly Verb[] = [
  {
    name: "print",
    aliases: ["p", "inspect", "output"],
    group: "looking",
    usage: "[/FORMAT] EXPR",
    help: "An expression: C's operators, $registers, symbols, members, *(int *) ADDR.",
    more: ["FORMAT is one of x d u o t a c s i, as p/x $rax. A data symbol is its value, &SYMBOL its place."],
    run: ({ context, argument, format }) => print(context, format, argument),
  },
  {
    name: "x",
    group: "looking",
    usage: "[/NFU] [ADDR]",
    help: "Memory: N values in format F (x d u o t a c s i) of size U (b h w g).",
    more: ["x/8xg $rsp, x/5i $rip, x/s 0x402000. Without ADDR it goes on behind the last."],
    repeats: true,
    run: ({ context, argument, format }) => examine(context, format, argument),
  },
  {
    name: "hexdump",
    aliases: ["hd"],
    group: "looking",
    usage: "ADDR [BYTES]",
    help: "Memory in hexadecimal and as text; 64 bytes unless told.",
    run({ context, words }) {
      const address = context.address(words[0] ?? "");
      const rows = memoryRows(context.view(), address, Math.min(65536, context.count(words[1] ?? "", 64)));
      if (rows.length === 0) throw unreadable(address);
      return lines(...rows.map(({ text }) => text));
    },
  },
];
