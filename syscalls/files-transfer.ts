/** read, write and their relatives (fs/read_write.c, fs/splice.c). */

import {
  EAGAIN,
  EBADF,
  EFAULT,
  EFBIG,
  EINVAL,
  EISDIR,
  ENXIO,
  EOPNOTSUPP,
  EOVERFLOW,
  EPIPE,
  ESPIPE,
} from "../kernel/errno.js";
import { AnonymousFile } from "../kernel/fs/anonymous-file.js";
import { deviceSeek } from "../kernel/fs/device-files.js";
import { DirectoryOpenFile } from "../kernel/fs/directory-open-file.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import {
  MAX_FILE_SIZE,
  MAX_TRANSFER,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../kernel/fs/open-flags.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { actorOf } from "../kernel/fs/permission.js";
import { dropPrivilegeBits, RegularOpenFile } from "../kernel/fs/regular-open-file.js";
import { SocketFile } from "../kernel/net/socket-file.js";
import { RLIMIT_FSIZE } from "../kernel/limits.js";
import { isZero } from "../kernel/mm/word.js";
import { SIGXFSZ } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { PtyMasterFile } from "../kernel/tty/pty.js";
import { TerminalFile } from "../kernel/tty/terminal-file.js";
import {
  bufferIn,
  bufferOut,
  choice,
  fd,
  flags,
  int,
  length,
  names,
  offset,
  structIn,
  structInOut,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { block, fileOf, oneSegment, readSegments, SegmentCursor } from "./files-common.js";
import type { Segment } from "./files-common.js";
import { brokenPipe, readPipe, writePipe } from "./files-pipe.js";
import { readSocket, writeSocket } from "./sockets-transfer.js";
import { readTerminal, writeTerminal } from "./tty-transfer.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const CHUNK = 65536;
const LARGEST_STREAM_READ = 1 << 20;
let scratch = new Uint8Array(CHUNK);

const RWF_FLAGS = names("RWF_???", {
  RWF_HIPRI: 1,
  RWF_DSYNC: 2,
  RWF_SYNC: 4,
  RWF_NOWAIT: 8,
  RWF_APPEND: 0x10,
});
const RWF_NOWAIT = 8;
const RWF_APPEND = 0x10;
const WHENCE = names("SEEK_???", { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE });

type Result = number | typeof BLOCKED;

/**
 * Moves bytes out of a file into segments.
 * @param at the offset of pread; null: at the file's position, which moves
 */
function readFile(
  call: SyscallCall,
  fdNumber: number,
  file: OpenFile,
  to: Segment[],
  at: number | null,
  wait = true,
): Result {
  if (file instanceof PipeFile) return readPipe(call, fdNumber, file, to, wait);
  if (file instanceof SocketFile) return readSocket(call, fdNumber, file, to, wait);
  const cursor = new SegmentCursor(call.user, to);
  if (file instanceof TerminalFile) return readTerminal(call, fdNumber, file, cursor);
  const total = cursor.total;
  const start = at ?? file.position;
  const limit = file.seekable ? CHUNK : LARGEST_STREAM_READ;
  let done = 0;
  do {
    const wanted = Math.min(total - done, limit);
    if (scratch.length < wanted) scratch = new Uint8Array(wanted);
    const chunk = scratch.subarray(0, wanted);
    const count = file.read(chunk, start + done);
    if (count === -EAGAIN && !file.nonBlocking && wait) return block(call, [fdNumber], file.waitsOnHost);
    if (count < 0) return done > 0 ? finish() : count;
    const copied = cursor.put(chunk.subarray(0, count));
    done += copied;
    if (copied < count) {
      file.unread(chunk.slice(copied, count));
      return done > 0 ? finish() : -EFAULT;
    }
    if (count < wanted || !file.seekable) break;
  } while (done < total);
  return finish();

  function finish(): number {
    if (at === null && file.seekable && done > 0) file.position = start + done;
    return done;
  }
}

/** Moves bytes out of segments into a file. A stream that is full blocks with what is done so far in the record. */
function writeFile(
  call: SyscallCall,
  fdNumber: number,
  file: OpenFile,
  from: Segment[],
  at: number | null,
  options: { append?: boolean; wait?: boolean } = {},
): Result {
  if (file instanceof PipeFile) return writePipe(call, fdNumber, file, from, options.wait !== false);
  if (file instanceof SocketFile) return writeSocket(call, fdNumber, file, from, options.wait !== false);
  const cursor = new SegmentCursor(call.user, from);
  if (file instanceof TerminalFile || file instanceof PtyMasterFile)
    return writeTerminal(call, fdNumber, file, cursor);
  let total = cursor.total;
  const append = options.append ?? file.append;
  const start = append && file.seekable ? file.node.size : (at ?? file.position);
  if (file instanceof RegularOpenFile && total > 0) {
    const room = Math.min(call.task.limits.soft(RLIMIT_FSIZE), MAX_FILE_SIZE) - start;
    if (room <= 0) {
      if (start < MAX_FILE_SIZE) sendSignal(call.task, kernelSignal(SIGXFSZ), false);
      return -EFBIG;
    }
    total = Math.min(total, room);
  }
  if (file.discards) return total;
  let done = call.resumed?.kind === "file" ? call.resumed.progress : 0;
  cursor.skip(done);
  do {
    const wanted = Math.min(total - done, CHUNK);
    const chunk = scratch.subarray(0, wanted);
    const got = cursor.take(chunk);
    if (got === 0 && wanted > 0) return done > 0 ? finish() : -EFAULT;
    const count = file.write(chunk.subarray(0, got), start + done);
    if (count === -EPIPE) brokenPipe(call);
    if (count === -EAGAIN && !file.nonBlocking && options.wait !== false)
      return block(call, [fdNumber], false, done);
    if (count < 0) return done > 0 ? finish() : count;
    done += count;
    if (count < wanted) break;
  } while (done < total);
  return finish();

  function finish(): number {
    if (at === null && file.seekable && done > 0) file.position = start + done;
    if (done > 0 && file.node.isRegular) dropPrivilegeBits(file.node, actorOf(call.task.credentials));
    return done;
  }
}

function readable(call: SyscallCall, fdNumber: number): OpenFile | number {
  const file = fileOf(call, fdNumber);
  if (typeof file === "number") return file;
  return file.readable ? file : -EBADF;
}

function writable(call: SyscallCall, fdNumber: number): OpenFile | number {
  const file = fileOf(call, fdNumber);
  if (typeof file === "number") return file;
  return file.writable ? file : -EBADF;
}

function read(call: SyscallCall): Result {
  const file = readable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = oneSegment(call, call.word(1), call.word(2));
  return typeof segments === "number" ? segments : readFile(call, call.fd(0), file, segments, null);
}

function write(call: SyscallCall): Result {
  const file = writable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = oneSegment(call, call.word(1), call.word(2));
  return typeof segments === "number" ? segments : writeFile(call, call.fd(0), file, segments, null);
}

function readv(call: SyscallCall): Result {
  const file = readable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  return typeof segments === "number" ? segments : readFile(call, call.fd(0), file, segments, null);
}

function writev(call: SyscallCall): Result {
  const file = writable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  return typeof segments === "number" ? segments : writeFile(call, call.fd(0), file, segments, null);
}

/** The offset argument of pread and pwrite; negative is EINVAL before the descriptor is looked at. */
function positioned(call: SyscallCall, direction: "read" | "write", at: number): OpenFile | number {
  if (at < 0) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!file.seekable) return -ESPIPE;
  if (direction === "read" ? !file.readable : !file.writable) return -EBADF;
  return at === Infinity ? -EOVERFLOW : file;
}

function pread(call: SyscallCall): Result {
  const at = call.s(3);
  const file = positioned(call, "read", at);
  if (typeof file === "number") return file;
  const segments = oneSegment(call, call.word(1), call.word(2));
  return typeof segments === "number" ? segments : readFile(call, call.fd(0), file, segments, at);
}

function pwrite(call: SyscallCall): Result {
  const at = call.s(3);
  const file = positioned(call, "write", at);
  if (typeof file === "number") return file === -EOVERFLOW ? -EFBIG : file;
  const segments = oneSegment(call, call.word(1), call.word(2));
  return typeof segments === "number" ? segments : writeFile(call, call.fd(0), file, segments, at);
}

function preadv(call: SyscallCall, at: number, rwf: number): Result {
  const file = positioned(call, "read", at);
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  return readFile(call, call.fd(0), file, segments, at, (rwf & RWF_NOWAIT) === 0);
}

function pwritev(call: SyscallCall, at: number, rwf: number): Result {
  const file = positioned(call, "write", at);
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  return writeFile(call, call.fd(0), file, segments, at, rwfOptions(file, rwf));
}

function rwfOptions(file: OpenFile, rwf: number): { append: boolean; wait: boolean } {
  return { append: file.append || (rwf & RWF_APPEND) !== 0, wait: (rwf & RWF_NOWAIT) === 0 };
}

function preadv2(call: SyscallCall): Result {
  const rwf = call.u32(5);
  if ((rwf & ~0x1f) !== 0) return -EOPNOTSUPP;
  if (call.s(3) !== -1) return preadv(call, call.s(3), rwf);
  const file = readable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  return readFile(call, call.fd(0), file, segments, null, (rwf & RWF_NOWAIT) === 0);
}

function pwritev2(call: SyscallCall): Result {
  const rwf = call.u32(5);
  if ((rwf & ~0x1f) !== 0) return -EOPNOTSUPP;
  if (call.s(3) !== -1) return pwritev(call, call.s(3), rwf);
  const file = writable(call, call.fd(0));
  if (typeof file === "number") return file;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  return writeFile(call, call.fd(0), file, segments, null, rwfOptions(file, rwf));
}

function lseek(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const whence = call.u32(2);
  if (whence > SEEK_HOLE) return -EINVAL;
  if (file instanceof AnonymousFile) return 0;
  if (!file.seekable) return -ESPIPE;
  const by = call.s(1);
  if (!(file instanceof RegularOpenFile || file instanceof DirectoryOpenFile)) {
    if (!file.node.isRegular) return deviceSeek(file);
  }
  const { size } = file.node;
  let position: number;
  if (whence === SEEK_SET) position = by;
  else if (whence === SEEK_CUR) position = file.position + by;
  else if (whence === SEEK_END) position = size + by;
  else {
    if (file instanceof DirectoryOpenFile) return -EINVAL;
    // The whole file counts as data, the end as the one hole (generic_file_llseek).
    if (by < 0 || by >= size) return -ENXIO;
    position = whence === SEEK_DATA ? by : size;
  }
  if (position < 0) return -EINVAL;
  if (position > MAX_FILE_SIZE) return -EINVAL;
  file.position = position;
  return position;
}

/** Copies from a regular file to any file, as far as the output takes it. */
function copyBetween(
  call: SyscallCall,
  input: OpenFile,
  output: OpenFile,
  outFd: number,
  from: number,
  to: number | null,
  count: number,
): Result {
  let done = call.resumed?.kind === "file" ? call.resumed.progress : 0;
  while (done < count) {
    const chunk = scratch.subarray(0, Math.min(CHUNK, count - done));
    const got = input.read(chunk, from + done);
    if (got < 0) return done > 0 ? done : got;
    if (got === 0) break;
    const at = (to ?? output.position) + done;
    const put = output.write(chunk.subarray(0, got), output.append ? output.node.size : at);
    if (put === -EPIPE) brokenPipe(call);
    if (put === -EAGAIN && !output.nonBlocking) return block(call, [outFd], false, done);
    if (put < 0) return done > 0 ? done : put;
    done += put;
  }
  return done;
}

function sendfile(call: SyscallCall): Result {
  const [outFd, inFd] = [call.fd(0), call.fd(1)];
  const pointer = call.word(2);
  let from: number | null = null;
  if (!isZero(pointer)) {
    const value = call.user.readI64(pointer);
    if (value === null) return -EFAULT;
    from = Number(value);
  }
  const input = fileOf(call, inFd);
  if (typeof input === "number") return input;
  if (!input.readable) return -EBADF;
  if (from !== null && !input.seekable) return -ESPIPE;
  if (from !== null && from < 0) return -EINVAL;
  const output = fileOf(call, outFd);
  if (typeof output === "number") return output;
  if (!output.writable) return -EBADF;
  if (!input.node.isRegular || output.append) return -EINVAL;
  const count = Math.min(call.n(3), MAX_TRANSFER);
  const start = from ?? input.position;
  const done = copyBetween(call, input, output, outFd, start, null, count);
  if (done === BLOCKED || done < 0) return done;
  if (output.seekable) output.position += done;
  if (from === null) input.position = start + done;
  else if (!call.user.writeU64(pointer, start + done)) return -EFAULT;
  return done;
}

function copyFileRange(call: SyscallCall): Result {
  const input = fileOf(call, call.fd(0));
  if (typeof input === "number") return input;
  const output = fileOf(call, call.fd(2));
  if (typeof output === "number") return output;
  const [inPointer, outPointer] = [call.word(1), call.word(3)];
  let [from, to] = [input.position, output.position];
  if (!isZero(inPointer)) {
    const value = call.user.readI64(inPointer);
    if (value === null) return -EFAULT;
    from = Number(value);
  }
  if (!isZero(outPointer)) {
    const value = call.user.readI64(outPointer);
    if (value === null) return -EFAULT;
    to = Number(value);
  }
  if (call.u32(5) !== 0) return -EINVAL;
  if (input.node.isDirectory || output.node.isDirectory) return -EISDIR;
  if (!input.node.isRegular || !output.node.isRegular) return -EINVAL;
  if (!input.readable || !output.writable || output.append) return -EBADF;
  if (from < 0 || to < 0) return -EINVAL;
  const count = Math.min(call.n(4), MAX_TRANSFER, Math.max(0, input.node.size - from));
  if (input.node === output.node && from < to + count && to < from + count) return -EINVAL;
  const done = copyBetween(call, input, output, call.fd(2), from, to, count);
  if (done === BLOCKED || done < 0) return done;
  if (isZero(inPointer)) input.position = from + done;
  else if (!call.user.writeU64(inPointer, from + done)) return -EFAULT;
  if (isZero(outPointer)) output.position = to + done;
  else if (!call.user.writeU64(outPointer, to + done)) return -EFAULT;
  return done;
}

const iovecs = (direction: "in" | "out"): ReturnType<typeof structIn> =>
  direction === "in" ? structIn("iov", "iovec", 2) : structInOut("iov", "iovec", 2);

export const transferSyscalls: readonly Definition[] = [
  define({ number: 0, name: "read", args: [fd("fd"), bufferOut("buf"), length("count")], handler: read }),
  define({ number: 1, name: "write", args: [fd("fd"), bufferIn("buf", 2), length("count")], handler: write }),
  define({
    number: 8,
    name: "lseek",
    args: [fd("fd"), offset("offset"), choice("whence", WHENCE)],
    handler: lseek,
  }),
  define({
    number: 17,
    name: "pread64",
    args: [fd("fd"), bufferOut("buf"), length("count"), offset("pos")],
    handler: pread,
  }),
  define({
    number: 18,
    name: "pwrite64",
    args: [fd("fd"), bufferIn("buf", 2), length("count"), offset("pos")],
    handler: pwrite,
  }),
  define({ number: 19, name: "readv", args: [fd("fd"), iovecs("out"), int("iovcnt")], handler: readv }),
  define({ number: 20, name: "writev", args: [fd("fd"), iovecs("in"), int("iovcnt")], handler: writev }),
  define({
    number: 40,
    name: "sendfile",
    args: [fd("out_fd"), fd("in_fd"), structInOut("offset", "off_t"), length("count")],
    handler: sendfile,
  }),
  define({
    number: 295,
    name: "preadv",
    args: [fd("fd"), iovecs("out"), int("iovcnt"), offset("pos")],
    handler: (call) => preadv(call, call.s(3), 0),
  }),
  define({
    number: 296,
    name: "pwritev",
    args: [fd("fd"), iovecs("in"), int("iovcnt"), offset("pos")],
    handler: (call) => pwritev(call, call.s(3), 0),
  }),
  define({
    number: 326,
    name: "copy_file_range",
    args: [
      fd("fd_in"),
      structInOut("off_in", "off_t"),
      fd("fd_out"),
      structInOut("off_out", "off_t"),
      length("len"),
      int("flags"),
    ],
    handler: copyFileRange,
  }),
  define({
    number: 327,
    name: "preadv2",
    args: [fd("fd"), iovecs("out"), int("iovcnt"), offset("pos"), offset("pos_h"), flags("flags", RWF_FLAGS)],
    handler: preadv2,
  }),
  define({
    number: 328,
    name: "pwritev2",
    args: [fd("fd"), iovecs("in"), int("iovcnt"), offset("pos"), offset("pos_h"), flags("flags", RWF_FLAGS)],
    handler: pwritev2,
  }),
];
