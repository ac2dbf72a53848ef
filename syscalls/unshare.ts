/** unshare and setns (kernel/fork.c ksys_unshare, kernel/nsproxy.c), of a kernel without namespaces. */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import {
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VM,
} from "../kernel/clone-flags.js";
import { hasCapability } from "../kernel/credentials.js";
import { EBADF, EINVAL, EPERM } from "../kernel/errno.js";
import type { Task } from "../kernel/task.js";
import { fd, flags, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

/** Shares clone's number with a bit of the exit signal, so only unshare and clone3 know it. */
const CLONE_NEWTIME = 0x80;
const NAMESPACES =
  CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;
const KNOWN =
  NAMESPACES |
  CLONE_NEWUSER |
  CLONE_THREAD |
  CLONE_FS |
  CLONE_SIGHAND |
  CLONE_VM |
  CLONE_FILES |
  CLONE_SYSVSEM;

/** A table that other tasks share is left to them (unshare_fd). */
function ownFiles(task: Task): void {
  if (task.files.users === 1) return;
  const shared = task.files;
  task.files = shared.copy();
  shared.drop();
}

/** The working directory, root and umask too (unshare_fs). */
function ownPlaces(call: SyscallCall): void {
  const { task, kernel } = call;
  for (const other of kernel.tasks.values())
    if (other !== task && other.fs === task.fs) {
      task.fs = { ...task.fs };
      return;
    }
}

function unshare(call: SyscallCall): HandlerResult {
  const { task, kernel } = call;
  const asked = call.u64(0);
  if ((asked & ~BigInt(KNOWN >>> 0)) !== 0n) return -EINVAL;
  let bits = Number(asked);
  if ((bits & CLONE_NEWUSER) !== 0) bits |= CLONE_THREAD | CLONE_FS;
  if ((bits & CLONE_NEWPID) !== 0) bits |= CLONE_THREAD;
  if ((bits & CLONE_VM) !== 0) bits |= CLONE_SIGHAND;
  // Nothing of these can be parted: they only may be asked for where nothing is shared (check_unshare_flags).
  const alone = task.process.tasks.length === 1;
  if ((bits & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) !== 0 && !alone) return -EINVAL;
  if ((bits & (CLONE_SIGHAND | CLONE_VM)) !== 0)
    for (const other of kernel.tasks.values())
      if (other !== task && other.process.handlers === task.process.handlers) return -EINVAL;
  if ((bits & CLONE_VM) !== 0 && task.mm.users > 1) return -EINVAL;
  if ((bits & CLONE_NEWUSER) !== 0) return -EINVAL;
  if ((bits & NAMESPACES) !== 0) return hasCapability(task.credentials, CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
  if ((bits & CLONE_FS) !== 0) ownPlaces(call);
  if ((bits & CLONE_FILES) !== 0) ownFiles(task);
  // What it did with SEM_UNDO is undone, where no thread shares that.
  if ((bits & CLONE_SYSVSEM) !== 0 && alone) kernel.ipc.semaphores.exit(task.process);
  return 0;
}

/** No file is one of a namespace, and a pidfd's process has none to be joined. */
function setns(call: SyscallCall): HandlerResult {
  const file = call.task.files.get(call.i32(0));
  return file === undefined || file.isPath ? -EBADF : -EINVAL;
}

const UNSHARE_FLAGS = names("CLONE_???", {
  CLONE_NEWTIME,
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
});

export const unshareSyscalls: readonly Definition[] = [
  define({
    number: 272,
    name: "unshare",
    args: [flags("flags", UNSHARE_FLAGS)],
    handler: unshare,
  }),
  define({
    number: 308,
    name: "setns",
    args: [fd("fd"), flags("nstype", UNSHARE_FLAGS)],
    handler: setns,
  }),
];
