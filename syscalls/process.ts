/** Processes: identity, ending, programs, limits (kernel/sys.c, kernel/exit.c, fs/exec.c, kernel/cred.c). */

import {
  E2BIG,
  EAGAIN,
  ECHILD,
  EFAULT,
  EINVAL,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  EPERM,
  ESRCH,
} from "../kernel/errno.js";
import { execute } from "../kernel/exec/exec.js";
import { STRING_MAX } from "../kernel/exec/stack.js";
import { CAP_LAST } from "../kernel/credentials.js";
import { RLIM_NLIMITS, type Limit } from "../kernel/limits.js";
import type { Word } from "../kernel/mm/word.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import { NO_RESULT } from "../kernel/syscall-dispatch.js";
import {
  address,
  choice,
  flags,
  gid,
  hex,
  int,
  length,
  names,
  path,
  pid,
  strings,
  structIn,
  structInOut,
  structOut,
  uid,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

const PATH_MAX = 4096;
const EXIT_CODE = 0xff;

const RESOURCES = names("RLIMIT_???", {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
});
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

const isRoot = (call: SyscallCall): boolean => call.task.credentials.euid === 0;

/** The ids that a call names and -1 for "leave": EPERM for one that is none of the caller's three. */
function setIds(call: SyscallCall, kind: "u" | "g", values: readonly (number | null)[]): HandlerResult {
  const c = call.task.credentials;
  const own = kind === "u" ? [c.uid, c.euid, c.suid] : [c.gid, c.egid, c.sgid];
  if (!isRoot(call) && values.some((value) => value !== null && !own.includes(value))) return -EPERM;
  const [real, effective, saved] = values.map((value, i) => value ?? own[i]!);
  if (kind === "u") {
    const lost = own.includes(0) && ![real, effective, saved].includes(0);
    Object.assign(c, { uid: real, euid: effective, suid: saved, fsuid: effective });
    // Giving up every root id gives up the capabilities; a non-root effective id suspends them.
    if (lost) c.permitted = 0n;
    c.effective = effective === 0 ? c.permitted : 0n;
  } else Object.assign(c, { gid: real, egid: effective, sgid: saved, fsgid: effective });
  return 0;
}

const orNull = (value: number): number | null => (value === 0xffff_ffff ? null : value);

function setId(kind: "u" | "g"): Handler {
  return (call) => {
    const value = call.u32(0);
    if (value === 0xffff_ffff) return -EINVAL;
    return setIds(call, kind, isRoot(call) ? [value, value, value] : [null, value, null]);
  };
}

function setRealEffective(kind: "u" | "g"): Handler {
  return (call) => {
    const real = orNull(call.u32(0));
    const effective = orNull(call.u32(1));
    const c = call.task.credentials;
    const oldReal = kind === "u" ? c.uid : c.gid;
    // The saved id follows the effective one when either real is set or effective differs from the old real.
    const follows = real !== null || (effective !== null && effective !== oldReal);
    const current = kind === "u" ? c.euid : c.egid;
    return setIds(call, kind, [real, effective, follows ? (effective ?? current) : null]);
  };
}

function setThree(kind: "u" | "g"): Handler {
  return (call) => setIds(call, kind, [orNull(call.u32(0)), orNull(call.u32(1)), orNull(call.u32(2))]);
}

function getThree(kind: "u" | "g"): Handler {
  return (call) => {
    const c = call.task.credentials;
    const values = kind === "u" ? [c.uid, c.euid, c.suid] : [c.gid, c.egid, c.sgid];
    return values.every((value, i) => call.user.writeU32(call.word(i), value)) ? 0 : -EFAULT;
  };
}

function setFsId(kind: "u" | "g"): Handler {
  return (call) => {
    const c = call.task.credentials;
    const value = call.u32(0);
    const old = kind === "u" ? c.fsuid : c.fsgid;
    const own = kind === "u" ? [c.uid, c.euid, c.suid, c.fsuid] : [c.gid, c.egid, c.sgid, c.fsgid];
    if (value !== 0xffff_ffff && (isRoot(call) || own.includes(value))) {
      if (kind === "u") c.fsuid = value;
      else c.fsgid = value;
    }
    return old;
  };
}

function getgroups(call: SyscallCall): HandlerResult {
  const size = call.i32(0);
  const { groups } = call.task.credentials;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (size < groups.length) return -EINVAL;
  const bytes = new Uint8Array(new Uint32Array(groups).buffer);
  return writeBytes(call.user, call.word(1), bytes) === 0 ? groups.length : -EFAULT;
}

function setgroups(call: SyscallCall): HandlerResult {
  if (!isRoot(call)) return -EPERM;
  const size = call.u32(0);
  if (size > 65536) return -EINVAL;
  const view = readView(call.user, call.word(1), size * 4);
  if (typeof view === "number") return view;
  call.task.credentials.groups = Array.from({ length: size }, (_, i) => view.getUint32(4 * i, true));
  return 0;
}

const CAPABILITY_VERSION_1 = 0x1998_0330;
const CAPABILITY_VERSION_2 = 0x2007_1026;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** The number of 32-bit triples a header's version stands for; null for an unknown one. */
function capabilityWords(version: number): number | null {
  if (version === CAPABILITY_VERSION_1) return 1;
  return version === CAPABILITY_VERSION_2 || version === CAPABILITY_VERSION_3 ? 2 : null;
}

function capget(call: SyscallCall): HandlerResult {
  const { user } = call;
  const header = readView(user, call.word(0), 8);
  if (typeof header === "number") return header;
  const words = capabilityWords(header.getUint32(0, true));
  const data = call.word(1);
  if (words === null) {
    if (!user.writeU32(call.word(0), CAPABILITY_VERSION_3)) return -EFAULT;
    return data === 0 ? 0 : -EINVAL;
  }
  const target = header.getInt32(4, true);
  if (target < 0) return -EINVAL;
  const task = target === 0 ? call.task : call.kernel.tasks.get(target);
  if (task === undefined) return -ESRCH;
  if (data === 0) return 0;
  const bytes = new Uint8Array(12 * words);
  const view = new DataView(bytes.buffer);
  const { effective, permitted, inheritable } = task.credentials;
  for (let i = 0; i < words; i++) {
    const word = (set: bigint): number => Number((set >> BigInt(32 * i)) & 0xffff_ffffn);
    view.setUint32(12 * i, word(effective), true);
    view.setUint32(12 * i + 4, word(permitted), true);
    view.setUint32(12 * i + 8, word(inheritable), true);
  }
  return writeBytes(user, data, bytes);
}

function capset(call: SyscallCall): HandlerResult {
  const { user, task } = call;
  const header = readView(user, call.word(0), 8);
  if (typeof header === "number") return header;
  const words = capabilityWords(header.getUint32(0, true));
  if (words === null) return user.writeU32(call.word(0), CAPABILITY_VERSION_3) ? -EINVAL : -EFAULT;
  const target = header.getInt32(4, true);
  if (target !== 0 && target !== task.tid) return -EPERM;
  const view = readView(user, call.word(1), 12 * words);
  if (typeof view === "number") return view;
  const set = (at: number): bigint => {
    let value = 0n;
    for (let i = 0; i < words; i++) value |= BigInt(view.getUint32(12 * i + at, true)) << BigInt(32 * i);
    return value & ((1n << BigInt(CAP_LAST + 1)) - 1n);
  };
  const [effective, permitted, inheritable] = [set(0), set(4), set(8)];
  const c = task.credentials;
  if ((permitted & ~c.permitted) !== 0n || (effective & ~permitted) !== 0n) return -EPERM;
  if ((inheritable & ~(c.inheritable | c.permitted)) !== 0n) return -EPERM;
  Object.assign(c, { effective, permitted, inheritable });
  c.ambient &= permitted & inheritable;
  return 0;
}

const INFINITE = (1n << 64n) - 1n;
const limitToWire = (value: number): bigint => (value === Infinity ? INFINITE : BigInt(value));
const limitFromWire = (value: bigint): number => (value === INFINITE ? Infinity : Number(value));

function limitBytes(limit: Limit): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, limitToWire(limit.soft), true);
  view.setBigUint64(8, limitToWire(limit.hard), true);
  return bytes;
}

function changeLimit(call: SyscallCall, resource: number, newAddress: Word, oldAddress: Word): HandlerResult {
  const { user, task } = call;
  let wanted: Limit | null = null;
  if (newAddress !== 0) {
    const view = readView(user, newAddress, 16);
    if (typeof view === "number") return view;
    wanted = {
      soft: limitFromWire(view.getBigUint64(0, true)),
      hard: limitFromWire(view.getBigUint64(8, true)),
    };
  }
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  const limit = task.limits.get(resource);
  const old = limitBytes(limit);
  if (wanted !== null) {
    if (wanted.soft > wanted.hard) return -EINVAL;
    const RLIMIT_NOFILE = 7;
    const NR_OPEN = 1048576;
    if (resource === RLIMIT_NOFILE && wanted.hard > NR_OPEN) return -EPERM;
    if (wanted.hard > limit.hard && !isRoot(call)) return -EPERM;
    limit.soft = wanted.soft;
    limit.hard = wanted.hard;
  }
  return oldAddress === 0 ? 0 : writeBytes(user, oldAddress, old);
}

function prlimit64(call: SyscallCall): HandlerResult {
  const target = call.i32(0);
  if (target !== 0 && !call.kernel.tasks.has(target)) return -ESRCH;
  return changeLimit(call, call.u32(1), call.word(2), call.word(3));
}

function getrlimit(call: SyscallCall): HandlerResult {
  const resource = call.u32(0);
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  return writeBytes(call.user, call.word(1), limitBytes(call.task.limits.get(resource)));
}

function setrlimit(call: SyscallCall): HandlerResult {
  // Unlike prlimit64's, this pointer is not optional.
  const view = readView(call.user, call.word(1), 16);
  return typeof view === "number" ? view : changeLimit(call, call.u32(0), call.word(1), 0);
}

const own =
  (read: (call: SyscallCall) => number): Handler =>
  (call) =>
    read(call);

export const processSyscalls: readonly Definition[] = [
  define({
    number: 39,
    name: "getpid",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.pid),
  }),
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
  define({
    number: 97,
    name: "getrlimit",
    args: [choice("resource", RESOURCES), structOut("rlim", "rlimit")],
    handler: getrlimit,
  }),
  define({ number: 102, name: "getuid", args: [], handler: own((call) => call.task.credentials.uid) }),
  define({ number: 104, name: "getgid", args: [], handler: own((call) => call.task.credentials.gid) }),
  define({ number: 105, name: "setuid", args: [uid("uid")], handler: setId("u") }),
  define({ number: 106, name: "setgid", args: [gid("gid")], handler: setId("g") }),
  define({ number: 107, name: "geteuid", args: [], handler: own((call) => call.task.credentials.euid) }),
  define({ number: 108, name: "getegid", args: [], handler: own((call) => call.task.credentials.egid) }),
  define({ number: 109, name: "setpgid", args: [pid("pid"), pid("pgid")], handler: setpgid }),
  define({
    number: 110,
    name: "getppid",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.parentPid),
  }),
  define({
    number: 111,
    name: "getpgrp",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.processGroup),
  }),
  define({ number: 112, name: "setsid", args: [], returns: "pid", handler: setsid }),
  define({ number: 113, name: "setreuid", args: [uid("ruid"), uid("euid")], handler: setRealEffective("u") }),
  define({ number: 114, name: "setregid", args: [gid("rgid"), gid("egid")], handler: setRealEffective("g") }),
  define({
    number: 115,
    name: "getgroups",
    args: [int("size"), structOut("list", "gids", "result")],
    handler: getgroups,
  }),
  define({
    number: 116,
    name: "setgroups",
    args: [length("size"), structIn("list", "gids", 0)],
    handler: setgroups,
  }),
  define({
    number: 117,
    name: "setresuid",
    args: [uid("ruid"), uid("euid"), uid("suid")],
    handler: setThree("u"),
  }),
  define({
    number: 118,
    name: "getresuid",
    args: [structOut("ruid", "uint"), structOut("euid", "uint"), structOut("suid", "uint")],
    handler: getThree("u"),
  }),
  define({
    number: 119,
    name: "setresgid",
    args: [gid("rgid"), gid("egid"), gid("sgid")],
    handler: setThree("g"),
  }),
  define({
    number: 120,
    name: "getresgid",
    args: [structOut("rgid", "uint"), structOut("egid", "uint"), structOut("sgid", "uint")],
    handler: getThree("g"),
  }),
  define({ number: 121, name: "getpgid", args: [pid("pid")], returns: "pid", handler: getpgid }),
  define({ number: 122, name: "setfsuid", args: [uid("fsuid")], handler: setFsId("u") }),
  define({ number: 123, name: "setfsgid", args: [gid("fsgid")], handler: setFsId("g") }),
  define({ number: 124, name: "getsid", args: [pid("pid")], returns: "pid", handler: getsid }),
  define({
    number: 125,
    name: "capget",
    args: [structInOut("hdrp", "cap_header"), structOut("datap", "cap_data")],
    handler: capget,
  }),
  define({
    number: 126,
    name: "capset",
    args: [structInOut("hdrp", "cap_header"), structIn("datap", "cap_data")],
    handler: capset,
  }),
  define({
    number: 160,
    name: "setrlimit",
    args: [choice("resource", RESOURCES), structIn("rlim", "rlimit")],
    handler: setrlimit,
  }),
  define({ number: 186, name: "gettid", args: [], returns: "pid", handler: own((call) => call.task.tid) }),
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
    number: 302,
    name: "prlimit64",
    args: [
      pid("pid"),
      choice("resource", RESOURCES),
      structIn("new_limit", "rlimit"),
      structOut("old_limit", "rlimit"),
    ],
    handler: prlimit64,
  }),
  define({
    number: 435,
    name: "clone3",
    args: [structIn("cl_args", "clone_args"), length("size")],
    returns: "pid",
    handler: () => -ENOSYS,
  }),
];
