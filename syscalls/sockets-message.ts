/** send, recv and their relatives (net/socket.c). */

import { EFAULT, EINVAL, EMSGSIZE, ENOBUFS } from "../kernel/errno.js";
import type { Word } from "../kernel/mm/word.js";
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_WAITFORONE,
  SCM_CREDENTIALS,
  SOL_SOCKET,
} from "../kernel/net/constants.js";
import { credentialBytes, NOBODY } from "../kernel/net/sender-credentials.js";
import type { SocketFile } from "../kernel/net/socket-file.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { bufferIn, bufferOut, fd, length, structIn, structInOut, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { awaitSegments, oneSegment, readSegments } from "./files-common.js";
import type { Segment } from "./files-common.js";
import { addTo, isNull, readSockaddr, socketOf, writeSockaddr } from "./sockets-common.js";
import type { Result } from "./sockets-common.js";
import { ControlWriter, readControl } from "./sockets-control.js";
import { messageFlags, sockaddrIn, sockaddrOut } from "./sockets-names.js";
import { receiveSegments, sendSegments } from "./sockets-transfer.js";
import type { Arrived } from "./sockets-transfer.js";
import { readTimespec } from "./structs.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const MSGHDR_BYTES = 56;
/** sizeof(struct mmsghdr), and where its msg_len lies. */
const MMSGHDR_BYTES = 64;
const MESSAGES_MAX = 1024;
const SEGMENTS_MAX = 1024;
const SOCKADDR_MAX = 128;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;
const NAME_LENGTH_AT = 8;

/** struct msghdr. */
interface Header {
  readonly name: Word;
  readonly nameLength: number;
  readonly segments: Segment[];
  readonly control: Word;
  readonly controlLength: number;
}

/** Reads a struct msghdr and its segments: -EFAULT, -EINVAL (negative name length), -EMSGSIZE (too many segments). */
function readHeader(call: SyscallCall, at: Word): Header | number {
  const bytes = call.user.read(at, MSGHDR_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const name = view.getBigUint64(0, true);
  const nameLength = view.getInt32(NAME_LENGTH_AT, true);
  if (nameLength < 0) return -EINVAL;
  const count = view.getBigUint64(24, true);
  if (count > BigInt(SEGMENTS_MAX)) return -EMSGSIZE;
  const segments = readSegments(call, view.getBigUint64(16, true), Number(count));
  if (typeof segments === "number") return segments;
  return {
    name,
    nameLength: name === 0n ? 0 : Math.min(nameLength, SOCKADDR_MAX),
    segments,
    control: view.getBigUint64(32, true),
    controlLength: Number(view.getBigUint64(CONTROL_LENGTH_AT, true)),
  };
}

function sendto(call: SyscallCall): Result {
  const segments = oneSegment(call, call.word(1), call.word(2));
  if (typeof segments === "number") return segments;
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const address = isNull(call.word(4)) ? null : readSockaddr(call, call.word(4), call.i32(5));
  if (typeof address === "number") return address;
  return sendSegments(call, call.fd(0), file, segments, { flags: call.u32(3), address, control: null });
}

function sendOne(call: SyscallCall, file: SocketFile, at: Word, flags: number, done?: number): Result {
  const header = readHeader(call, at);
  if (typeof header === "number") return header;
  const named = !isNull(header.name) && header.nameLength > 0;
  const address = named ? readSockaddr(call, header.name, header.nameLength) : null;
  if (typeof address === "number") return address;
  if (header.controlLength > 0x7fff_ffff) return -ENOBUFS;
  const hasControl = header.controlLength > 0 && file.socket.family === AF_UNIX;
  const control = hasControl ? readControl(call, header.control, header.controlLength) : null;
  if (typeof control === "number") return control;
  return sendSegments(call, call.fd(0), file, header.segments, { flags, address, control }, done);
}

function sendmsg(call: SyscallCall): Result {
  const file = socketOf(call, call.fd(0));
  return typeof file === "number" ? file : sendOne(call, file, call.word(1), call.u32(2));
}

/** The wait's progress is the number of messages sent: that is what a signal makes the result. */
function sendmmsg(call: SyscallCall): Result {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const count = Math.min(call.u32(2), MESSAGES_MAX);
  awaitMessages(call, count, true);
  for (let done = progressOf(call); done < count; done++) {
    const at = addTo(call.word(1), done * MMSGHDR_BYTES);
    const result = sendOne(call, file, at, call.u32(3), 0);
    if (result === BLOCKED) return blockedAfter(call, done);
    if (result < 0) return done > 0 ? done : result;
    if (!call.user.writeI32(addTo(at, MSGHDR_BYTES), result)) return done > 0 ? done : -EFAULT;
  }
  return count;
}

/** Before the first of several messages: what is read for the later ones (UserMemory.awaitReadable). */
function awaitMessages(call: SyscallCall, count: number, sent: boolean): void {
  if (!call.mm.kernelWaits) return;
  for (let i = 0; i < count; i++) {
    const header = readHeader(call, addTo(call.word(1), i * MMSGHDR_BYTES));
    if (typeof header === "number") return;
    if (!sent) continue;
    awaitSegments(call, header.segments);
    call.user.awaitReadable(header.name, header.nameLength);
    call.user.awaitReadable(header.control, header.controlLength);
  }
}

function progressOf(call: SyscallCall): number {
  return call.resumed?.kind === "file" ? call.resumed.progress : 0;
}

function blockedAfter(call: SyscallCall, done: number): typeof BLOCKED {
  const { waiting } = call.task;
  if (waiting?.kind === "file") waiting.progress = done;
  return BLOCKED;
}

function recvfrom(call: SyscallCall): Result {
  const segments = oneSegment(call, call.word(1), call.word(2));
  if (typeof segments === "number") return segments;
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!isNull(call.word(4))) call.user.awaitReadable(call.word(5), 4);
  const arrived = receiveSegments(call, call.fd(0), file, segments, call.u32(3));
  if (arrived === BLOCKED) return BLOCKED;
  arrived.received?.rights?.release();
  if (arrived.result < 0 || isNull(call.word(4))) return arrived.result;
  const address = arrived.received?.address ?? new Uint8Array(0);
  const written = writeSockaddr(call, address, call.word(4), call.word(5));
  return written < 0 ? written : arrived.result;
}

function receiveOne(call: SyscallCall, file: SocketFile, at: Word, flags: number, done?: number): Result {
  const header = readHeader(call, at);
  if (typeof header === "number") return header;
  const arrived = receiveSegments(call, call.fd(0), file, header.segments, flags, done);
  if (arrived === BLOCKED) return BLOCKED;
  return arrived.result < 0 ? arrived.result : deliver(call, file, header, at, flags, arrived);
}

/** What comes with the data: sender, control messages, flags. */
function deliver(
  call: SyscallCall,
  file: SocketFile,
  header: Header,
  at: Word,
  flags: number,
  { result, received, flags: arrivedFlags }: Arrived,
): number {
  const writer = new ControlWriter(call, header.control, header.controlLength);
  const { passCredentials } = file.socket.options;
  const rights = received?.rights ?? null;
  if (isNull(header.control)) {
    if (passCredentials || rights !== null) writer.flags |= MSG_CTRUNC;
  } else {
    if (passCredentials && received !== null)
      writer.put(SOL_SOCKET, SCM_CREDENTIALS, credentialBytes(received.credentials ?? NOBODY));
    if (rights !== null) writer.putRights(rights, flags);
  }
  rights?.release();
  const { user } = call;
  if (!isNull(header.name)) {
    const address = received?.address ?? new Uint8Array(0);
    const written = writeSockaddr(call, address, header.name, addTo(at, NAME_LENGTH_AT));
    if (written < 0) return written;
  }
  const shown = arrivedFlags | writer.flags | (flags & MSG_CMSG_CLOEXEC);
  if (!user.writeI32(addTo(at, FLAGS_AT), shown)) return -EFAULT;
  return user.writeU64(addTo(at, CONTROL_LENGTH_AT), writer.used) ? result : -EFAULT;
}

function recvmsg(call: SyscallCall): Result {
  const file = socketOf(call, call.fd(0));
  return typeof file === "number" ? file : receiveOne(call, file, call.word(1), call.u32(2));
}

function recvmmsg(call: SyscallCall): Result {
  const pointer = call.word(4);
  const timeout = isNull(pointer) ? null : readTimespec(call.user, pointer);
  if (typeof timeout === "number") return timeout;
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const count = Math.min(call.u32(2), MESSAGES_MAX);
  let flags = call.u32(3);
  awaitMessages(call, count, false);
  const failed = file.socket.takeError();
  if (failed < 0) return failed;
  const end = timeout === null ? Infinity : call.kernel.clock.monotonic() + timeout.nanoseconds;
  let done = progressOf(call);
  if (done > 0 && (flags & MSG_WAITFORONE) !== 0) flags |= MSG_DONTWAIT;
  while (done < count) {
    const at = addTo(call.word(1), done * MMSGHDR_BYTES);
    const result = receiveOne(call, file, at, flags & ~MSG_WAITFORONE, 0);
    if (result === BLOCKED) return blockedAfter(call, done);
    if (result < 0) return done > 0 ? done : result;
    if (!call.user.writeI32(addTo(at, MSGHDR_BYTES), result)) return done > 0 ? done : -EFAULT;
    done++;
    if ((flags & MSG_WAITFORONE) !== 0) flags |= MSG_DONTWAIT;
    // The timeout is looked at between messages only (recvmmsg(2), BUGS).
    if (call.kernel.clock.monotonic() >= end) break;
  }
  return done;
}

export const messageSyscalls: readonly Definition[] = [
  define({
    number: 44,
    name: "sendto",
    args: [
      fd("sockfd"),
      bufferIn("buf", 2),
      length("len"),
      messageFlags("flags"),
      ...sockaddrIn("dest_addr", 5),
    ],
    handler: sendto,
  }),
  define({
    number: 45,
    name: "recvfrom",
    args: [
      fd("sockfd"),
      bufferOut("buf"),
      length("len"),
      messageFlags("flags"),
      ...sockaddrOut("src_addr", 5),
    ],
    handler: recvfrom,
  }),
  define({
    number: 46,
    name: "sendmsg",
    args: [fd("sockfd"), structIn("msg", "msghdr"), messageFlags("flags")],
    handler: sendmsg,
  }),
  define({
    number: 47,
    name: "recvmsg",
    args: [
      fd("sockfd"),
      { name: "msg", kind: "struct", struct: "msghdr", direction: "out" },
      messageFlags("flags"),
    ],
    handler: recvmsg,
  }),
  define({
    number: 299,
    name: "recvmmsg",
    args: [
      fd("sockfd"),
      { name: "msgvec", kind: "struct", struct: "mmsghdr", direction: "out", count: "result" },
      uint("vlen"),
      messageFlags("flags"),
      structInOut("timeout", "timespec"),
    ],
    handler: recvmmsg,
  }),
  define({
    number: 307,
    name: "sendmmsg",
    args: [
      fd("sockfd"),
      { name: "msgvec", kind: "struct", struct: "mmsghdr", direction: "out", count: "result" },
      uint("vlen"),
      messageFlags("flags"),
    ],
    handler: sendmmsg,
  }),
];
