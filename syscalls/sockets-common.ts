/** What the calls on sockets share: descriptors, sockaddrs, making files, waiting. */

import { EFAULT, EINTR, EINVAL, ENOTSOCK } from "../kernel/errno.js";
import { S_IFSOCK } from "../kernel/fs/mode.js";
import { O_NONBLOCK, O_RDWR } from "../kernel/fs/open-flags.js";
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from "../kernel/net/constants.js";
import { senderCredentialsOf } from "../kernel/net/sender-credentials.js";
import type { Socket } from "../kernel/net/socket.js";
import { SocketFile } from "../kernel/net/socket-file.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { SyscallCall } from "./call.js";
import { block, fileOf } from "./files-common.js";
import { internalLocation } from "./files-open.js";

export type Result = number | typeof BLOCKED;

/** sizeof(struct sockaddr_storage) */
const STORAGE_BYTES = 128;

/** The socket of a descriptor; -EBADF, -ENOTSOCK. */
export function socketOf(call: SyscallCall, fd: number): SocketFile | number {
  const file = fileOf(call, fd);
  if (typeof file === "number") return file;
  return file instanceof SocketFile ? file : -ENOTSOCK;
}

/** A sockaddr that the caller gives (move_addr_to_kernel): -EINVAL for a length out of 0 to 128, -EFAULT. */
export function readSockaddr(call: SyscallCall, address: Word, length: number): Uint8Array | number {
  if (length < 0 || length > STORAGE_BYTES) return -EINVAL;
  if (length === 0) return new Uint8Array(0);
  const bytes = call.user.read(address, length);
  return typeof bytes === "number" ? -EFAULT : bytes;
}

/** Gives a sockaddr back, cut to the room that *lengthAt says; *lengthAt becomes its whole length (move_addr_to_user). */
export function writeSockaddr(
  call: SyscallCall,
  sockaddr: Uint8Array,
  address: Word,
  lengthAt: Word,
): number {
  const room = call.user.readI32(lengthAt);
  if (room === null) return -EFAULT;
  if (room < 0) return -EINVAL;
  const shown = sockaddr.subarray(0, room);
  if (shown.length > 0 && !call.user.writeBytes(address, shown)) return -EFAULT;
  return call.user.writeI32(lengthAt, sockaddr.length) ? 0 : -EFAULT;
}

/** The open file of a new socket; SOCK_NONBLOCK counts. */
export function makeSocketFile(call: SyscallCall, socket: Socket, bits: number): SocketFile {
  const location = internalLocation(call, (inode) => `socket:[${inode}]`, S_IFSOCK | 0o777);
  const status = O_RDWR | ((bits & SOCK_NONBLOCK) !== 0 ? O_NONBLOCK : 0);
  return new SocketFile(location, status, socket, call.kernel.network, senderCredentialsOf(call.task));
}

export const closesOnExec = (bits: number): boolean => (bits & SOCK_CLOEXEC) !== 0;

/** Waits for the socket, at most `timeout` nanoseconds; with a timeout a signal ends the call for good. */
export function waitForSocket(
  call: SyscallCall,
  fd: number,
  timeout: number | null,
  progress = 0,
): typeof BLOCKED {
  const deadline = timeout === null ? null : call.kernel.clock.monotonic() + timeout;
  return block(call, [fd], false, progress, deadline, timeout === null ? ERESTARTSYS : EINTR);
}

/** True when a wait for the socket has lasted as long as its option says. */
export function hasTimedOut(call: SyscallCall): boolean {
  return call.resumed?.timedOut ?? false;
}

export const isNull = (address: Word): boolean => isZero(address);

export function addTo(base: Word, offset: number): Word {
  return typeof base === "number" ? base + offset : base + BigInt(offset);
}
