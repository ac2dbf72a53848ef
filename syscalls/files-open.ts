/** Descriptors: open, close, dup, pipes and the files that have no name (fs/open.c, fs/file.c, fs/pipe.c). */

import { EAGAIN, E2BIG, EBADF, EFAULT, EINVAL, EMFILE, ENODEV, ENOSYS, EPERM } from "../kernel/errno.js";
import { Dentry } from "../kernel/fs/dentry.js";
import { EventFile } from "../kernel/fs/event-file.js";
import { newHugetlbFile } from "../kernel/fs/hugetlb-memory.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { S_IFIFO, S_IFREG } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { openPath } from "../kernel/fs/open.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_LARGEFILE,
  O_NONBLOCK,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE_BIT,
  O_TRUNC,
  O_WRONLY,
  VALID_OPEN_FLAGS,
} from "../kernel/fs/open-flags.js";
import { Pipe, PipeFile } from "../kernel/fs/pipe.js";
import { F_SEAL_EXEC, F_SEAL_SEAL } from "../kernel/fs/seals.js";
import { RegularOpenFile } from "../kernel/fs/regular-open-file.js";
import { newSecretFile } from "../kernel/fs/secret-memory.js";
import { SpecialInode, TreeFileSystem } from "../kernel/fs/tree-file-system.js";
import { RESOLVE_CACHED, RESOLVE_IN_ROOT } from "../kernel/fs/walk.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { OpenWait } from "../kernel/wait.js";
import {
  dirfd,
  fd,
  flags,
  length,
  names,
  octal,
  path,
  string,
  structIn,
  structOut,
  uint,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { baseOf, descriptorLimit, fileOf, readPath } from "./files-common.js";
import { descriptorFlags, openFlags } from "./files-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const AT_FDCWD = -100;
const OPEN_HOW_BYTES = 24;

function openFile(
  call: SyscallCall,
  dirfdNumber: number,
  pathAddress: number,
  flagBits: number,
  mode: number,
  resolve = 0,
): number | typeof BLOCKED {
  const name = readPath(call, call.word(pathAddress));
  if (typeof name === "number") return name;
  const { files, fs, credentials } = call.task;
  const limit = descriptorLimit(call);
  if (name !== "" && files.lowestFree(0, limit) < 0) return -EMFILE;
  // With RESOLVE_IN_ROOT even an absolute path begins at the descriptor.
  const inRoot = (resolve & RESOLVE_IN_ROOT) !== 0 && name !== "";
  const base = baseOf(call, dirfdNumber, inRoot ? "." : name);
  if (typeof base === "number") return base;
  const cloexec = (flagBits & O_CLOEXEC) !== 0;
  if (call.resumed?.kind === "open") return otherEndCame(call, call.resumed, cloexec);
  const opened = openPath(fs, credentials, base, name, flagBits, mode, resolve);
  if (typeof opened === "number") return opened;
  if (!("fifo" in opened)) return files.install(opened, cloexec, limit);
  const { fifo } = opened;
  const { pipe } = fifo;
  call.task.waiting = {
    kind: "open",
    fifo,
    otherOpens: fifo.readable ? pipe.writerOpens : pipe.readerOpens,
    installed: false,
    queues: [pipe.queue],
    deadline: null,
    timedOut: false,
    interrupted: ERESTARTSYS,
  };
  return BLOCKED;
}

/** A fifo's open goes on when the other end was opened, even if that has closed again (fifo_open, wait_for_partner). */
function otherEndCame(call: SyscallCall, wait: OpenWait, cloexec: boolean): number | typeof BLOCKED {
  const { fifo, otherOpens } = wait;
  if ((fifo.readable ? fifo.pipe.writerOpens : fifo.pipe.readerOpens) === otherOpens) {
    call.task.waiting = wait;
    return BLOCKED;
  }
  const fd = call.task.files.install(fifo, cloexec, descriptorLimit(call));
  wait.installed = fd >= 0;
  return fd;
}

/** openat's cleaning of flags: unknown bits are dropped, the mode counts only where a file may be made. */
function cleaned(call: SyscallCall, dirfdNumber: number, pathAddress: number, bits: number, mode: number) {
  const flagBits = bits & VALID_OPEN_FLAGS;
  const makes = (flagBits & (O_CREAT | O_TMPFILE_BIT)) !== 0;
  return openFile(call, dirfdNumber, pathAddress, flagBits, makes ? mode & 0o7777 : 0);
}

function openat2(call: SyscallCall): number | typeof BLOCKED {
  const size = call.n(3);
  if (size < OPEN_HOW_BYTES) return -EINVAL;
  if (size > 4096) return -E2BIG;
  const how = call.user.read(call.word(2), size);
  if (typeof how === "number") return -EFAULT;
  if (how.subarray(OPEN_HOW_BYTES).some((byte) => byte !== 0)) return -E2BIG;
  const view = new DataView(how.buffer, how.byteOffset);
  const flagBits = view.getBigUint64(0, true);
  const mode = view.getBigUint64(8, true);
  const resolve = view.getBigUint64(16, true);
  if ((flagBits & ~BigInt(VALID_OPEN_FLAGS)) !== 0n || (resolve & ~0x3fn) !== 0n) return -EINVAL;
  if ((resolve & 0x18n) === 0x18n) return -EINVAL;
  const bits = Number(flagBits);
  // Nothing is made or cut off from what happens to be known already.
  if ((resolve & BigInt(RESOLVE_CACHED)) !== 0n && (bits & (O_TRUNC | O_CREAT | O_TMPFILE_BIT)) !== 0)
    return -EAGAIN;
  const makes = (bits & (O_CREAT | O_TMPFILE_BIT)) !== 0;
  if (makes ? (mode & ~0o7777n) !== 0n : mode !== 0n) return -EINVAL;
  const allowedWithPath = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
  if ((bits & O_PATH) !== 0 && (bits & ~allowedWithPath) !== 0) return -EINVAL;
  return openFile(call, call.fd(0), 1, bits, Number(mode), Number(resolve));
}

function closeRange(call: SyscallCall): number {
  const [first, last, bits] = [call.u32(0), call.u32(1), call.u32(2)];
  if ((bits & ~6) !== 0 || first > last) return -EINVAL;
  const { files } = call.task;
  const end = Math.min(last, files.end - 1);
  for (let number = first; number <= end; number++) {
    if (!files.get(number)) continue;
    if ((bits & 4) !== 0) files.setCloseOnExec(number, true);
    else files.close(number);
  }
  return 0;
}

function dup(call: SyscallCall): number {
  const file = fileOf(call, call.fd(0), true);
  if (typeof file === "number") return file;
  return call.task.files.install(file, false, descriptorLimit(call));
}

function dupTo(call: SyscallCall, bits: number, sameAllowed: boolean): number {
  const [from, to] = [call.fd(0), call.fd(1)];
  if ((bits & ~O_CLOEXEC) !== 0) return -EINVAL;
  if (from === to) {
    if (!sameAllowed) return -EINVAL;
    return call.task.files.get(from) ? to : -EBADF;
  }
  if (to >>> 0 >= descriptorLimit(call)) return -EBADF;
  const file = call.task.files.get(from);
  if (!file) return -EBADF;
  call.task.files.set(to, file, (bits & O_CLOEXEC) !== 0);
  return to;
}

/** A place out of the tree for a file without a name. */
export function internalLocation(call: SyscallCall, name: (inode: number) => string, mode: number): Location {
  const { internal } = call.task.fs.namespace;
  const { fileSystem } = internal;
  const { fsuid, fsgid } = call.task.credentials;
  const inode = new SpecialInode(fileSystem, {
    number: fileSystem.newInodeNumber(),
    mode,
    uid: fsuid,
    gid: fsgid,
    time: fileSystem.now(),
  });
  return { mount: internal, dentry: new Dentry(name(inode.number), internal.root, inode) };
}

function pipe(call: SyscallCall, bits: number): number {
  if ((bits & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | 0x80)) !== 0) return -EINVAL;
  const { files } = call.task;
  const limit = descriptorLimit(call);
  const location = internalLocation(call, (inode) => `pipe:[${inode}]`, S_IFIFO | 0o600);
  const shared = new Pipe();
  // So that /proc/self/fd/N opens the same pipe.
  location.dentry.inode.pipe = shared;
  const status = bits & (O_NONBLOCK | O_DIRECT);
  const cloexec = (bits & O_CLOEXEC) !== 0;
  const ends: OpenFile[] = [
    new PipeFile(location, O_RDONLY | status, shared),
    new PipeFile(location, O_WRONLY | status, shared),
  ];
  const first = files.install(ends[0], cloexec, limit);
  if (first < 0) return first;
  const second = files.install(ends[1], cloexec, limit);
  const pair = new Uint8Array(Int32Array.of(first, second).buffer);
  if (second >= 0 && call.user.writeBytes(call.word(0), pair)) return 0;
  files.close(first);
  if (second >= 0) files.close(second);
  return second < 0 ? second : -EFAULT;
}

function eventfd(call: SyscallCall, bits: number): number {
  if ((bits & ~(O_CLOEXEC | O_NONBLOCK | 1)) !== 0) return -EINVAL;
  const location = internalLocation(call, () => "anon_inode:[eventfd]", 0o600);
  const file = new EventFile(location, O_RDWR | (bits & O_NONBLOCK), BigInt(call.u32(0)), (bits & 1) !== 0);
  return call.task.files.install(file, (bits & O_CLOEXEC) !== 0, descriptorLimit(call));
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_HUGETLB = 4;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 16;
/** The size of huge pages, as a power of two (MFD_HUGE_MASK). */
const MFD_HUGE_SIZES = 0x3f << 26;
const MEMFD_NAME_MAX = 249;

function memfdCreate(call: SyscallCall): number {
  let bits = call.u32(1);
  const sized = (bits & MFD_HUGETLB) !== 0 ? MFD_HUGE_SIZES : 0;
  const known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC;
  if ((bits & ~(known | sized)) !== 0) return -EINVAL;
  if ((bits & MFD_EXEC) !== 0 && (bits & MFD_NOEXEC_SEAL) !== 0) return -EINVAL;
  const name = call.user.readCString(call.word(0), MEMFD_NAME_MAX + 1);
  if (name === null) return -EFAULT;
  if (name.length > MEMFD_NAME_MAX) return -EINVAL;
  if ((bits & MFD_NOEXEC_SEAL) !== 0) bits |= MFD_ALLOW_SEALING;
  const { internal } = call.task.fs.namespace;
  const { fsuid, fsgid } = call.task.credentials;
  const permissions = (bits & MFD_NOEXEC_SEAL) !== 0 ? 0o666 : 0o777;
  if ((bits & MFD_HUGETLB) !== 0) return hugetlbMemfd(call, bits, name, permissions);
  const inode = (internal.fileSystem as TreeFileSystem).make({
    mode: S_IFREG | permissions,
    uid: fsuid,
    gid: fsgid,
  });
  inode.links = 0;
  if (!(inode instanceof RegularInode)) return -EPERM;
  inode.seals = sealsFor(bits);
  const dentry = new Dentry(`memfd:${name}`, internal.root, inode);
  dentry.deleted = true;
  const file = new RegularOpenFile({ mount: internal, dentry }, O_RDWR | O_LARGEFILE);
  return call.task.files.install(file, (bits & MFD_CLOEXEC) !== 0, descriptorLimit(call));
}

function sealsFor(bits: number): number {
  const seals = (bits & MFD_ALLOW_SEALING) !== 0 ? 0 : F_SEAL_SEAL;
  return (bits & MFD_NOEXEC_SEAL) !== 0 ? seals | F_SEAL_EXEC : seals;
}

/** ENODEV where there is no pool of pages of that size. */
function hugetlbMemfd(call: SyscallCall, bits: number, name: string, permissions: number): number {
  const { hugePages } = call.kernel;
  const pool = hugePages.named(bits);
  if (pool === undefined) return -ENODEV;
  const { fsuid, fsgid } = call.task.credentials;
  const file = newHugetlbFile(call.task.fs.namespace, hugePages, pool, `memfd:${name}`, {
    mode: S_IFREG | permissions,
    uid: fsuid,
    gid: fsgid,
  });
  file.node.seals = sealsFor(bits);
  return call.task.files.install(file, (bits & MFD_CLOEXEC) !== 0, descriptorLimit(call));
}

/** ENOSYS switched off; EINVAL flags. */
function memfdSecret(call: SyscallCall): number {
  const bits = call.u32(0);
  if (!call.kernel.parameters.secretMemory) return -ENOSYS;
  if ((bits & ~O_CLOEXEC) !== 0) return -EINVAL;
  const { files, fs, credentials } = call.task;
  const limit = descriptorLimit(call);
  if (files.lowestFree(0, limit) < 0) return -EMFILE;
  const file = newSecretFile(fs.namespace, credentials.fsuid, credentials.fsgid);
  return files.install(file, (bits & O_CLOEXEC) !== 0, limit);
}

export const openSyscalls: readonly Definition[] = [
  define({
    number: 2,
    name: "open",
    args: [path("pathname"), openFlags(), octal("mode")],
    returns: "fd",
    handler: (call) => cleaned(call, AT_FDCWD, 0, call.i32(1), call.i32(2)),
  }),
  define({
    number: 3,
    name: "close",
    args: [fd("fd")],
    handler: (call) => call.task.files.close(call.fd(0)),
  }),
  define({
    number: 22,
    name: "pipe",
    args: [structOut("pipefd", "fdpair")],
    handler: (call) => pipe(call, 0),
  }),
  define({ number: 32, name: "dup", args: [fd("oldfd")], returns: "fd", handler: dup }),
  define({
    number: 33,
    name: "dup2",
    args: [fd("oldfd"), fd("newfd")],
    returns: "fd",
    handler: (call) => dupTo(call, 0, true),
  }),
  define({
    number: 85,
    name: "creat",
    args: [path("pathname"), octal("mode")],
    returns: "fd",
    handler: (call) => cleaned(call, AT_FDCWD, 0, O_CREAT | O_WRONLY | O_TRUNC, call.i32(1)),
  }),
  define({
    number: 257,
    name: "openat",
    args: [dirfd("dirfd"), path("pathname"), openFlags(), octal("mode")],
    returns: "fd",
    handler: (call) => cleaned(call, call.fd(0), 1, call.i32(2), call.i32(3)),
  }),
  define({
    number: 284,
    name: "eventfd",
    args: [uint("initval")],
    returns: "fd",
    handler: (call) => eventfd(call, 0),
  }),
  define({
    number: 290,
    name: "eventfd2",
    args: [
      uint("initval"),
      flags(
        "flags",
        names("EFD_???", { EFD_SEMAPHORE: 1, EFD_CLOEXEC: O_CLOEXEC, EFD_NONBLOCK: O_NONBLOCK }),
      ),
    ],
    returns: "fd",
    handler: (call) => eventfd(call, call.i32(1)),
  }),
  define({
    number: 292,
    name: "dup3",
    args: [fd("oldfd"), fd("newfd"), descriptorFlags()],
    returns: "fd",
    handler: (call) => dupTo(call, call.i32(2), false),
  }),
  define({
    number: 293,
    name: "pipe2",
    args: [structOut("pipefd", "fdpair"), descriptorFlags()],
    handler: (call) => pipe(call, call.i32(1)),
  }),
  define({
    number: 319,
    name: "memfd_create",
    args: [
      string("name"),
      flags(
        "flags",
        names("MFD_???", { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC }),
      ),
    ],
    returns: "fd",
    handler: memfdCreate,
  }),
  define({
    number: 436,
    name: "close_range",
    args: [
      uint("first"),
      uint("last"),
      flags("flags", names("CLOSE_RANGE_???", { CLOSE_RANGE_UNSHARE: 2, CLOSE_RANGE_CLOEXEC: 4 })),
    ],
    handler: closeRange,
  }),
  define({
    number: 447,
    name: "memfd_secret",
    args: [descriptorFlags()],
    returns: "fd",
    handler: memfdSecret,
  }),
  define({
    number: 437,
    name: "openat2",
    args: [dirfd("dirfd"), path("pathname"), structIn("how", "open_how"), length("size")],
    returns: "fd",
    handler: openat2,
  }),
];
