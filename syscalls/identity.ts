/** Whom a task acts as: process numbers, user and group ids (kernel/sys.c, kernel/groups.c, kernel/cred.c). */

import { CAP_SETGID, CAP_SETUID } from "../kernel/capabilities.js";
import {
  commitCredentials,
  hasCapability,
  sortedGroups,
  withFileUserId,
  withUserIds,
  type Credentials,
} from "../kernel/credentials.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { noteProcessLimit } from "../kernel/process-limit.js";
import { gid, length, int, structIn, structOut, uid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

/** Users and groups go by the same rules; only a user id moves capabilities. */
type Kind = "user" | "group";

/** Real, effective, saved. */
type Ids = readonly [number, number, number];

const NO_ID = 0xffff_ffff;
const CAPABILITY: Record<Kind, number> = { user: CAP_SETUID, group: CAP_SETGID };
const NGROUPS_MAX = 65536;

const idsOf = (c: Credentials, kind: Kind): Ids =>
  kind === "user" ? [c.uid, c.euid, c.suid] : [c.gid, c.egid, c.sgid];

const mayAssume = (call: SyscallCall, kind: Kind): boolean =>
  hasCapability(call.task.credentials, CAPABILITY[kind]);

/** Sets the three ids; the file-system id follows the effective one. */
function setIds(call: SyscallCall, kind: Kind, [real, effective, saved]: Ids): HandlerResult {
  const { task, kernel } = call;
  const old = task.credentials;
  if (kind === "user") {
    commitCredentials(task, withUserIds(old, real, effective, saved));
    if (real !== old.uid) noteProcessLimit(kernel, task);
  } else commitCredentials(task, { ...old, gid: real, egid: effective, sgid: saved, fsgid: effective });
  return 0;
}

/** setuid, setgid: all three ids with the capability, without it the effective one, to the real or saved one. */
function setId(kind: Kind): Handler {
  return (call) => {
    const value = call.u32(0);
    if (value === NO_ID) return -EINVAL;
    if (mayAssume(call, kind)) return setIds(call, kind, [value, value, value]);
    const [real, , saved] = idsOf(call.task.credentials, kind);
    return value === real || value === saved ? setIds(call, kind, [real, value, saved]) : -EPERM;
  };
}

function setRealEffective(kind: Kind): Handler {
  return (call) => {
    const [oldReal, oldEffective, oldSaved] = idsOf(call.task.credentials, kind);
    const given = [call.u32(0), call.u32(1)] as const;
    const real = given[0] === NO_ID ? oldReal : given[0];
    const effective = given[1] === NO_ID ? oldEffective : given[1];
    const realAllowed = [oldReal, oldEffective].includes(real);
    const effectiveAllowed = [oldReal, oldEffective, oldSaved].includes(effective);
    if (!(realAllowed && effectiveAllowed) && !mayAssume(call, kind)) return -EPERM;
    // The saved id follows the effective one when the real one is given, or the effective one leaves the old real one.
    const follows = given[0] !== NO_ID || (given[1] !== NO_ID && effective !== oldReal);
    return setIds(call, kind, [real, effective, follows ? effective : oldSaved]);
  };
}

function setThree(kind: Kind): Handler {
  return (call) => {
    const { credentials } = call.task;
    const old = idsOf(credentials, kind);
    const given = [call.u32(0), call.u32(1), call.u32(2)];
    const wanted = given.map((value, i) => (value === NO_ID ? old[i]! : value)) as [number, number, number];
    const file = kind === "user" ? credentials.fsuid : credentials.fsgid;
    const same = wanted.every((value, i) => value === old[i]);
    // The file-system id stays only where the effective one is not named.
    if (same && (given[1] === NO_ID || given[1] === file)) return 0;
    if (!wanted.every((value) => old.includes(value)) && !mayAssume(call, kind)) return -EPERM;
    return setIds(call, kind, wanted);
  };
}

function getThree(kind: Kind): Handler {
  return (call) => {
    const values = idsOf(call.task.credentials, kind);
    return values.every((value, i) => call.user.writeU32(call.word(i), value)) ? 0 : -EFAULT;
  };
}

/** Gives the old id whatever comes of it (setfsuid(2)). */
function setFileId(kind: Kind): Handler {
  return (call) => {
    const c = call.task.credentials;
    const value = call.u32(0);
    const old = kind === "user" ? c.fsuid : c.fsgid;
    if (value === NO_ID || value === old) return old;
    if (idsOf(c, kind).includes(value) || mayAssume(call, kind))
      commitCredentials(call.task, kind === "user" ? withFileUserId(c, value) : { ...c, fsgid: value });
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
  if (!mayAssume(call, "group")) return -EPERM;
  const size = call.u32(0);
  if (size > NGROUPS_MAX) return -EINVAL;
  const view = readView(call.user, call.word(1), size * 4);
  if (typeof view === "number") return view;
  const groups = Array.from({ length: size }, (_, i) => view.getUint32(4 * i, true));
  if (groups.includes(NO_ID)) return -EINVAL;
  commitCredentials(call.task, { ...call.task.credentials, groups: sortedGroups(groups) });
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
  define({ number: 105, name: "setuid", args: [uid("uid")], handler: setId("user") }),
  define({ number: 106, name: "setgid", args: [gid("gid")], handler: setId("group") }),
  define({ number: 107, name: "geteuid", args: [], handler: own((call) => call.task.credentials.euid) }),
  define({ number: 108, name: "getegid", args: [], handler: own((call) => call.task.credentials.egid) }),
  define({
    number: 110,
    name: "getppid",
    args: [],
    returns: "pid",
    handler: own((call) => call.task.process.parentPid),
  }),
  define({
    number: 113,
    name: "setreuid",
    args: [uid("ruid"), uid("euid")],
    handler: setRealEffective("user"),
  }),
  define({
    number: 114,
    name: "setregid",
    args: [gid("rgid"), gid("egid")],
    handler: setRealEffective("group"),
  }),
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
    handler: setThree("user"),
  }),
  define({
    number: 118,
    name: "getresuid",
    args: [structOut("ruid", "uint"), structOut("euid", "uint"), structOut("suid", "uint")],
    handler: getThree("user"),
  }),
  define({
    number: 119,
    name: "setresgid",
    args: [gid("rgid"), gid("egid"), gid("sgid")],
    handler: setThree("group"),
  }),
  define({
    number: 120,
    name: "getresgid",
    args: [structOut("rgid", "uint"), structOut("egid", "uint"), structOut("sgid", "uint")],
    handler: getThree("group"),
  }),
  define({ number: 122, name: "setfsuid", args: [uid("fsuid")], handler: setFileId("user") }),
  define({ number: 123, name: "setfsgid", args: [gid("fsgid")], handler: setFileId("group") }),
  define({ number: 186, name: "gettid", args: [], returns: "pid", handler: own((call) => call.task.tid) }),
];
