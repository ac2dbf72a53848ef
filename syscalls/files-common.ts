/** What the calls on files share: descriptors, paths, blocking, transfers' segments. */

import { EBADF, EFAULT, EINVAL, ENAMETOOLONG, ENOTDIR } from "../kernel/errno.js";
import type { Location } from "../kernel/fs/mount.js";
import { startOf } from "../kernel/fs/namespace.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { AT_EMPTY_PATH, AT_FDCWD, MAX_TRANSFER, PATH_MAX } from "../kernel/fs/open-flags.js";
import { walk } from "../kernel/fs/walk.js";
import type { WalkStart } from "../kernel/fs/walk.js";
import { RLIMIT_NOFILE } from "../kernel/limits.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import type { Word } from "../kernel/mm/word.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { WaitQueue } from "../kernel/wait-queue.js";
import type { FileWait } from "../kernel/wait.js";
import type { SyscallCall } from "./call.js";

/** The file of a descriptor, or -EBADF; O_PATH ones count only where asked. A call that waited goes on with its own. */
export function fileOf(call: SyscallCall, fd: number, allowPath = false): OpenFile | number {
  const { resumed } = call;
  const held = resumed?.kind === "file" ? resumed.files?.get(fd) : undefined;
  const file = held ?? call.fileAt(fd);
  return file === undefined || (file.isPath && !allowPath) ? -EBADF : file;
}

/** A path from user memory; -EFAULT, -ENAMETOOLONG from 4096 bytes on. An empty one passes. */
export function readPath(call: SyscallCall, address: Word): string | number {
  const path = call.user.readCString(address, PATH_MAX);
  if (path === null) return -EFAULT;
  return path.length >= PATH_MAX ? -ENAMETOOLONG : path;
}

/** Where a path relative to a directory descriptor begins; absolute ones never look at it. */
export function baseOf(call: SyscallCall, dirfd: number, path: string): Location | number {
  if (dirfd === AT_FDCWD || path.startsWith("/")) return call.task.fs.cwd;
  const file = call.task.files.get(dirfd);
  if (file === undefined) return -EBADF;
  return path === "" || file.node.isDirectory ? file.location : -ENOTDIR;
}

export function startAt(call: SyscallCall, dirfd: number, path: string): WalkStart | number {
  const base = baseOf(call, dirfd, path);
  return typeof base === "number" ? base : startOf(call.task.fs, call.task.credentials, base);
}

/** The place that (dirfd, path) names; with AT_EMPTY_PATH an empty path is the descriptor itself. */
export function locate(
  call: SyscallCall,
  dirfd: number,
  path: string,
  follow: boolean,
  flags = 0,
  actor?: WalkStart["actor"],
): Location | number {
  const start = startAt(call, dirfd, path);
  if (typeof start === "number") return start;
  if (path === "" && (flags & AT_EMPTY_PATH) !== 0) return start.base;
  const found = walk(actor ? { ...start, actor } : start, path, follow);
  return typeof found === "number" ? found : found.location;
}

/** The current limit of descriptor numbers. */
export function descriptorLimit(call: SyscallCall): number {
  return call.task.limits.soft(RLIMIT_NOFILE);
}

/**
 * Ends this execution: the call is made again when a file may be ready. A wait that goes on keeps its record.
 * @param progress bytes done, which a signal turns into the result
 */
export function block(
  call: SyscallCall,
  fds: readonly number[],
  host: boolean,
  progress = 0,
  deadline: number | null = null,
  interrupted: number = ERESTARTSYS,
): typeof BLOCKED {
  const { resumed } = call;
  // splice(2) waits for one end and then for the other.
  if (resumed?.kind === "file" && resumed.fds.every((fd, i) => fd === fds[i])) {
    resumed.progress = progress;
    call.task.waiting = resumed;
    return BLOCKED;
  }
  const queues: WaitQueue[] = [];
  const files = new Map<number, OpenFile>();
  for (const fd of fds) {
    const file = call.fileAt(fd);
    if (file === undefined || files.has(fd)) continue;
    files.set(fd, file.hold());
    if (file.waitQueue !== null) queues.push(file.waitQueue);
  }
  const wait: FileWait = {
    kind: "file",
    fds,
    files,
    host,
    progress,
    deadline,
    timedOut: false,
    interrupted,
    queues,
  };
  call.task.waiting = wait;
  return BLOCKED;
}

/** As `block`, for something that is no open descriptor: the call is made again when one of the queues is woken. */
export function blockOn(
  call: SyscallCall,
  queues: readonly WaitQueue[],
  reason: string,
  deadline: number | null = null,
  interrupted: number = ERESTARTSYS,
): typeof BLOCKED {
  const { resumed } = call;
  call.task.waiting =
    resumed?.kind === "queue"
      ? resumed
      : { kind: "queue", queues, reason, deadline, timedOut: false, interrupted };
  return BLOCKED;
}

export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** One buffer as segments; -EFAULT where it leaves user space. */
export function oneSegment(call: SyscallCall, address: Word, length: Word): Segment[] | number {
  if (!call.user.accessOk(address, length)) return -EFAULT;
  return [{ address: Number(address), length: Math.min(Number(length), MAX_TRANSFER) }];
}

const MAX_SEGMENTS = 1024;

/** struct iovec[count] (import_iovec): -EINVAL, -EFAULT; what passes MAX_RW_COUNT is cut off. */
export function readSegments(call: SyscallCall, address: Word, count: number): Segment[] | number {
  if (count > MAX_SEGMENTS || count < 0) return -EINVAL;
  if (count === 0) return [];
  const bytes = call.user.read(address, count * 16);
  if (typeof bytes === "number") return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const segments: Segment[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const base = view.getBigUint64(16 * i, true);
    const length = view.getBigUint64(16 * i + 8, true);
    if (length >= 2n ** 63n) return -EINVAL;
    if (!call.user.accessOk(base, length)) return -EFAULT;
    const kept = Math.min(Number(length), MAX_TRANSFER - total);
    total += kept;
    segments.push({ address: Number(base), length: kept });
  }
  return segments;
}

/** Before a call that writes some of them and reads the others later (UserMemory.awaitReadable). */
export function awaitSegments({ user }: SyscallCall, segments: readonly Segment[]): void {
  for (const { address, length } of segments) user.awaitReadable(address, length);
}

/** Walks through segments while bytes go in or out. */
export class SegmentCursor {
  private index = 0;
  private within = 0;

  constructor(
    private readonly user: UserMemory,
    private readonly segments: readonly Segment[],
  ) {}

  get total(): number {
    return this.segments.reduce((sum, segment) => sum + segment.length, 0);
  }

  skip(count: number): void {
    while (count > 0) {
      const part = Math.min(count, this.segments[this.index].length - this.within);
      this.advance(part);
      count -= part;
    }
  }

  /** Copies to user memory; fewer bytes than given when it refuses. */
  put(bytes: Uint8Array): number {
    return this.move(bytes, (address, part) => this.user.copyOut(address, part));
  }

  /** Fills from user memory; fewer bytes when it refuses. */
  take(bytes: Uint8Array): number {
    return this.move(bytes, (address, part) => this.user.copyIn(address, part));
  }

  private move(bytes: Uint8Array, copy: (address: number, part: Uint8Array) => number): number {
    let done = 0;
    while (done < bytes.length && this.index < this.segments.length) {
      const segment = this.segments[this.index];
      const length = Math.min(bytes.length - done, segment.length - this.within);
      const copied = copy(segment.address + this.within, bytes.subarray(done, done + length));
      done += copied;
      this.advance(copied);
      if (copied < length) break;
    }
    return done;
  }

  private advance(count: number): void {
    this.within += count;
    while (this.index < this.segments.length && this.within >= this.segments[this.index].length) {
      this.within -= this.segments[this.index].length;
      this.index++;
    }
  }
}

/** A handler that is given the file of the descriptor in argument 0; -EBADF without one. */
export function withFile(action: (file: OpenFile, call: SyscallCall) => number) {
  return (call: SyscallCall): number => {
    const file = fileOf(call, call.fd(0));
    return typeof file === "number" ? file : action(file, call);
  };
}
