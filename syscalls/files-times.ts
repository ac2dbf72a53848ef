/** Times of files (fs/utimes.c). */

import { EFAULT, EINVAL, EPERM, EROFS } from "../kernel/errno.js";
import { MAY_WRITE } from "../kernel/fs/mode.js";
import type { Location } from "../kernel/fs/mount.js";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../kernel/fs/open-flags.js";
import { actorOf, ownerOrCapable, permission } from "../kernel/fs/permission.js";
import type { Timestamp } from "../kernel/fs/timestamp.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { dirfd, path, structIn } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath } from "./files-common.js";
import { atFlags } from "./files-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

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
  return inode.setTimes(pick(accessed, inode.accessed), pick(modified, inode.modified));
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

export const fileTimeSyscalls: readonly Definition[] = [
  define({
    number: 132,
    name: "utime",
    args: [path("filename"), structIn("times", "timespec")],
    handler: (call) => utimePath(call, AT_FDCWD, 0, "utimbuf"),
  }),
  define({
    number: 235,
    name: "utimes",
    args: [path("filename"), structIn("times", "timeval")],
    handler: (call) => utimePath(call, AT_FDCWD, 0, "timeval"),
  }),
  define({
    number: 261,
    name: "futimesat",
    args: [dirfd("dirfd"), path("pathname"), structIn("times", "timeval")],
    handler: (call) => utimePath(call, call.fd(0), 1, "timeval"),
  }),
  define({
    number: 280,
    name: "utimensat",
    args: [dirfd("dirfd"), path("pathname"), structIn("times", "timespec"), atFlags()],
    handler: utimensat,
  }),
];
