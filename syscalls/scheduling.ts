/** Scheduling calls on a machine of one CPU (kernel/sched/syscalls.c). */

import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import type { Task } from "../kernel/task.js";
import { choice, int, length, names, pid, structIn, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, timespecBytes, writeBytes } from "./structs.js";
import { define, type Definition, type Handler, type HandlerResult } from "./table.js";

const POLICIES = names("SCHED_???", {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
  SCHED_EXT: 7,
});
const WHICH = names("PRIO_???", { PRIO_PROCESS: 0, PRIO_PGRP: 1, PRIO_USER: 2 });
/** Bytes of the kernel's CPU mask with up to 64 CPUs. */
const MASK_BYTES = 8;
/** A time slice of SCHED_OTHER without competition, and of SCHED_RR. */
const SLICE = 4_000_000;

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
  if (find(call, call.i32(0)) === undefined) return -ESRCH;
  return size > 0 && (view.getUint8(0) & 1) !== 0 ? 0 : -EINVAL;
}

function priorityRange(policy: number): readonly [number, number] | null {
  if (policy === 1 || policy === 2) return [1, 99];
  return [0, 3, 5, 6, 7].includes(policy) ? [0, 0] : null;
}

const range =
  (index: 0 | 1): Handler =>
  (call) =>
    priorityRange(call.i32(0))?.[index] ?? -EINVAL;

function getScheduler(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  if (number < 0) return -EINVAL;
  return find(call, number)?.policy ?? -ESRCH;
}

function setScheduler(call: SyscallCall): HandlerResult {
  const policy = call.i32(1);
  // Its top bit asks for the policy to be reset on fork.
  return policy < 0 ? -EINVAL : changePolicy(call, policy & ~0x4000_0000, call.word(2) === 0 ? null : 2);
}

function changePolicy(call: SyscallCall, policy: number | null, parameter: number | null): HandlerResult {
  const number = call.i32(0);
  if (number < 0 || parameter === null) return -EINVAL;
  const view = readView(call.user, call.word(parameter), 4);
  if (typeof view === "number") return view;
  const task = find(call, number);
  if (task === undefined) return -ESRCH;
  const wanted = policy ?? task.policy;
  const allowed = priorityRange(wanted);
  const priority = view.getInt32(0, true);
  if (allowed === null || wanted === 6 || priority < allowed[0] || priority > allowed[1]) return -EINVAL;
  if (priority > 0 && call.task.credentials.euid !== 0) return -EPERM;
  task.policy = wanted;
  task.realtimePriority = priority;
  return 0;
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
  return writeBytes(call.user, call.word(1), timespecBytes(task.policy === 1 ? 0 : SLICE));
}

function getPriority(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  const task = which === 0 ? find(call, call.i32(1)) : call.task;
  // The raw call gives 1 to 40, so that it is never negative.
  return task === undefined ? -ESRCH : 20 - task.nice;
}

function setPriority(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  if (which < 0 || which > 2) return -EINVAL;
  const task = which === 0 ? find(call, call.i32(1)) : call.task;
  if (task === undefined) return -ESRCH;
  const nice = Math.max(-20, Math.min(19, call.i32(2)));
  if (nice < task.nice && call.task.credentials.euid !== 0) return -EACCES;
  task.nice = nice;
  return 0;
}

function getcpu(call: SyscallCall): HandlerResult {
  for (const position of [0, 1]) {
    const at = call.word(position);
    if (at !== 0 && !call.user.writeU32(at, 0)) return -EFAULT;
  }
  return 0;
}

export const schedulingSyscalls: readonly Definition[] = [
  define({ number: 24, name: "sched_yield", args: [], handler: () => 0 }),
  define({
    number: 140,
    name: "getpriority",
    args: [choice("which", WHICH), int("who")],
    handler: getPriority,
  }),
  define({
    number: 141,
    name: "setpriority",
    args: [choice("which", WHICH), int("who"), int("prio")],
    handler: setPriority,
  }),
  define({
    number: 142,
    name: "sched_setparam",
    args: [pid("pid"), structIn("param", "sched_param")],
    handler: (call) => changePolicy(call, null, call.word(1) === 0 ? null : 1),
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
];
