/** Where a task stands and what is there: directories' names, links' targets, chdir, chroot (fs/readdir.c, fs/open.c). */

import { CAP_SYS_CHROOT } from "../kernel/capabilities.js";
import { EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE } from "../kernel/errno.js";
import { bytesOf } from "../kernel/fs/bytes.js";
import { DirectoryOpenFile } from "../kernel/fs/directory-open-file.js";
import { SymlinkInode } from "../kernel/fs/inode.js";
import { directoryEntryType, MAY_EXECUTE } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { pathOf } from "../kernel/fs/mount.js";
import { AT_EMPTY_PATH, AT_FDCWD } from "../kernel/fs/open-flags.js";
import { permission } from "../kernel/fs/permission.js";
import { bufferOut, dirfd, fd, length, path, structOut, address, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath, startAt } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

/** Directory entries in user memory; -EINVAL where the first does not fit. */
function getdents(call: SyscallCall, wide: boolean): number {
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!(file instanceof DirectoryOpenFile)) return -ENOTDIR;
  if (file.location.dentry.deleted) return -ENOENT;
  const entries = file.list();
  if (typeof entries === "number") return entries;
  const room = Math.min(call.u32(2), 1 << 20);
  const out = new Uint8Array(room);
  const view = new DataView(out.buffer);
  const nameAt = wide ? 19 : 18;
  let used = 0;
  let taken = 0;
  let tooLong = false;
  for (const entry of entries) {
    if (!file.isCurrent(entry)) {
      taken++;
      continue;
    }
    // getdents has the type in its last byte, behind the name.
    const size = Math.ceil((nameAt + entry.name.length + (wide ? 1 : 2)) / 8) * 8;
    tooLong = used + size > room;
    if (tooLong) break;
    view.setBigUint64(used, BigInt(entry.inode), true);
    view.setBigInt64(used + 8, BigInt(file.position + taken + 1), true);
    view.setUint16(used + 16, size, true);
    out.set(bytesOf(entry.name), used + nameAt);
    out[wide ? used + 18 : used + size - 1] = directoryEntryType(entry.type);
    used += size;
    taken++;
  }
  if (used === 0 && tooLong) return -EINVAL;
  if (!call.user.writeBytes(call.word(1), out.subarray(0, used))) return -EFAULT;
  file.position += taken;
  return used;
}

function getcwd(call: SyscallCall): number {
  const { cwd, root } = call.task.fs;
  const { path: text, reachable, deleted } = pathOf(cwd, root);
  if (deleted) return -ENOENT;
  const bytes = bytesOf(`${reachable ? "" : "(unreachable)"}${text}\0`);
  if (bytes.length > call.n(1)) return -ERANGE;
  return call.user.writeBytes(call.word(0), bytes) ? bytes.length : -EFAULT;
}

function chdir(call: SyscallCall): number {
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  return moveTo(call, locate(call, AT_FDCWD, name, true), "cwd");
}

function moveTo(call: SyscallCall, location: Location | number, what: "cwd" | "root"): number {
  if (typeof location === "number") return location;
  if (!location.dentry.inode.isDirectory) return -ENOTDIR;
  const start = startAt(call, AT_FDCWD, "/");
  if (typeof start === "number") return start;
  const allowed = permission(start.actor, location.dentry.inode, MAY_EXECUTE);
  if (allowed < 0) return allowed;
  if (what === "root" && !start.actor.capable(CAP_SYS_CHROOT)) return -EPERM;
  call.task.fs[what] = location;
  return 0;
}

function fchdir(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0), true);
  return typeof file === "number" ? file : moveTo(call, file.location, "cwd");
}

function chroot(call: SyscallCall): number {
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  return moveTo(call, locate(call, AT_FDCWD, name, true), "root");
}

function readlink(call: SyscallCall, dirfdNumber: number, first: number): number {
  const size = call.i32(first + 2);
  if (size <= 0) return -EINVAL;
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  // readlinkat(fd, "") reads the link that an O_PATH descriptor names.
  const location = locate(call, dirfdNumber, name, false, dirfdNumber === AT_FDCWD ? 0 : AT_EMPTY_PATH);
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  if (!(inode instanceof SymlinkInode)) return name === "" ? -ENOENT : -EINVAL;
  const target = inode.readLink();
  if (typeof target === "number") return target;
  const bytes = bytesOf(target).subarray(0, size);
  return call.user.writeBytes(call.word(first + 1), bytes) ? bytes.length : -EFAULT;
}

export const placeSyscalls: readonly Definition[] = [
  define({
    number: 78,
    name: "getdents",
    args: [fd("fd"), address("dirp"), uint("count")],
    handler: (call) => getdents(call, false),
  }),
  define({ number: 79, name: "getcwd", args: [bufferOut("buf", "string"), length("size")], handler: getcwd }),
  define({ number: 80, name: "chdir", args: [path("path")], handler: chdir }),
  define({ number: 81, name: "fchdir", args: [fd("fd")], handler: fchdir }),
  define({
    number: 89,
    name: "readlink",
    args: [path("pathname"), bufferOut("buf"), length("bufsiz")],
    handler: (call) => readlink(call, AT_FDCWD, 0),
  }),
  define({ number: 161, name: "chroot", args: [path("path")], handler: chroot }),
  define({
    number: 217,
    name: "getdents64",
    args: [fd("fd"), structOut("dirp", "dirents", "result"), uint("count")],
    handler: (call) => getdents(call, true),
  }),
  define({
    number: 267,
    name: "readlinkat",
    args: [dirfd("dirfd"), path("pathname"), bufferOut("buf"), length("bufsiz")],
    handler: (call) => readlink(call, call.fd(0), 1),
  }),
];
