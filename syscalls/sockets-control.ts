/** Control messages: descriptors and credentials beside the data (net/core/scm.c, cmsg(3)). */

import { EBADF, EFAULT, EINVAL, ENOBUFS, EPERM, ESRCH, ETOOMANYREFS } from "../kernel/errno.js";
import { hasCapability } from "../kernel/credentials.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { RLIMIT_NOFILE } from "../kernel/limits.js";
import type { Word } from "../kernel/mm/word.js";
import {
  CAP_SETGID,
  CAP_SETUID,
  CAP_SYS_ADMIN,
  CAP_SYS_RESOURCE,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../kernel/net/constants.js";
import { FileRights } from "../kernel/net/file-rights.js";
import type { SenderCredentials } from "../kernel/net/sender-credentials.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { addTo, isNull } from "./sockets-common.js";

/** sizeof(struct cmsghdr) */
const HEADER_BYTES = 16;
const UCRED_BYTES = 12;
/** net.core.optmem_max */
const CONTROL_MAX = 131_072;

const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** What a sender's control messages ask for. */
export interface SentControl {
  readonly files: readonly OpenFile[];
  readonly credentials: SenderCredentials | null;
}

/** Reads msg_control of a unix socket's sender (__scm_send): -EFAULT, -EINVAL, -ENOBUFS, -EBADF, -EPERM, -ESRCH. */
export function readControl(call: SyscallCall, address: Word, length: number): SentControl | number {
  if (length > CONTROL_MAX) return -ENOBUFS;
  const bytes = call.user.read(address, length);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: OpenFile[] = [];
  let credentials: SenderCredentials | null = null;
  for (let at = 0; at + HEADER_BYTES <= length;) {
    const size = Number(view.getBigUint64(at, true));
    if (size < HEADER_BYTES || size > length - at) return -EINVAL;
    const level = view.getInt32(at + 8, true);
    const type = view.getInt32(at + 12, true);
    if (level === SOL_SOCKET) {
      if (type === SCM_RIGHTS) {
        const found = filesOf(call, view, at + HEADER_BYTES, size - HEADER_BYTES, files);
        if (found < 0) return found;
      } else if (type === SCM_CREDENTIALS) {
        if (size !== HEADER_BYTES + UCRED_BYTES) return -EINVAL;
        const claimed = claimedCredentials(call, view, at + HEADER_BYTES);
        if (typeof claimed === "number") return claimed;
        credentials = claimed;
      } else return -EINVAL;
    }
    at += aligned(size);
  }
  return { files, credentials };
}

function filesOf(call: SyscallCall, view: DataView, at: number, length: number, into: OpenFile[]): number {
  const count = Math.floor(length / 4);
  if (count > SCM_MAX_FD || into.length + count > SCM_MAX_FD) return -EINVAL;
  for (let i = 0; i < count; i++) {
    const file = call.task.files.get(view.getInt32(at + 4 * i, true));
    if (file === undefined) return -EBADF;
    into.push(file);
  }
  return 0;
}

/** Only one's own ids, unless a capability allows others' (scm_check_creds). */
function claimedCredentials(call: SyscallCall, view: DataView, at: number): SenderCredentials | number {
  const claimed = {
    pid: view.getInt32(at, true),
    uid: view.getInt32(at + 4, true),
    gid: view.getInt32(at + 8, true),
  };
  const { credentials: own, pid } = call.task;
  if (claimed.uid === -1 || claimed.gid === -1) return -EINVAL;
  const mayPid = claimed.pid === pid || hasCapability(own, CAP_SYS_ADMIN);
  const mayUid = [own.uid, own.euid, own.suid].includes(claimed.uid) || hasCapability(own, CAP_SETUID);
  const mayGid = [own.gid, own.egid, own.sgid].includes(claimed.gid) || hasCapability(own, CAP_SETGID);
  if (!mayPid || !mayUid || !mayGid) return -EPERM;
  const exists =
    claimed.pid === pid || [...call.kernel.tasks.values()].some((task) => task.pid === claimed.pid);
  return exists ? claimed : -ESRCH;
}

/** Takes the files on their way; -ETOOMANYREFS beyond RLIMIT_NOFILE files in flight. */
export function takeRights(call: SyscallCall, files: readonly OpenFile[]): FileRights | number | null {
  if (files.length === 0) return null;
  const { network } = call.kernel;
  const { credentials, limits } = call.task;
  const privileged =
    hasCapability(credentials, CAP_SYS_RESOURCE) || hasCapability(credentials, CAP_SYS_ADMIN);
  if (!privileged && network.inFlight > limits.soft(RLIMIT_NOFILE)) return -ETOOMANYREFS;
  return new FileRights(files, network);
}

/** The control messages that a receiver gets, as far as there is room (put_cmsg). */
export class ControlWriter {
  /** Bytes written. */
  used = 0;
  /** MSG_CTRUNC once something had no room. */
  flags = 0;

  constructor(
    private readonly call: SyscallCall,
    private readonly address: Word,
    private readonly room: number,
  ) {}

  put(level: number, type: number, data: Uint8Array): number {
    const left = this.room - this.used;
    if (isNull(this.address) || left < HEADER_BYTES) {
      this.flags |= MSG_CTRUNC;
      return 0;
    }
    let size = HEADER_BYTES + data.length;
    if (left < size) {
      this.flags |= MSG_CTRUNC;
      size = left;
    }
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(size), true);
    view.setInt32(8, level, true);
    view.setInt32(12, type, true);
    bytes.set(data.subarray(0, size - HEADER_BYTES), HEADER_BYTES);
    if (!this.call.user.writeBytes(addTo(this.address, this.used), bytes)) return -EFAULT;
    this.used += Math.min(aligned(HEADER_BYTES + data.length), left);
    return 0;
  }

  /** Gives the files descriptors, as many as there is room and numbers for; the others are dropped (scm_detach_fds). */
  putRights(rights: FileRights, flags: number): void {
    const left = this.room - this.used;
    const most = isNull(this.address) || left <= HEADER_BYTES ? 0 : Math.floor((left - HEADER_BYTES) / 4);
    const { call } = this;
    const limit = descriptorLimit(call);
    const at = addTo(this.address, this.used);
    let count = 0;
    while (count < most && count < rights.files.length) {
      const closes = (flags & MSG_CMSG_CLOEXEC) !== 0;
      const number = call.task.files.install(rights.files[count]!, closes, limit);
      if (number < 0) break;
      if (!call.user.writeI32(addTo(at, HEADER_BYTES + 4 * count), number)) {
        call.task.files.close(number);
        break;
      }
      count++;
    }
    if (count > 0) {
      const header = new Uint8Array(HEADER_BYTES);
      const view = new DataView(header.buffer);
      view.setBigUint64(0, BigInt(HEADER_BYTES + 4 * count), true);
      view.setInt32(8, SOL_SOCKET, true);
      view.setInt32(12, SCM_RIGHTS, true);
      call.user.writeBytes(at, header);
      this.used += Math.min(aligned(HEADER_BYTES + 4 * count), left);
    }
    if (count < rights.files.length) this.flags |= MSG_CTRUNC;
  }
}
