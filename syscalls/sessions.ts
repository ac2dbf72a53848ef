/** Process groups and sessions (kernel/sys.c, credentials(7)). */

import { EACCES, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { membersOf } from "../kernel/process-groups.js";
import type { Process } from "../kernel/task.js";
import { pid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

/** The process of a number: one of its tasks', or its own when it has ended and was not waited for; 0: the caller's. */
function processOf(call: SyscallCall, number: number): Process | undefined {
  const { kernel, task } = call;
  if (number === 0) return task.process;
  return kernel.tasks.get(number)?.process ?? kernel.processes.get(number);
}

function getpgid(call: SyscallCall): HandlerResult {
  return processOf(call, call.i32(0))?.processGroup ?? -ESRCH;
}

function getsid(call: SyscallCall): HandlerResult {
  return processOf(call, call.i32(0))?.session ?? -ESRCH;
}

function setpgid(call: SyscallCall): HandlerResult {
  const { kernel, task } = call;
  const own = task.process;
  const number = call.i32(0) === 0 ? own.pid : call.i32(0);
  const group = call.i32(1) === 0 ? number : call.i32(1);
  if (group < 0) return -EINVAL;
  const process = processOf(call, number);
  if (process === undefined) return -ESRCH;
  if (process.pid !== number) return -EINVAL;
  if (process.parent === own) {
    if (process.session !== own.session) return -EPERM;
    if (process.executed) return -EACCES;
  } else if (process !== own) return -ESRCH;
  if (process.session === process.pid) return -EPERM;
  if (group !== process.pid) {
    const inSession = membersOf(kernel, group).some((member) => member.session === own.session);
    if (!inSession) return -EPERM;
  }
  process.processGroup = group;
  return 0;
}

/** A session and a group of its own, without a terminal. EPERM for whose number names a group already. */
function setsid(call: SyscallCall): HandlerResult {
  const { kernel, task } = call;
  const { process } = task;
  if (process.session === process.pid || membersOf(kernel, process.pid).length > 0) return -EPERM;
  process.session = process.pid;
  process.processGroup = process.pid;
  process.controllingTerminal = null;
  return process.pid;
}

export const sessionSyscalls: readonly Definition[] = [
  define({ number: 109, name: "setpgid", args: [pid("pid"), pid("pgid")], handler: setpgid }),
  define({
    number: 111,
    name: "getpgrp",
    args: [],
    returns: "pid",
    handler: (call) => call.task.process.processGroup,
  }),
  define({ number: 112, name: "setsid", args: [], returns: "pid", handler: setsid }),
  define({ number: 121, name: "getpgid", args: [pid("pid")], returns: "pid", handler: getpgid }),
  define({ number: 124, name: "getsid", args: [pid("pid")], returns: "pid", handler: getsid }),
];
