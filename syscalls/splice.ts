/** splice, tee and vmsplice: moving bytes through pipes by the page (fs/splice.c). */

import { EAGAIN, EBADF, EFAULT, EINVAL, ESPIPE } from "../kernel/errno.js";
import { AnonymousFile } from "../kernel/fs/anonymous-file.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { MAX_TRANSFER } from "../kernel/fs/open-flags.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { RegularOpenFile } from "../kernel/fs/regular-open-file.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { fd, flags, length, names, structIn, structInOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { awaitSegments, block, fileOf, readSegments } from "./files-common.js";
import type { Segment } from "./files-common.js";
import { brokenPipe, readPipe } from "./files-pipe.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const PAGE_SIZE = 4096;
const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_ALL = 0xf;
const SPLICE_FLAGS = names("SPLICE_F_???", {
  SPLICE_F_MOVE: 1,
  SPLICE_F_NONBLOCK,
  SPLICE_F_MORE: 4,
  SPLICE_F_GIFT: 8,
});
const page = new Uint8Array(PAGE_SIZE);

type Result = number | typeof BLOCKED;

/** An offset that a pointer gives, in bytes; the file's own position for null; -EFAULT. */
function offsetOf(call: SyscallCall, pointer: Word, file: OpenFile): { at: number } | number {
  if (isZero(pointer)) return { at: file.position };
  const value = call.user.readI64(pointer);
  return value === null ? -EFAULT : { at: Number(value) };
}

/** Where the call stopped goes back where the offset came from. */
function giveOffset(call: SyscallCall, pointer: Word, file: OpenFile, at: number): number {
  if (!isZero(pointer)) return call.user.writeU64(pointer, at) ? 0 : -EFAULT;
  if (file.seekable) file.position = at;
  return 0;
}

/** No bytes to take: 0 when none can come, -EAGAIN, or a wait. */
function waitForBytes(call: SyscallCall, file: PipeFile, number: number, nonBlocking: boolean): Result {
  if (file.pipe.writers === 0) return 0;
  return nonBlocking ? -EAGAIN : block(call, [number], false);
}

/** Null when a pipe has a free slot and a reader; else -EPIPE, -EAGAIN, or a wait (wait_for_space). */
function spaceIn(call: SyscallCall, file: PipeFile, number: number, nonBlocking: boolean): Result | null {
  if (file.pipe.readers === 0) return brokenPipe(call);
  if (!file.pipe.isFull) return null;
  return nonBlocking ? -EAGAIN : block(call, [number], false);
}

function splice(call: SyscallCall): Result {
  const count = Math.min(call.n(4), MAX_TRANSFER);
  if (count === 0) return 0;
  const bits = call.u32(5);
  if ((bits & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const input = fileOf(call, call.fd(0));
  if (typeof input === "number") return input;
  const output = fileOf(call, call.fd(2));
  if (typeof output === "number") return output;
  const [inPointer, outPointer] = [call.word(1), call.word(3)];
  if (input instanceof PipeFile && !isZero(inPointer)) return -ESPIPE;
  if (output instanceof PipeFile && !isZero(outPointer)) return -ESPIPE;
  const to = offsetOf(call, outPointer, output);
  if (typeof to === "number") return to;
  const from = offsetOf(call, inPointer, input);
  if (typeof from === "number") return from;
  if (!input.readable || !output.writable) return -EBADF;
  const asked = (bits & SPLICE_F_NONBLOCK) !== 0;
  if (input instanceof PipeFile && output instanceof PipeFile) {
    if (input.pipe === output.pipe) return -EINVAL;
    return pipeToPipe(call, input, output, count, asked || input.nonBlocking || output.nonBlocking);
  }
  if (input instanceof PipeFile) {
    if (!isZero(outPointer) && !output.seekable) return -EINVAL;
    if (output.append || output instanceof AnonymousFile) return -EINVAL;
    if (to.at < 0) return -EINVAL;
    const done = pipeToFile(call, input, output, to.at, count, asked || input.nonBlocking);
    if (done === BLOCKED || done <= 0) return done;
    return giveOffset(call, outPointer, output, to.at + done) || done;
  }
  if (output instanceof PipeFile) {
    if (!isZero(inPointer) && !input.seekable) return -EINVAL;
    if (from.at < 0) return -EINVAL;
    const done = fileToPipe(call, input, output, from.at, count, asked || output.nonBlocking);
    if (done === BLOCKED || done <= 0) return done;
    return giveOffset(call, inPointer, input, from.at + done) || done;
  }
  return -EINVAL;
}

function pipeToPipe(
  call: SyscallCall,
  input: PipeFile,
  output: PipeFile,
  count: number,
  nonBlocking: boolean,
): Result {
  const [from, to] = [input.pipe, output.pipe];
  let done = 0;
  const wasFull = from.isFull;
  while (done < count) {
    if (to.readers === 0) {
      const broken = brokenPipe(call);
      if (done === 0) return broken;
      break;
    }
    if (done > 0 && (from.isEmpty || to.isFull)) break;
    if (from.isEmpty) return waitForBytes(call, input, call.fd(0), nonBlocking);
    if (to.isFull) return nonBlocking ? -EAGAIN : block(call, [call.fd(2)], false);
    done += from.moveTo(to, count - done);
  }
  output.wrote();
  if (wasFull) input.madeRoom();
  return done;
}

/** Writes what the pipe has, buffer by buffer, until the file takes no more. */
function pipeToFile(
  call: SyscallCall,
  input: PipeFile,
  output: OpenFile,
  at: number,
  count: number,
  nonBlocking: boolean,
): Result {
  let done = 0;
  while (done < count) {
    const bytes = input.pipe.peek(count - done);
    if (bytes === null) return done > 0 ? done : waitForBytes(call, input, call.fd(0), nonBlocking);
    const put = output.discards ? bytes.length : output.write(bytes, at + done);
    if (put === -EAGAIN && done === 0 && !output.nonBlocking) return block(call, [call.fd(2)], false);
    if (put < 0) return done > 0 ? done : put;
    input.consume(put);
    done += put;
    if (put < bytes.length) break;
  }
  return done;
}

/** Puts pages of the file into free slots: its own frames, where it has some, not copies. */
function fileToPipe(
  call: SyscallCall,
  input: OpenFile,
  output: PipeFile,
  at: number,
  count: number,
  nonBlocking: boolean,
): Result {
  if (input instanceof AnonymousFile || input.node.isDirectory) return -EINVAL;
  const waits = spaceIn(call, output, call.fd(2), nonBlocking);
  if (waits !== null) return waits;
  const { pipe } = output;
  let done = 0;
  while (done < count && !pipe.isFull) {
    const part = Math.min(count - done, PAGE_SIZE - ((at + done) % PAGE_SIZE));
    const got = input instanceof RegularOpenFile ? filePage(call, input, output, at + done, part) : null;
    const read = got ?? input.read(page.subarray(0, part), at + done);
    if (read === -EAGAIN && done === 0 && !input.nonBlocking)
      return block(call, [call.fd(0)], input.waitsOnHost);
    if (read <= 0) {
      if (done === 0) return read;
      break;
    }
    if (got === null) pipe.append(page.subarray(0, read), false, false);
    done += read;
    if (read < part) break;
  }
  output.wrote();
  return done;
}

/** Puts a page of the page cache into a free slot; null where there is none (a hole): its bytes are to be read. */
function filePage(
  call: SyscallCall,
  input: RegularOpenFile,
  output: PipeFile,
  at: number,
  count: number,
): number | null {
  const part = Math.min(count, input.pages.size - at);
  const frame = part > 0 ? input.pages.frameAt(Math.floor(at / PAGE_SIZE), false) : -1;
  if (frame === -1) return null;
  const start = at % PAGE_SIZE;
  output.pipe.appendFrame(call.kernel.frames, frame, start, start + part);
  return part;
}

function tee(call: SyscallCall): Result {
  const bits = call.u32(3);
  if ((bits & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const count = Math.min(call.n(2), MAX_TRANSFER);
  if (count === 0) return 0;
  const input = fileOf(call, call.fd(0));
  if (typeof input === "number") return input;
  const output = fileOf(call, call.fd(1));
  if (typeof output === "number") return output;
  if (!input.readable || !output.writable) return -EBADF;
  if (!(input instanceof PipeFile) || !(output instanceof PipeFile)) return -EINVAL;
  const [from, to] = [input.pipe, output.pipe];
  if (from === to) return -EINVAL;
  const nonBlocking = (bits & SPLICE_F_NONBLOCK) !== 0 || input.nonBlocking || output.nonBlocking;
  if (from.isEmpty && from.writers > 0) return waitForBytes(call, input, call.fd(0), nonBlocking);
  const waits = spaceIn(call, output, call.fd(1), nonBlocking);
  if (waits !== null) return waits;
  let done = 0;
  for (let i = 0; i < from.slotsUsed && done < count && !to.isFull; i++)
    done += from.copyTo(to, i, count - done);
  if (done > 0) output.wrote();
  return done;
}

/** The end of the pipe that the descriptor is says which way: into the pipe by the page, or out of it as readv. */
function vmsplice(call: SyscallCall): Result {
  const bits = call.u32(3);
  if ((bits & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!file.readable && !file.writable) return -EBADF;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  if (segments.every((segment) => segment.length === 0)) return 0;
  if (!(file instanceof PipeFile)) return -EBADF;
  const nonBlocking = (bits & SPLICE_F_NONBLOCK) !== 0;
  if (!file.writable) return readPipe(call, call.fd(0), file, segments, !nonBlocking);
  const waits = spaceIn(call, file, call.fd(0), nonBlocking);
  if (waits === null) awaitSegments(call, segments);
  return waits ?? userToPipe(call, file, segments);
}

/** The program's own pages go into the pipe, as they are: what it stores there later, a reader sees. */
function userToPipe(call: SyscallCall, file: PipeFile, segments: readonly Segment[]): number {
  const { frames } = call.kernel;
  let done = 0;
  const finish = (error: number): number => {
    if (done > 0) file.wrote();
    return done > 0 ? done : error;
  };
  for (const segment of segments) {
    const end = segment.address + segment.length;
    for (let at = segment.address; at < end;) {
      if (file.pipe.isFull) return finish(-EAGAIN);
      const part = Math.min(end - at, PAGE_SIZE - (at % PAGE_SIZE));
      const frame = call.user.frameOf(at);
      if (frame === -1) return finish(-EFAULT);
      const start = at % PAGE_SIZE;
      file.pipe.appendFrame(frames, frame, start, start + part);
      done += part;
      at += part;
    }
  }
  return finish(0);
}

const spliceFlags = flags("flags", SPLICE_FLAGS);

export const spliceSyscalls: readonly Definition[] = [
  define({
    number: 275,
    name: "splice",
    args: [
      fd("fd_in"),
      structInOut("off_in", "off_t"),
      fd("fd_out"),
      structInOut("off_out", "off_t"),
      length("len"),
      spliceFlags,
    ],
    handler: splice,
  }),
  define({
    number: 276,
    name: "tee",
    args: [fd("fd_in"), fd("fd_out"), length("len"), spliceFlags],
    handler: tee,
  }),
  define({
    number: 278,
    name: "vmsplice",
    args: [fd("fd"), structIn("iov", "iovec", 2), length("nr_segs"), spliceFlags],
    handler: vmsplice,
  }),
];
