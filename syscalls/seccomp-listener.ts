/** The requests of a seccomp listener, seccomp_unotify(2) (kernel/seccomp.c seccomp_notify_ioctl). */

import { E2BIG, EBADF, EFAULT, EINPROGRESS, EINVAL, ENOENT } from "../kernel/errno.js";
import { O_CLOEXEC, POLLOUT } from "../kernel/fs/open-flags.js";
import { RLIMIT_NOFILE } from "../kernel/limits.js";
import type { SeccompListenerFile } from "../kernel/seccomp/listener-file.js";
import { DESERTED, USER_NOTIF_CONTINUE, type SeccompNotification } from "../kernel/seccomp/listener.js";
import type { SyscallCall } from "./call.js";
import { block } from "./files-common.js";
import { readView, writeBytes } from "./structs.js";

const SECCOMP_IOCTL_NOTIF_RECV = 0xc050_2100;
const SECCOMP_IOCTL_NOTIF_SEND = 0xc018_2101;
const SECCOMP_IOCTL_NOTIF_ID_VALID = 0x4008_2102;
const SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR = 0x8008_2102;
const SECCOMP_IOCTL_NOTIF_ADDFD = 0x4018_2103;
const SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x4008_2104;
export const SECCOMP_REQUESTS = {
  SECCOMP_IOCTL_NOTIF_RECV,
  SECCOMP_IOCTL_NOTIF_SEND,
  SECCOMP_IOCTL_NOTIF_ID_VALID,
  SECCOMP_IOCTL_NOTIF_ADDFD,
  SECCOMP_IOCTL_NOTIF_SET_FLAGS,
} as const;

const NOTIFICATION_BYTES = 80;
const RESPONSE_BYTES = 24;
const ADDFD_BYTES = 24;
const PAGE_BYTES = 4096;
/** SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: which of two wakes first, which makes no difference here. */
const SYNC_WAKE_UP = 1n;
const ADDFD_SETFD = 1;
const ADDFD_SEND = 2;
/** Where an ioctl's number has the size of its argument. */
const SIZE_SHIFT = 16;
const SIZE_MASK = 0x3fff;
const NUMBER_MASK = 0xffff;

/** EINVAL for unknown requests. A new field at the end makes ADDFD longer: any size of it is known. */
export function listenerIoctl(call: SyscallCall, file: SeccompListenerFile, request: number): number {
  switch (request) {
    case SECCOMP_IOCTL_NOTIF_RECV:
      return receive(call, file);
    case SECCOMP_IOCTL_NOTIF_SEND:
      return send(call, file);
    case SECCOMP_IOCTL_NOTIF_ID_VALID:
    case SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR: {
      const id = call.user.readU64(call.word(2));
      if (id === null) return -EFAULT;
      return file.listener.find(id)?.state === "sent" ? 0 : -ENOENT;
    }
    case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
      return (call.u64(2) & ~SYNC_WAKE_UP) === 0n ? 0 : -EINVAL;
  }
  const addsDescriptor = (request & NUMBER_MASK) === (SECCOMP_IOCTL_NOTIF_ADDFD & NUMBER_MASK);
  return addsDescriptor ? addDescriptor(call, file, (request >>> SIZE_SHIFT) & SIZE_MASK) : -EINVAL;
}

/** EFAULT; EINVAL (what is to be filled is not zero); waits; ENOENT (nobody is left to ask); EFAULT. */
function receive(call: SyscallCall, file: SeccompListenerFile): number {
  const { listener } = file;
  const at = call.word(2);
  const bytes = call.user.read(at, NOTIFICATION_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  if (bytes.some((byte) => byte !== 0)) return -EINVAL;
  const notification = listener.pending;
  if (notification === null) return listener.deserted ? DESERTED : block(call, [call.fd(0)], false);
  const view = new DataView(new ArrayBuffer(NOTIFICATION_BYTES));
  view.setBigUint64(0, BigInt(notification.id), true);
  view.setUint32(8, notification.task.tid, true);
  const record = new Uint8Array(view.buffer);
  record.set(notification.data, 16);
  if (writeBytes(call.user, at, record) !== 0) return -EFAULT;
  notification.state = "sent";
  listener.queue.wake(POLLOUT);
  // From now on only its end may interrupt it, if the filter says so.
  const { waiting } = notification.task;
  if (listener.filter.waitsKillable && waiting?.kind === "queue") waiting.interrupted = 0;
  return 0;
}

/** ENOENT: its task is gone, or was interrupted; EINPROGRESS: it was not received yet, or is answered. */
function answerable(file: SeccompListenerFile, id: bigint): SeccompNotification | number {
  const notification = file.listener.find(id);
  if (notification === null) return -ENOENT;
  return notification.state === "sent" ? notification : -EINPROGRESS;
}

function send(call: SyscallCall, file: SeccompListenerFile): number {
  const view = readView(call.user, call.word(2), RESPONSE_BYTES);
  if (typeof view === "number") return view;
  const value = view.getBigInt64(8, true);
  const error = view.getInt32(16, true);
  const flags = view.getUint32(20, true);
  if ((flags & ~USER_NOTIF_CONTINUE) !== 0) return -EINVAL;
  if ((flags & USER_NOTIF_CONTINUE) !== 0 && (error !== 0 || value !== 0n)) return -EINVAL;
  const notification = answerable(file, view.getBigUint64(0, true));
  if (typeof notification === "number") return notification;
  file.listener.reply(notification, error, value, flags);
  return 0;
}

/** SECCOMP_IOCTL_NOTIF_ADDFD: the asker gets a descriptor of a file of the caller's. @returns its number there */
function addDescriptor(call: SyscallCall, file: SeccompListenerFile, size: number): number {
  if (size < ADDFD_BYTES || size >= PAGE_BYTES) return -EINVAL;
  const view = readView(call.user, call.word(2), size);
  if (typeof view === "number") return view;
  for (let at = ADDFD_BYTES; at < size; at++) if (view.getUint8(at) !== 0) return -E2BIG;
  const flags = view.getUint32(8, true);
  const wanted = view.getUint32(16, true);
  const newFlags = view.getUint32(20, true);
  if ((newFlags & ~O_CLOEXEC) !== 0 || (flags & ~(ADDFD_SETFD | ADDFD_SEND)) !== 0) return -EINVAL;
  if (wanted !== 0 && (flags & ADDFD_SETFD) === 0) return -EINVAL;
  const source = call.fileAt(view.getUint32(12, true) | 0);
  if (source === undefined || source.isPath) return -EBADF;
  const notification = answerable(file, view.getBigUint64(0, true));
  if (typeof notification === "number") return notification;
  const { task } = notification;
  const limit = task.limits.soft(RLIMIT_NOFILE);
  const closes = (newFlags & O_CLOEXEC) !== 0;
  if ((flags & ADDFD_SETFD) !== 0 && wanted >= limit) return -EBADF;
  let fd = wanted;
  if ((flags & ADDFD_SETFD) !== 0) task.files.set(wanted, source, closes);
  else fd = task.files.install(source, closes, limit);
  if (fd >= 0 && (flags & ADDFD_SEND) !== 0) file.listener.reply(notification, 0, BigInt(fd), 0);
  return fd;
}
