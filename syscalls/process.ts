/** Processes: their making, ending and programs (kernel/fork.c, kernel/exit.c, fs/exec.c). */

import { E2BIG, EFAULT, EINVAL, ENAMETOOLONG, ENOENT } from "../kernel/errno.js";
import { execute, type Program } from "../kernel/exec/exec.js";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../kernel/fs/open-flags.js";
import { STRING_MAX } from "../kernel/exec/stack.js";
import type { Word } from "../kernel/mm/word.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import { NO_RESULT } from "../kernel/syscall-dispatch.js";
import { dirfd, flags, int, names, path, strings } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { locate } from "./files-common.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const PATH_MAX = 4096;
const EXIT_CODE = 0xff;

function exit(call: SyscallCall): HandlerResult {
  call.kernel.exitTask(call.task, call.i32(0) & EXIT_CODE);
  return NO_RESULT;
}

function exitGroup(call: SyscallCall): HandlerResult {
  call.kernel.exitProcess(call.task, { code: call.i32(0) & EXIT_CODE, signal: null, core: false });
  return NO_RESULT;
}

/** An array of pointers that a null ends; -EFAULT. */
function readPointers(user: UserMemory, start: Word): bigint[] | number {
  const pointers: bigint[] = [];
  if (start === 0) return pointers;
  for (let at = BigInt(start); ; at += 8n) {
    const pointer = user.readU64(at);
    if (pointer === null) return -EFAULT;
    if (pointer === 0n) return pointers;
    pointers.push(pointer);
  }
}

/** Their strings, the last one first (copy_strings); -EFAULT, or -E2BIG for a string over 128 KiB. */
function readStrings(user: UserMemory, pointers: readonly bigint[]): string[] | number {
  const list: string[] = [];
  for (const pointer of pointers.toReversed()) {
    const text = user.readCString(pointer, STRING_MAX);
    if (text === null) return -EFAULT;
    if (text.length >= STRING_MAX) return -E2BIG;
    list.push(text);
  }
  return list.reverse();
}

interface Strings {
  readonly argv: string[];
  readonly env: string[];
}

/** Arguments and environment, in the order in which Linux looks at them. */
function readArguments(user: UserMemory, argvAt: Word, envAt: Word): Strings | number {
  const argvPointers = readPointers(user, argvAt);
  if (typeof argvPointers === "number") return argvPointers;
  const envPointers = readPointers(user, envAt);
  if (typeof envPointers === "number") return envPointers;
  const env = readStrings(user, envPointers);
  if (typeof env === "number") return env;
  const argv = readStrings(user, argvPointers);
  return typeof argv === "number" ? argv : { argv, env };
}

function execve(call: SyscallCall): HandlerResult {
  const { user, task, kernel } = call;
  const name = user.readCString(call.word(0), PATH_MAX);
  if (name === null) return -EFAULT;
  if (name.length >= PATH_MAX) return -ENAMETOOLONG;
  if (name === "") return -ENOENT;
  const given = readArguments(user, call.word(1), call.word(2));
  if (typeof given === "number") return given;
  const failed = execute(kernel, task, { path: name }, given.argv, given.env);
  return failed === null || failed.fatal ? NO_RESULT : -failed.errno;
}

/** The program that (dirfd, path) names, by a path: a descriptor's through /dev/fd, as Linux tells scripts of it. */
function execveat(call: SyscallCall): HandlerResult {
  const { user, task, kernel } = call;
  const given = call.i32(4);
  const name = user.readCString(call.word(1), PATH_MAX);
  if (name === null) return -EFAULT;
  if (name.length >= PATH_MAX) return -ENAMETOOLONG;
  if (name === "" && (given & AT_EMPTY_PATH) === 0) return -ENOENT;
  if ((given & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  const program = programAt(call, name, (given & AT_SYMLINK_NOFOLLOW) === 0);
  if (typeof program === "number") return program;
  const strings = readArguments(user, call.word(2), call.word(3));
  if (typeof strings === "number") return strings;
  const failed = execute(kernel, task, program, strings.argv, strings.env);
  return failed === null || failed.fatal ? NO_RESULT : -failed.errno;
}

function programAt(call: SyscallCall, name: string, follow: boolean): Program | number {
  const dirfd = call.i32(0);
  if (name.startsWith("/") || dirfd === AT_FDCWD) {
    if (follow) return { path: name };
    const at = locate(call, AT_FDCWD, name, false);
    return typeof at === "number" ? at : { path: name, at };
  }
  const at = locate(call, dirfd, name, follow, AT_EMPTY_PATH);
  if (typeof at === "number") return at;
  const path = name === "" ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${name}`;
  return { path, at, unreachable: call.task.files.closesOnExec(dirfd) };
}

export const processSyscalls: readonly Definition[] = [
  define({
    number: 59,
    name: "execve",
    args: [path("pathname"), strings("argv"), strings("envp")],
    handler: execve,
  }),
  define({ number: 60, name: "exit", args: [int("status")], returns: "none", handler: exit }),
  define({ number: 231, name: "exit_group", args: [int("status")], returns: "none", handler: exitGroup }),
  define({
    number: 322,
    name: "execveat",
    args: [
      dirfd("dirfd"),
      path("pathname"),
      strings("argv"),
      strings("envp"),
      flags("flags", names("AT_???", { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW })),
    ],
    handler: execveat,
  }),
];
