/** What files are: the stat family, access, file systems (fs/stat.c, fs/statfs.c). */

import { EINVAL, EROFS, EACCES } from "../kernel/errno.js";
import type { DeviceNumber, Inode } from "../kernel/fs/inode.js";
import {
  ANON_INODE_MAGIC,
  PIDFS_MAGIC,
  PIPEFS_MAGIC,
  SOCKFS_MAGIC,
  type FileSystemStatistics,
} from "../kernel/fs/file-system.js";
import { MAY_EXECUTE, MAY_READ, MAY_WRITE, S_IFIFO, S_IFMT, S_IFSOCK } from "../kernel/fs/mode.js";
import type { Location, Mount } from "../kernel/fs/mount.js";
import {
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_NOSYMFOLLOW,
  MNT_RELATIME,
  MS_MANDLOCK,
  MS_SYNCHRONOUS,
} from "../kernel/fs/mounts/flags.js";
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
import { dirfd, fd, int, path, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath, startAt } from "./files-common.js";
import { accessFlags, accessMode, atFlags, statxFlags } from "./files-names.js";
import { writeBytes } from "./structs.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const STAT_BYTES = 144;
const STATX_BYTES = 256;
const STATFS_BYTES = 120;

/** A device number as stat shows it (new_encode_dev, 64 bits are never needed). */
export function deviceCode({ major, minor }: DeviceNumber): bigint {
  return BigInt((minor & 0xff) | ((major & 0xfff) << 8)) | (BigInt(minor >>> 8) << 20n);
}

function putTime(view: DataView, at: number, time: Timestamp): void {
  view.setBigInt64(at, BigInt(time.seconds), true);
  view.setBigInt64(at + 8, BigInt(time.nanoseconds), true);
}

/** struct stat of x86-64. */
export function statBytes(inode: Inode): Uint8Array {
  const view = new DataView(new ArrayBuffer(STAT_BYTES));
  view.setBigUint64(0, deviceCode(inode.fileSystem.device), true);
  view.setBigUint64(8, BigInt(inode.number), true);
  view.setBigUint64(16, BigInt(inode.links), true);
  view.setUint32(24, inode.mode, true);
  view.setUint32(28, inode.uid, true);
  view.setUint32(32, inode.gid, true);
  view.setBigUint64(40, deviceCode(inode.deviceNumber), true);
  view.setBigInt64(48, BigInt(inode.size), true);
  view.setBigInt64(56, BigInt(blockSizeOf(inode)), true);
  view.setBigInt64(64, BigInt(inode.blocks), true);
  putTime(view, 72, inode.accessed);
  putTime(view, 88, inode.modified);
  putTime(view, 104, inode.changed);
  return new Uint8Array(view.buffer);
}

function blockSizeOf(inode: Inode): number {
  return inode.fileSystem.typeName === "proc" ? 1024 : inode.fileSystem.blockSize;
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

const MAGIC_OF_KIND = new Map([
  [S_IFIFO, PIPEFS_MAGIC],
  [S_IFSOCK, SOCKFS_MAGIC],
  [0, ANON_INODE_MAGIC],
]);

/** ST_* (fs/statfs.c: calculate_f_flags): ST_VALID, and what holds for the mount. */
function statfsFlags({ flags, readOnly, fileSystem }: Mount): number {
  let bits = 0x20 | (readOnly ? 1 : 0) | (fileSystem.flags & (MS_SYNCHRONOUS | MS_MANDLOCK));
  if ((flags & MNT_NOSUID) !== 0) bits |= 2;
  if ((flags & MNT_NODEV) !== 0) bits |= 4;
  if ((flags & MNT_NOEXEC) !== 0) bits |= 8;
  if ((flags & MNT_NOATIME) !== 0) bits |= 0x400;
  if ((flags & MNT_NODIRATIME) !== 0) bits |= 0x800;
  if ((flags & MNT_RELATIME) !== 0) bits |= 0x1000;
  return (flags & MNT_NOSYMFOLLOW) !== 0 ? bits | 0x2000 : bits;
}

/** Of the file systems that Linux has for pipes, sockets and the like, which are mounted nowhere (simple_statfs). */
function statisticsOf(call: SyscallCall, { mount, dentry }: Location): FileSystemStatistics {
  const kind = dentry.inode.mode & S_IFMT;
  const magic = MAGIC_OF_KIND.get(kind);
  if (mount !== call.task.fs.namespace.internal || magic === undefined) return mount.fileSystem.statistics();
  const isPid = kind === 0 && dentry.name === "anon_inode:[pidfd]";
  return { magic: isPid ? PIDFS_MAGIC : magic, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
}

function giveStatfs(call: SyscallCall, location: Location | number): number {
  if (typeof location === "number") return location;
  const { mount } = location;
  const { fileSystem } = mount;
  const s = statisticsOf(call, location);
  const view = new DataView(new ArrayBuffer(STATFS_BYTES));
  const numbers = [s.magic, s.blockSize, s.blocks, s.free, s.available ?? s.free, s.files, s.freeFiles];
  numbers.forEach((value, i) => view.setBigUint64(8 * i, BigInt(value), true));
  const [low, high] = s.id ?? [fileSystem.device.minor, 0];
  view.setUint32(56, low, true);
  view.setUint32(60, high, true);
  view.setBigUint64(64, 255n, true);
  view.setBigUint64(72, BigInt(s.blockSize), true);
  view.setBigUint64(80, BigInt(statfsFlags(mount)), true);
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
  define({ number: 137, name: "statfs", args: [path("path"), structOut("buf", "statfs")], handler: statfs }),
  define({ number: 138, name: "fstatfs", args: [fd("fd"), structOut("buf", "statfs")], handler: fstatfs }),
  define({
    number: 262,
    name: "newfstatat",
    args: [dirfd("dirfd"), path("pathname"), structOut("statbuf", "stat"), atFlags()],
    handler: newfstatat,
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
