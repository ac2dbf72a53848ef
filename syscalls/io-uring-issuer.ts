import { EBADF } from "../kernel/errno.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import type { Request } from "../kernel/io-uring/request.js";
import type { Issuer } from "../kernel/io-uring/ring-file.js";
import { IOSQE_FIXED_FILE } from "../kernel/io-uring/uapi.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { WaitRecord } from "../kernel/wait.js";
import { RequestCall } from "./io-uring-call.js";
import { IORING_OP_FSYNC, IORING_OP_NOP, OPERATIONS } from "./io-uring-operations.js";

/** Does requests as their tasks would do the call, but without making them wait (io_issue_sqe). */
export class RequestIssuer implements Issuer {
  issue(request: Request): void {
    const { opcode, ring, task } = request;
    if (opcode !== IORING_OP_NOP && request.file === null) {
      const file = fileOf(request);
      if (file === undefined || file.isPath) {
        ring.complete(request, -EBADF);
        return;
      }
      request.file = file.hold();
    }
    const call = new RequestCall(request);
    // The task may itself be waiting for something.
    const { waiting } = task;
    const before = request.wait;
    task.waiting = null;
    let wait: WaitRecord | null;
    let result: number;
    try {
      result = OPERATIONS.get(opcode)!(call, request, request.file!);
      wait = task.waiting;
    } finally {
      task.waiting = waiting;
    }
    if (result === BLOCKED && wait !== null) request.arm(wait);
    else ring.complete(request, result, isWhole(request, result));
    if (before !== null && before !== wait && before.kind === "file")
      for (const file of before.files?.values() ?? []) if (request.wait !== null) file.release();
  }
}

/** Looked up when the request is tried first (io_assign_file). */
function fileOf({ flags, fd, ring, task }: Request): OpenFile | undefined {
  return (flags & IOSQE_FIXED_FILE) !== 0 ? (ring.files?.[fd] ?? undefined) : task.files.get(fd);
}

/** A transfer of fewer bytes than asked breaks its chain. */
function isWhole(request: Request, result: number): boolean {
  if (request.opcode === IORING_OP_NOP || request.opcode === IORING_OP_FSYNC) return result >= 0;
  return result === request.segments.reduce((sum, { length }) => sum + length, 0);
}
