/** wait4 and waitid (kernel/exit.c). */

import { EAGAIN, EBADF, ECHILD, EFAULT, EINVAL, ESRCH } from "../kernel/errno.js";
import { PidFile } from "../kernel/fs/pid-file.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { encodeSiginfo } from "../kernel/signals/siginfo.js";
import { SIGCHLD } from "../kernel/signals/numbers.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import {
  findChild,
  WALL,
  WCLONE,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOTHREAD,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
  type ChildChange,
  type ChildSelector,
} from "../kernel/wait-child.js";
import { choice, flags, names, pid, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf } from "./files-common.js";
import { writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";
import { usageBytes } from "./usage.js";

const P_ALL = 0;
const P_PID = 1;
const P_PGID = 2;
const P_PIDFD = 3;
const ID_TYPES = names("P_???", { P_ALL, P_PID, P_PGID, P_PIDFD });
const WAIT_OPTIONS = names("W???", {
  WNOHANG,
  WUNTRACED,
  WEXITED,
  WCONTINUED,
  WNOWAIT,
  __WNOTHREAD: WNOTHREAD,
  __WALL: WALL,
  __WCLONE: WCLONE,
});
const THREAD_BITS = WNOTHREAD | WALL | WCLONE;
const INT_MIN = -0x8000_0000;
/** Bytes of siginfo_t that waitid fills: up to si_status. */
const SIGINFO_WRITTEN = 128;

/** A change, "none" under WNOHANG, or a result: BLOCKED, -ECHILD. */
function waitFor(call: SyscallCall, selector: ChildSelector): ChildChange | "none" | number {
  const { kernel, task } = call;
  const found = findChild(kernel, task, selector);
  if (found === null) return -ECHILD;
  if (found !== "none") return found;
  if ((selector.options & WNOHANG) !== 0) return "none";
  task.waiting = call.resumed ?? {
    kind: "child",
    queues: [task.process.childQueue],
    deadline: null,
    timedOut: false,
    interrupted: ERESTARTSYS,
  };
  return BLOCKED;
}

function selectorOf(call: SyscallCall, type: number, id: number, options: number): ChildSelector {
  const group = id === 0 ? call.task.process.processGroup : id;
  return {
    options,
    matches(pid: number, processGroup: number): boolean {
      if (type === P_PID) return pid === id;
      return type === P_PGID ? processGroup === group : true;
    },
  };
}

function wait4(call: SyscallCall): HandlerResult {
  const options = call.i32(2);
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | THREAD_BITS)) !== 0) return -EINVAL;
  const number = call.i32(0);
  if (number === INT_MIN) return -ESRCH;
  const type = number === -1 ? P_ALL : number > 0 ? P_PID : P_PGID;
  const found = waitFor(call, selectorOf(call, type, Math.abs(number), options | WEXITED));
  if (found === "none") return 0;
  if (typeof found === "number") return found;
  const status = call.word(1);
  if (status !== 0 && !call.user.writeU32(status, found.word)) return -EFAULT;
  const usage = call.word(3);
  if (usage !== 0 && writeBytes(call.user, usage, usageBytes(found.usage)) !== 0) return -EFAULT;
  return found.pid;
}

function waitid(call: SyscallCall): HandlerResult {
  const options = call.i32(3);
  if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | THREAD_BITS)) !== 0) return -EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return -EINVAL;
  const type = call.i32(0);
  const id = call.i32(1);
  if (type < P_ALL || type > P_PIDFD) return -EINVAL;
  if ((type === P_PID && id <= 0) || (type === P_PGID && id < 0) || (type === P_PIDFD && id < 0))
    return -EINVAL;
  const file = type === P_PIDFD ? fileOf(call, id) : null;
  if (typeof file === "number") return file;
  if (file !== null && !(file instanceof PidFile)) return -EBADF;
  const impatient = file !== null && file.nonBlocking && (options & WNOHANG) === 0;
  const selector =
    file === null
      ? selectorOf(call, type, id, options)
      : selectorOf(call, P_PID, file.process.pid, options | (impatient ? WNOHANG : 0));
  const found = waitFor(call, selector);
  if (typeof found === "number") return found;
  if (found === "none" && impatient) return -EAGAIN;
  const usage = call.word(4);
  if (usage !== 0 && found !== "none" && writeBytes(call.user, usage, usageBytes(found.usage)) !== 0)
    return -EFAULT;
  const info = call.word(2);
  return info === 0 ? 0 : writeBytes(call.user, info, infoBytes(found));
}

function infoBytes(found: ChildChange | "none"): Uint8Array {
  if (found === "none") return new Uint8Array(SIGINFO_WRITTEN);
  return encodeSiginfo({
    signo: SIGCHLD,
    errno: 0,
    code: found.code,
    detail: { kind: "child", pid: found.pid, uid: found.uid, status: found.status, utime: 0, stime: 0 },
  });
}

export const waitSyscalls: readonly Definition[] = [
  define({
    number: 61,
    name: "wait4",
    args: [
      pid("pid"),
      structOut("wstatus", "wstatus"),
      flags("options", WAIT_OPTIONS),
      structOut("rusage", "rusage"),
    ],
    returns: "pid",
    handler: wait4,
  }),
  define({
    number: 247,
    name: "waitid",
    args: [
      choice("idtype", ID_TYPES),
      pid("id"),
      structOut("infop", "siginfo"),
      flags("options", WAIT_OPTIONS),
      structOut("rusage", "rusage"),
    ],
    handler: waitid,
  }),
];
