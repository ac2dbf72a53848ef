/** Process groups and sessions (kernel/sys.c, credentials(7)). */

import { EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { pid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

function getpgid(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number === 0) return call.task.process.processGroup;
  return call.kernel.tasks.get(number)?.process.processGroup ?? -ESRCH;
}

function getsid(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number === 0) return call.task.process.session;
  return call.kernel.tasks.get(number)?.process.session ?? -ESRCH;
}

function setpgid(call: SyscallCall): HandlerResult {
  const { process } = call.task;
  const number = call.i32(0) === 0 ? process.pid : call.i32(0);
  const group = call.i32(1) === 0 ? number : call.i32(1);
  if (group < 0) return -EINVAL;
  if (number !== process.pid) return -ESRCH;
  if (process.session === process.pid) return -EPERM;
  if (group !== process.pid && group !== process.processGroup) return -EPERM;
  process.processGroup = group;
  return 0;
}

function setsid(call: SyscallCall): HandlerResult {
  const { process } = call.task;
  if (process.processGroup === process.pid) return -EPERM;
  process.session = process.pid;
  process.processGroup = process.pid;
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
