/** Nice values and I/O priorities, of tasks, groups and users (kernel/sys.c, block/ioprio.c). */

import { CAP_SYS_ADMIN, CAP_SYS_NICE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EACCES, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { RLIMIT_NICE } from "../kernel/limits.js";
import { membersOf } from "../kernel/process-groups.js";
import { isRealtime, MAX_NICE, MIN_NICE, SCHED_IDLE } from "../kernel/scheduling.js";
import type { Task } from "../kernel/task.js";
import { choice, hex, int, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const WHICH = names("PRIO_???", { PRIO_PROCESS: 0, PRIO_PGRP: 1, PRIO_USER: 2 });
const IOPRIO_WHO = names("IOPRIO_WHO_???", {
  IOPRIO_WHO_PROCESS: 1,
  IOPRIO_WHO_PGRP: 2,
  IOPRIO_WHO_USER: 3,
});

const PROCESS = 0;
const GROUP = 1;
const USER = 2;

const CLASS_SHIFT = 13;
const LEVEL_MASK = 7;
const CLASS_REALTIME = 1;
const CLASS_BEST_EFFORT = 2;
const CLASS_IDLE = 3;

/** The caller acts as the user that the task is or acts as (check_same_owner). */
export function ownsTask(caller: Task, task: Task): boolean {
  const { euid } = caller.credentials;
  return euid === task.credentials.euid || euid === task.credentials.uid;
}

/** RLIMIT_NICE of the task allows the value (is_nice_reduction). */
export function mayRaiseTo(task: Task, nice: number): boolean {
  return 20 - nice <= task.limits.soft(RLIMIT_NICE);
}

/** The tasks that a kind and a number name; 0 stands for the caller's own. */
function named(call: SyscallCall, which: number, who: number): Task[] {
  const { kernel, task } = call;
  switch (which) {
    case PROCESS: {
      const found = who === 0 ? task : kernel.tasks.get(who);
      return found === undefined ? [] : [found];
    }
    case GROUP:
      return membersOf(kernel, who === 0 ? task.process.processGroup : who).flatMap(({ tasks }) => tasks);
    default: {
      const uid = who === 0 ? task.credentials.uid : who >>> 0;
      return [...kernel.tasks.values()].filter((each) => each.credentials.uid === uid);
    }
  }
}

/** The most favoured of them, as 1 to 40, so that it is never negative. */
function getPriority(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  if (which < PROCESS || which > USER) return -EINVAL;
  const tasks = named(call, which, call.i32(1));
  return tasks.length === 0 ? -ESRCH : Math.max(...tasks.map((task) => 20 - task.nice));
}

/** Changes all that it may; the error is the last one's. */
function setPriority(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  if (which < PROCESS || which > USER) return -EINVAL;
  const nice = Math.max(MIN_NICE, Math.min(MAX_NICE, call.i32(2)));
  const privileged = hasCapability(call.task.credentials, CAP_SYS_NICE);
  let result = -ESRCH;
  for (const task of named(call, which, call.i32(1))) {
    if (!privileged && !ownsTask(call.task, task)) result = -EPERM;
    else if (nice < task.nice && !privileged && !mayRaiseTo(task, nice)) result = -EACCES;
    else {
      if (result === -ESRCH) result = 0;
      task.nice = nice;
    }
  }
  return result;
}

/** -EPERM for the real-time class without capability; -EINVAL for an unknown class, or a level of none. */
function checkIoPriority(call: SyscallCall, priority: number): number {
  const { credentials } = call.task;
  switch ((priority >> CLASS_SHIFT) & LEVEL_MASK) {
    case CLASS_REALTIME: {
      const may = hasCapability(credentials, CAP_SYS_ADMIN) || hasCapability(credentials, CAP_SYS_NICE);
      return may ? 0 : -EPERM;
    }
    case CLASS_BEST_EFFORT:
    case CLASS_IDLE:
      return 0;
    case 0:
      return (priority & LEVEL_MASK) === 0 ? 0 : -EINVAL;
    default:
      return -EINVAL;
  }
}

function setIoPriority(call: SyscallCall): HandlerResult {
  const priority = call.i32(2) & 0xffff;
  const checked = checkIoPriority(call, priority);
  if (checked !== 0) return checked;
  const which = call.i32(0) - 1;
  if (which < PROCESS || which > USER) return -EINVAL;
  const tasks = named(call, which, call.i32(1));
  if (tasks.length === 0) return -ESRCH;
  const own = call.task.credentials;
  for (const task of tasks) {
    const { uid } = task.credentials;
    if (uid !== own.euid && uid !== own.uid && !hasCapability(own, CAP_SYS_NICE)) return -EPERM;
    task.ioPriority = priority;
  }
  return 0;
}

/** What was set; without that, what the nice value makes of it (__get_task_ioprio). */
function effectiveIoPriority(task: Task): number {
  if (task.ioPriority !== 0) return task.ioPriority;
  const kind =
    task.policy === SCHED_IDLE ? CLASS_IDLE : isRealtime(task.policy) ? CLASS_REALTIME : CLASS_BEST_EFFORT;
  return (kind << CLASS_SHIFT) | Math.floor((task.nice + 20) / 5);
}

/** Of one task what was set, of several the best in effect. */
function getIoPriority(call: SyscallCall): HandlerResult {
  const which = call.i32(0) - 1;
  if (which < PROCESS || which > USER) return -EINVAL;
  const tasks = named(call, which, call.i32(1));
  if (tasks.length === 0) return -ESRCH;
  return which === PROCESS ? tasks[0]!.ioPriority : Math.min(...tasks.map(effectiveIoPriority));
}

export const prioritySyscalls: readonly Definition[] = [
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
    number: 251,
    name: "ioprio_set",
    args: [choice("which", IOPRIO_WHO), int("who"), hex("ioprio")],
    handler: setIoPriority,
  }),
  define({
    number: 252,
    name: "ioprio_get",
    args: [choice("which", IOPRIO_WHO), int("who")],
    returns: "hex",
    handler: getIoPriority,
  }),
];
