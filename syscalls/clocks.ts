/** The clocks, and what time they show. */

import { EINVAL } from "../kernel/errno.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Task } from "../kernel/task.js";
import { names } from "./argument.js";

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_TAI = 11;
/** One tick of the coarse clocks: 4 ms at 250 Hz. */
export const TICK = 4_000_000;
export const TIMER_ABSTIME = 1;

export const CLOCKS = names("CLOCK_???", {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI,
});
export const TIMER_FLAGS = names("TIMER_???", { TIMER_ABSTIME });

/** Processor time in nanoseconds: one for each instruction. */
export const cpuTime = (task: Task): number => task.process.usage.instructions;

/** A clock's time in nanoseconds, or -EINVAL for one that does not exist. */
export function readClock(kernel: Kernel, task: Task, id: number): bigint | number {
  const monotonic = kernel.clock.monotonic();
  const coarse = monotonic - (monotonic % TICK);
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return kernel.clock.realtimeOrigin + BigInt(monotonic);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return BigInt(monotonic);
    case CLOCK_REALTIME_COARSE:
      return kernel.clock.realtimeOrigin + BigInt(coarse);
    case CLOCK_MONOTONIC_COARSE:
      return BigInt(coarse);
    case CLOCK_PROCESS_CPUTIME_ID:
      return BigInt(cpuTime(task));
    case CLOCK_THREAD_CPUTIME_ID:
      return BigInt(task.instructions);
    default:
      return id < 0 ? readCpuClock(kernel, task, id) : -EINVAL;
  }
}

/** A dynamic id: ~pid in the upper bits, bit 2 for a thread's, the kind in the lowest two (posix-cpu-timers.c). */
function readCpuClock(kernel: Kernel, caller: Task, id: number): bigint | number {
  const who = ~(id >> 3);
  if ((id & 3) === 3) return -EINVAL;
  const task = who === 0 ? caller : kernel.tasks.get(who);
  if (task === undefined) return -EINVAL;
  if ((id & 4) === 0) return BigInt(cpuTime(task));
  return task.process === caller.process ? BigInt(task.instructions) : -EINVAL;
}
