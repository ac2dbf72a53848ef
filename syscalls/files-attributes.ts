/** Permissions and owners (fs/open.c, fs/attr.c). */

import { CAP_CHOWN, CAP_FSETID } from "../kernel/capabilities.js";
import { EINVAL, EOPNOTSUPP, EPERM, EROFS } from "../kernel/errno.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { PERMISSIONS, S_ISGID, S_ISUID } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../kernel/fs/open-flags.js";
import { actorOf, inGroup, ownerOrCapable } from "../kernel/fs/permission.js";
import { dirfd, fd, gid, octal, path, uid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { locate, readPath, withFile } from "./files-common.js";
import { atFlags } from "./files-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

function changeMode(call: SyscallCall, location: Location | number, mode: number): number {
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  if (location.mount.readOnly) return -EROFS;
  const actor = actorOf(call.task.credentials);
  if (!ownerOrCapable(actor, inode)) return -EPERM;
  if (inode.isSymlink) return -EOPNOTSUPP;
  if (
    inode instanceof RegularInode &&
    ((inode.seals ?? 0) & 0x20) !== 0 &&
    ((inode.mode ^ mode) & 0o111) !== 0
  )
    return -EPERM;
  let permissions = mode & PERMISSIONS;
  if (!inGroup(actor, inode.gid) && !actor.capable(CAP_FSETID)) permissions &= ~S_ISGID;
  return inode.setPermissions(permissions);
}

function chmodPath(call: SyscallCall, dirfdNumber: number, first: number, bits: number): number {
  if ((bits & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  const follow = (bits & AT_SYMLINK_NOFOLLOW) === 0;
  return changeMode(call, locate(call, dirfdNumber, name, follow, bits), call.u32(first + 1));
}

function changeOwner(call: SyscallCall, location: Location | number, user: number, group: number): number {
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  if (location.mount.readOnly) return -EROFS;
  const actor = actorOf(call.task.credentials);
  const newUser = user === 0xffff_ffff ? inode.uid : user;
  const newGroup = group === 0xffff_ffff ? inode.gid : group;
  const capable = actor.capable(CAP_CHOWN);
  const isOwner = actor.uid === inode.uid;
  if (user !== 0xffff_ffff && !capable && !(isOwner && newUser === inode.uid)) return -EPERM;
  if (group !== 0xffff_ffff && !capable && !(isOwner && (newGroup === inode.gid || inGroup(actor, newGroup))))
    return -EPERM;
  if (!inode.isDirectory) {
    const dropped = S_ISUID | ((inode.mode & 0o010) !== 0 ? S_ISGID : 0);
    const result =
      (inode.mode & dropped) === 0 ? 0 : inode.setPermissions(inode.mode & PERMISSIONS & ~dropped);
    if (result < 0) return result;
  }
  return inode.setOwner(newUser, newGroup);
}

function chownPath(call: SyscallCall, dirfdNumber: number, first: number, bits: number): number {
  if ((bits & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  const follow = (bits & AT_SYMLINK_NOFOLLOW) === 0;
  return changeOwner(
    call,
    locate(call, dirfdNumber, name, follow, bits),
    call.u32(first + 1),
    call.u32(first + 2),
  );
}

function umask(call: SyscallCall): number {
  const { fs } = call.task;
  const old = fs.umask;
  fs.umask = call.u32(0) & 0o777;
  return old;
}

const owner = [uid("owner"), gid("group")] as const;

export const attributeSyscalls: readonly Definition[] = [
  define({
    number: 90,
    name: "chmod",
    args: [path("pathname"), octal("mode")],
    handler: (call) => chmodPath(call, AT_FDCWD, 0, 0),
  }),
  define({
    number: 91,
    name: "fchmod",
    args: [fd("fd"), octal("mode")],
    handler: withFile((file, call) => changeMode(call, file.location, call.u32(1))),
  }),
  define({
    number: 92,
    name: "chown",
    args: [path("pathname"), ...owner],
    handler: (call) => chownPath(call, AT_FDCWD, 0, 0),
  }),
  define({
    number: 93,
    name: "fchown",
    args: [fd("fd"), ...owner],
    handler: withFile((file, call) => changeOwner(call, file.location, call.u32(1), call.u32(2))),
  }),
  define({
    number: 94,
    name: "lchown",
    args: [path("pathname"), ...owner],
    handler: (call) => chownPath(call, AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW),
  }),
  define({ number: 95, name: "umask", args: [octal("mask")], returns: "octal", handler: umask }),
  define({
    number: 260,
    name: "fchownat",
    args: [dirfd("dirfd"), path("pathname"), ...owner, atFlags()],
    handler: (call) => chownPath(call, call.fd(0), 1, call.u32(4)),
  }),
  define({
    number: 268,
    name: "fchmodat",
    args: [dirfd("dirfd"), path("pathname"), octal("mode")],
    handler: (call) => chmodPath(call, call.fd(0), 1, 0),
  }),
  define({
    number: 452,
    name: "fchmodat2",
    args: [dirfd("dirfd"), path("pathname"), octal("mode"), atFlags()],
    handler: (call) => chmodPath(call, call.fd(0), 1, call.u32(3)),
  }),
];
