/** Copies from file to file within the kernel: sendfile and copy_file_range (fs/read_write.c). */

import { EAGAIN, EBADF, EFAULT, EINVAL, EISDIR, EOVERFLOW, EPIPE, ESPIPE } from "../kernel/errno.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { MAX_TRANSFER } from "../kernel/fs/open-flags.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { fd, int, length, structInOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { block, fileOf } from "./files-common.js";
import { brokenPipe } from "./files-pipe.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const CHUNK = 65536;

type Result = number | typeof BLOCKED;

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
  const room = new Uint8Array(Math.min(CHUNK, count));
  while (done < count) {
    const chunk = room.subarray(0, count - done);
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

/** The offset that a pointer leads to; null without a pointer, NaN for a bad one. */
function offsetAt(call: SyscallCall, pointer: Word): number | null {
  if (isZero(pointer)) return null;
  const value = call.user.readI64(pointer);
  return value === null ? NaN : Number(value);
}

function sendfile(call: SyscallCall): Result {
  const [outFd, inFd] = [call.fd(0), call.fd(1)];
  const pointer = call.word(2);
  const from = offsetAt(call, pointer);
  if (Number.isNaN(from)) return -EFAULT;
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
  const from = offsetAt(call, inPointer) ?? input.position;
  const to = offsetAt(call, outPointer) ?? output.position;
  if (Number.isNaN(from) || Number.isNaN(to)) return -EFAULT;
  if (call.u32(5) !== 0) return -EINVAL;
  if (input.node.isDirectory || output.node.isDirectory) return -EISDIR;
  if (!input.node.isRegular || !output.node.isRegular) return -EINVAL;
  if (!input.readable || !output.writable || output.append) return -EBADF;
  // Added up without a sign, so that an offset just below 0 counts as one that passes the end.
  if ([from, to].some((at) => at < 0 && at + call.n(4) >= 0)) return -EOVERFLOW;
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

export const copySyscalls: readonly Definition[] = [
  define({
    number: 40,
    name: "sendfile",
    args: [fd("out_fd"), fd("in_fd"), structInOut("offset", "off_t"), length("count")],
    handler: sendfile,
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
];
