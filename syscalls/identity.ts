/** Whom a task acts as: process numbers, user and group ids (kernel/sys.c, kernel/groups.c, kernel/cred.c). */

import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { gid, length, int, structIn, structOut, uid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

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

const own =
  (read: (call: SyscallCall) => number): Handler =>
  (call) =>
    read(call);

export const identitySyscalls: readonly Definition[] = [
  define({
    number: 39,
    name: "getpid",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.pid),
  }),
  define({ number: 102, name: "getuid", args: [], handler: own((call) => call.task.credentials.uid) }),
  define({ number: 104, name: "getgid", args: [], handler: own((call) => call.task.credentials.gid) }),
  define({ number: 105, name: "setuid", args: [uid("uid")], handler: setId("u") }),
  define({ number: 106, name: "setgid", args: [gid("gid")], handler: setId("g") }),
  define({ number: 107, name: "geteuid", args: [], handler: own((call) => call.task.credentials.euid) }),
  define({ number: 108, name: "getegid", args: [], handler: own((call) => call.task.credentials.egid) }),
  define({
    number: 110,
    name: "getppid",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.parentPid),
  }),
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
  define({ number: 122, name: "setfsuid", args: [uid("fsuid")], handler: setFsId("u") }),
  define({ number: 123, name: "setfsgid", args: [gid("fsgid")], handler: setFsId("g") }),
  define({ number: 186, name: "gettid", args: [], returns: "pid", handler: own((call) => call.task.tid) }),
];
