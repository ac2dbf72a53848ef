/** Permissions, owners, sizes, times, and writing back (fs/open.c, fs/attr.c, fs/utimes.c, fs/sync.c). */

import { CAP_CHOWN, CAP_FSETID } from "../kernel/capabilities.js";
import {
  EBADF,
  EFAULT,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  ESPIPE,
} from "../kernel/errno.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { MAY_WRITE, PERMISSIONS, S_IFIFO, S_ISGID, S_ISUID } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { accessTo } from "../kernel/fs/namespace.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, MAX_FILE_SIZE } from "../kernel/fs/open-flags.js";
import { actorOf, inGroup, ownerOrCapable, permission } from "../kernel/fs/permission.js";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_WRITE } from "../kernel/fs/seals.js";
import { dropPrivilegeBits, setFileSize } from "../kernel/fs/regular-open-file.js";
import type { Timestamp } from "../kernel/fs/timestamp.js";
import { RLIMIT_FSIZE } from "../kernel/limits.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { SIGXFSZ } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import {
  choice,
  dirfd,
  fd,
  flags,
  gid,
  length,
  names,
  octal,
  offset,
  path,
  structIn,
  uid,
  uint,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath } from "./files-common.js";
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
  const result = inode.setPermissions(permissions);
  if (result === 0) inode.changed = inode.fileSystem.now();
  return result;
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
  const result = inode.setOwner(newUser, newGroup);
  if (result < 0) return result;
  if (!inode.isDirectory) {
    inode.mode &= ~S_ISUID;
    if ((inode.mode & 0o010) !== 0) inode.mode &= ~S_ISGID;
  }
  inode.changed = inode.fileSystem.now();
  return 0;
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

/** RLIMIT_FSIZE counts for growing only (inode_newsize_ok). */
function resize(call: SyscallCall, inode: RegularInode, size: number): number {
  if (size > inode.size && size > call.task.limits.soft(RLIMIT_FSIZE)) {
    sendSignal(call.task, kernelSignal(SIGXFSZ), false);
    return -EFBIG;
  }
  const result = setFileSize(inode, size);
  if (result === 0) dropPrivilegeBits(inode, actorOf(call.task.credentials));
  return result;
}

function truncate(call: SyscallCall): number {
  const size = call.s(1);
  if (size < 0) return -EINVAL;
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  const location = locate(call, AT_FDCWD, name, true);
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  if (inode.isDirectory) return -EISDIR;
  if (!(inode instanceof RegularInode)) return -EINVAL;
  const allowed = accessTo(actorOf(call.task.credentials), location, MAY_WRITE);
  return allowed < 0 ? allowed : resize(call, inode, size);
}

function ftruncate(call: SyscallCall): number {
  const size = call.s(1);
  if (size < 0) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!(file.node instanceof RegularInode) || !file.writable) return -EINVAL;
  return resize(call, file.node, size);
}

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_ZERO_RANGE = 0x10;

function fallocate(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const [mode, at, count] = [call.u32(1), call.s(2), call.s(3)];
  if (at < 0 || count <= 0) return -EINVAL;
  if ((mode & ~0x7f) !== 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && mode !== (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
    return (mode & FALLOC_FL_KEEP_SIZE) === 0 ? -EOPNOTSUPP : -EINVAL;
  if (!file.writable) return -EBADF;
  if (file.node.type === S_IFIFO) return -ESPIPE;
  if (file.node.isDirectory) return -EISDIR;
  if (!(file.node instanceof RegularInode)) return -ENODEV;
  if (at + count > MAX_FILE_SIZE) return -EFBIG;
  // As tmpfs: plain, keeping the size, and punching holes.
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
  const inode = file.node;
  const seals = inode.seals ?? 0;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
    if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    inode.pages.punchHole(at, count);
    inode.modified = inode.changed = inode.fileSystem.now();
    return 0;
  }
  if ((mode & FALLOC_FL_KEEP_SIZE) !== 0 || at + count <= inode.size) return 0;
  return (seals & F_SEAL_GROW) !== 0 ? -EPERM : resize(call, inode, at + count);
}

const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;
type TimeChange = Timestamp | "now" | "omit";

/** Times of a file, from one of five structures (do_utimes, vfs_utimes). */
function changeTimes(
  call: SyscallCall,
  location: Location | number,
  accessed: TimeChange,
  modified: TimeChange,
): number {
  if (typeof location === "number") return location;
  if (accessed === "omit" && modified === "omit") return 0;
  const { inode } = location.dentry;
  if (location.mount.readOnly) return -EROFS;
  const actor = actorOf(call.task.credentials);
  if (!ownerOrCapable(actor, inode)) {
    // Who may write may set both to now; everything else is the owner's.
    if (accessed !== "now" || modified !== "now") return -EPERM;
    const allowed = permission(actor, inode, MAY_WRITE);
    if (allowed < 0) return allowed;
  }
  const now = inode.fileSystem.now();
  const pick = (change: TimeChange, old: Timestamp): Timestamp =>
    change === "now" ? now : change === "omit" ? old : change;
  const result = inode.setTimes(pick(accessed, inode.accessed), pick(modified, inode.modified));
  if (result === 0) inode.changed = now;
  return result;
}

function readTimes(
  call: SyscallCall,
  address: Word,
  kind: "timespec" | "timeval" | "utimbuf",
): TimeChange[] | number {
  if (isZero(address)) return ["now", "now"];
  const bytes = call.user.read(address, kind === "utimbuf" ? 16 : 32);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const times: TimeChange[] = [];
  for (const i of [0, 1]) {
    if (kind === "utimbuf") {
      times.push({ seconds: Number(view.getBigInt64(8 * i, true)), nanoseconds: 0 });
      continue;
    }
    const seconds = Number(view.getBigInt64(16 * i, true));
    const fraction = Number(view.getBigInt64(16 * i + 8, true));
    if (kind === "timeval") {
      if (fraction < 0 || fraction >= 1_000_000) return -EINVAL;
      times.push({ seconds, nanoseconds: fraction * 1000 });
    } else if (fraction === UTIME_NOW) times.push("now");
    else if (fraction === UTIME_OMIT) times.push("omit");
    else if (fraction < 0 || fraction > 999_999_999) return -EINVAL;
    else times.push({ seconds, nanoseconds: fraction });
  }
  return times;
}

function utimePath(
  call: SyscallCall,
  dirfdNumber: number,
  pathAt: number,
  kind: "timeval" | "utimbuf",
): number {
  const times = readTimes(call, call.word(pathAt + 1), kind);
  if (typeof times === "number") return times;
  if (pathAt === 1 && isZero(call.word(1))) return timesOfFile(call, dirfdNumber, times);
  const name = readPath(call, call.word(pathAt));
  if (typeof name === "number") return name;
  return changeTimes(call, locate(call, dirfdNumber, name, true), times[0], times[1]);
}

function timesOfFile(call: SyscallCall, fdNumber: number, times: TimeChange[]): number {
  const file = fileOf(call, fdNumber);
  return typeof file === "number" ? file : changeTimes(call, file.location, times[0], times[1]);
}

function utimensat(call: SyscallCall): number {
  const times = readTimes(call, call.word(2), "timespec");
  if (typeof times === "number") return times;
  const bits = call.u32(3);
  if (times[0] === "omit" && times[1] === "omit") return 0;
  if (isZero(call.word(1))) return bits !== 0 ? -EINVAL : timesOfFile(call, call.fd(0), times);
  if ((bits & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const name = readPath(call, call.word(1));
  if (typeof name === "number") return name;
  const location = locate(call, call.fd(0), name, (bits & AT_SYMLINK_NOFOLLOW) === 0, bits);
  return changeTimes(call, location, times[0], times[1]);
}

function withFile(action: (file: OpenFile, call: SyscallCall) => number) {
  return (call: SyscallCall): number => {
    const file = fileOf(call, call.fd(0));
    return typeof file === "number" ? file : action(file, call);
  };
}

/** fsync of what has no storage is EINVAL (no fsync operation). */
function fsync(file: OpenFile): number {
  return file.node.isRegular || file.node.isDirectory ? file.sync() : -EINVAL;
}

function syncAll(call: SyscallCall): number {
  for (const [, file] of call.task.files) file.sync();
  return 0;
}

function umask(call: SyscallCall): number {
  const { fs } = call.task;
  const old = fs.umask;
  fs.umask = call.u32(0) & 0o777;
  return old;
}

/** Advice on the page cache: checked and heard, there is nothing to do. */
function fadvise(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (file.node.type === S_IFIFO) return -ESPIPE;
  return call.s(2) < 0 || call.u32(3) > 5 ? -EINVAL : 0;
}

function readahead(file: OpenFile): number {
  if (!file.readable) return -EBADF;
  return file.node.isRegular ? 0 : -EINVAL;
}

const ADVICE = names("POSIX_FADV_???", {
  POSIX_FADV_NORMAL: 0,
  POSIX_FADV_RANDOM: 1,
  POSIX_FADV_SEQUENTIAL: 2,
  POSIX_FADV_WILLNEED: 3,
  POSIX_FADV_DONTNEED: 4,
  POSIX_FADV_NOREUSE: 5,
});
const FALLOCATE = names("FALLOC_FL_???", {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_COLLAPSE_RANGE: 8,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE: 0x20,
  FALLOC_FL_UNSHARE_RANGE: 0x40,
});
const owner = [uid("owner"), gid("group")] as const;

export const attributeSyscalls: readonly Definition[] = [
  define({ number: 74, name: "fsync", args: [fd("fd")], handler: withFile(fsync) }),
  define({ number: 75, name: "fdatasync", args: [fd("fd")], handler: withFile(fsync) }),
  define({ number: 76, name: "truncate", args: [path("path"), offset("length")], handler: truncate }),
  define({ number: 77, name: "ftruncate", args: [fd("fd"), offset("length")], handler: ftruncate }),
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
    number: 132,
    name: "utime",
    args: [path("filename"), structIn("times", "timespec")],
    handler: (call) => utimePath(call, AT_FDCWD, 0, "utimbuf"),
  }),
  define({ number: 162, name: "sync", args: [], handler: syncAll }),
  define({
    number: 187,
    name: "readahead",
    args: [fd("fd"), offset("offset"), length("count")],
    handler: withFile(readahead),
  }),
  define({
    number: 221,
    name: "fadvise64",
    args: [fd("fd"), offset("offset"), length("len"), choice("advice", ADVICE)],
    handler: fadvise,
  }),
  define({
    number: 235,
    name: "utimes",
    args: [path("filename"), structIn("times", "timeval")],
    handler: (call) => utimePath(call, AT_FDCWD, 0, "timeval"),
  }),
  define({
    number: 260,
    name: "fchownat",
    args: [dirfd("dirfd"), path("pathname"), ...owner, atFlags()],
    handler: (call) => chownPath(call, call.fd(0), 1, call.u32(4)),
  }),
  define({
    number: 261,
    name: "futimesat",
    args: [dirfd("dirfd"), path("pathname"), structIn("times", "timeval")],
    handler: (call) => utimePath(call, call.fd(0), 1, "timeval"),
  }),
  define({
    number: 268,
    name: "fchmodat",
    args: [dirfd("dirfd"), path("pathname"), octal("mode")],
    handler: (call) => chmodPath(call, call.fd(0), 1, 0),
  }),
  define({
    number: 277,
    name: "sync_file_range",
    args: [fd("fd"), offset("offset"), offset("nbytes"), uint("flags")],
    handler: withFile((file) => (file.node.isRegular || file.node.isDirectory ? file.sync() : -ESPIPE)),
  }),
  define({
    number: 280,
    name: "utimensat",
    args: [dirfd("dirfd"), path("pathname"), structIn("times", "timespec"), atFlags()],
    handler: utimensat,
  }),
  define({
    number: 285,
    name: "fallocate",
    args: [fd("fd"), flags("mode", FALLOCATE), offset("offset"), offset("len")],
    handler: fallocate,
  }),
  define({ number: 306, name: "syncfs", args: [fd("fd")], handler: withFile((file) => file.sync() && 0) }),
  define({
    number: 452,
    name: "fchmodat2",
    args: [dirfd("dirfd"), path("pathname"), octal("mode"), atFlags()],
    handler: (call) => chmodPath(call, call.fd(0), 1, call.u32(3)),
  }),
];
