/** Sizes of files, their room, and writing back (fs/open.c, fs/sync.c, mm/fadvise.c). */

import { BlockFile } from "../kernel/block/block-file.js";
import { PAGE_SIZE } from "../mmu/layout.js";
import {
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ESPIPE,
  ETXTBSY,
} from "../kernel/errno.js";
import type { FileSystem } from "../kernel/fs/file-system.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { MAY_WRITE, S_IFBLK, S_IFIFO } from "../kernel/fs/mode.js";
import { accessTo } from "../kernel/fs/namespace.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { AT_FDCWD, MAX_FILE_SIZE } from "../kernel/fs/open-flags.js";
import { actorOf } from "../kernel/fs/permission.js";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_WRITE } from "../kernel/fs/seals.js";
import { dropPrivilegeBits, RegularOpenFile, setFileSize } from "../kernel/fs/regular-open-file.js";
import { RLIMIT_FSIZE } from "../kernel/limits.js";
import { SIGXFSZ } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import { choice, fd, flags, length, names, offset, path, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath, withFile } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

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

/** The largest loff_t. */
const MAX_OFFSET = 2n ** 63n - 1n;

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
  if (file.node.isSwapFile) return -ETXTBSY;
  if (file.node.type === S_IFIFO) return -ESPIPE;
  if (file.node.isDirectory) return -EISDIR;
  if (!(file.node instanceof RegularInode)) return -ENODEV;
  if (at + count > MAX_FILE_SIZE) return -EFBIG;
  if (!(file instanceof RegularOpenFile)) return -EOPNOTSUPP;
  if (file.node.allocate !== undefined) {
    const result = file.node.allocate(mode, at, count);
    if (result === 0) file.node.modified = file.node.changed = file.node.fileSystem.now();
    return result;
  }
  // As tmpfs: plain, keeping the size, and punching holes.
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
  const inode = file.node;
  const seals = inode.seals ?? 0;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
    if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    const result = inode.pages.punchHole(at, count);
    if (result === 0) inode.modified = inode.changed = inode.fileSystem.now();
    return result;
  }
  const grows = (mode & FALLOC_FL_KEEP_SIZE) === 0 && at + count > inode.size;
  if (grows && (seals & F_SEAL_GROW) !== 0) return -EPERM;
  if (!inode.pages.reserve(Math.floor(at / PAGE_SIZE), Math.ceil((at + count) / PAGE_SIZE))) return -ENOSPC;
  return grows ? resize(call, inode, at + count) : 0;
}

/** fsync of what has no storage is EINVAL (no fsync operation). */
function fsync(file: OpenFile): number {
  if (!file.node.isRegular && !file.node.isDirectory && !(file instanceof BlockFile)) return -EINVAL;
  const result = file.sync();
  return result < 0 ? result : file.node.fileSystem.sync(file.node);
}

const SYNC_FILE_RANGE_FLAGS = 7;

/*
 * sync_file_range(fd, offset, nbytes, flags)
 *   EINVAL  unknown flags; a negative offset or length, or an end past the largest offset
 *   ESPIPE  neither a file, a directory, a block device nor a symbolic link
 */
function syncFileRange(file: OpenFile, call: SyscallCall): number {
  const [offset, bytes] = [call.i64(1), call.i64(2)];
  if ((call.u32(3) & ~SYNC_FILE_RANGE_FLAGS) !== 0) return -EINVAL;
  if (offset < 0n || bytes < 0n || offset + bytes > MAX_OFFSET) return -EINVAL;
  const { node } = file;
  const stored = node.isRegular || node.isDirectory || node.isSymlink || node.type === S_IFBLK;
  return stored ? file.sync() : -ESPIPE;
}

/** sync and syncfs: what open files have in memory, then the file systems (all, or one). */
function syncAll(call: SyscallCall, only: FileSystem | null): number {
  for (const task of call.kernel.tasks.values())
    for (const [, file] of task.files) if (!only || file.node.fileSystem === only) file.sync();
  for (const { fileSystem } of call.task.fs.namespace.mounts)
    if (!only || fileSystem === only) fileSystem.sync(null);
  if (!only) call.task.fs.namespace.block?.flush();
  return 0;
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

export const sizeSyscalls: readonly Definition[] = [
  define({ number: 74, name: "fsync", args: [fd("fd")], handler: withFile(fsync) }),
  define({ number: 75, name: "fdatasync", args: [fd("fd")], handler: withFile(fsync) }),
  define({ number: 76, name: "truncate", args: [path("path"), offset("length")], handler: truncate }),
  define({ number: 77, name: "ftruncate", args: [fd("fd"), offset("length")], handler: ftruncate }),
  define({ number: 162, name: "sync", args: [], handler: (call) => syncAll(call, null) }),
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
    number: 277,
    name: "sync_file_range",
    args: [fd("fd"), offset("offset"), offset("nbytes"), uint("flags")],
    handler: withFile(syncFileRange),
  }),
  define({
    number: 285,
    name: "fallocate",
    args: [fd("fd"), flags("mode", FALLOCATE), offset("offset"), offset("len")],
    handler: fallocate,
  }),
  define({
    number: 306,
    name: "syncfs",
    args: [fd("fd")],
    handler: withFile((file, call) => syncAll(call, file.node.fileSystem)),
  }),
];
