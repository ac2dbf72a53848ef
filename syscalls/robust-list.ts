/** What a thread leaves behind at its end: its robust futexes, the word that says it is gone. */

import { EFAULT, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import { address, length, pid, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const ROBUST_HEAD_BYTES = 24;

function setTidAddress(call: SyscallCall): HandlerResult {
  call.task.clearChildTid = call.n(0);
  return call.task.tid;
}

function setRobustList(call: SyscallCall): HandlerResult {
  if (call.n(1) !== ROBUST_HEAD_BYTES) return -EINVAL;
  call.task.robustList = call.u64(0);
  return 0;
}

/** -ESRCH, then -EPERM where the caller might not attach to the thread, then -EFAULT. */
function getRobustList(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  const task = number === 0 ? call.task : call.kernel.tasks.get(number);
  if (task === undefined) return -ESRCH;
  if (!mayAccess(call.task, task, "real")) return -EPERM;
  if (!call.user.writeU64(call.word(2), BigInt(ROBUST_HEAD_BYTES))) return -EFAULT;
  return call.user.writeU64(call.word(1), task.robustList) ? 0 : -EFAULT;
}

export const robustListSyscalls: readonly Definition[] = [
  define({
    number: 218,
    name: "set_tid_address",
    args: [address("tidptr")],
    returns: "pid",
    handler: setTidAddress,
  }),
  define({
    number: 273,
    name: "set_robust_list",
    args: [address("head"), length("len")],
    handler: setRobustList,
  }),
  define({
    number: 274,
    name: "get_robust_list",
    args: [pid("pid"), structOut("head_ptr", "pointer"), structOut("len_ptr", "long")],
    handler: getRobustList,
  }),
];
