/** System V shared memory: shmget, shmat, shmctl, shmdt (ipc/shm.c). */

import { CAP_IPC_LOCK } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EINVAL, EPERM } from "../kernel/errno.js";
import {
  checkPermissions,
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  S_IRUGO,
  S_IWUGO,
  S_IXUGO,
} from "../kernel/ipc/permissions.js";
import { SHM_LOCKED, SharedMemoryAttachment, type SharedMemorySegment } from "../kernel/ipc/shared-memory.js";
import { RLIMIT_MEMLOCK } from "../kernel/limits.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { unmapRange } from "../kernel/mm/munmap.js";
import { MAP_FIXED, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from "../kernel/mm/uapi.js";
import { isPageAligned, isZero, pageDown } from "../kernel/mm/word.js";
import { address, choice, flags, int, length, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { GET_FLAGS, putLong } from "./sysv-common.js";
import { answer, type Controlled, controlObject } from "./sysv-control.js";
import { define, type Definition } from "./table.js";

const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;
const SHM_LOCK = 11;
const SHM_UNLOCK = 12;
const SHM_STAT = 13;
const SHM_INFO = 14;
const SHM_STAT_ANY = 15;
const SHMID_BYTES = 112;
const SHMINFO_BYTES = 72;
const SHM_INFO_BYTES = 48;

const ATTACH_FLAGS = names("SHM_???", { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC });
const COMMANDS = names("IPC_???", {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  SHM_LOCK,
  SHM_UNLOCK,
  SHM_STAT,
  SHM_INFO,
  SHM_STAT_ANY,
});

/*
 * shmat(id, address, flags)
 *   EINVAL  no such id; an address that is no page's without SHM_RND; SHM_REMAP without an address; something is
 *           mapped there, without SHM_REMAP
 *   EACCES  no permission to read (write, execute)
 *   then whatever mmap says, a seal's EPERM too
 */
function shmat(call: SyscallCall): number {
  const flagBits = call.i32(2);
  const { sharedMemory } = call.kernel.ipc;
  const given = call.word(1);
  if (call.i32(0) < 0) return -EINVAL;
  let at = 0;
  let fixed = 0;
  if (!isZero(given)) {
    if (!isPageAligned(given) && (flagBits & SHM_RND) === 0) return -EINVAL;
    at = pageDown(given);
    if (at === 0 && (flagBits & SHM_REMAP) !== 0) return -EINVAL;
    fixed = MAP_FIXED;
  } else if ((flagBits & SHM_REMAP) !== 0) return -EINVAL;
  const writes = (flagBits & SHM_RDONLY) === 0;
  const executes = (flagBits & SHM_EXEC) !== 0;
  const segment = sharedMemory.ids.obtain(call.i32(0));
  if (typeof segment === "number") return segment;
  const wanted = S_IRUGO | (writes ? S_IWUGO : 0) | (executes ? S_IXUGO : 0);
  const denied = checkPermissions(segment.permissions, wanted, call.task.credentials);
  if (denied !== 0) return denied;
  if (at !== 0 && (flagBits & SHM_REMAP) === 0) {
    const end = at + segment.size;
    if (end > 2 ** 64 || (at < TASK_SIZE && call.mm.tree.findOverlap(at, end) !== null)) return -EINVAL;
  }
  const file = new SharedMemoryAttachment(segment, writes);
  const prot = PROT_READ | (writes ? PROT_WRITE : 0) | (executes ? PROT_EXEC : 0);
  segment.beginAttaching();
  const result = call.mm.mmap(at, segment.size, prot, MAP_SHARED | fixed, file, 0);
  segment.endAttaching();
  return result;
}

/*
 * shmdt(address): unmaps what is left of the attachment that begins there; EINVAL where none does. Pages that are
 * sealed stay, and nobody is told.
 */
function shmdt(call: SyscallCall): number {
  const given = call.word(0);
  if (!isPageAligned(given)) return -EINVAL;
  const start = pageDown(given);
  const { tree } = call.mm;
  let file: SharedMemoryAttachment | null = null;
  for (let area = start < TASK_SIZE ? tree.findFirst(start) : null; area !== null;) {
    const { next } = area;
    const { file: mapped } = area;
    const belongs = mapped instanceof SharedMemoryAttachment && area.start - start === area.pageOffset * 4096;
    if (belongs && (file === null || mapped === file)) {
      file ??= mapped;
      unmapRange(call.mm, area.start, area.end, "shmdt");
    }
    area = next;
    if (file !== null && area !== null && area.start >= start + file.segment.size) break;
  }
  return file === null ? -EINVAL : 0;
}

function control({ kernel }: SyscallCall): Controlled<SharedMemorySegment> {
  const { sharedMemory } = kernel.ipc;
  const set = (segment: SharedMemorySegment): void => void (segment.changedAt = sharedMemory.machine.time());
  return { objects: sharedMemory, at: 2, bytes: SHMID_BYTES, put: putSegment, set };
}

function shmctl(call: SyscallCall): number {
  const id = call.i32(0);
  const command = call.i32(1);
  const { sharedMemory } = call.kernel.ipc;
  const { credentials } = call.task;
  if (id < 0 || command < 0) return -EINVAL;
  switch (command) {
    case IPC_INFO:
      return answer(
        call,
        2,
        SHMINFO_BYTES,
        (view) => {
          const { largestSegment, mostPages, ids } = sharedMemory;
          const values = [largestSegment, 1, ids.limit, ids.limit, mostPages];
          values.forEach((value, i) => putLong(view, i * 8, value));
        },
        sharedMemory.ids.highest,
      );
    case SHM_INFO:
      return answer(
        call,
        2,
        SHM_INFO_BYTES,
        (view) => {
          view.setInt32(0, sharedMemory.ids.count, true);
          putLong(view, 8, sharedMemory.totalPages);
          putLong(view, 16, sharedMemory.residentPages);
          putLong(view, 24, sharedMemory.swappedPages);
        },
        sharedMemory.ids.highest,
      );
    case SHM_LOCK:
    case SHM_UNLOCK: {
      const segment = sharedMemory.ids.obtain(id);
      if (typeof segment === "number") return segment;
      const { permissions } = segment;
      if (!hasCapability(credentials, CAP_IPC_LOCK)) {
        if (credentials.euid !== permissions.uid && credentials.euid !== permissions.creatorUid)
          return -EPERM;
        if (command === SHM_LOCK && call.task.limits.soft(RLIMIT_MEMLOCK) === 0) return -EPERM;
      }
      // Huge pages are always in memory.
      if (segment.isHuge) return 0;
      if (command === SHM_LOCK) permissions.mode |= SHM_LOCKED;
      else permissions.mode &= ~SHM_LOCKED;
      return 0;
    }
    default:
      return controlObject(call, control(call), command, SHM_STAT, SHM_STAT_ANY);
  }
}

/** struct shmid64_ds */
function putSegment(view: DataView, segment: SharedMemorySegment): void {
  putLong(view, 48, segment.size);
  putLong(view, 56, segment.attachedAt);
  putLong(view, 64, segment.detachedAt);
  putLong(view, 72, segment.changedAt);
  view.setInt32(80, segment.creatorPid, true);
  view.setInt32(84, segment.lastPid, true);
  putLong(view, 88, segment.attachments);
}

export const sharedMemorySyscalls: readonly Definition[] = [
  define({
    number: 29,
    name: "shmget",
    args: [int("key"), length("size"), flags("shmflg", GET_FLAGS)],
    handler: (call) =>
      call.kernel.ipc.sharedMemory.get(call.i32(0), Number(call.word(1)), call.i32(2), call.task.credentials),
  }),
  define({
    number: 30,
    name: "shmat",
    args: [int("shmid"), address("shmaddr"), flags("shmflg", ATTACH_FLAGS)],
    returns: "address",
    handler: shmat,
  }),
  define({
    number: 31,
    name: "shmctl",
    args: [int("shmid"), choice("cmd", COMMANDS), address("buf")],
    handler: shmctl,
  }),
  define({ number: 67, name: "shmdt", args: [address("shmaddr")], handler: shmdt }),
];
