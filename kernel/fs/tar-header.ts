import { byteString } from "./bytes.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "./mode.js";
import { timestampOf } from "./timestamp.js";
import type { Timestamp } from "./timestamp.js";

/** tar(5): headers and contents come in blocks of this many bytes. */
export const TAR_BLOCK = 512;

/** An archive that cannot be read: where in it, in bytes, and why. */
export class TarError extends Error {
  override readonly name = "TarError";

  constructor(
    readonly offset: number,
    readonly reason: string,
  ) {
    super(`offset ${offset}: ${reason}`);
  }
}

/** One header block as it stands there (ustar, GNU and V7 forms). Names are byte strings. */
export interface TarHeader {
  readonly name: string;
  readonly link: string;
  /** Type flag, one character. */
  readonly flag: string;
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  readonly modified: Timestamp;
  readonly device: { readonly major: number; readonly minor: number };
}

/** What a pax extended header says of the next member, or of all that follow. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Interprets one block. @throws TarError when it is no header */
export function readHeader(block: Uint8Array, offset: number): TarHeader {
  const text = (from: number, to: number): string => {
    const field = block.subarray(from, to);
    const end = field.indexOf(0);
    return byteString(end < 0 ? field : field.subarray(0, end));
  };
  const number = (from: number, to: number, what: string): number =>
    readNumber(block.subarray(from, to), offset + from, what);
  checkSum(block, offset);
  const magic = byteString(block.subarray(257, 265));
  const posix = magic.startsWith("ustar\0");
  const known = magic.startsWith("ustar");
  const prefix = posix ? text(345, 500) : "";
  const name = text(0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    link: text(157, 257),
    flag: String.fromCharCode(block[156]),
    permissions: number(100, 108, "mode") & 0o7777,
    uid: number(108, 116, "owner"),
    gid: number(116, 124, "group"),
    size: number(124, 136, "size"),
    modified: { seconds: number(136, 148, "time"), nanoseconds: 0 },
    device: known
      ? { major: number(329, 337, "device"), minor: number(337, 345, "device") }
      : { major: 0, minor: 0 },
  };
}

/** The sum of all bytes, the sum's own field counted as spaces; old programs added them up as signed. */
function checkSum(block: Uint8Array, offset: number): void {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < TAR_BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i];
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stored = /^ *([0-7]+)[\0 ]/.exec(byteString(block.subarray(148, 156)) + "\0");
  const sum = stored ? parseInt(stored[1], 8) : -1;
  if (sum !== unsigned && sum !== signed)
    throw new TarError(offset, "not a tar header (its checksum is wrong)");
}

/** Octal digits, or, with the first bit set, a big-endian number in base 256. */
function readNumber(field: Uint8Array, offset: number, what: string): number {
  if ((field[0] & 0x80) !== 0) {
    const negative = (field[0] & 0x40) !== 0;
    let value = negative ? field[0] - 256 : field[0] & 0x3f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError(offset, `the ${what} is out of range`);
    return value;
  }
  const digits = byteString(field)
    .replace(/^ +/, "")
    .replace(/[\0 ][^]*$/, "");
  if (!/^[0-7]*$/.test(digits)) throw new TarError(offset, `the ${what} is not a number`);
  return digits === "" ? 0 : parseInt(digits, 8);
}

/** The content of a pax header: lines "LENGTH KEY=VALUE", LENGTH counting the whole line. @throws TarError */
export function readPax(bytes: Uint8Array, offset: number): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : byteString(bytes.subarray(at, Math.min(space, at + 16)));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const line = byteString(bytes.subarray(space + 1, at + length));
    const equals = line.indexOf("=");
    if (length < 5 || at + length > bytes.length || !line.endsWith("\n") || equals <= 0)
      throw new TarError(offset + at, "a broken pax record");
    records.set(line.slice(0, equals), line.slice(equals + 1, -1));
    at += length;
  }
  return records;
}

/** A number of a pax record; seconds may have a fraction. @throws TarError */
export function paxNumber(records: PaxRecords, key: string, offset: number): number | undefined {
  const text = records.get(key);
  if (text === undefined || text === "") return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new TarError(offset, `the pax ${key} is not a number`);
  return value;
}

export function paxTime(records: PaxRecords, key: string, offset: number): Timestamp | undefined {
  const text = records.get(key);
  if (text === undefined || text === "") return undefined;
  const match = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text);
  if (!match) throw new TarError(offset, `the pax ${key} is not a time`);
  const fraction = (match[3] ?? "").padEnd(9, "0").slice(0, 9);
  const nanoseconds = BigInt(match[2]) * 1_000_000_000n + BigInt(fraction);
  return timestampOf(match[1] === "-" ? -nanoseconds : nanoseconds);
}

const TYPES: Readonly<Record<string, number>> = {
  "2": S_IFLNK,
  "3": S_IFCHR,
  "4": S_IFBLK,
  "5": S_IFDIR,
  "6": S_IFIFO,
};

/** S_IFMT bits of a member. A type nobody knows counts as a regular file, as POSIX says. */
export function typeOfFlag(flag: string, name: string): number {
  const old = flag === "0" || flag === "\0";
  return TYPES[flag] ?? (old && name.endsWith("/") ? S_IFDIR : S_IFREG);
}
