/** RLIMIT_CPU (kernel/time/posix-cpu-timers.c check_process_timers). A retired instruction is a nanosecond. */

import type { Kernel } from "./kernel.js";
import { RLIMIT_CPU } from "./limits.js";
import { SIGKILL, SIGXCPU } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Process } from "./task.js";

const SECOND = 1_000_000_000;

/**
 * Sends what a process has earned that used its time: SIGXCPU at the soft limit and each second after it (the soft
 * limit itself moves), SIGKILL at the hard one.
 * @returns instructions of the process until this has to be called again; Infinity without a limit
 */
export function checkCpuLimit(_kernel: Kernel, process: Process): number {
  const limit = process.limits.get(RLIMIT_CPU);
  // Without a soft limit nobody looks at the hard one.
  if (limit.soft === Infinity) return Infinity;
  const [task] = process.tasks;
  if (task === undefined || process.exit !== null) return Infinity;
  const used = process.usage.instructions;
  if (used >= limit.hard * SECOND) {
    sendSignal(task, kernelSignal(SIGKILL), true);
    return Infinity;
  }
  if (used >= limit.soft * SECOND) {
    sendSignal(task, kernelSignal(SIGXCPU), true);
    limit.soft++;
  }
  return Math.min(limit.soft, limit.hard) * SECOND - used;
}
