/** Resource limits (kernel/sys.c). */

import { CAP_SYS_RESOURCE } from "../kernel/capabilities.js";
import { checkCpuLimit } from "../kernel/cpu-limit.js";
import { hasCapability } from "../kernel/credentials.js";
import { EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { RLIM_NLIMITS, RLIMIT_CPU, RLIMIT_NOFILE, type Limit } from "../kernel/limits.js";
import type { Word } from "../kernel/mm/word.js";
import type { Process, Task } from "../kernel/task.js";
import { choice, names, pid, structIn, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

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

/** fs.nr_open: no process may have more descriptors. */
const NR_OPEN = 1048576;
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

/** A limit as a program gives it; -EFAULT. */
function readLimit(call: SyscallCall, at: Word): Limit | number {
  const view = readView(call.user, at, 16);
  if (typeof view === "number") return view;
  return {
    soft: limitFromWire(view.getBigUint64(0, true)),
    hard: limitFromWire(view.getBigUint64(8, true)),
  };
}

/** 0, -EINVAL, -EPERM; nothing is changed unless 0 (do_prlimit). */
function change(call: SyscallCall, process: Process, resource: number, wanted: Limit): number {
  const limit = process.limits.get(resource);
  if (wanted.soft > wanted.hard) return -EINVAL;
  if (resource === RLIMIT_NOFILE && wanted.hard > NR_OPEN) return -EPERM;
  const raised = wanted.hard > limit.hard;
  if (raised && !hasCapability(call.task.credentials, CAP_SYS_RESOURCE)) return -EPERM;
  limit.soft = wanted.soft;
  limit.hard = wanted.hard;
  if (resource === RLIMIT_CPU) checkCpuLimit(process);
  call.kernel.deadlinesChanged();
  return 0;
}

/** All ids of the target are the caller's real ones, or CAP_SYS_RESOURCE (check_prlimit_permission). */
function mayLimit(caller: Task, target: Task): boolean {
  if (caller === target) return true;
  const own = caller.credentials;
  const their = target.credentials;
  const same =
    [their.euid, their.suid, their.uid].every((id) => id === own.uid) &&
    [their.egid, their.sgid, their.gid].every((id) => id === own.gid);
  return same || hasCapability(own, CAP_SYS_RESOURCE);
}

function prlimit64(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  const resource = call.u32(1);
  const newAddress = call.word(2);
  const oldAddress = call.word(3);
  const wanted = newAddress === 0 ? null : readLimit(call, newAddress);
  if (typeof wanted === "number") return wanted;
  const target = number === 0 ? call.task : call.kernel.tasks.get(number);
  if (target === undefined) return -ESRCH;
  if (!mayLimit(call.task, target)) return -EPERM;
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  const old = limitBytes(target.limits.get(resource));
  const result = wanted === null ? 0 : change(call, target.process, resource, wanted);
  if (result < 0) return result;
  return oldAddress === 0 ? 0 : writeBytes(call.user, oldAddress, old);
}

function getrlimit(call: SyscallCall): HandlerResult {
  const resource = call.u32(0);
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  return writeBytes(call.user, call.word(1), limitBytes(call.task.limits.get(resource)));
}

function setrlimit(call: SyscallCall): HandlerResult {
  const wanted = readLimit(call, call.word(1));
  if (typeof wanted === "number") return wanted;
  const resource = call.u32(0);
  return resource >= RLIM_NLIMITS ? -EINVAL : change(call, call.task.process, resource, wanted);
}

export const limitSyscalls: readonly Definition[] = [
  define({
    number: 97,
    name: "getrlimit",
    args: [choice("resource", RESOURCES), structOut("rlim", "rlimit")],
    handler: getrlimit,
  }),
  define({
    number: 160,
    name: "setrlimit",
    args: [choice("resource", RESOURCES), structIn("rlim", "rlimit")],
    handler: setrlimit,
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
];
