/** pidfd_open, pidfd_send_signal, pidfd_getfd (kernel/pid.c, kernel/signal.c). */

import { EBADF, EINVAL, ENOENT, EPERM, ESRCH } from "../kernel/errno.js";
import { O_NONBLOCK } from "../kernel/fs/open-flags.js";
import { PidFile } from "../kernel/fs/pid-file.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import { SI_TKILL, SI_USER } from "../kernel/signals/numbers.js";
import { isZero } from "../kernel/mm/word.js";
import type { Task } from "../kernel/task.js";
import { fd, flags, int, names, pid, signal, structIn } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit, fileOf } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { queueInfo, sender, sendTo } from "./signals.js";
import { define, type Definition } from "./table.js";

export const PIDFD_THREAD = 0o200;
const PIDFD_SIGNAL_THREAD = 1;
const PIDFD_SIGNAL_THREAD_GROUP = 2;
const PIDFD_SIGNAL_PROCESS_GROUP = 4;
const SIGNAL_SCOPES = names("PIDFD_SIGNAL_???", {
  PIDFD_SIGNAL_THREAD,
  PIDFD_SIGNAL_THREAD_GROUP,
  PIDFD_SIGNAL_PROCESS_GROUP,
});
/** Stand for a descriptor of the caller's own thread and process. */
const PIDFD_SELF_THREAD = -10000;
const PIDFD_SELF_THREAD_GROUP = -10001;

/** A new pidfd file of a task's process, or of the task alone with PIDFD_THREAD. */
export function pidFile(call: SyscallCall, task: Task, bits: number): PidFile {
  return new PidFile(
    internalLocation(call, () => "anon_inode:[pidfd]", 0o600),
    bits,
    call.kernel,
    task,
  );
}

function open(call: SyscallCall): number {
  const number = call.i32(0);
  const bits = call.u32(1);
  if ((bits & ~(O_NONBLOCK | PIDFD_THREAD)) !== 0 || number <= 0) return -EINVAL;
  const task = call.kernel.tasks.get(number);
  if (task === undefined) return -ESRCH;
  if ((bits & PIDFD_THREAD) === 0 && task !== task.process.leader)
    return call.kernel.release.rules.pidfdOfThread === "EINVAL" ? -EINVAL : -ENOENT;
  return call.task.files.install(pidFile(call, task, bits), true, descriptorLimit(call));
}

/** Whom a pidfd, or PIDFD_SELF_*, names: -EBADF, -ESRCH. */
export function targetOf(call: SyscallCall, number: number): { task: Task; thread: boolean } | number {
  const { task } = call;
  if (number === PIDFD_SELF_THREAD) return { task, thread: true };
  if (number === PIDFD_SELF_THREAD_GROUP) return { task: task.process.leader, thread: false };
  const file = fileOf(call, number);
  if (typeof file === "number") return file;
  if (!(file instanceof PidFile)) return -EBADF;
  return file.reaped ? -ESRCH : { task: file.task, thread: file.isThread };
}

/** EINVAL (flags), EBADF, EFAULT, EINVAL (si_signo), EPERM (forged), ESRCH, then as kill(2). */
function sendSignal(call: SyscallCall): number {
  const scope = call.u32(3);
  const known = [0, PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP];
  if (!known.includes(scope)) return -EINVAL;
  const target = targetOf(call, call.fd(0));
  if (target === -EBADF) return -EBADF;
  const signo = call.i32(1);
  const toThread =
    scope === PIDFD_SIGNAL_THREAD || (scope === 0 && typeof target !== "number" && target.thread);
  let info = sender(call.task, signo, toThread ? SI_TKILL : SI_USER);
  if (!isZero(call.word(2))) {
    const given = queueInfo(call, signo, 2);
    if (typeof given === "number") return given;
    if (call.user.readI32(call.word(2)) !== signo) return -EINVAL;
    const toItself = typeof target !== "number" && target.task === call.task;
    const forged = given.code >= 0 || given.code === SI_TKILL;
    if (forged && (!toItself || scope === PIDFD_SIGNAL_PROCESS_GROUP)) return -EPERM;
    info = given;
  }
  if (typeof target === "number") return target;
  const { task } = target;
  if (scope !== PIDFD_SIGNAL_PROCESS_GROUP) return sendTo(call, task, info, !toThread);
  const members = [...call.kernel.processes.values()].filter((each) => each.processGroup === task.tid);
  const results = members.map(({ leader }) => sendTo(call, leader, info, true));
  return results.includes(0) ? 0 : (results.at(-1) ?? -ESRCH);
}

/** A copy of another process's descriptor, for who may ptrace it. */
function getfd(call: SyscallCall): number {
  if (call.u32(2) !== 0) return -EINVAL;
  const file = fileOf(call, call.fd(0));
  if (typeof file === "number") return file;
  if (!(file instanceof PidFile)) return -EBADF;
  if (file.reaped || file.task.state === "dead") return -ESRCH;
  if (!mayAccess(call.task, file.task, "real")) return -EPERM;
  const found = file.task.files.get(call.i32(1));
  if (found === undefined) return -EBADF;
  return call.task.files.install(found, true, descriptorLimit(call));
}

export const pidfdSyscalls: readonly Definition[] = [
  define({
    number: 424,
    name: "pidfd_send_signal",
    args: [fd("pidfd"), signal("sig"), structIn("info", "siginfo"), flags("flags", SIGNAL_SCOPES, "0")],
    handler: sendSignal,
  }),
  define({
    number: 434,
    name: "pidfd_open",
    args: [pid("pid"), flags("flags", names("PIDFD_???", { PIDFD_NONBLOCK: O_NONBLOCK, PIDFD_THREAD }), "0")],
    returns: "fd",
    handler: open,
  }),
  define({
    number: 438,
    name: "pidfd_getfd",
    args: [fd("pidfd"), fd("targetfd"), int("flags")],
    returns: "fd",
    handler: getfd,
  }),
];
