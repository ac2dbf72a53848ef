/** fork, vfork, clone, clone3 (kernel/fork.c kernel_clone, copy_clone_args_from_user). */

import type { ControlGroup } from "../kernel/cgroup/control-group.js";
import { mayAttach } from "../kernel/cgroup/membership.js";
import { E2BIG, EBADF, EFAULT, EINVAL, ENOENT, EOPNOTSUPP, EPERM } from "../kernel/errno.js";
import { GeneratedDirectory } from "../kernel/fs/procfs/file-system.js";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_DETACHED,
  CLONE_FILES,
  CLONE_FS,
  CLONE_IO,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
} from "../kernel/clone-flags.js";
import { copyTask, type CloneArguments } from "../kernel/fork.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { stopForEvent } from "../kernel/ptrace/stop.js";
import { PTRACE_EVENT_VFORK_DONE, PTRACE_O_TRACEVFORKDONE } from "../kernel/ptrace/tracing.js";
import { isThreadDesc, isThreadEntry } from "../kernel/segments/thread-area.js";
import { decodeUserDesc, USER_DESC_BYTES, type UserDesc } from "../kernel/segments/user-desc.js";
import { SIGCHLD, SIGNAL_MAX } from "../kernel/signals/numbers.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { address, flags, hex, length, names, structIn, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { pidFile, PIDFD_THREAD } from "./pidfd.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const CSIGNAL = 0xff;
/** Sizes of struct clone_args: as published first, and the most that this kernel knows. */
const CLONE_ARGS_VER0 = 64;
const CLONE_ARGS_KNOWN = 88;
const PAGE = 4096;
/** Flags above 32 bits, which only clone3 takes. */
const CLONE_CLEAR_SIGHAND = 1n << 32n;
const CLONE_INTO_CGROUP = 1n << 33n;
const INT_MAX = 0x7fff_ffffn;

const CLONE_FLAGS = names("CLONE_???", {
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_VFORK,
  CLONE_PARENT,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_SETTLS,
  CLONE_PARENT_SETTID,
  CLONE_CHILD_CLEARTID,
  CLONE_DETACHED,
  CLONE_UNTRACED,
  CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_IO,
});

/** What the flags write to and where: checked before anything is made. */
interface Request extends CloneArguments {
  /** Where CLONE_PIDFD stores the descriptor, bytes. */
  readonly pidfd: number;
}

function makeTask(call: SyscallCall, request: Request): HandlerResult {
  const { kernel, task, user } = call;
  const thread = (request.flags & CLONE_SETTLS) !== 0 ? threadArea(call, request.tls) : undefined;
  if (typeof thread === "number") return thread;
  // The child may look there as soon as it runs.
  if ((request.flags & CLONE_PARENT_SETTID) !== 0) user.awaitWritable(request.parentTid, 4);
  const wantsFile = (request.flags & CLONE_PIDFD) !== 0;
  if (wantsFile) {
    const number = task.files.lowestFree(0, descriptorLimit(call));
    if (number < 0) return number;
    if (!user.writeU32(request.pidfd, number)) return -EFAULT;
  }
  const child = copyTask(kernel, task, thread === undefined ? request : { ...request, thread });
  if (typeof child === "number") return child;
  if (wantsFile) {
    const kind = (request.flags & CLONE_THREAD) === 0 ? 0 : PIDFD_THREAD;
    task.files.install(pidFile(call, child, kind), true, descriptorLimit(call));
  }
  if ((request.flags & CLONE_PARENT_SETTID) !== 0) user.writeU32(request.parentTid, child.tid);
  if ((request.flags & CLONE_VFORK) === 0) return child.tid;
  task.waiting = {
    kind: "vfork",
    pid: child.tid,
    queues: [child.process.exitQueue],
    deadline: null,
    timedOut: false,
    interrupted: 0,
  };
  return BLOCKED;
}

/** The GDT entry of a 32-bit program's CLONE_SETTLS; undefined where `tls` is FS's base. -EPERM, -EFAULT, -EINVAL. */
function threadArea(call: SyscallCall, tls: bigint): UserDesc | number | undefined {
  if (!call.task.ia32Call) return tls >= BigInt(TASK_SIZE) ? -EPERM : undefined;
  const given = call.user.read(Number(tls), USER_DESC_BYTES);
  if (typeof given === "number") return -EFAULT;
  const desc = decodeUserDesc(given);
  return isThreadDesc(desc) && isThreadEntry(desc.entryNumber) ? desc : -EINVAL;
}

/** A parent that vfork made wait: on until the child has left its memory. */
function goOn(call: SyscallCall): HandlerResult | null {
  const { resumed, kernel, task } = call;
  if (resumed?.kind !== "vfork") return null;
  if (kernel.processes.get(resumed.pid)?.vforked !== true) {
    stopForEvent(kernel, task, PTRACE_EVENT_VFORK_DONE, PTRACE_O_TRACEVFORKDONE, resumed.pid);
    kernel.debugger?.vforkDone(task);
    return resumed.pid;
  }
  task.waiting = resumed;
  return BLOCKED;
}

const plain = {
  clearHandlers: false,
  group: null,
  stack: 0n,
  tls: 0n,
  parentTid: 0,
  childTid: 0,
  pidfd: 0,
} as const;

function fork(call: SyscallCall): HandlerResult {
  return makeTask(call, { ...plain, flags: 0, exitSignal: SIGCHLD });
}

function vfork(call: SyscallCall): HandlerResult {
  return goOn(call) ?? makeTask(call, { ...plain, flags: CLONE_VFORK | CLONE_VM, exitSignal: SIGCHLD });
}

function clone(call: SyscallCall): HandlerResult {
  const going = goOn(call);
  if (going !== null) return going;
  const given = call.u32(0);
  const wanted = (given & ~CSIGNAL) >>> 0;
  // The descriptor would go where the parent's tid goes.
  if ((wanted & CLONE_PIDFD) !== 0 && (wanted & (CLONE_PARENT_SETTID | CLONE_DETACHED)) !== 0) return -EINVAL;
  return makeTask(call, {
    // CLONE_DETACHED has had no effect since 2.6.
    flags: (wanted & ~CLONE_DETACHED) >>> 0,
    clearHandlers: false,
    group: null,
    exitSignal: given & CSIGNAL,
    stack: call.u64(1),
    parentTid: call.n(2),
    childTid: call.n(3),
    tls: call.u64(4),
    pidfd: call.n(2),
  });
}

/** The group of CLONE_INTO_CGROUP, or -EBADF, -ENOENT, -EACCES, -EOPNOTSUPP, -EBUSY (cgroup_css_set_fork). */
function groupFor(call: SyscallCall, fd: number, wholeProcess: boolean): ControlGroup | number {
  const { kernel, task } = call;
  const inode = task.files.get(fd)?.node;
  const group = inode instanceof GeneratedDirectory ? inode.node.group : undefined;
  if (group === undefined) return -EBADF;
  if (group.removed) return -ENOENT;
  const from = kernel.cgroups.groupOf(task);
  const allowed = mayAttach(kernel, from, group, task.credentials);
  if (allowed < 0) return allowed;
  return wholeProcess || from.domain === group.domain ? group : -EOPNOTSUPP;
}

function clone3(call: SyscallCall): HandlerResult {
  const going = goOn(call);
  if (going !== null) return going;
  const size = call.n(1);
  if (size > PAGE) return -E2BIG;
  if (size < CLONE_ARGS_VER0) return -EINVAL;
  const given = call.user.read(call.word(0), size);
  if (typeof given === "number") return -EFAULT;
  // A newer program's fields must be 0 where this kernel knows none (copy_struct_from_user).
  if (given.subarray(CLONE_ARGS_KNOWN).some((byte) => byte !== 0)) return -E2BIG;
  const bytes = new Uint8Array(CLONE_ARGS_KNOWN);
  bytes.set(given.subarray(0, CLONE_ARGS_KNOWN));
  const view = new DataView(bytes.buffer);
  const field = (index: number): bigint => view.getBigUint64(8 * index, true);
  const wanted = field(0);
  const [setTid, setTidSize] = [field(8), field(9)];
  if ((setTid === 0n) !== (setTidSize === 0n)) return -EINVAL;
  if (field(4) > BigInt(SIGNAL_MAX)) return -EINVAL;
  const intoGroup = (wanted & CLONE_INTO_CGROUP) !== 0n;
  if (intoGroup && (field(10) > INT_MAX || size < CLONE_ARGS_KNOWN)) return -EINVAL;
  // Unknown flags, and those that belong to clone's layout.
  if (wanted >> 34n !== 0n) return -EINVAL;
  const low = Number(wanted & 0xffff_ffffn);
  if ((low & (CLONE_DETACHED | CSIGNAL)) !== 0) return -EINVAL;
  if ((low & (CLONE_THREAD | CLONE_PARENT)) !== 0 && field(4) !== 0n) return -EINVAL;
  const [stack, stackSize] = [field(5), field(6)];
  if ((stack === 0n) !== (stackSize === 0n)) return -EINVAL;
  if (stack !== 0n && !call.user.accessOk(Number(stack), Number(stackSize))) return -EINVAL;
  // Choosing the child's number is a checkpoint tool's business.
  if (setTid !== 0n) return -EPERM;
  const group = intoGroup ? groupFor(call, Number(field(10)), (low & CLONE_THREAD) === 0) : null;
  if (typeof group === "number") return group;
  return makeTask(call, {
    flags: low >>> 0,
    clearHandlers: (wanted & CLONE_CLEAR_SIGHAND) !== 0n,
    group,
    exitSignal: Number(field(4)),
    stack: stack === 0n ? 0n : stack + stackSize,
    parentTid: Number(field(3)),
    childTid: Number(field(2)),
    tls: field(7),
    pidfd: Number(field(1)),
  });
}

export const cloneSyscalls: readonly Definition[] = [
  define({
    number: 56,
    name: "clone",
    args: [
      flags("flags", CLONE_FLAGS),
      address("stack"),
      structOut("parent_tid", "int"),
      structOut("child_tid", "int"),
      hex("tls"),
    ],
    returns: "pid",
    handler: clone,
  }),
  define({ number: 57, name: "fork", args: [], returns: "pid", handler: fork }),
  define({ number: 58, name: "vfork", args: [], returns: "pid", handler: vfork }),
  define({
    number: 435,
    name: "clone3",
    args: [structIn("cl_args", "clone_args"), length("size")],
    returns: "pid",
    handler: clone3,
  }),
];
