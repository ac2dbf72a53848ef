/** Resource limits (kernel/sys.c). */

import { EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { RLIM_NLIMITS, type Limit } from "../kernel/limits.js";
import type { Word } from "../kernel/mm/word.js";
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

const isRoot = (call: SyscallCall): boolean => call.task.credentials.euid === 0;

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
