/** fcntl: descriptor flags, status flags, pipe sizes, seals (fs/fcntl.c). Its locks are in files-locks.ts. */

import { EBADF, EBUSY, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { CAP_SYS_RESOURCE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { RegularInode } from "../kernel/fs/inode.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { O_NOATIME, SETTABLE_FLAGS } from "../kernel/fs/open-flags.js";
import { actorOf, ownerOrCapable } from "../kernel/fs/permission.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { F_SEAL_FUTURE_WRITE, F_SEAL_SEAL, F_SEAL_WRITE } from "../kernel/fs/seals.js";
import { VM_MAYWRITE, VM_SHARED } from "../kernel/mm/vm-flags.js";
import type { BLOCKED } from "../kernel/syscall-dispatch.js";
import { choice, dependent, fd, flags, names } from "./argument.js";
import type { ArgumentKind } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import {
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETLK,
  F_SETLKW,
  recordLock,
} from "./files-locks.js";
import { openFlags } from "./files-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_GETOWN = 9;
const F_DUPFD_QUERY = 1027;
const F_DUPFD_CLOEXEC = 1030;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
/** The only commands that an O_PATH descriptor takes. */
const PATH_COMMANDS = new Set([F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_QUERY, F_GETFD, F_SETFD, F_GETFL]);

function fcntl(call: SyscallCall): number | typeof BLOCKED {
  const number = call.fd(0);
  const command = call.u32(1);
  const { files } = call.task;
  const file = files.get(number);
  if (!file || (file.isPath && !PATH_COMMANDS.has(command))) return -EBADF;
  const value = call.u32(2);
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (value >= descriptorLimit(call)) return -EINVAL;
      return files.install(file, command === F_DUPFD_CLOEXEC, descriptorLimit(call), value);
    case F_DUPFD_QUERY: {
      const other = files.get(value | 0);
      return other ? Number(other === file) : -EBADF;
    }
    case F_GETFD:
      return files.closesOnExec(number) ? 1 : 0;
    case F_SETFD:
      files.setCloseOnExec(number, (value & 1) !== 0);
      return 0;
    case F_GETFL:
      return file.flags;
    case F_SETFL:
      if (
        (value & ~file.flags & O_NOATIME) !== 0 &&
        !ownerOrCapable(actorOf(call.task.credentials), file.node)
      )
        return -EPERM;
      file.flags = (file.flags & ~SETTABLE_FLAGS) | (value & SETTABLE_FLAGS);
      return 0;
    case F_GETOWN:
      return file.signalOwner;
    case F_SETOWN:
      return setOwner(call, file, value | 0);
    case F_GETLK:
    case F_OFD_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return recordLock(call, file, command);
    case F_GETPIPE_SZ:
      return file instanceof PipeFile ? file.pipe.capacity : -EBADF;
    case F_SETPIPE_SZ:
      return file instanceof PipeFile ? setPipeSize(call, file, value) : -EBADF;
    case F_GET_SEALS:
      return file.node instanceof RegularInode ? (file.node.seals ?? -EINVAL) : -EINVAL;
    case F_ADD_SEALS:
      return addSeals(call, file, value);
    default:
      return -EINVAL;
  }
}

/** F_SETOWN: a process, or a group as a negative number, that there is; 0 for nobody (f_setown). */
function setOwner(call: SyscallCall, file: OpenFile, who: number): number {
  if (who === -0x8000_0000) return -EINVAL;
  const processes = [...call.kernel.processes.values()];
  const known =
    who === 0 || processes.some(({ pid, processGroup }) => (who > 0 ? pid === who : processGroup === -who));
  if (!known) return -ESRCH;
  file.signalOwner = who;
  return 0;
}

/** Rounded up to a power of two of pages; to grow past /proc/sys/fs/pipe-max-size needs CAP_SYS_RESOURCE. */
function setPipeSize(call: SyscallCall, { pipe }: PipeFile, wanted: number): number {
  if (wanted > 0x8000_0000) return -EINVAL;
  let size = 4096;
  while (size < wanted) size *= 2;
  const { credentials, fs } = call.task;
  if (size > pipe.capacity && size > fs.namespace.pipeMaximum)
    if (!hasCapability(credentials, CAP_SYS_RESOURCE)) return -EPERM;
  if (size / 4096 < pipe.slotsUsed) return -EBUSY;
  pipe.capacity = size;
  pipe.queue.wake();
  return size;
}

/** Somebody maps the file shared and may write through the mapping (mapping_deny_writable). */
function hasWritableMapping(call: SyscallCall, inode: RegularInode): boolean {
  const wanted = VM_SHARED | VM_MAYWRITE;
  for (const task of call.kernel.tasks.values())
    for (const area of task.mm.areas())
      if (area.pages === inode.pages && (area.flags & wanted) === wanted) return true;
  return false;
}

function addSeals(call: SyscallCall, file: OpenFile, seals: number): number {
  if (!file.writable) return -EPERM;
  if ((seals & ~0x3f) !== 0) return -EINVAL;
  const { node } = file;
  if (!(node instanceof RegularInode) || node.seals === undefined) return -EINVAL;
  if ((node.seals & F_SEAL_SEAL) !== 0) return -EPERM;
  // A seal against execution of a file that can be executed also keeps it from being written (memfd_add_seals).
  if ((seals & 0x20) !== 0 && (node.mode & 0o111) !== 0) seals |= 0xe | F_SEAL_FUTURE_WRITE;
  if ((seals & F_SEAL_WRITE) !== 0 && (node.seals & F_SEAL_WRITE) === 0 && hasWritableMapping(call, node))
    return -EBUSY;
  node.seals |= seals;
  return 0;
}

const COMMANDS = names("F_???", {
  F_DUPFD,
  F_GETFD,
  F_SETFD,
  F_GETFL,
  F_SETFL,
  F_GETLK,
  F_SETLK,
  F_SETLKW,
  F_SETOWN,
  F_GETOWN,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_DUPFD_QUERY,
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  F_GETPIPE_SZ,
  F_ADD_SEALS,
  F_GET_SEALS,
});
const kindOf = ({ name: _name, ...kind }: ReturnType<typeof flags>): ArgumentKind => kind as ArgumentKind;
const lockPointer: ArgumentKind = { kind: "struct", struct: "flock", direction: "inout" };
const nothing: ArgumentKind = { kind: "unused" };
const integer: ArgumentKind = { kind: "int" };
const fcntlArgument = dependent("arg", 1, [
  [F_DUPFD, integer],
  [F_DUPFD_CLOEXEC, integer],
  [F_GETFD, nothing],
  [F_SETFD, kindOf(flags("", names("FD_???", { FD_CLOEXEC: 1 })))],
  [F_GETFL, nothing],
  [F_SETFL, kindOf(openFlags())],
  [F_GETLK, lockPointer],
  [F_SETLK, lockPointer],
  [F_SETLKW, lockPointer],
  [F_OFD_GETLK, lockPointer],
  [F_OFD_SETLK, lockPointer],
  [F_OFD_SETLKW, lockPointer],
  [F_GETPIPE_SZ, nothing],
  [F_SETPIPE_SZ, integer],
  [F_GET_SEALS, nothing],
  [
    F_ADD_SEALS,
    kindOf(
      flags(
        "",
        names("F_SEAL_???", {
          F_SEAL_SEAL: 1,
          F_SEAL_SHRINK: 2,
          F_SEAL_GROW: 4,
          F_SEAL_WRITE: 8,
          F_SEAL_FUTURE_WRITE: 16,
          F_SEAL_EXEC: 32,
        }),
      ),
    ),
  ],
]);

export const controlSyscalls: readonly Definition[] = [
  define({
    number: 72,
    name: "fcntl",
    args: [fd("fd"), choice("cmd", COMMANDS), fcntlArgument],
    handler: fcntl,
  }),
];
