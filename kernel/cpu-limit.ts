/** RLIMIT_CPU and RLIMIT_RTTIME (kernel/time/posix-cpu-timers.c check_process_timers). A retired instruction is a nanosecond. */

import { RLIMIT_CPU, RLIMIT_RTTIME } from "./limits.js";
import { SIGKILL, SIGXCPU } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Process, Task } from "./task.js";

const SECOND = 1_000_000_000;

/** The instructions of a process at which its limit has something to say; Infinity without a limit. */
export function cpuLimitAt(process: Process): number {
  const { soft, hard } = process.limits.get(RLIMIT_CPU);
  // Without a soft limit nobody looks at the hard one.
  return soft === Infinity ? Infinity : Math.min(soft, hard) * SECOND;
}

/**
 * What a process has earned that used its time: SIGXCPU at the soft limit and each second after it (the soft limit
 * itself moves), SIGKILL at the hard one. To be called when it has reached `cpuLimitAt`.
 */
export function checkCpuLimit(process: Process): void {
  const used = process.usage.instructions;
  const [task] = process.tasks;
  if (used < cpuLimitAt(process) || task === undefined) return;
  const limit = process.limits.get(RLIMIT_CPU);
  if (used >= limit.hard * SECOND) sendSignal(task, kernelSignal(SIGKILL), true);
  else {
    sendSignal(task, kernelSignal(SIGXCPU), true);
    limit.soft++;
  }
}

const MICROSECOND = 1000;
const SCHED_FIFO = 1;
const SCHED_RR = 2;

/** The instructions left to a task of a real-time policy before its limit speaks; Infinity without one. */
export function realTimeLeft(task: Task): number {
  if (task.policy !== SCHED_FIFO && task.policy !== SCHED_RR) return Infinity;
  const { soft, hard } = task.limits.get(RLIMIT_RTTIME);
  return Math.min(soft, hard) * MICROSECOND - (task.instructions - task.sleptAt) + 1;
}

/** It has run that long without sleeping: SIGXCPU, and again each second, SIGKILL at the hard limit. */
export function checkRealTimeLimit(task: Task): void {
  const limit = task.limits.get(RLIMIT_RTTIME);
  const used = task.instructions - task.sleptAt;
  if (used > limit.hard * MICROSECOND) sendSignal(task, kernelSignal(SIGKILL), true);
  else {
    limit.soft += SECOND / MICROSECOND;
    sendSignal(task, kernelSignal(SIGXCPU), true);
  }
}
