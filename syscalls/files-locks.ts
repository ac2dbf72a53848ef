/** Advisory locks: fcntl's records, those of open file descriptions, flock (fs/locks.c). */

import { EAGAIN, EBADF, EDEADLK, EFAULT, EINVAL, EOVERFLOW } from "../kernel/errno.js";
import type { Inode } from "../kernel/fs/inode.js";
import { findConflict, findOwn, withLock, withoutRange } from "../kernel/fs/locks.js";
import type { Lease } from "../kernel/fs/locks.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import type { BLOCKED } from "../kernel/syscall-dispatch.js";
import { WaitQueue } from "../kernel/wait-queue.js";
import { fd, flags, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { blockOn, fileOf } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;

const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const FLOCK_BYTES = 32;
const OFFSET_MAX = 2n ** 63n - 1n;

type Wanted = Lease & { readonly type: number; readonly statedPid: number };

/** struct flock: what is asked for, or -errno in the order of flock_to_posix_lock. */
function readLock(call: SyscallCall, file: OpenFile, style: "posix" | "description"): Wanted | number {
  const bytes = call.user.read(call.word(2), FLOCK_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const type = view.getInt16(0, true);
  const whence = view.getInt16(2, true);
  const length = view.getBigInt64(16, true);
  if (whence < 0 || whence > 2) return -EINVAL;
  let first = BigInt([0, file.position, file.node.size][whence]) + view.getBigInt64(8, true);
  if (first > OFFSET_MAX) return -EOVERFLOW;
  if (first < 0n) return -EINVAL;
  // The last byte, as the kernel counts; all ones is "to the end of the file".
  let last = length === 0n ? OFFSET_MAX : first + length - 1n;
  if (last > OFFSET_MAX) return -EOVERFLOW;
  if (length < 0n) {
    last = first - 1n;
    first += length;
    if (first < 0n) return -EINVAL;
  }
  const start = Number(first);
  const end = last === OFFSET_MAX ? Infinity : Number(last + 1n);
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return -EINVAL;
  const owner = style === "posix" ? call.task.files.identity : file.identity;
  const lease: Lease = { style, owner, pid: call.task.pid, exclusive: type === F_WRLCK, start, end };
  return { ...lease, type, statedPid: view.getInt32(24, true) };
}

/** F_GETLK: the lock that stands in the way, or that there is none. */
function tellLock(call: SyscallCall, node: Inode, lease: Lease, type: number): number {
  // Who asks an open file description about F_UNLCK asks for its own locks.
  const found = type === F_UNLCK ? findOwn(node.locks, lease) : findConflict(node.locks, lease);
  if (!found) return call.user.writeU16(call.word(2), F_UNLCK) ? 0 : -EFAULT;
  const view = new DataView(new ArrayBuffer(FLOCK_BYTES));
  view.setInt16(0, found.exclusive ? F_WRLCK : F_RDLCK, true);
  view.setBigInt64(8, BigInt(found.start), true);
  view.setBigInt64(16, found.end === Infinity ? 0n : BigInt(found.end - found.start), true);
  view.setInt32(24, found.style === "description" ? -1 : found.pid, true);
  return call.user.writeBytes(call.word(2), new Uint8Array(view.buffer)) ? 0 : -EFAULT;
}

/** The fcntl commands on locks. F_SETLKW waits, and is EDEADLK where its end would wait for itself. */
export function recordLock(call: SyscallCall, file: OpenFile, command: number): number | typeof BLOCKED {
  const description = command >= F_OFD_GETLK;
  const wanted = readLock(call, file, description ? "description" : "posix");
  if (typeof wanted === "number") return wanted;
  const { type, statedPid, ...lease } = wanted;
  const { node } = file;
  if (command === F_GETLK || command === F_OFD_GETLK) {
    if (description ? statedPid !== 0 : type === F_UNLCK) return -EINVAL;
    return tellLock(call, node, lease, type);
  }
  if (type === F_RDLCK && !file.readable) return -EBADF;
  if (type === F_WRLCK && !file.writable) return -EBADF;
  if (description && statedPid !== 0) return -EINVAL;
  if (type === F_UNLCK) {
    node.setLocks(withoutRange(node.locks, lease));
    return 0;
  }
  const conflict = findConflict(node.locks, lease);
  if (!conflict) {
    node.setLocks(withLock(node.locks, lease));
    return 0;
  }
  if (command !== F_SETLKW && command !== F_OFD_SETLKW) return -EAGAIN;
  const { lockWaits } = call.task.fs.namespace;
  if (!description && lockWaits.deadlock(lease, conflict)) return -EDEADLK;
  const result = waitForLock(call, node, "record lock");
  if (!description && call.task.waiting) lockWaits.add(call.task, call.task.waiting, node, lease);
  return result;
}

function waitForLock(call: SyscallCall, node: Inode, reason: string): typeof BLOCKED {
  node.lockQueue ??= new WaitQueue();
  return blockOn(call, [node.lockQueue], reason);
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const LOCK_MAND = 32;

function flock(call: SyscallCall): number | typeof BLOCKED {
  const operation = call.u32(1);
  // Ignored, as since Linux 5.16.
  if ((operation & LOCK_MAND) !== 0) return 0;
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (kind !== LOCK_UN && !file.readable && !file.writable) return -EBADF;
  const { node } = file;
  const lease: Lease = {
    style: "flock",
    owner: file.identity,
    pid: call.task.pid,
    exclusive: kind === LOCK_EX,
    start: 0,
    end: Infinity,
  };
  if (kind !== LOCK_UN && !findConflict(node.locks, lease)) {
    node.setLocks(withLock(node.locks, lease));
    return 0;
  }
  // Changing the kind of a lock gives the old one up first (flock(2)).
  if (findOwn(node.locks, lease)) node.setLocks(withoutRange(node.locks, lease));
  if (kind === LOCK_UN) return 0;
  return (operation & LOCK_NB) !== 0 ? -EAGAIN : waitForLock(call, node, "flock");
}

export const lockSyscalls: readonly Definition[] = [
  define({
    number: 73,
    name: "flock",
    args: [fd("fd"), flags("operation", names("LOCK_???", { LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN }))],
    handler: flock,
  }),
];
