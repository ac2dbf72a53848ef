/** read and write on pipes (fs/pipe.c: pipe_read, pipe_write). */

import { EAGAIN, EFAULT, EPIPE } from "../kernel/errno.js";
import type { PipeFile } from "../kernel/fs/pipe.js";
import { SI_USER, SIGPIPE } from "../kernel/signals/numbers.js";
import { sendSignal } from "../kernel/signals/send.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { SyscallCall } from "./call.js";
import { awaitSegments, block, SegmentCursor } from "./files-common.js";
import type { Segment } from "./files-common.js";

const PAGE_SIZE = 4096;
const page = new Uint8Array(PAGE_SIZE);

type Result = number | typeof BLOCKED;

/** Nobody reads any more: SIGPIPE, as if the task sent it to itself (send_sig without privilege). @returns -EPIPE */
export function brokenPipe({ task }: SyscallCall): number {
  const detail = { kind: "kill", pid: task.pid, uid: task.credentials.uid } as const;
  sendSignal(task, { signo: SIGPIPE, errno: 0, code: SI_USER, detail }, false);
  return -EPIPE;
}

/** A buffer that user memory does not take whole stays in the pipe, whole. */
export function readPipe(
  call: SyscallCall,
  fd: number,
  file: PipeFile,
  to: Segment[],
  mayWait: boolean,
): Result {
  const { pipe } = file;
  const cursor = new SegmentCursor(call.user, to);
  const { total } = cursor;
  let done = 0;
  while (done < total) {
    const bytes = pipe.peek(total - done);
    if (bytes === null) {
      if (pipe.writers === 0 || done > 0) break;
      return file.nonBlocking || !mayWait ? -EAGAIN : block(call, [fd], false);
    }
    const copied = cursor.put(bytes);
    if (copied < bytes.length) return done > 0 ? done : -EFAULT;
    done += copied;
    if (file.consume(copied)) break;
  }
  return done;
}

/** A page that user memory does not give whole does not go in; one execution after a wait goes on where it was. */
export function writePipe(
  call: SyscallCall,
  fd: number,
  file: PipeFile,
  from: Segment[],
  mayWait: boolean,
): Result {
  const { pipe } = file;
  const cursor = new SegmentCursor(call.user, from);
  const { total } = cursor;
  if (total === 0) return 0;
  const before = call.resumed?.kind === "file" ? call.resumed.progress : 0;
  cursor.skip(before);
  let done = before;
  const finish = (error: number): number => {
    if (done > before) file.wrote();
    return done > 0 ? done : error;
  };
  if (pipe.readers === 0) return finish(brokenPipe(call));
  awaitSegments(call, from);
  const odd = total % PAGE_SIZE;
  if (call.resumed === null && odd > 0 && odd <= pipe.mergeRoom) {
    const bytes = page.subarray(0, odd);
    if (cursor.take(bytes) < odd) return -EFAULT;
    pipe.merge(bytes);
    done = odd;
  }
  while (done < total) {
    if (pipe.isFull) {
      if (file.nonBlocking || !mayWait) return finish(-EAGAIN);
      finish(0);
      return block(call, [fd], false, done);
    }
    const bytes = pipe.emptyPage();
    const count = Math.min(PAGE_SIZE, total - done);
    if (cursor.take(count === PAGE_SIZE ? bytes : bytes.subarray(0, count)) < count) return finish(-EFAULT);
    pipe.appendPage(bytes, count, file.packets);
    done += count;
  }
  return finish(0);
}
