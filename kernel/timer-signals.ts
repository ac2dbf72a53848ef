/** Expired timers become signals (kernel/time/itimer.c, posix-timers.c). */

import type { Kernel } from "./kernel.js";
import { SI_TIMER, SIGALRM, SIGPROF, SIGVTALRM } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Task } from "./task.js";
import {
  expire,
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  SIGEV_NONE,
  SIGEV_THREAD_ID,
  type PosixTimer,
} from "./timers.js";

const INTERVAL_SIGNALS: readonly (readonly [timer: number, signal: number])[] = [
  [ITIMER_REAL, SIGALRM],
  [ITIMER_VIRTUAL, SIGVTALRM],
  [ITIMER_PROF, SIGPROF],
];

/** Sends what is due; a timer's signal that is still pending is counted as overrun instead. */
export function fireTimers(kernel: Kernel, task: Task): void {
  const { timers } = task.process;
  const monotonic = kernel.clock.monotonic();
  for (const [which, signal] of INTERVAL_SIGNALS) {
    const now = which === ITIMER_REAL ? monotonic : task.instructions;
    if (expire(timers.interval[which]!, now) > 0) sendSignal(task, kernelSignal(signal), true);
  }
  for (const timer of timers.posix.values()) {
    const times = expire(timer, timer.clock === "monotonic" ? monotonic : task.instructions);
    if (times > 0 && timer.notify !== SIGEV_NONE) firePosix(kernel, task, timer, times);
  }
}

function firePosix(kernel: Kernel, task: Task, timer: PosixTimer, times: number): void {
  const target = timer.notify === SIGEV_THREAD_ID ? kernel.tasks.get(timer.tid) : task;
  if (target === undefined) return;
  const toProcess = timer.notify !== SIGEV_THREAD_ID;
  const pending = toProcess ? target.process.pending : target.signals.pending;
  const waits = pending.queue.some((info) => info.detail.kind === "timer" && info.detail.timer === timer.id);
  if (waits) {
    timer.overrun += times;
    return;
  }
  timer.overrun = times - 1;
  sendSignal(
    target,
    {
      signo: timer.signal,
      errno: 0,
      code: SI_TIMER,
      detail: { kind: "timer", timer: timer.id, overrun: 0, value: timer.value },
    },
    toProcess,
  );
}
