/** Sending and receiving with all that may happen on the way: waits, timeouts, parts, SIGPIPE (net/socket.c). */

import { EAGAIN, EFAULT, EPIPE } from "../kernel/errno.js";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SOCK_SEQPACKET,
} from "../kernel/net/constants.js";
import { senderCredentialsOf } from "../kernel/net/sender-credentials.js";
import type { Received } from "../kernel/net/socket.js";
import type { SocketFile } from "../kernel/net/socket-file.js";
import { SIGPIPE } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { SyscallCall } from "./call.js";
import { awaitSegments, SegmentCursor } from "./files-common.js";
import type { Segment } from "./files-common.js";
import { hasTimedOut, waitForSocket } from "./sockets-common.js";
import type { Result } from "./sockets-common.js";
import { takeRights } from "./sockets-control.js";
import type { SentControl } from "./sockets-control.js";

/** More than any socket takes or has at once, in bytes. */
const LARGEST = 1 << 23;

export interface SendOptions {
  /** MSG_* bits. */
  readonly flags: number;
  readonly address: Uint8Array | null;
  readonly control: SentControl | null;
}

const NOTHING: SendOptions = { flags: 0, address: null, control: null };

function mustNotWait(file: SocketFile, flags: number): boolean {
  return file.nonBlocking || (flags & MSG_DONTWAIT) !== 0;
}

/** Sends segments: a stream's as far as there is room, a datagram whole. @param done bytes sent before a wait */
export function sendSegments(
  call: SyscallCall,
  fd: number,
  file: SocketFile,
  segments: readonly Segment[],
  options: SendOptions = NOTHING,
  done = call.resumed?.kind === "file" ? call.resumed.progress : 0,
): Result {
  const { socket } = file;
  let cursor = new SegmentCursor(call.user, segments);
  const { total } = cursor;
  cursor.skip(done);
  awaitSegments(call, segments);
  for (;;) {
    const wanted = Math.min(total - done, socket.isStream ? socket.sendUnit : LARGEST);
    const bytes = new Uint8Array(wanted);
    const result = cursor.take(bytes) === wanted ? sendPart(call, file, bytes, options, done === 0) : -EFAULT;
    if (result === -EAGAIN && !mustNotWait(file, options.flags) && !hasTimedOut(call))
      return waitForSocket(call, fd, socket.options.sendTimeout, done);
    if (result < 0) return done > 0 ? done : result;
    done += result;
    if (done >= total || !socket.isStream) return done;
    if (result < wanted) {
      // The socket took a part: the rest is read again.
      cursor = new SegmentCursor(call.user, segments);
      cursor.skip(done);
    }
  }
}

function sendPart(
  call: SyscallCall,
  file: SocketFile,
  bytes: Uint8Array,
  options: SendOptions,
  first: boolean,
): number {
  const { socket } = file;
  const rights = first && options.control !== null ? takeRights(call, options.control.files) : null;
  if (typeof rights === "number") return rights;
  const result = socket.send({
    bytes,
    flags: options.flags,
    address: options.address,
    rights,
    credentials: options.control?.credentials ?? null,
    signer: senderCredentialsOf(call.task),
    task: call.task,
  });
  if (result < 0) rights?.release();
  if (result === -EPIPE && first && socket.raisesPipe && (options.flags & MSG_NOSIGNAL) === 0)
    sendSignal(call.task, kernelSignal(SIGPIPE), false);
  return result;
}

/** What a receive gave beside the bytes that are in user memory already. */
export interface Arrived {
  /** What the call gives. */
  readonly result: number;
  readonly received: Received | null;
  /** MSG_* for msg_flags. */
  readonly flags: number;
}

/** Receives into segments. @param done bytes received before a wait (MSG_WAITALL, SO_RCVLOWAT) */
export function receiveSegments(
  call: SyscallCall,
  fd: number,
  file: SocketFile,
  segments: readonly Segment[],
  flags: number,
  done = call.resumed?.kind === "file" ? call.resumed.progress : 0,
): Arrived | typeof BLOCKED {
  const { socket } = file;
  const cursor = new SegmentCursor(call.user, segments);
  const { total } = cursor;
  cursor.skip(done);
  const whole = (flags & MSG_WAITALL) !== 0;
  const target = socket.isStream ? (whole ? total : Math.min(socket.options.lowWater, total)) || 1 : 1;
  let last: Received | null = null;
  const finish = (result: number): Arrived => ({ result, received: last, flags: last?.flags ?? 0 });
  // No socket here has an error queue with something in it, and nobody waits for one.
  if ((flags & MSG_ERRQUEUE) !== 0 && socket.family !== AF_UNIX) return finish(-EAGAIN);
  for (;;) {
    const room = Math.min(total - done, LARGEST);
    const received = socket.receive({ room, flags });
    if (typeof received === "number") {
      if (received !== -EAGAIN || mustNotWait(file, flags) || hasTimedOut(call))
        return finish(done > 0 ? done : received);
      if (socket.atEnd && !socket.isStream) return finish(0);
      return waitForSocket(call, fd, socket.options.receiveTimeout, done);
    }
    last = received;
    const copied = cursor.put(received.bytes);
    if (copied < received.bytes.length) {
      received.rights?.release();
      last = null;
      if (!socket.isStream) return finish(-EFAULT);
      if ((flags & MSG_PEEK) === 0) socket.unread(received.bytes.slice(copied));
      done += copied;
      return finish(done > 0 ? done : -EFAULT);
    }
    done += copied;
    if (!socket.isStream) {
      const cut = received.length > received.bytes.length;
      const result = cut && (flags & MSG_TRUNC) !== 0 ? received.length : copied;
      return { result, received, flags: received.flags | (cut ? MSG_TRUNC : 0) };
    }
    const ended = copied === 0 || received.rights !== null || (flags & MSG_PEEK) !== 0;
    if (done >= target || ended) return finish(done);
  }
}

/** read(2) and readv(2) of a socket. */
export function readSocket(
  call: SyscallCall,
  fd: number,
  file: SocketFile,
  segments: readonly Segment[],
  wait: boolean,
): Result {
  if (segments.every(({ length }) => length === 0)) return 0;
  const arrived = receiveSegments(call, fd, file, segments, wait ? 0 : MSG_DONTWAIT);
  if (arrived === BLOCKED) return BLOCKED;
  arrived.received?.rights?.release();
  return arrived.result;
}

/** write(2) and writev(2) of a socket. */
export function writeSocket(
  call: SyscallCall,
  fd: number,
  file: SocketFile,
  segments: readonly Segment[],
  wait: boolean,
): Result {
  const record = file.socket.type === SOCK_SEQPACKET ? MSG_EOR : 0;
  return sendSegments(call, fd, file, segments, { ...NOTHING, flags: record | (wait ? 0 : MSG_DONTWAIT) });
}
