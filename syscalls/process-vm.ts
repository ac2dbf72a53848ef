/** Calls on the memory of another process: process_vm_readv, process_vm_writev, process_madvise. */

import { CAP_SYS_NICE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { PidFile } from "../kernel/fs/pid-file.js";
import { UserMemory } from "../kernel/mm/user-memory.js";
import { MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED } from "../kernel/mm/uapi.js";
import { VM_HUGETLB, VM_PFNMAP, VM_SHARED } from "../kernel/mm/vm-flags.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import { isKilled } from "../kernel/signals/send.js";
import { choice, fd, hex, pid, structIn, structInOut, unsignedLong } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { targetOf } from "./pidfd.js";
import { readSegments, SegmentCursor, type Segment } from "./files-common.js";
import { ADVICE } from "./memory-names.js";
import { readView } from "./structs.js";
import { define, type Definition } from "./table.js";

const MAX_SEGMENTS = 1024;
/** Bytes of the other side that are looked up before any of them is copied (PVM_MAX_KMALLOC_PAGES). */
const PINNED_AT_ONCE = 1024 * 4096;
/** What one process may advise another of (process_madvise_remote_valid). */
const REMOTE_ADVICE: ReadonlySet<number> = new Set([MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE]);

/** The other side's buffers: addresses are looked at when they are used. -EINVAL or -EFAULT. */
function remoteSegments(call: SyscallCall, at: number, count: number): Segment[] | number {
  if (count > MAX_SEGMENTS || count < 0) return -EINVAL;
  if (count === 0) return [];
  const view = readView(call.user, call.word(at), count * 16);
  if (typeof view === "number") return view;
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const length = view.getBigUint64(16 * i + 8, true);
    if (length >= 2n ** 63n) return -EINVAL;
    segments.push({ address: Number(view.getBigUint64(16 * i, true)), length: Number(length) });
  }
  return segments;
}

/*
 * process_vm_readv(pid, local, n, remote, n, flags) and process_vm_writev
 *   EINVAL  flags; a number of buffers or a length that is none; EFAULT the lists, a local buffer beyond user space
 *   (0      nothing to copy)
 *   ESRCH   no such process, or it has given its memory back
 *   EPERM   the caller may not trace it
 *   EFAULT  a page cannot be had; what was copied before counts, and is then the result
 * The other side's keys do not matter (FOLL_REMOTE), its protection does, and a seal is none.
 */
function processVm(call: SyscallCall, write: boolean): number {
  const { task, kernel } = call;
  if (call.u64(5) !== 0n) return -EINVAL;
  const local = readSegments(call, call.word(1), call.n(2));
  if (typeof local === "number") return local;
  const cursor = new SegmentCursor(call.user, local);
  let left = cursor.total;
  if (left === 0) return 0;
  const remote = remoteSegments(call, 3, call.n(4));
  if (typeof remote === "number") return remote;
  if (remote.every(({ length }) => length === 0)) return 0;
  const target = kernel.tasks.get(call.i32(0));
  if (target === undefined) return -ESRCH;
  if (!mayAccess(task, target, "real")) return -EPERM;
  if (target.mm.released || target.state === "dead") return -ESRCH;

  const memory = new UserMemory(target.mm, { foreign: true, pins: true });
  let done = 0;
  for (const { address, length } of remote) {
    const ahead = Math.min(length, PINNED_AT_ONCE);
    if (write) memory.awaitWritable(address, ahead);
    else memory.awaitReadable(address, ahead);
    for (let at = 0; at < length && left > 0;) {
      const where = address + at;
      const part = Math.min(4096 - (where % 4096), length - at, left);
      const bytes = new Uint8Array(part);
      const had = write ? cursor.take(bytes) : memory.copyIn(where, bytes);
      const moved = write
        ? memory.copyOut(where, bytes.subarray(0, had))
        : cursor.put(bytes.subarray(0, had));
      done += moved;
      left -= moved;
      at += moved;
      if (moved < part) return done > 0 ? done : -EFAULT;
    }
  }
  return done;
}

/*
 * process_madvise(pidfd, buffers, n, advice, flags)
 *   EINVAL  flags, the list; EFAULT the list; EBADF no pidfd; ESRCH it has ended; EPERM may not be looked into
 *   EINVAL  (before 6.13) an advice that is not for others' memory, before the process is looked at
 *   EINVAL  another's memory, and the advice would change what it reads; EPERM without CAP_SYS_NICE
 *   EINVAL  (7.2, not 6.18) an unknown advice, also where there is nothing to advise
 *   then what madvise says of the first buffer; bytes advised before a later refusal
 */
function processMadvise(call: SyscallCall): number {
  const { task } = call;
  if (call.u32(4) !== 0) return -EINVAL;
  const segments = readSegments(call, call.word(1), call.n(2));
  if (typeof segments === "number") return segments;
  const named = targetOf(call, call.fd(0));
  if (typeof named === "number") return named;
  const target = named.task.process.leader;
  const { mm } = target;
  const advice = call.i32(3);
  const { processMadviseOwn, processMadviseOfNothing } = call.kernel.release.rules;
  // Where one's own memory is nothing special, the advice is looked at before the process is.
  if (processMadviseOwn === "as-others" && !REMOTE_ADVICE.has(advice)) return -EINVAL;
  if (mm.released || target.state === "dead") return -ESRCH;
  if (!mayAccess(task, target, "file-system")) return -EPERM;
  const own = mm === task.mm;
  if (!own && !REMOTE_ADVICE.has(advice)) return -EINVAL;
  if (!own && !hasCapability(task.credentials, CAP_SYS_NICE)) return -EPERM;
  if (processMadviseOfNothing === "checked") {
    const known = mm.madvise(0, 0, advice);
    if (known < 0) return known;
  }
  const bytes = segments.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const { address, length } of segments) {
    // Empty buffers at the end are not looked at (vector_madvise).
    if (done === bytes) break;
    const error = mm.madvise(address, length, advice);
    if (error < 0) return done > 0 ? done : error;
    done += length;
  }
  return done;
}

/*
 * process_mrelease(pidfd, flags)
 *   EINVAL  flags; EBADF no pidfd; ESRCH it has given its memory back
 *   EINVAL  it is not being killed
 * Gives back at once what the process would give back by itself when it next runs: its pages that no file keeps.
 */
function processMrelease(call: SyscallCall): number {
  const { task } = call;
  if (call.u32(1) !== 0) return -EINVAL;
  const open = task.files.get(call.fd(0));
  if (!(open instanceof PidFile)) return -EBADF;
  const { process } = open;
  const { mm, state } = process.leader;
  if (mm.released || process.zombie || state === "dead") return -ESRCH;
  const killed = process.exit !== null || process.tasks.every(isKilled);
  if (!killed) return -EINVAL;
  for (const area of mm.areas())
    if ((area.flags & (VM_SHARED | VM_PFNMAP | VM_HUGETLB)) === 0)
      mm.translations.drop(area.start, area.end, "pages");
  return 0;
}

export const processVmSyscalls: readonly Definition[] = [
  define({
    number: 310,
    name: "process_vm_readv",
    args: [
      pid("pid"),
      structInOut("lvec", "iovec", 2),
      unsignedLong("liovcnt"),
      structIn("rvec", "iovec", 4),
      unsignedLong("riovcnt"),
      hex("flags"),
    ],
    handler: (call) => processVm(call, false),
  }),
  define({
    number: 311,
    name: "process_vm_writev",
    args: [
      pid("pid"),
      structIn("lvec", "iovec", 2),
      unsignedLong("liovcnt"),
      structIn("rvec", "iovec", 4),
      unsignedLong("riovcnt"),
      hex("flags"),
    ],
    handler: (call) => processVm(call, true),
  }),
  define({
    number: 448,
    name: "process_mrelease",
    args: [fd("pidfd"), hex("flags")],
    handler: processMrelease,
  }),
  define({
    number: 440,
    name: "process_madvise",
    args: [
      fd("pidfd"),
      structIn("vec", "iovec", 2),
      unsignedLong("vlen"),
      choice("advice", ADVICE),
      hex("flags"),
    ],
    handler: processMadvise,
  }),
];
