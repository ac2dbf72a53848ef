/** The operations that requests may ask for, as IORING_REGISTER_PROBE tells them. */

import { EBADF, EFAULT, EFBIG, EINVAL, EOPNOTSUPP } from "../kernel/errno.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { MAX_FILE_SIZE, MAX_TRANSFER } from "../kernel/fs/open-flags.js";
import type { Request } from "../kernel/io-uring/request.js";
import type { BLOCKED } from "../kernel/syscall-dispatch.js";
import { readFile, writeFile } from "./files-transfer.js";
import { BufferMemory } from "./io-uring-buffer.js";
import type { RequestCall } from "./io-uring-call.js";

export const IORING_OP_NOP = 0;
export const IORING_OP_READV = 1;
export const IORING_OP_WRITEV = 2;
export const IORING_OP_FSYNC = 3;
const IORING_OP_READ_FIXED = 4;
const IORING_OP_WRITE_FIXED = 5;
export const IORING_OP_READ = 22;
export const IORING_OP_WRITE = 23;

const RWF_NOWAIT = 8;
const RWF_APPEND = 0x10;
const RWF_KNOWN = 0x1f;
const CURRENT_POSITION = 2n ** 64n - 1n;

/** @returns the completion's result, or BLOCKED as a system call. `file` is there where the operation needs one. */
export type Operation = (call: RequestCall, request: Request, file: OpenFile) => number | typeof BLOCKED;

/** READ, WRITE, their vectors, and from or to a registered buffer. */
const transfer =
  (direction: "read" | "write", fixed: boolean): Operation =>
  (call, request, file) => {
    if (direction === "read" ? !file.readable : !file.writable) return -EBADF;
    const rwf = request.u32(28);
    if ((rwf & ~RWF_KNOWN) !== 0) return -EOPNOTSUPP;
    const from = request.u64(8);
    const at = file.seekable && from !== CURRENT_POSITION ? Number(BigInt.asIntN(64, from)) : null;
    if (at !== null && at < 0) return -EINVAL;
    if (at !== null && at > MAX_FILE_SIZE && direction === "write") return -EFBIG;
    if (fixed) {
      const segment = fixedSegment(call, request);
      if (typeof segment === "number") return segment;
      request.segments = [segment];
    }
    const wait = (rwf & RWF_NOWAIT) === 0;
    const segments = [...request.segments];
    if (direction === "read") return readFile(call, request.fd, file, segments, at, wait);
    const append = file.append || (rwf & RWF_APPEND) !== 0;
    return writeFile(call, request.fd, file, segments, at, { append, wait });
  };

/** The part of a registered buffer that a request names (io_import_fixed). */
function fixedSegment(call: RequestCall, request: Request): Request["segments"][0] | number {
  const buffer = request.ring.buffers?.[request.u16(40)] ?? null;
  if (buffer === null) return -EFAULT;
  const start = request.u64(16);
  const length = request.u32(24);
  const end = BigInt(buffer.start + buffer.length);
  if (start < BigInt(buffer.start) || start + BigInt(length) > end) return -EFAULT;
  call.memory = new BufferMemory(call.mm, buffer);
  return { address: Number(start), length: Math.min(length, MAX_TRANSFER) };
}

/** With IORING_NOP_INJECT_RESULT the program says itself what comes of it. */
const nop: Operation = (_call, request) => ((request.u32(28) & 1) !== 0 ? request.i32(24) : 0);

const fsync: Operation = (_call, _request, file) => file.sync();

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [IORING_OP_NOP, nop],
  [IORING_OP_READV, transfer("read", false)],
  [IORING_OP_WRITEV, transfer("write", false)],
  [IORING_OP_FSYNC, fsync],
  [IORING_OP_READ_FIXED, transfer("read", true)],
  [IORING_OP_WRITE_FIXED, transfer("write", true)],
  [IORING_OP_READ, transfer("read", false)],
  [IORING_OP_WRITE, transfer("write", false)],
]);
