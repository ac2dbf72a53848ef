/** Processes: their making, ending and programs (kernel/fork.c, kernel/exit.c, fs/exec.c). */

import {
  E2BIG,
  EAGAIN,
  ECHILD,
  EFAULT,
  EINVAL,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ESRCH,
} from "../kernel/errno.js";
import { execute } from "../kernel/exec/exec.js";
import { STRING_MAX } from "../kernel/exec/stack.js";
import type { Word } from "../kernel/mm/word.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import { NO_RESULT } from "../kernel/syscall-dispatch.js";
import {
  address,
  flags,
  hex,
  int,
  length,
  names,
  path,
  pid,
  strings,
  structIn,
  structOut,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

const PATH_MAX = 4096;
const EXIT_CODE = 0xff;

const WAIT_OPTIONS = names("W???", {
  WNOHANG: 1,
  WUNTRACED: 2,
  WCONTINUED: 8,
  __WNOTHREAD: 0x2000_0000,
  __WALL: 0x4000_0000,
});
const CLONE_FLAGS = names("CLONE_???", {
  CLONE_VM: 0x100,
  CLONE_FS: 0x200,
  CLONE_FILES: 0x400,
  CLONE_SIGHAND: 0x800,
  CLONE_PIDFD: 0x1000,
  CLONE_PTRACE: 0x2000,
  CLONE_VFORK: 0x4000,
  CLONE_PARENT: 0x8000,
  CLONE_THREAD: 0x1_0000,
  CLONE_NEWNS: 0x2_0000,
  CLONE_SYSVSEM: 0x4_0000,
  CLONE_SETTLS: 0x8_0000,
  CLONE_PARENT_SETTID: 0x10_0000,
  CLONE_CHILD_CLEARTID: 0x20_0000,
  CLONE_CHILD_SETTID: 0x100_0000,
});

function end(call: SyscallCall): HandlerResult {
  call.kernel.exitProcess(call.task, { code: call.i32(0) & EXIT_CODE, signal: null, core: false });
  return NO_RESULT;
}

/** Processes come later: what a full process table gives. */
const noMoreTasks: Handler = () => -EAGAIN;

/** No child was ever made. */
function wait4(call: SyscallCall): HandlerResult {
  const options = call.i32(2);
  // WNOHANG, WUNTRACED, WCONTINUED and the __W bits exist.
  if ((options & ~(0xb | 0xe000_0000)) !== 0) return -EINVAL;
  return call.i32(0) === -0x8000_0000 ? -ESRCH : -ECHILD;
}

function waitid(call: SyscallCall): HandlerResult {
  const options = call.i32(3);
  const WEXITED_WSTOPPED_WCONTINUED = 4 | 2 | 8;
  if ((options & ~(1 | 0x0100_0000 | WEXITED_WSTOPPED_WCONTINUED | 0xe000_0000)) !== 0) return -EINVAL;
  if ((options & WEXITED_WSTOPPED_WCONTINUED) === 0) return -EINVAL;
  const which = call.i32(0);
  const id = call.i32(1);
  if (which < 0 || which > 3 || (which === 1 && id <= 0) || (which === 2 && id < 0)) return -EINVAL;
  return -ECHILD;
}

/** An array of string pointers; -EFAULT, or -E2BIG for a string over 128 KiB. */
function readStrings(user: UserMemory, start: Word): string[] | number {
  const list: string[] = [];
  if (start === 0) return list;
  for (let at = BigInt(start); ; at += 8n) {
    const pointer = user.readU64(at);
    if (pointer === null) return -EFAULT;
    if (pointer === 0n) return list;
    const text = user.readCString(pointer, STRING_MAX);
    if (text === null) return -EFAULT;
    if (text.length >= STRING_MAX) return -E2BIG;
    list.push(text);
  }
}

function execve(call: SyscallCall): HandlerResult {
  const { user, task, kernel } = call;
  const name = user.readCString(call.word(0), PATH_MAX);
  if (name === null) return -EFAULT;
  if (name.length >= PATH_MAX) return -ENAMETOOLONG;
  if (name === "") return -ENOENT;
  const argv = readStrings(user, call.word(1));
  if (typeof argv === "number") return argv;
  const env = readStrings(user, call.word(2));
  if (typeof env === "number") return env;
  const failed = execute(kernel, task, name, argv, env);
  return failed === null || failed.fatal ? NO_RESULT : -failed.errno;
}

export const processSyscalls: readonly Definition[] = [
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
    handler: noMoreTasks,
  }),
  define({ number: 57, name: "fork", args: [], returns: "pid", handler: noMoreTasks }),
  define({ number: 58, name: "vfork", args: [], returns: "pid", handler: noMoreTasks }),
  define({
    number: 59,
    name: "execve",
    args: [path("pathname"), strings("argv"), strings("envp")],
    handler: execve,
  }),
  define({ number: 60, name: "exit", args: [int("status")], returns: "none", handler: end }),
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
  define({ number: 231, name: "exit_group", args: [int("status")], returns: "none", handler: end }),
  define({
    number: 247,
    name: "waitid",
    args: [
      int("idtype"),
      pid("id"),
      structOut("infop", "siginfo"),
      flags("options", WAIT_OPTIONS),
      structOut("rusage", "rusage"),
    ],
    handler: waitid,
  }),
  define({
    number: 435,
    name: "clone3",
    args: [structIn("cl_args", "clone_args"), length("size")],
    returns: "pid",
    handler: () => -ENOSYS,
  }),
];
