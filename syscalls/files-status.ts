/** What files are: the stat family, access, directories' names, links' targets, file systems (fs/stat.c, fs/readdir.c). */

import { CAP_SYS_CHROOT } from "../kernel/capabilities.js";
import {
  EFAULT,
  EINVAL,
  ENODATA,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
  EACCES,
  EBADF,
} from "../kernel/errno.js";
import { bytesOf } from "../kernel/fs/bytes.js";
import { DirectoryOpenFile } from "../kernel/fs/directory-open-file.js";
import type { DeviceNumber, Inode } from "../kernel/fs/inode.js";
import { SymlinkInode } from "../kernel/fs/inode.js";
import { directoryEntryType, MAY_EXECUTE, MAY_READ, MAY_WRITE } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { pathOf } from "../kernel/fs/mount.js";
import { accessTo } from "../kernel/fs/namespace.js";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
} from "../kernel/fs/open-flags.js";
import { permission, realActorOf } from "../kernel/fs/permission.js";
import type { Timestamp } from "../kernel/fs/timestamp.js";
import { isZero } from "../kernel/mm/word.js";
import {
  bufferOut,
  dirfd,
  fd,
  flags,
  int,
  length,
  names,
  path,
  string,
  structOut,
  address,
  uint,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath, startAt } from "./files-common.js";
import { accessFlags, accessMode, atFlags, statxFlags } from "./files-names.js";
import { writeBytes } from "./structs.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const STAT_BYTES = 144;
const STATX_BYTES = 256;
const STATFS_BYTES = 120;
const BLOCK_SIZE = 4096;

/** A device number as stat shows it (new_encode_dev, 64 bits are never needed). */
function encodeDevice({ major, minor }: DeviceNumber): bigint {
  return BigInt((minor & 0xff) | ((major & 0xfff) << 8)) | (BigInt(minor >>> 8) << 20n);
}

function putTime(view: DataView, at: number, time: Timestamp): void {
  view.setBigInt64(at, BigInt(time.seconds), true);
  view.setBigInt64(at + 8, BigInt(time.nanoseconds), true);
}

/** struct stat of x86-64. */
export function statBytes(inode: Inode): Uint8Array {
  const view = new DataView(new ArrayBuffer(STAT_BYTES));
  view.setBigUint64(0, encodeDevice(inode.fileSystem.device), true);
  view.setBigUint64(8, BigInt(inode.number), true);
  view.setBigUint64(16, BigInt(inode.links), true);
  view.setUint32(24, inode.mode, true);
  view.setUint32(28, inode.uid, true);
  view.setUint32(32, inode.gid, true);
  view.setBigUint64(40, encodeDevice(inode.deviceNumber), true);
  view.setBigInt64(48, BigInt(inode.size), true);
  view.setBigInt64(56, BigInt(blockSizeOf(inode)), true);
  view.setBigInt64(64, BigInt(inode.blocks), true);
  putTime(view, 72, inode.accessed);
  putTime(view, 88, inode.modified);
  putTime(view, 104, inode.changed);
  return new Uint8Array(view.buffer);
}

function blockSizeOf(inode: Inode): number {
  return inode.fileSystem.typeName === "proc" ? 1024 : BLOCK_SIZE;
}

const STATX_BASIC = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_MNT_ID = 0x1000;
const STATX_RESERVED = 0x8000_0000;

function statxBytes({ mount, dentry: { inode } }: Location, isMountRoot: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(STATX_BYTES));
  const time = (at: number, moment: Timestamp): void => {
    view.setBigInt64(at, BigInt(moment.seconds), true);
    view.setUint32(at + 8, moment.nanoseconds, true);
  };
  view.setUint32(0, STATX_BASIC | STATX_BTIME | STATX_MNT_ID, true);
  view.setUint32(4, blockSizeOf(inode), true);
  // STATX_ATTR_MOUNT_ROOT
  view.setBigUint64(8, isMountRoot ? 0x2000n : 0n, true);
  view.setUint32(16, inode.links, true);
  view.setUint32(20, inode.uid, true);
  view.setUint32(24, inode.gid, true);
  view.setUint16(28, inode.mode, true);
  view.setBigUint64(32, BigInt(inode.number), true);
  view.setBigUint64(40, BigInt(inode.size), true);
  view.setBigUint64(48, BigInt(inode.blocks), true);
  view.setBigUint64(56, 0x2000n, true);
  time(64, inode.accessed);
  time(80, inode.born);
  time(96, inode.changed);
  time(112, inode.modified);
  view.setUint32(128, inode.deviceNumber.major, true);
  view.setUint32(132, inode.deviceNumber.minor, true);
  view.setUint32(136, inode.fileSystem.device.major, true);
  view.setUint32(140, inode.fileSystem.device.minor, true);
  view.setBigUint64(144, BigInt(mount.id), true);
  return new Uint8Array(view.buffer);
}

function giveStat(call: SyscallCall, location: Location | number, at: number): number {
  if (typeof location === "number") return location;
  return writeBytes(call.user, call.word(at), statBytes(location.dentry.inode));
}

function statPath(call: SyscallCall, follow: boolean): number {
  const name = readPath(call, call.word(0));
  return typeof name === "number" ? name : giveStat(call, locate(call, AT_FDCWD, name, follow), 1);
}

function fstat(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0), true);
  return typeof file === "number" ? file : giveStat(call, file.location, 1);
}

/** A NULL path counts as an empty one with AT_EMPTY_PATH (since 6.11). */
function pathOrEmpty(call: SyscallCall, at: number, bits: number): string | number {
  if ((bits & AT_EMPTY_PATH) !== 0 && isZero(call.word(at))) return "";
  return readPath(call, call.word(at));
}

function newfstatat(call: SyscallCall): number {
  const bits = call.u32(3);
  if ((bits & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0)
    return -EINVAL;
  const name = pathOrEmpty(call, 1, bits);
  if (typeof name === "number") return name;
  return giveStat(call, locate(call, call.fd(0), name, (bits & AT_SYMLINK_NOFOLLOW) === 0, bits), 2);
}

function statx(call: SyscallCall): number {
  const bits = call.u32(2);
  if ((call.u32(3) & STATX_RESERVED) !== 0) return -EINVAL;
  if ((bits & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  if ((bits & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0)
    return -EINVAL;
  const name = pathOrEmpty(call, 1, bits);
  if (typeof name === "number") return name;
  const location = locate(call, call.fd(0), name, (bits & AT_SYMLINK_NOFOLLOW) === 0, bits);
  if (typeof location === "number") return location;
  const isRoot = location.dentry === location.mount.root;
  return writeBytes(call.user, call.word(4), statxBytes(location, isRoot));
}

function access(call: SyscallCall, dirfdNumber: number, pathAt: number, mode: number, bits: number): number {
  if ((mode & ~7) !== 0) return -EINVAL;
  if ((bits & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const name = pathOrEmpty(call, pathAt, bits);
  if (typeof name === "number") return name;
  const start = startAt(call, dirfdNumber, name);
  if (typeof start === "number") return start;
  const actor = (bits & AT_EACCESS) !== 0 ? start.actor : realActorOf(call.task.credentials);
  const location = locate(call, dirfdNumber, name, (bits & AT_SYMLINK_NOFOLLOW) === 0, bits, actor);
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  if ((mode & MAY_EXECUTE) !== 0 && inode.isRegular && location.mount.noExec) return -EACCES;
  const result = permission(actor, inode, mode & (MAY_READ | MAY_WRITE | MAY_EXECUTE));
  if (result < 0 || (mode & MAY_WRITE) === 0) return result;
  return accessTo(actor, location, MAY_WRITE) === -EROFS ? -EROFS : result;
}

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

function giveStatfs(call: SyscallCall, location: Location | number): number {
  if (typeof location === "number") return location;
  const { fileSystem, readOnly, noExec } = location.mount;
  const s = fileSystem.statistics();
  const view = new DataView(new ArrayBuffer(STATFS_BYTES));
  const numbers = [s.magic, s.blockSize, s.blocks, s.free, s.free, s.files, s.freeFiles];
  numbers.forEach((value, i) => view.setBigUint64(8 * i, BigInt(value), true));
  view.setUint32(56, fileSystem.device.minor, true);
  view.setUint32(60, 0, true);
  view.setBigUint64(64, 255n, true);
  view.setBigUint64(72, BigInt(s.blockSize), true);
  // ST_VALID | ST_RELATIME, ST_RDONLY, ST_NOEXEC
  view.setBigUint64(80, BigInt(0x1020 | (readOnly ? 1 : 0) | (noExec ? 8 : 0)), true);
  return writeBytes(call.user, call.word(1), new Uint8Array(view.buffer));
}

function statfs(call: SyscallCall): number {
  const name = readPath(call, call.word(0));
  return typeof name === "number" ? name : giveStatfs(call, locate(call, AT_FDCWD, name, true));
}

function fstatfs(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0), true);
  return typeof file === "number" ? file : giveStatfs(call, file.location);
}

const XATTR_NAME_MAX = 255;

/** Extended attributes: none are kept. Names are checked as Linux does, then user.* says ENODATA, others EOPNOTSUPP. */
function attribute(
  call: SyscallCall,
  location: Location | number,
  action: "get" | "set" | "list" | "remove",
): number {
  if (typeof location === "number") return location;
  if (action === "list") return 0;
  const name = call.user.readCString(call.word(1), XATTR_NAME_MAX + 1);
  if (name === null) return -EFAULT;
  if (name === "" || name.length > XATTR_NAME_MAX) return -ERANGE;
  const known = /^(user|trusted|security|system)\./.test(name);
  if (!known || name.startsWith("system.")) return -EOPNOTSUPP;
  if (action === "set") return -EOPNOTSUPP;
  const { inode } = location.dentry;
  if (name.startsWith("user.") && !inode.isRegular && !inode.isDirectory)
    return action === "get" ? -ENODATA : -EPERM;
  return -ENODATA;
}

function attributeOfPath(action: "get" | "set" | "list" | "remove", follow: boolean) {
  return (call: SyscallCall): number => {
    const name = readPath(call, call.word(0));
    return typeof name === "number" ? name : attribute(call, locate(call, AT_FDCWD, name, follow), action);
  };
}

function attributeOfFile(action: "get" | "set" | "list" | "remove") {
  return (call: SyscallCall): number => {
    const file = fileOf(call, call.fd(0));
    return typeof file === "number" ? -EBADF : attribute(call, file.location, action);
  };
}

const xattrValue = [path("path"), string("name"), address("value"), length("size")] as const;
const xattrFlags = flags("flags", names("XATTR_???", { XATTR_CREATE: 1, XATTR_REPLACE: 2 }));

export const statusSyscalls: readonly Definition[] = [
  define({
    number: 4,
    name: "stat",
    args: [path("pathname"), structOut("statbuf", "stat")],
    handler: (call) => statPath(call, true),
  }),
  define({ number: 5, name: "fstat", args: [fd("fd"), structOut("statbuf", "stat")], handler: fstat }),
  define({
    number: 6,
    name: "lstat",
    args: [path("pathname"), structOut("statbuf", "stat")],
    handler: (call) => statPath(call, false),
  }),
  define({
    number: 21,
    name: "access",
    args: [path("pathname"), accessMode],
    handler: (call) => access(call, AT_FDCWD, 0, call.i32(1), 0),
  }),
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
  define({ number: 137, name: "statfs", args: [path("path"), structOut("buf", "statfs")], handler: statfs }),
  define({ number: 138, name: "fstatfs", args: [fd("fd"), structOut("buf", "statfs")], handler: fstatfs }),
  define({ number: 161, name: "chroot", args: [path("path")], handler: chroot }),
  define({
    number: 188,
    name: "setxattr",
    args: [...xattrValue, xattrFlags],
    handler: attributeOfPath("set", true),
  }),
  define({
    number: 189,
    name: "lsetxattr",
    args: [...xattrValue, xattrFlags],
    handler: attributeOfPath("set", false),
  }),
  define({
    number: 190,
    name: "fsetxattr",
    args: [fd("fd"), ...xattrValue.slice(1), xattrFlags],
    handler: attributeOfFile("set"),
  }),
  define({ number: 191, name: "getxattr", args: xattrValue, handler: attributeOfPath("get", true) }),
  define({ number: 192, name: "lgetxattr", args: xattrValue, handler: attributeOfPath("get", false) }),
  define({
    number: 193,
    name: "fgetxattr",
    args: [fd("fd"), ...xattrValue.slice(1)],
    handler: attributeOfFile("get"),
  }),
  define({
    number: 194,
    name: "listxattr",
    args: [path("path"), address("list"), length("size")],
    handler: attributeOfPath("list", true),
  }),
  define({
    number: 195,
    name: "llistxattr",
    args: [path("path"), address("list"), length("size")],
    handler: attributeOfPath("list", false),
  }),
  define({
    number: 196,
    name: "flistxattr",
    args: [fd("fd"), address("list"), length("size")],
    handler: attributeOfFile("list"),
  }),
  define({
    number: 197,
    name: "removexattr",
    args: [path("path"), string("name")],
    handler: attributeOfPath("remove", true),
  }),
  define({
    number: 198,
    name: "lremovexattr",
    args: [path("path"), string("name")],
    handler: attributeOfPath("remove", false),
  }),
  define({
    number: 199,
    name: "fremovexattr",
    args: [fd("fd"), string("name")],
    handler: attributeOfFile("remove"),
  }),
  define({
    number: 217,
    name: "getdents64",
    args: [fd("fd"), structOut("dirp", "dirents", "result"), uint("count")],
    handler: (call) => getdents(call, true),
  }),
  define({
    number: 262,
    name: "newfstatat",
    args: [dirfd("dirfd"), path("pathname"), structOut("statbuf", "stat"), atFlags()],
    handler: newfstatat,
  }),
  define({
    number: 267,
    name: "readlinkat",
    args: [dirfd("dirfd"), path("pathname"), bufferOut("buf"), length("bufsiz")],
    handler: (call) => readlink(call, call.fd(0), 1),
  }),
  define({
    number: 269,
    name: "faccessat",
    args: [dirfd("dirfd"), path("pathname"), accessMode],
    handler: (call) => access(call, call.fd(0), 1, call.i32(2), 0),
  }),
  define({
    number: 332,
    name: "statx",
    args: [dirfd("dirfd"), path("pathname"), statxFlags, int("mask"), structOut("statxbuf", "statx")],
    handler: statx,
  }),
  define({
    number: 439,
    name: "faccessat2",
    args: [dirfd("dirfd"), path("pathname"), accessMode, accessFlags],
    handler: (call) => access(call, call.fd(0), 1, call.i32(2), call.i32(3)),
  }),
];
