/** RLIMIT_CPU (kernel/time/posix-cpu-timers.c check_process_timers). A retired instruction is a nanosecond. */

import { RLIMIT_CPU } from "./limits.js";
import { SIGKILL, SIGXCPU } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Process } from "./task.js";

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
