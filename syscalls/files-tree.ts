/** Names: mkdir, unlink, rename, links, nodes (fs/namei.c). */

import { EINVAL, ENOENT, EPERM } from "../kernel/errno.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../kernel/fs/mode.js";
import { makeLink, makeNode, removeDirectory, rename, unlink } from "../kernel/fs/names.js";
import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW } from "../kernel/fs/open-flags.js";
import { actorOf } from "../kernel/fs/permission.js";
import { CAP_DAC_READ_SEARCH, CAP_MKNOD } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { dirfd, hex, octal, path, string } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { locate, readPath, startAt } from "./files-common.js";
import { atFlags, renameFlags, unlinkFlags } from "./files-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

function mkdir(call: SyscallCall, dirfdNumber: number, first: number): number {
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  const start = startAt(call, dirfdNumber, name);
  if (typeof start === "number") return start;
  return makeNode(call.task.fs, start, name, S_IFDIR | (call.u32(first + 1) & 0o1777));
}

function mknod(call: SyscallCall, dirfdNumber: number, first: number): number {
  const mode = call.u32(first + 1) & 0xffff;
  const device = call.u32(first + 2);
  const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) return -EINVAL;
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  const start = startAt(call, dirfdNumber, name);
  if (typeof start === "number") return start;
  const special = type === S_IFCHR || type === S_IFBLK;
  if (special && !actorOf(call.task.credentials).capable(CAP_MKNOD)) return -EPERM;
  const number = { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
  return makeNode(call.task.fs, start, name, type | (mode & 0o7777), special ? { device: number } : {});
}

function unlinkAt(call: SyscallCall, dirfdNumber: number, first: number, directory: boolean): number {
  const name = readPath(call, call.word(first));
  if (typeof name === "number") return name;
  const start = startAt(call, dirfdNumber, name);
  if (typeof start === "number") return start;
  return directory ? removeDirectory(start, name) : unlink(start, name);
}

function unlinkat(call: SyscallCall): number {
  const bits = call.u32(2);
  if ((bits & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  return unlinkAt(call, call.fd(0), 1, bits !== 0);
}

function renameAt(
  call: SyscallCall,
  from: number,
  fromPath: number,
  to: number,
  toPath: number,
  bits: number,
): number {
  const oldName = readPath(call, call.word(fromPath));
  if (typeof oldName === "number") return oldName;
  const newName = readPath(call, call.word(toPath));
  if (typeof newName === "number") return newName;
  const oldStart = startAt(call, from, oldName);
  if (typeof oldStart === "number") return oldStart;
  const newStart = startAt(call, to, newName);
  if (typeof newStart === "number") return newStart;
  return rename(oldStart, oldName, newStart, newName, bits);
}

function linkAt(
  call: SyscallCall,
  from: number,
  fromPath: number,
  to: number,
  toPath: number,
  bits: number,
): number {
  if ((bits & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const oldName = readPath(call, call.word(fromPath));
  if (typeof oldName === "number") return oldName;
  const newName = readPath(call, call.word(toPath));
  if (typeof newName === "number") return newName;
  // CAP_DAC_READ_SEARCH is asked for the descriptor form.
  if (
    (bits & AT_EMPTY_PATH) !== 0 &&
    oldName === "" &&
    !hasCapability(call.task.credentials, CAP_DAC_READ_SEARCH)
  )
    return -ENOENT;
  const source = locate(call, from, oldName, (bits & AT_SYMLINK_FOLLOW) !== 0, bits);
  if (typeof source === "number") return source;
  const start = startAt(call, to, newName);
  return typeof start === "number" ? start : makeLink(start, source, newName);
}

function symlinkAt(call: SyscallCall, targetAt: number, dirfdNumber: number, pathAt: number): number {
  const target = readPath(call, call.word(targetAt));
  if (typeof target === "number") return target;
  if (target === "") return -ENOENT;
  const name = readPath(call, call.word(pathAt));
  if (typeof name === "number") return name;
  const start = startAt(call, dirfdNumber, name);
  if (typeof start === "number") return start;
  return makeNode(call.task.fs, start, name, S_IFLNK | 0o777, { target });
}

export const treeSyscalls: readonly Definition[] = [
  define({
    number: 82,
    name: "rename",
    args: [path("oldpath"), path("newpath")],
    handler: (call) => renameAt(call, AT_FDCWD, 0, AT_FDCWD, 1, 0),
  }),
  define({
    number: 83,
    name: "mkdir",
    args: [path("pathname"), octal("mode")],
    handler: (call) => mkdir(call, AT_FDCWD, 0),
  }),
  define({
    number: 84,
    name: "rmdir",
    args: [path("pathname")],
    handler: (call) => unlinkAt(call, AT_FDCWD, 0, true),
  }),
  define({
    number: 86,
    name: "link",
    args: [path("oldpath"), path("newpath")],
    handler: (call) => linkAt(call, AT_FDCWD, 0, AT_FDCWD, 1, 0),
  }),
  define({
    number: 87,
    name: "unlink",
    args: [path("pathname")],
    handler: (call) => unlinkAt(call, AT_FDCWD, 0, false),
  }),
  define({
    number: 88,
    name: "symlink",
    args: [string("target"), path("linkpath")],
    handler: (call) => symlinkAt(call, 0, AT_FDCWD, 1),
  }),
  define({
    number: 133,
    name: "mknod",
    args: [path("pathname"), octal("mode"), hex("dev")],
    handler: (call) => mknod(call, AT_FDCWD, 0),
  }),
  define({
    number: 258,
    name: "mkdirat",
    args: [dirfd("dirfd"), path("pathname"), octal("mode")],
    handler: (call) => mkdir(call, call.fd(0), 1),
  }),
  define({
    number: 259,
    name: "mknodat",
    args: [dirfd("dirfd"), path("pathname"), octal("mode"), hex("dev")],
    handler: (call) => mknod(call, call.fd(0), 1),
  }),
  define({
    number: 263,
    name: "unlinkat",
    args: [dirfd("dirfd"), path("pathname"), unlinkFlags],
    handler: unlinkat,
  }),
  define({
    number: 264,
    name: "renameat",
    args: [dirfd("olddirfd"), path("oldpath"), dirfd("newdirfd"), path("newpath")],
    handler: (call) => renameAt(call, call.fd(0), 1, call.fd(2), 3, 0),
  }),
  define({
    number: 265,
    name: "linkat",
    args: [dirfd("olddirfd"), path("oldpath"), dirfd("newdirfd"), path("newpath"), atFlags()],
    handler: (call) => linkAt(call, call.fd(0), 1, call.fd(2), 3, call.u32(4)),
  }),
  define({
    number: 266,
    name: "symlinkat",
    args: [string("target"), dirfd("newdirfd"), path("linkpath")],
    handler: (call) => symlinkAt(call, 0, call.fd(1), 2),
  }),
  define({
    number: 316,
    name: "renameat2",
    args: [dirfd("olddirfd"), path("oldpath"), dirfd("newdirfd"), path("newpath"), renameFlags],
    handler: (call) => renameAt(call, call.fd(0), 1, call.fd(2), 3, call.u32(4)),
  }),
];
