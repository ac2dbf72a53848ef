/** read, write and their relatives; lseek (fs/read_write.c). */

import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, ENXIO, EOPNOTSUPP, EPIPE, ESPIPE } from "../kernel/errno.js";
import { BlockFile } from "../kernel/block/block-file.js";
import { AnonymousFile } from "../kernel/fs/anonymous-file.js";
import { deviceSeek } from "../kernel/fs/device-files.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { DirectoryOpenFile } from "../kernel/fs/directory-open-file.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import {
  MAX_FILE_SIZE,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../kernel/fs/open-flags.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { actorOf } from "../kernel/fs/permission.js";
import { dropPrivilegeBits, RegularOpenFile } from "../kernel/fs/regular-open-file.js";
import { UserfaultFile } from "../kernel/fs/userfault-file.js";
import { SocketFile } from "../kernel/net/socket-file.js";
import { RLIMIT_FSIZE } from "../kernel/limits.js";
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
import { awaitSegments, block, fileOf, oneSegment, readSegments, SegmentCursor } from "./files-common.js";
import type { Segment } from "./files-common.js";
import { brokenPipe, readPipe, writePipe } from "./files-pipe.js";
import { readSocket, writeSocket } from "./sockets-transfer.js";
import { readTerminal, writeTerminal } from "./tty-transfer.js";
import { openForked } from "./userfault.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const PAGE_SIZE = 4096;
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

function isMapped({ pages }: RegularOpenFile): boolean {
  return pages.mappings.areas > 0;
}

/**
 * How much may be copied at one time: of a file that is mapped somewhere no more than a page, as Linux does it. The other
 * end of the copy may be a mapping of the same file, so that a later page holds what was copied before.
 */
function untilPageEnd(file: OpenFile, offset: number): number {
  if (!(file instanceof RegularOpenFile) || !isMapped(file)) return Infinity;
  return PAGE_SIZE - (offset % PAGE_SIZE);
}

/**
 * Moves bytes out of a file into segments.
 * @param at the offset of pread; null: at the file's position, which moves
 */
export function readFile(
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
  if (file instanceof UserfaultFile) openForked(call, file, total);
  const start = at ?? file.position;
  const limit = file.seekable ? CHUNK : LARGEST_STREAM_READ;
  let done = 0;
  do {
    const wanted = Math.min(total - done, limit, untilPageEnd(file, start + done));
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
export function writeFile(
  call: SyscallCall,
  fdNumber: number,
  file: OpenFile,
  from: Segment[],
  at: number | null,
  options: { append?: boolean; wait?: boolean } = {},
): Result {
  if (file instanceof PipeFile) return writePipe(call, fdNumber, file, from, options.wait !== false);
  if (file instanceof SocketFile) return writeSocket(call, fdNumber, file, from, options.wait !== false);
  if (!file.takesWrites) return -EINVAL;
  const cursor = new SegmentCursor(call.user, from);
  if (file instanceof TerminalFile || file instanceof PtyMasterFile) {
    awaitSegments(call, from);
    return writeTerminal(call, fdNumber, file, cursor);
  }
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
  awaitSegments(call, from);
  const begins = call.mm.env.release.writesBeginBeforeCopies && file instanceof RegularOpenFile;
  const begun = begins ? file : null;
  let done = call.resumed?.kind === "file" ? call.resumed.progress : 0;
  cursor.skip(done);
  do {
    const wanted = Math.min(total - done, CHUNK, untilPageEnd(file, start + done));
    const chunk = scratch.subarray(0, wanted);
    // What is copied may be of the file itself, which has this page then, and reaches to it.
    const early = begun !== null && isMapped(begun) ? begun.writeNothing(start + done, wanted) : 0;
    const got = early === 0 ? cursor.take(chunk) : 0;
    if (got === 0 && wanted > 0) {
      const error = early || (begun?.writeNothing(start + done, wanted) ?? 0);
      return done > 0 ? finish() : error || -EFAULT;
    }
    const count = file.write(chunk.subarray(0, got), start + done);
    if (count === -EPIPE) brokenPipe(call);
    if (count === -EAGAIN && !file.nonBlocking && options.wait !== false)
      return block(call, [fdNumber], false, done);
    if (count < 0) return done > 0 ? finish() : count;
    done += count;
    if (count < got || (count < wanted && begun === null)) break;
  } while (done < total);
  return finish();

  function finish(): number {
    if (at === null && file.seekable && done > 0) file.position = start + done;
    if (done > 0 && file.node.isRegular) dropPrivilegeBits(file.node, actorOf(call.task.credentials));
    return done;
  }
}

type Direction = "read" | "write";

/** The file that a transfer is about. A negative offset is EINVAL before the descriptor is looked at. */
function transferFile(call: SyscallCall, direction: Direction, at: number | null): OpenFile | number {
  if (at !== null && at < 0) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (at !== null && !file.seekable) return -ESPIPE;
  if (direction === "read" ? !file.readable : !file.writable) return -EBADF;
  return file;
}

/**
 * All of the family: one buffer or (`vector`) an array of them in arguments 1 and 2.
 * @param at the offset; null: at the file's position
 * @param rwf RWF_* flags
 */
function transfer(
  call: SyscallCall,
  direction: Direction,
  vector: boolean,
  at: number | null = null,
  rwf = 0,
): Result {
  const file = transferFile(call, direction, at);
  if (typeof file === "number") return file;
  const segments = vector
    ? readSegments(call, call.word(1), call.n(2))
    : oneSegment(call, call.word(1), call.word(2));
  if (typeof segments === "number") return segments;
  if (at === Infinity) {
    // No transfer may end beyond 2^63 (rw_verify_area). Short of that a regular file has nothing there, and a device no place.
    const bytes = segments.reduce((sum, { length }) => sum + length, 0);
    if (call.i64(3) + BigInt(bytes) >= 2n ** 63n) return -EINVAL;
    if (direction === "write" && file.node.isRegular) return bytes === 0 ? 0 : -EFBIG;
    at = MAX_FILE_SIZE;
  }
  const wait = (rwf & RWF_NOWAIT) === 0;
  if (direction === "read") return readFile(call, call.fd(0), file, segments, at, wait);
  const append = file.append || (rwf & RWF_APPEND) !== 0;
  return writeFile(call, call.fd(0), file, segments, at, { append, wait });
}

/** preadv2 and pwritev2: an offset of -1 is the file's position. */
function transferWithFlags(call: SyscallCall, direction: Direction): Result {
  const rwf = call.u32(5);
  if ((rwf & ~0x1f) !== 0) return -EOPNOTSUPP;
  return transfer(call, direction, true, call.s(3) === -1 ? null : call.s(3), rwf);
}

function lseek(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const whence = call.u32(2);
  if (whence > SEEK_HOLE) return -EINVAL;
  if (file instanceof AnonymousFile && file.ignoresSeeks) return 0;
  if (!file.seekable) return -ESPIPE;
  const by = call.s(1);
  if (!(file instanceof RegularOpenFile || file instanceof DirectoryOpenFile || file instanceof BlockFile)) {
    if (!file.node.isRegular) return deviceSeek(file);
  }
  const { size } = file instanceof BlockFile ? file.disk : file.node;
  let position: number;
  if (whence === SEEK_SET) position = by;
  else if (whence === SEEK_CUR) position = file.position + by;
  else if (whence === SEEK_END) position = size + by;
  else {
    if (file instanceof DirectoryOpenFile) return -EINVAL;
    // The whole file counts as data, the end as the one hole (generic_file_llseek).
    if (by < 0 || by >= size) return -ENXIO;
    const { node } = file;
    if (node instanceof RegularInode && node.nextExtent) {
      position = node.nextExtent(by, whence === SEEK_DATA);
      if (whence === SEEK_DATA && position >= size) return -ENXIO;
    } else position = whence === SEEK_DATA ? by : size;
  }
  if (position < 0) return -EINVAL;
  if (position > MAX_FILE_SIZE) return -EINVAL;
  file.position = position;
  return position;
}

const iovecs = (direction: "in" | "out"): ReturnType<typeof structIn> =>
  direction === "in" ? structIn("iov", "iovec", 2) : structInOut("iov", "iovec", 2);

export const transferSyscalls: readonly Definition[] = [
  define({
    number: 0,
    name: "read",
    args: [fd("fd"), bufferOut("buf"), length("count")],
    handler: (call) => transfer(call, "read", false),
  }),
  define({
    number: 1,
    name: "write",
    args: [fd("fd"), bufferIn("buf", 2), length("count")],
    handler: (call) => transfer(call, "write", false),
  }),
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
    handler: (call) => transfer(call, "read", false, call.s(3)),
  }),
  define({
    number: 18,
    name: "pwrite64",
    args: [fd("fd"), bufferIn("buf", 2), length("count"), offset("pos")],
    handler: (call) => transfer(call, "write", false, call.s(3)),
  }),
  define({
    number: 19,
    name: "readv",
    args: [fd("fd"), iovecs("out"), int("iovcnt")],
    handler: (call) => transfer(call, "read", true),
  }),
  define({
    number: 20,
    name: "writev",
    args: [fd("fd"), iovecs("in"), int("iovcnt")],
    handler: (call) => transfer(call, "write", true),
  }),
  define({
    number: 295,
    name: "preadv",
    args: [fd("fd"), iovecs("out"), int("iovcnt"), offset("pos")],
    handler: (call) => transfer(call, "read", true, call.s(3)),
  }),
  define({
    number: 296,
    name: "pwritev",
    args: [fd("fd"), iovecs("in"), int("iovcnt"), offset("pos")],
    handler: (call) => transfer(call, "write", true, call.s(3)),
  }),
  define({
    number: 327,
    name: "preadv2",
    args: [fd("fd"), iovecs("out"), int("iovcnt"), offset("pos"), offset("pos_h"), flags("flags", RWF_FLAGS)],
    handler: (call) => transferWithFlags(call, "read"),
  }),
  define({
    number: 328,
    name: "pwritev2",
    args: [fd("fd"), iovecs("in"), int("iovcnt"), offset("pos"), offset("pos_h"), flags("flags", RWF_FLAGS)],
    handler: (call) => transferWithFlags(call, "write"),
  }),
];
