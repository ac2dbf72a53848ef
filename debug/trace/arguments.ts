import { signalName } from "../../kernel/signals/numbers.js";
import { signalSetText } from "./signals.js";
import type { Argument, ArgumentKind } from "../../syscalls/argument.js";
import type { MemoryView } from "../guest-memory.js";
import { choiceText, flagsText, hex, pointer } from "./names.js";
import { bufferText, quoteHex, SHOWN_BYTES, stringText, stringsText } from "./strings.js";
import { failedMessageText, socketStructText } from "./sockets.js";
import { cpuSetText, octal, pollText, STRUCTS } from "./structs.js";

/** A call as far as its arguments' texts depend on it. */
export interface CallView {
  readonly name: string;
  readonly args: readonly bigint[];
  readonly memory: MemoryView;
  /** Undefined while the call has not returned; negative when it failed; null when it does not return. */
  readonly result: bigint | null | undefined;
}

const AT_FDCWD = -100n;
/** Elements of an array that are shown; strace's default. */
const SHOWN_ELEMENTS = SHOWN_BYTES;

/** True for what the kernel writes: it prints after the call. */
export function isOutput(argument: ArgumentKind, args: readonly bigint[]): boolean {
  if (argument.kind === "dependent") return isOutput(caseOf(argument, args), args);
  if (argument.kind === "buffer-out") return true;
  return (argument.kind === "struct" || argument.kind === "signal-set") && argument.direction === "out";
}

/** The text of argument `i`, as strace prints it. */
export function argumentText(argument: ArgumentKind, i: number, call: CallView): string {
  const value = call.args[i]!;
  const signed32 = BigInt.asIntN(32, value);
  switch (argument.kind) {
    case "int":
    case "fd":
    case "pid":
      return String(signed32);
    case "uid":
    case "gid":
      return signed32 === -1n ? "-1" : String(BigInt.asUintN(32, value));
    case "uint":
      return String(BigInt.asUintN(32, value));
    case "long":
    case "offset":
      return String(BigInt.asIntN(64, value));
    case "length":
    case "unsigned-long":
      return String(value);
    case "hex":
    case "unused":
      return hex(value);
    case "octal":
      return octal(BigInt.asUintN(32, value));
    case "address":
      return pointer(value);
    case "signal":
      return signed32 >= 0n && signed32 <= 64n ? signalName(Number(signed32)) : String(signed32);
    case "dirfd":
      return signed32 === AT_FDCWD ? "AT_FDCWD" : String(signed32);
    case "string":
      return stringText(call.memory, value, false);
    case "path":
      return stringText(call.memory, value, true);
    case "strings":
      return stringsText(call.memory, value, /^env/.test((argument as Argument).name));
    case "flags":
      return flagsText(argument.wide ? value : BigInt.asUintN(32, value), argument.table, argument.zero);
    case "choice":
      return choiceText(argumentChoice(value, argument.table.entries), argument.table);
    case "choice-and-flags": {
      const mask = BigInt(argument.mask);
      const low = BigInt.asUintN(32, value);
      const choice = choiceText(low & mask, argument.choices);
      const rest = low & ~mask;
      return rest === 0n ? choice : `${choice}|${bareFlags(flagsText(rest, argument.table))}`;
    }
    case "buffer-in":
      return bufferText(call.memory, value, lengthOf(call.args[argument.length]!));
    case "buffer-out":
      return bufferOutText(argument.length, value, call);
    case "signal-set":
      return signalSetArgument(value, call, argument.direction);
    case "struct":
      return structText(argument, value, call);
    case "dependent":
      return argumentText(caseOf(argument, call.args), i, call);
  }
}

function argumentChoice(value: bigint, entries: readonly (readonly [number, string])[]): bigint {
  const low = BigInt.asUintN(32, value);
  const signed = BigInt.asIntN(32, value);
  return signed < 0n && entries.some(([number]) => BigInt(number) === signed) ? signed : low;
}

/** In a sum of names and a number, strace leaves out the comment that a lone number gets. */
function bareFlags(text: string): string {
  return text.replace(/ \/\*.*\*\/$/, "");
}

/** What a dependent argument is in this call. */
export function caseOf(
  argument: Extract<ArgumentKind, { kind: "dependent" }>,
  args: readonly bigint[],
): ArgumentKind {
  const on = args[argument.on]!;
  return argument.cases.get(Number(BigInt.asUintN(32, on))) ?? argument.otherwise;
}

function lengthOf(value: bigint): number {
  return value > 0x7fff_ffffn ? 0x7fff_ffff : Number(value);
}

function failed(call: CallView): boolean {
  return call.result === null || (call.result !== undefined && call.result < 0n);
}

function bufferOutText(length: number | "result" | "string", value: bigint, call: CallView): string {
  if (failed(call)) return pointer(value);
  if (length === "string") return stringText(call.memory, value, true);
  const count = length === "result" ? (call.result ?? 0n) : call.args[length]!;
  if (call.name === "getcwd") return stringText(call.memory, value, true);
  return bufferText(call.memory, value, lengthOf(count), call.name === "getrandom" ? quoteHex : undefined);
}

function signalSetArgument(value: bigint, call: CallView, direction: "in" | "out"): string {
  if (value === 0n) return "NULL";
  if (direction === "out" && failed(call)) return pointer(value);
  const bytes = call.memory.read(Number(value), 8);
  if (bytes.length < 8) return pointer(value);
  return signalSetText(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

function structText(
  argument: Extract<ArgumentKind, { kind: "struct" }>,
  value: bigint,
  call: CallView,
): string {
  if (value === 0n) return "NULL";
  const { struct, direction, count } = argument;
  if (direction === "out" && failed(call))
    return struct === "msghdr" ? failedMessageText(call, value) : pointer(value);
  if (struct === "iovec") return vectorsText(value, call, count ?? 1, direction);
  const socket = socketStructText(struct, value, call, direction === "out", count, (at, total, bytes) =>
    segmentsText(at, call, total, bytes),
  );
  if (socket !== null) return socket;
  if (struct === "dirents") return `${pointer(value)} /* ${countEntries(value, call)} entries */`;
  if (struct === "fdset") return descriptorsText(value, call);
  if (struct === "cpuset") {
    const bytes = call.memory.read(Number(value), Math.min(lengthOf(sizeFrom(count, call)), 128));
    return bytes.length === 0 ? pointer(value) : cpuSetText(bytes);
  }
  const format = STRUCTS[struct];
  if (format === undefined || isUnusedRemainder(call, value)) return pointer(value);
  if (struct === "mincore") return pagesText(value, call);
  if (count === undefined) return oneStruct(value, call, format.bytes, format.format) ?? pointer(value);

  const total = lengthOf(sizeFrom(count, call));
  const texts: string[] = [];
  for (let i = 0; i < total; i++) {
    if (i === SHOWN_ELEMENTS) {
      texts.push("...");
      break;
    }
    const text = oneStruct(value + BigInt(i * format.bytes), call, format.bytes, format.format);
    if (text === null) {
      if (i === 0) return pointer(value);
      texts.push(`... /* ${pointer(value + BigInt(i * format.bytes))} */`);
      break;
    }
    texts.push(text);
  }
  return `[${texts.join(", ")}]`;
}

/** nanosleep writes what is left only when it was interrupted. */
function isUnusedRemainder({ name, args, result }: CallView, value: bigint): boolean {
  const remainder = name === "nanosleep" ? args[1] : name === "clock_nanosleep" ? args[3] : undefined;
  return remainder === value && result === 0n;
}

/** mincore's vector: a byte a page. */
function pagesText(at: bigint, call: CallView): string {
  const pages = Math.ceil(lengthOf(call.args[1]!) / 4096);
  const bytes = call.memory.read(Number(at), Math.min(pages, SHOWN_ELEMENTS));
  const texts = [...bytes].map((byte) => String(byte & 1));
  return `[${texts.join(", ")}${pages > SHOWN_ELEMENTS ? ", ..." : ""}]`;
}

function sizeFrom(count: number | "result" | undefined, call: CallView): bigint {
  return count === "result" ? (call.result ?? 0n) : count === undefined ? 0n : call.args[count]!;
}

function oneStruct(
  at: bigint,
  call: CallView,
  size: number,
  format: (view: DataView) => string,
): string | null {
  const bytes = call.memory.read(Number(at), size);
  return bytes.length < size ? null : format(new DataView(bytes.buffer, bytes.byteOffset, size));
}

/** `[{iov_base="hello", iov_len=5}]`; what was read is shown as far as the result goes. */
function vectorsText(at: bigint, call: CallView, count: number | "result", direction: string): string {
  const bytes = direction === "out" ? lengthOf(call.result ?? 0n) : Infinity;
  return segmentsText(at, call, lengthOf(sizeFrom(count, call)), bytes);
}

/** So many segments, of which `bytes` bytes count. */
function segmentsText(at: bigint, call: CallView, count: number, bytes: number): string {
  let left = bytes;
  const total = Math.min(count, 1024);
  const texts: string[] = [];
  for (let i = 0; i < total; i++) {
    const text = oneStruct(at + BigInt(i * 16), call, 16, (view) => {
      const base = view.getBigUint64(0, true);
      const size = lengthOf(view.getBigUint64(8, true));
      const shown = Math.min(size, left);
      left -= shown;
      return `{iov_base=${bufferText(call.memory, base, shown)}, iov_len=${view.getBigUint64(8, true)}}`;
    });
    if (text === null)
      return i === 0 ? pointer(at) : `[${texts.join(", ")}, ... /* ${pointer(at + BigInt(i * 16))} */]`;
    texts.push(text);
  }
  return `[${texts.join(", ")}]`;
}

function countEntries(at: bigint, call: CallView): number {
  const bytes = call.memory.read(Number(at), lengthOf(call.result ?? 0n));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let entries = 0;
  for (let offset = 0; offset + 18 < bytes.length; entries++) {
    const size = view.getUint16(offset + 16, true);
    if (size === 0) break;
    offset += size;
  }
  return entries;
}

/** select's sets: `[0 3]`, as far as the first argument says. */
function descriptorsText(at: bigint, call: CallView): string {
  const limit = Math.max(0, Math.min(Number(BigInt.asIntN(32, call.args[0]!)), 1024));
  const bytes = call.memory.read(Number(at), Math.ceil(limit / 64) * 8);
  const members: number[] = [];
  for (let fd = 0; fd < limit; fd++) if (((bytes[fd >> 3] ?? 0) >> (fd & 7)) & 1) members.push(fd);
  return `[${members.join(" ")}]`;
}

/** What strace adds after the result of poll and select: ` ([{fd=1, revents=POLLOUT}])`. */
export function pollResult(call: CallView): string {
  if (call.result === 0n) return " (Timeout)";
  if (call.result === undefined || call.result === null || call.result < 0n) return "";
  const texts: string[] = [];
  for (let i = 0; i < lengthOf(call.args[1]!) && i < 1024; i++) {
    const bytes = call.memory.read(Number(call.args[0]!) + i * 8, 8);
    if (bytes.length < 8) break;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    if (view.getUint16(6, true) !== 0) texts.push(pollText(view, true));
  }
  return ` ([${texts.join(", ")}])`;
}
