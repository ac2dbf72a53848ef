/** Policies, affinity and turns on a machine of one processor (kernel/sched/syscalls.c). */

import { CAP_SYS_NICE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { E2BIG, EBUSY, EFAULT, EINVAL, EOPNOTSUPP, EPERM, ESRCH } from "../kernel/errno.js";
import { RLIMIT_RTPRIO } from "../kernel/limits.js";
import {
  isFair,
  isRealtime,
  MAX_NICE,
  MIN_NICE,
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_OTHER,
  SCHED_RR,
  sliceOf,
} from "../kernel/scheduling.js";
import type { Task } from "../kernel/task.js";
import { choice, int, length, names, pid, structIn, structOut, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { mayRaiseTo, ownsTask } from "./priorities.js";
import { readView, timespecBytes, writeBytes } from "./structs.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

const SCHED_EXT = 7;
const POLICIES = names("SCHED_???", {
  SCHED_OTHER,
  SCHED_FIFO,
  SCHED_RR,
  SCHED_BATCH,
  SCHED_IDLE,
  SCHED_DEADLINE,
  SCHED_EXT,
});
/** In a policy's number: children start as ordinary tasks. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
/** Bytes of the kernel's CPU mask with up to 64 CPUs. */
const MASK_BYTES = 8;
const MAX_REALTIME_PRIORITY = 99;
/** A turn of SCHED_RR, and one timer tick at 250 Hz, in which other slices are counted: nanoseconds. */
const RR_SLICE = 100_000_000;
const TICK = 4_000_000;
/** The slices that may be asked for, nanoseconds. */
const MIN_SLICE = 100_000;
const MAX_SLICE = 100_000_000;
/** Of SCHED_DEADLINE, nanoseconds. */
const MIN_RUNTIME = 1024;
const MIN_PERIOD = 100_000;
const MAX_PERIOD = 2 ** 22 * 1000;
const PAGE = 4096;

/** struct sched_attr: bytes of its first version, and with the utilization clamps. */
const ATTR_BYTES_0 = 48;
const ATTR_BYTES = 56;
const FLAG_RESET_ON_FORK = 1;
const FLAG_KEEP_POLICY = 8;
const FLAG_KEEP_PARAMS = 0x10;
const FLAG_UTIL_CLAMP = 0x60;
const FLAG_ALL = 0x7f;

/** What a task is to have. `policy` null: what it has. */
interface Wanted {
  readonly policy: number | null;
  readonly flags: bigint;
  readonly nice: number;
  readonly priority: number;
  /** Nanoseconds; 0: the usual. */
  readonly slice: number;
  /** What SCHED_DEADLINE needs is there and makes sense. */
  readonly deadlineFits: boolean;
}

/** By number, 0 being the caller; those that have ended count until they were waited for. */
function find(call: SyscallCall, number: number): Task | undefined {
  return number === 0 ? call.task : call.kernel.tasks.get(number);
}

function getAffinity(call: SyscallCall): HandlerResult {
  const size = call.u32(1);
  if (size < 1 || size % 8 !== 0) return -EINVAL;
  if (find(call, call.i32(0)) === undefined) return -ESRCH;
  const bytes = new Uint8Array(Math.min(size, MASK_BYTES));
  bytes[0] = 1;
  return writeBytes(call.user, call.word(2), bytes) === 0 ? bytes.length : -EFAULT;
}

function setAffinity(call: SyscallCall): HandlerResult {
  const size = Math.min(call.u32(1), MASK_BYTES);
  const view = readView(call.user, call.word(2), size);
  if (typeof view === "number") return view;
  const task = find(call, call.i32(0));
  if (task === undefined) return -ESRCH;
  if (!ownsTask(call.task, task) && !hasCapability(call.task.credentials, CAP_SYS_NICE)) return -EPERM;
  return size > 0 && (view.getUint8(0) & 1) !== 0 ? 0 : -EINVAL;
}

function priorityRange(policy: number): readonly [number, number] | null {
  if (isRealtime(policy)) return [1, MAX_REALTIME_PRIORITY];
  const known = [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, SCHED_EXT];
  return known.includes(policy) ? [0, 0] : null;
}

const range =
  (index: 0 | 1): Handler =>
  (call) =>
    priorityRange(call.i32(0))?.[index] ?? -EINVAL;

/** Changes what a task has (__sched_setscheduler): -EINVAL, -EPERM, -EOPNOTSUPP, -EBUSY, in this order. */
function change(call: SyscallCall, task: Task, wanted: Wanted): number {
  const policy = wanted.policy ?? task.policy;
  const resetOnFork =
    wanted.policy === null ? task.resetOnFork : (wanted.flags & BigInt(FLAG_RESET_ON_FORK)) !== 0n;
  const known = isFair(policy) || isRealtime(policy) || policy === SCHED_IDLE || policy === SCHED_DEADLINE;
  if (!known || (wanted.flags & ~BigInt(FLAG_ALL)) !== 0n || wanted.priority > MAX_REALTIME_PRIORITY)
    return -EINVAL;
  if (policy === SCHED_DEADLINE && !wanted.deadlineFits) return -EINVAL;
  if (isRealtime(policy) !== (wanted.priority !== 0)) return -EINVAL;
  if (!mayChange(call.task, task, policy, wanted, resetOnFork)) return -EPERM;
  // A kernel without CONFIG_UCLAMP_TASK.
  if ((wanted.flags & BigInt(FLAG_UTIL_CLAMP)) !== 0n) return -EOPNOTSUPP;
  // No processor time is set aside for deadlines.
  if (policy === SCHED_DEADLINE) return -EBUSY;
  task.policy = policy;
  call.kernel.deadlinesChanged();
  task.resetOnFork = resetOnFork;
  task.realtimePriority = wanted.priority;
  if (isRealtime(policy)) return 0;
  task.nice = wanted.nice;
  task.customSlice = wanted.slice === 0 ? 0 : Math.min(MAX_SLICE, Math.max(MIN_SLICE, wanted.slice));
  return 0;
}

/** user_check_sched_setscheduler. */
function mayChange(
  caller: Task,
  task: Task,
  policy: number,
  { nice, priority }: Wanted,
  resetOnFork: boolean,
): boolean {
  if (hasCapability(caller.credentials, CAP_SYS_NICE)) return true;
  const limit = task.limits.soft(RLIMIT_RTPRIO);
  if (isFair(policy) && nice < task.nice && !mayRaiseTo(task, nice)) return false;
  if (isRealtime(policy) && policy !== task.policy && limit === 0) return false;
  if (isRealtime(policy) && priority > task.realtimePriority && priority > limit) return false;
  if (policy === SCHED_DEADLINE) return false;
  if (task.policy === SCHED_IDLE && policy !== SCHED_IDLE && !mayRaiseTo(task, task.nice)) return false;
  return ownsTask(caller, task) && !(task.resetOnFork && !resetOnFork);
}

function getScheduler(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number < 0) return -EINVAL;
  const task = find(call, number);
  return task === undefined ? -ESRCH : task.policy | (task.resetOnFork ? SCHED_RESET_ON_FORK : 0);
}

function setScheduler(call: SyscallCall): HandlerResult {
  const policy = call.i32(1);
  return policy < 0 ? -EINVAL : changePolicy(call, policy, 2);
}

/** sched_setscheduler(2), or with `policy` null sched_setparam(2); struct sched_param is at argument `at`. */
function changePolicy(call: SyscallCall, policy: number | null, at: number): HandlerResult {
  const number = call.i32(0);
  if (number < 0 || call.word(at) === 0) return -EINVAL;
  const view = readView(call.user, call.word(at), 4);
  if (typeof view === "number") return view;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  const reset = policy !== null && (policy & SCHED_RESET_ON_FORK) !== 0;
  return change(call, task, {
    policy: policy === null ? null : policy & ~SCHED_RESET_ON_FORK,
    flags: reset ? BigInt(FLAG_RESET_ON_FORK) : 0n,
    nice: task.nice,
    priority: view.getUint32(0, true),
    slice: task.customSlice,
    deadlineFits: false,
  });
}

function getParameter(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number < 0 || call.word(1) === 0) return -EINVAL;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  return call.user.writeU32(call.word(1), task.realtimePriority) ? 0 : -EFAULT;
}

function rrInterval(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number < 0) return -EINVAL;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  const slice = sliceOf(task);
  const counted = isRealtime(task.policy)
    ? task.policy === SCHED_RR
      ? RR_SLICE
      : 0
    : slice - (slice % TICK);
  return writeBytes(call.user, call.word(1), timespecBytes(counted));
}

/** struct sched_attr as given (sched_copy_attr): -EFAULT, -EINVAL; -E2BIG after saying how long it should be. */
function readAttributes(call: SyscallCall): DataView | number {
  const { user } = call;
  const at = call.word(1);
  const given = user.readU32(at);
  if (given === null) return -EFAULT;
  const size = given === 0 ? ATTR_BYTES_0 : given;
  const tooLong = (): number => {
    user.writeU32(at, ATTR_BYTES);
    return -E2BIG;
  };
  if (size < ATTR_BYTES_0 || size > PAGE) return tooLong();
  const bytes = user.read(at, size);
  if (typeof bytes === "number") return bytes;
  if (bytes.subarray(ATTR_BYTES).some((byte) => byte !== 0)) return tooLong();
  const known = new Uint8Array(ATTR_BYTES);
  known.set(bytes.subarray(0, ATTR_BYTES));
  const view = new DataView(known.buffer);
  return (view.getUint32(8, true) & FLAG_UTIL_CLAMP) !== 0 && size < ATTR_BYTES ? -EINVAL : view;
}

/** runtime <= deadline <= period, each within bounds (__checkparam_dl). */
function deadlineFits(view: DataView): boolean {
  const [runtime, deadline, given] = [24, 32, 40].map((at) => Number(view.getBigUint64(at, true))) as [
    number,
    number,
    number,
  ];
  const period = given === 0 ? deadline : given;
  if (deadline === 0 || runtime < MIN_RUNTIME || runtime > deadline || deadline > period) return false;
  return period >= MIN_PERIOD && period <= MAX_PERIOD;
}

function setAttributes(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (call.word(1) === 0 || number < 0 || call.u32(2) !== 0) return -EINVAL;
  const view = readAttributes(call);
  if (typeof view === "number") return view;
  const policy = view.getInt32(4, true);
  if (policy < 0) return -EINVAL;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  const flags = view.getBigUint64(8, true);
  const keepsParameters = (flags & BigInt(FLAG_KEEP_PARAMS)) !== 0n;
  const fair = !isRealtime(task.policy);
  return change(call, task, {
    policy: (flags & BigInt(FLAG_KEEP_POLICY)) !== 0n ? null : policy,
    flags,
    nice:
      keepsParameters && fair ? task.nice : Math.min(MAX_NICE, Math.max(MIN_NICE, view.getInt32(16, true))),
    priority: keepsParameters && !fair ? task.realtimePriority : view.getUint32(20, true),
    slice: keepsParameters && fair ? sliceOf(task) : Number(view.getBigUint64(24, true)),
    deadlineFits: deadlineFits(view),
  });
}

function getAttributes(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  const size = call.u32(2);
  if (call.word(1) === 0 || number < 0 || size > PAGE || size < ATTR_BYTES_0 || call.u32(3) !== 0)
    return -EINVAL;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.min(size, ATTR_BYTES), true);
  view.setUint32(4, task.policy, true);
  view.setUint32(8, task.resetOnFork ? FLAG_RESET_ON_FORK : 0, true);
  if (isRealtime(task.policy)) view.setUint32(20, task.realtimePriority, true);
  else {
    view.setInt32(16, task.nice, true);
    view.setUint32(24, sliceOf(task), true);
  }
  return writeBytes(call.user, call.word(1), bytes);
}

function getcpu(call: SyscallCall): HandlerResult {
  for (const position of [0, 1]) {
    const at = call.word(position);
    if (at !== 0 && !call.user.writeU32(at, 0)) return -EFAULT;
  }
  return 0;
}

function schedYield(call: SyscallCall): HandlerResult {
  call.kernel.yield();
  return 0;
}

export const schedulingSyscalls: readonly Definition[] = [
  define({ number: 24, name: "sched_yield", args: [], handler: schedYield }),
  define({
    number: 142,
    name: "sched_setparam",
    args: [pid("pid"), structIn("param", "sched_param")],
    handler: (call) => changePolicy(call, null, 1),
  }),
  define({
    number: 143,
    name: "sched_getparam",
    args: [pid("pid"), structOut("param", "sched_param")],
    handler: getParameter,
  }),
  define({
    number: 144,
    name: "sched_setscheduler",
    args: [pid("pid"), choice("policy", POLICIES), structIn("param", "sched_param")],
    handler: setScheduler,
  }),
  define({ number: 145, name: "sched_getscheduler", args: [pid("pid")], handler: getScheduler }),
  define({
    number: 146,
    name: "sched_get_priority_max",
    args: [choice("policy", POLICIES)],
    handler: range(1),
  }),
  define({
    number: 147,
    name: "sched_get_priority_min",
    args: [choice("policy", POLICIES)],
    handler: range(0),
  }),
  define({
    number: 148,
    name: "sched_rr_get_interval",
    args: [pid("pid"), structOut("tp", "timespec")],
    handler: rrInterval,
  }),
  define({
    number: 203,
    name: "sched_setaffinity",
    args: [pid("pid"), length("cpusetsize"), structIn("mask", "cpuset", 1)],
    handler: setAffinity,
  }),
  define({
    number: 204,
    name: "sched_getaffinity",
    args: [pid("pid"), length("cpusetsize"), structOut("mask", "cpuset", "result")],
    handler: getAffinity,
  }),
  define({
    number: 309,
    name: "getcpu",
    args: [structOut("cpu", "uint"), structOut("node", "uint"), structOut("tcache", "pointer")],
    handler: getcpu,
  }),
  define({
    number: 314,
    name: "sched_setattr",
    args: [pid("pid"), structIn("attr", "sched_attr"), uint("flags")],
    handler: setAttributes,
  }),
  define({
    number: 315,
    name: "sched_getattr",
    args: [pid("pid"), structOut("attr", "sched_attr"), length("size"), int("flags")],
    handler: getAttributes,
  }),
];
