/** What is mounted where (fs/namespace.c). */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { parseMountData } from "../kernel/fs/mounts/data.js";
import * as mounts from "../kernel/fs/mounts/flags.js";
import { changePropagation, mountBind, mountNew, moveMount } from "../kernel/fs/mounts/mount.js";
import { remount, remountBind } from "../kernel/fs/mounts/remount.js";
import { unmount } from "../kernel/fs/mounts/unmount.js";
import { AT_FDCWD, PATH_MAX } from "../kernel/fs/open-flags.js";
import { startOf } from "../kernel/fs/namespace.js";
import { walk } from "../kernel/fs/walk.js";
import { PAGE_SIZE } from "../mmu/layout.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { address, flags, names, path, string } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { locate, readPath } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const { MNT_DETACH, MNT_EXPIRE, MNT_FORCE, UMOUNT_NOFOLLOW } = mounts;

/** A string that may be absent: EFAULT, EINVAL from 4096 bytes on (strndup_user). */
function optionalString(call: SyscallCall, at: Word): string | null | number {
  if (isZero(at)) return null;
  const text = call.user.readCString(at, PATH_MAX);
  if (text === null) return -EFAULT;
  return text.length >= PATH_MAX ? -EINVAL : text;
}

/** Up to a page of options; EFAULT only where not one byte can be read (copy_mount_options). */
function optionsText(call: SyscallCall, at: Word): string | number {
  if (isZero(at)) return "";
  if (!call.user.accessOk(at, 1)) return -EFAULT;
  const bytes = new Uint8Array(PAGE_SIZE - 1);
  const count = call.user.copyIn(Number(at), bytes);
  if (count === 0) return -EFAULT;
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? count : Math.min(end, count)));
}

/**
 * mount(2). EFAULT, EINVAL of the strings; those of the target's path; EINVAL MS_NOUSER; EPERM; then those of what the
 * flags say is to be done, of which the first of remount, bind, propagation, move and a new mount counts (path_mount).
 */
function mount(call: SyscallCall): number {
  const type = optionalString(call, call.word(2));
  if (typeof type === "number") return type;
  const source = optionalString(call, call.word(0));
  if (typeof source === "number") return source;
  const text = optionsText(call, call.word(4));
  if (typeof text === "number") return text;
  const target = readPath(call, call.word(1));
  if (typeof target === "number") return target;
  const at = locate(call, AT_FDCWD, target, true);
  if (typeof at === "number") return at;
  let bits = call.u32(3);
  if ((bits & mounts.MS_MGC_MSK) >>> 0 === mounts.MS_MGC_VAL) bits &= ~mounts.MS_MGC_MSK;
  if ((bits & mounts.MS_NOUSER) !== 0) return -EINVAL;
  if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN)) return -EPERM;
  const { namespace } = call.task.fs;
  const own = mounts.mountFlags(bits, at.mount.flags);
  const data = parseMountData(text);
  if ((bits & mounts.MS_REMOUNT) !== 0)
    return (bits & mounts.MS_BIND) !== 0
      ? remountBind(namespace, at, own)
      : remount(namespace, at, bits, own, data);
  if ((bits & (mounts.MS_BIND | PROPAGATION | mounts.MS_MOVE)) === 0)
    return mountNew(namespace, at, { kernel: call.kernel, type, source, flags: bits, own, data });
  if ((bits & mounts.MS_BIND) === 0 && (bits & PROPAGATION) !== 0)
    return changePropagation(namespace, at, bits);
  if (source === null || source === "") return -EINVAL;
  const from = locate(call, AT_FDCWD, source, true);
  if (typeof from === "number") return from;
  return (bits & mounts.MS_BIND) !== 0
    ? mountBind(namespace, from, at, (bits & mounts.MS_REC) !== 0)
    : moveMount(namespace, from, at);
}

const PROPAGATION = mounts.MS_SHARED | mounts.MS_PRIVATE | mounts.MS_SLAVE | mounts.MS_UNBINDABLE;

/** umount2(2). EINVAL unknown flags; those of the path; EPERM; then unmount's. */
function umount(call: SyscallCall): number {
  const bits = call.u32(1);
  if ((bits & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  const { fs, credentials } = call.task;
  // The walk to a mount takes its mark of expiry away; this one does not count.
  const expiring = fs.namespace.mounts.filter((each) => each.expiring);
  const found = walk(startOf(fs, credentials), name, (bits & UMOUNT_NOFOLLOW) === 0);
  for (const each of expiring) each.expiring = true;
  if (typeof found === "number") return found;
  if (!hasCapability(credentials, CAP_SYS_ADMIN)) return -EPERM;
  return unmount(fs, found.location, bits);
}

const mountFlagNames = flags(
  "mountflags",
  names("MS_???", {
    MS_RDONLY: mounts.MS_RDONLY,
    MS_NOSUID: mounts.MS_NOSUID,
    MS_NODEV: mounts.MS_NODEV,
    MS_NOEXEC: mounts.MS_NOEXEC,
    MS_SYNCHRONOUS: mounts.MS_SYNCHRONOUS,
    MS_REMOUNT: mounts.MS_REMOUNT,
    MS_MANDLOCK: mounts.MS_MANDLOCK,
    MS_DIRSYNC: mounts.MS_DIRSYNC,
    MS_NOSYMFOLLOW: mounts.MS_NOSYMFOLLOW,
    MS_NOATIME: mounts.MS_NOATIME,
    MS_NODIRATIME: mounts.MS_NODIRATIME,
    MS_BIND: mounts.MS_BIND,
    MS_MOVE: mounts.MS_MOVE,
    MS_REC: mounts.MS_REC,
    MS_SILENT: mounts.MS_SILENT,
    MS_UNBINDABLE: mounts.MS_UNBINDABLE,
    MS_PRIVATE: mounts.MS_PRIVATE,
    MS_SLAVE: mounts.MS_SLAVE,
    MS_SHARED: mounts.MS_SHARED,
    MS_RELATIME: mounts.MS_RELATIME,
    MS_STRICTATIME: mounts.MS_STRICTATIME,
    MS_LAZYTIME: mounts.MS_LAZYTIME,
  }),
);
const umountFlagNames = flags(
  "flags",
  names("MNT_???", { MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW }),
);

export const mountSyscalls: readonly Definition[] = [
  define({
    number: 155,
    name: "pivot_root",
    args: [path("new_root"), path("put_old")],
    handler: () => -EPERM,
  }),
  define({
    number: 165,
    name: "mount",
    args: [string("source"), path("target"), string("filesystemtype"), mountFlagNames, address("data")],
    handler: mount,
  }),
  define({ number: 166, name: "umount2", args: [path("target"), umountFlagNames], handler: umount }),
];
