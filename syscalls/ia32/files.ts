/** Files: offsets in two words, and structures of 32-bit words (arch/x86/kernel/sys_ia32.c, fs/fcntl.c, lib/iov_iter.c). */

import { EFAULT, ENOTTY } from "../../kernel/errno.js";
import { address, fd, int, length, offset, path, uint } from "../argument.js";
import type { Handler, HandlerResult } from "../table.js";
import type { Ia32Call } from "./call.js";
import { converter, pair, signed, viewOf, withScratch, type Converter } from "./converter.js";
import { SCRATCH } from "./scratch-memory.js";

const STAT_BYTES = 144;
const STAT64_BYTES = 96;
const MAX_VECTORS = 1024;
const FLOCK_BYTES = 32;
const F_GETLK = 5;
const F_SETLKW = 7;
const F_GETLK64 = 12;
const F_SETLKW64 = 14;
const F_OFD_GETLK = 36;
const F_OFD_SETLKW = 38;

/** ioctls whose argument is the same for both: of terminals, and FIONREAD and its like. */
const SAME_IOCTLS = new Set([
  0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e, 0x540f, 0x5410, 0x5413, 0x5414, 0x541b,
  0x5421, 0x5429, 0x5450, 0x5451, 0x5452,
]);

/** What stat(2) gives as struct stat64 of i386, which is packed. */
function stat64Of(bytes: Uint8Array): Uint8Array {
  const from = viewOf(bytes);
  const to = new Uint8Array(STAT64_BYTES);
  const view = viewOf(to);
  const word = (at: number, out: number): void => view.setUint32(out, from.getUint32(at, true), true);
  const wide = (at: number, out: number): void => view.setBigUint64(out, from.getBigUint64(at, true), true);
  wide(0, 0);
  word(8, 12);
  word(24, 16);
  word(16, 20);
  word(28, 24);
  word(32, 28);
  wide(40, 32);
  wide(48, 44);
  word(56, 52);
  wide(64, 56);
  for (let i = 0; i < 6; i++) word(72 + 8 * i, 64 + 4 * i);
  wide(8, 88);
  return to;
}

/** A call whose argument `at` is where a struct stat64 goes. */
function stat(call: Ia32Call, native: Handler, at: number): HandlerResult {
  const where = call.n(at);
  const bytes = new Uint8Array(STAT_BYTES);
  call.values[at] = BigInt(SCRATCH);
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0) return result;
  return call.user.writeBytes(where, stat64Of(bytes)) ? 0 : -EFAULT;
}

/** readv and writev: struct iovec of two words; a length is signed. */
function vectors(call: Ia32Call, native: Handler, offset = 0n): HandlerResult {
  const count = call.n(2);
  const given = count > MAX_VECTORS ? -EFAULT : call.user.read(call.word(1), 8 * count);
  const bytes = new Uint8Array(typeof given === "number" ? 0 : 16 * count);
  if (typeof given !== "number") {
    const [from, to] = [viewOf(given), viewOf(bytes)];
    for (let i = 0; i < count; i++) {
      to.setBigUint64(16 * i, BigInt(from.getUint32(8 * i, true)), true);
      to.setBigInt64(16 * i + 8, BigInt(from.getInt32(8 * i + 4, true)), true);
    }
  }
  call.pass(call.values[0]!, SCRATCH, count, offset);
  return withScratch(call, bytes, () => native(call));
}

/** Locks by struct flock of 32-bit or, for the commands with 64 in their names, 64-bit offsets; everything else is the same. */
function control(call: Ia32Call, native: Handler): HandlerResult {
  const command = call.i32(1);
  const old = command >= F_GETLK && command <= F_SETLKW;
  const wide =
    (command >= F_GETLK64 && command <= F_SETLKW64) || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
  if (!old && !wide) return native(call);
  const where = call.n(2);
  const given = call.user.read(where, wide ? 24 : 16);
  if (typeof given === "number") return given;
  const from = viewOf(given);
  const bytes = new Uint8Array(FLOCK_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, from.getUint32(0, true), true);
  view.setBigInt64(8, wide ? from.getBigInt64(4, true) : BigInt(from.getInt32(4, true)), true);
  view.setBigInt64(16, wide ? from.getBigInt64(12, true) : BigInt(from.getInt32(8, true)), true);
  view.setInt32(24, from.getInt32(wide ? 20 : 12, true), true);
  const nativeCommand = wide && command <= F_SETLKW64 ? command - F_GETLK64 + F_GETLK : command;
  call.pass(call.values[0]!, nativeCommand, SCRATCH);
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0 || (command !== F_GETLK && command !== F_GETLK64 && command !== F_OFD_GETLK))
    return result;
  from.setUint32(0, view.getUint32(0, true), true);
  if (wide) {
    from.setBigInt64(4, view.getBigInt64(8, true), true);
    from.setBigInt64(12, view.getBigInt64(16, true), true);
  } else {
    from.setInt32(4, Number(BigInt.asIntN(32, view.getBigInt64(8, true))), true);
    from.setInt32(8, Number(BigInt.asIntN(32, view.getBigInt64(16, true))), true);
  }
  from.setInt32(wide ? 20 : 12, view.getInt32(24, true), true);
  return call.user.writeBytes(where, given) ? 0 : -EFAULT;
}

function llseek(call: Ia32Call, native: Handler): HandlerResult {
  const [, high, low, where, whence] = call.values;
  call.pass(call.values[0]!, (high! << 32n) | low!, whence!);
  const result = native(call);
  if (result < 0) return result;
  return call.user.writeU64(Number(where), BigInt(result)) ? 0 : -EFAULT;
}

const bytesAt = [fd("fd"), address("buf"), length("count")];
const controls = [fd("fd"), int("cmd"), address("arg")];
const vectorsAt = [fd("fd"), address("iov"), int("iovcnt")];

export const fileConverters: readonly Converter[] = [
  converter(19, "lseek", "lseek", [fd("fd"), int("offset"), int("whence")], (call, native) => {
    call.pass(call.values[0]!, signed(call, 1), call.values[2]!);
    return native(call);
  }),
  converter(
    140,
    "_llseek",
    "lseek",
    [fd("fd"), uint("offset_high"), uint("offset_low"), address("result"), int("whence")],
    llseek,
  ),
  converter(54, "ioctl", "ioctl", [fd("fd"), uint("cmd"), address("arg")], (call, native) =>
    SAME_IOCTLS.has(call.u32(1)) || call.fileAt(call.fd(0)) === undefined ? native(call) : -ENOTTY,
  ),
  converter(55, "fcntl", "fcntl", controls, control),
  converter(221, "fcntl64", "fcntl", controls, control),
  converter(92, "truncate", "truncate", [path("path"), int("length")], (call, native) => {
    call.pass(call.values[0]!, signed(call, 1));
    return native(call);
  }),
  converter(93, "ftruncate", "ftruncate", [fd("fd"), int("length")], (call, native) => {
    call.pass(call.values[0]!, signed(call, 1));
    return native(call);
  }),
  ...(["truncate", "ftruncate"] as const).map((name, i) =>
    converter(
      193 + i,
      `${name}64`,
      name,
      [i === 0 ? path("path") : fd("fd"), uint("length_low"), uint("length_high")],
      (call, native) => {
        call.pass(call.values[0]!, pair(call, 1));
        return native(call);
      },
    ),
  ),
  ...(["pread64", "pwrite64"] as const).map((name, i) =>
    converter(180 + i, name, name, [...bytesAt, uint("offset_low"), uint("offset_high")], (call, native) => {
      const [file, buffer, count] = call.values;
      call.pass(file!, buffer!, count!, pair(call, 3));
      return native(call);
    }),
  ),
  converter(145, "readv", "readv", vectorsAt, (call, native) => vectors(call, native)),
  converter(146, "writev", "writev", vectorsAt, (call, native) => vectors(call, native)),
  ...(["preadv", "pwritev"] as const).map((name, i) =>
    converter(333 + i, name, name, [...vectorsAt, uint("pos_low"), uint("pos_high")], (call, native) =>
      vectors(call, native, pair(call, 3)),
    ),
  ),
  converter(195, "stat64", "stat", [path("path"), address("statbuf")], (call, native) =>
    stat(call, native, 1),
  ),
  converter(196, "lstat64", "lstat", [path("path"), address("statbuf")], (call, native) =>
    stat(call, native, 1),
  ),
  converter(197, "fstat64", "fstat", [fd("fd"), address("statbuf")], (call, native) => stat(call, native, 1)),
  converter(
    300,
    "fstatat64",
    "newfstatat",
    [fd("dirfd"), path("path"), address("statbuf"), int("flags")],
    (call, native) => stat(call, native, 2),
  ),
  converter(
    225,
    "readahead",
    "readahead",
    [fd("fd"), uint("offset_low"), uint("offset_high"), length("count")],
    (call, native) => {
      call.pass(call.values[0]!, pair(call, 1), call.values[3]!);
      return native(call);
    },
  ),
  converter(
    250,
    "fadvise64",
    "fadvise64",
    [fd("fd"), uint("offset_low"), uint("offset_high"), length("len"), int("advice")],
    (call, native) => {
      call.pass(call.values[0]!, pair(call, 1), call.values[3]!, call.values[4]!);
      return native(call);
    },
  ),
  converter(
    272,
    "fadvise64_64",
    "fadvise64",
    [fd("fd"), uint("offset_low"), uint("offset_high"), uint("len_low"), uint("len_high"), int("advice")],
    (call, native) => {
      call.pass(call.values[0]!, pair(call, 1), pair(call, 3), call.values[5]!);
      return native(call);
    },
  ),
  converter(
    314,
    "sync_file_range",
    "sync_file_range",
    [fd("fd"), uint("offset_low"), uint("offset_high"), uint("n_low"), uint("n_high"), uint("flags")],
    (call, native) => {
      call.pass(call.values[0]!, pair(call, 1), pair(call, 3), call.values[5]!);
      return native(call);
    },
  ),
  converter(
    324,
    "fallocate",
    "fallocate",
    [fd("fd"), int("mode"), offset("offset_low"), uint("offset_high"), uint("len_low"), uint("len_high")],
    (call, native) => {
      call.pass(call.values[0]!, call.values[1]!, pair(call, 2), pair(call, 4));
      return native(call);
    },
  ),
];
