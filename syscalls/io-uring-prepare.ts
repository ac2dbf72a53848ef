/** What is looked at when an entry is taken from the ring (io_init_req and the operations' prep). */

import { EINVAL, EOPNOTSUPP } from "../kernel/errno.js";
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_IO_DRAIN } from "../kernel/io-uring/uapi.js";
import type { Request } from "../kernel/io-uring/request.js";
import type { SyscallCall } from "./call.js";
import { oneSegment, readSegments } from "./files-common.js";
import {
  IORING_OP_FSYNC,
  IORING_OP_NOP,
  IORING_OP_READ,
  IORING_OP_READV,
  IORING_OP_WRITE,
  IORING_OP_WRITEV,
  OPERATIONS,
} from "./io-uring-operations.js";

/** All but IOSQE_BUFFER_SELECT, which no operation here takes. */
const KNOWN_FLAGS = 0x5f;
const IOSQE_BUFFER_SELECT = 0x20;
const IORING_FSYNC_DATASYNC = 1;
const IORING_NOP_INJECT_RESULT = 1;

/** 0, or the errno that becomes the entry's completion. */
export function prepare(call: SyscallCall, request: Request): number {
  const { opcode, flags } = request;
  if (!OPERATIONS.has(opcode) || (flags & ~(KNOWN_FLAGS | IOSQE_BUFFER_SELECT)) !== 0) return -EINVAL;
  if ((flags & IOSQE_BUFFER_SELECT) !== 0) return -EOPNOTSUPP;
  // Completions are counted no more once one may be left out, so that nobody can tell what came before (io_init_req).
  if ((flags & IOSQE_CQE_SKIP_SUCCESS) !== 0) request.ring.drainDisabled = true;
  if ((flags & IOSQE_IO_DRAIN) !== 0 && request.ring.drainDisabled) return -EOPNOTSUPP;
  // The request's priority makes no difference here, but only transfers have one. No personality is registered.
  const transfers = opcode !== IORING_OP_NOP && opcode !== IORING_OP_FSYNC;
  if (!transfers && request.u16(2) !== 0) return -EINVAL;
  if (request.u16(42) !== 0) return -EINVAL;
  switch (opcode) {
    case IORING_OP_NOP:
      return (request.u32(28) & ~IORING_NOP_INJECT_RESULT) === 0 ? 0 : -EINVAL;
    case IORING_OP_FSYNC: {
      const clean = request.u64(16) === 0n && request.u16(40) === 0 && request.u32(44) === 0;
      return clean && (request.u32(28) & ~IORING_FSYNC_DATASYNC) === 0 ? 0 : -EINVAL;
    }
    case IORING_OP_READ:
    case IORING_OP_WRITE:
      return keep(request, oneSegment(call, request.u64(16), request.u32(24)));
    case IORING_OP_READV:
    case IORING_OP_WRITEV:
      return keep(request, readSegments(call, request.u64(16), request.u32(24)));
    default:
      return 0;
  }
}

function keep(request: Request, segments: Request["segments"] | number): number {
  if (typeof segments === "number") return segments;
  request.segments = segments;
  return 0;
}
