/** What there is of file systems, memory, processors and descriptors' segments (fs/statfs.c, kernel/sys.c, kernel/sched/). */

import { EFAULT, EINVAL, EOVERFLOW } from "../../kernel/errno.js";
import { address, fd, hex, int, length, path, pid } from "../argument.js";
import type { Handler, HandlerResult } from "../table.js";
import type { Ia32Call } from "./call.js";
import { converter, viewOf, withScratch, type Converter } from "./converter.js";
import { SCRATCH } from "./scratch-memory.js";

const STATFS_BYTES = 120;
const STATFS32_BYTES = 64;
const STATFS64_BYTES = 84;
const SYSINFO_BYTES = 112;
const SYSINFO32_BYTES = 64;
const PAGE = 4096;
const TWO32 = 2 ** 32;
const ALL_FILES = 0xffff_ffff_ffff_ffffn;

/** ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS: calls of 64-bit programs only. */
const BASES = new Set([0x1001, 0x1002, 0x1003, 0x1004]);

/** statfs(2)'s words: type, block size, five counts, the file system's number, then name length, fragment size, flags. */
function statfs(
  call: Ia32Call,
  native: Handler,
  where: number,
  convert: (from: DataView) => Uint8Array | null,
): HandlerResult {
  const bytes = new Uint8Array(STATFS_BYTES);
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0) return result;
  const converted = convert(viewOf(bytes));
  if (converted === null) return -EOVERFLOW;
  return call.user.writeBytes(where, converted) ? 0 : -EFAULT;
}

/** struct statfs of 32-bit words; null where a count does not fit. */
function shortStatfs(from: DataView): Uint8Array | null {
  const counts = [8, 16, 24, 32, 72].some((at) => from.getBigUint64(at, true) >= BigInt(TWO32));
  const files = [40, 48].some((at) => {
    const value = from.getBigUint64(at, true);
    return value !== ALL_FILES && value >= BigInt(TWO32);
  });
  if (counts || files) return null;
  const bytes = new Uint8Array(STATFS32_BYTES);
  const to = viewOf(bytes);
  for (let i = 0; i < 7; i++) to.setUint32(4 * i, from.getUint32(8 * i, true), true);
  to.setBigUint64(28, from.getBigUint64(56, true), true);
  for (let i = 0; i < 3; i++) to.setUint32(36 + 4 * i, from.getUint32(64 + 8 * i, true), true);
  return bytes;
}

/** struct statfs64, which has 64-bit counts and is packed. */
function longStatfs(from: DataView): Uint8Array {
  const bytes = new Uint8Array(STATFS64_BYTES);
  const to = viewOf(bytes);
  for (let i = 0; i < 2; i++) to.setUint32(4 * i, from.getUint32(8 * i, true), true);
  for (let i = 0; i < 6; i++) to.setBigUint64(8 + 8 * i, from.getBigUint64(16 + 8 * i, true), true);
  for (let i = 0; i < 3; i++) to.setUint32(56 + 4 * i, from.getUint32(64 + 8 * i, true), true);
  return bytes;
}

function statfs64(call: Ia32Call, native: Handler): HandlerResult {
  if (call.n(1) !== STATFS64_BYTES) return -EINVAL;
  const where = call.n(2);
  call.pass(call.values[0]!, SCRATCH);
  return statfs(call, native, where, longStatfs);
}

function statfs32(call: Ia32Call, native: Handler): HandlerResult {
  const where = call.n(1);
  call.pass(call.values[0]!, SCRATCH);
  return statfs(call, native, where, shortStatfs);
}

/** Memory that does not fit into words of bytes is told in units of up to a page. */
function sysinfo(call: Ia32Call, native: Handler): HandlerResult {
  const where = call.n(0);
  const bytes = new Uint8Array(SYSINFO_BYTES);
  call.pass(SCRATCH);
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0) return result;
  const from = viewOf(bytes);
  const amounts = [32, 40, 48, 56, 64, 72, 88, 96].map((at) => Number(from.getBigUint64(at, true)));
  let unit = from.getUint32(104, true);
  let scale = 1;
  if (amounts[0]! >= TWO32 || amounts[4]! >= TWO32) for (; unit < PAGE; unit *= 2) scale *= 2;
  const short = new Uint8Array(SYSINFO32_BYTES);
  const to = viewOf(short);
  for (let i = 0; i < 4; i++) to.setUint32(4 * i, from.getUint32(8 * i, true), true);
  amounts.slice(0, 6).forEach((amount, i) => to.setUint32(16 + 4 * i, Math.floor(amount / scale), true));
  to.setUint16(40, from.getUint16(80, true), true);
  amounts.slice(6).forEach((amount, i) => to.setUint32(44 + 4 * i, Math.floor(amount / scale), true));
  to.setUint32(52, unit, true);
  return call.user.writeBytes(where, short) ? 0 : -EFAULT;
}

/** A mask of processors, in words of 32 bits: one of any number of them, filled up to a 64-bit word. */
function getAffinity(call: Ia32Call, native: Handler): HandlerResult {
  const [bytes, where] = [call.n(1), call.n(2)];
  if (bytes % 4 !== 0) return -EINVAL;
  const scratch = new Uint8Array(Math.ceil(Math.min(bytes, PAGE) / 8) * 8);
  call.pass(call.values[0]!, scratch.length, SCRATCH);
  const result = Number(withScratch(call, scratch, () => native(call)));
  if (result < 0) return result;
  const length = Math.min(result, bytes);
  return call.user.writeBytes(where, scratch.subarray(0, length)) ? length : -EFAULT;
}

export const systemConverters: readonly Converter[] = [
  converter(99, "statfs", "statfs", [path("path"), address("buf")], statfs32),
  converter(100, "fstatfs", "fstatfs", [fd("fd"), address("buf")], statfs32),
  converter(268, "statfs64", "statfs", [path("path"), length("sz"), address("buf")], statfs64),
  converter(269, "fstatfs64", "fstatfs", [fd("fd"), length("sz"), address("buf")], statfs64),
  converter(116, "sysinfo", "sysinfo", [address("info")], sysinfo),
  converter(
    241,
    "sched_setaffinity",
    "sched_setaffinity",
    [pid("pid"), length("len"), hex("mask")],
    (call, native) => native(call),
  ),
  converter(
    242,
    "sched_getaffinity",
    "sched_getaffinity",
    [pid("pid"), length("len"), hex("mask")],
    getAffinity,
  ),
  converter(384, "arch_prctl", "arch_prctl", [int("option"), hex("arg2")], (call, native) =>
    BASES.has(call.u32(0)) ? -EINVAL : native(call),
  ),
];
