/** Expired timers become signals (kernel/time/itimer.c, posix-timers.c). */

import type { Kernel } from "./kernel.js";
import { SI_TIMER, SIGALRM, SIGPROF, SIGVTALRM } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Process, Task } from "./task.js";
import type { TimerTarget } from "./timer-queue.js";
import {
  expire,
  expireOnce,
  goOn,
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  SIGEV_NONE,
  SIGEV_THREAD_ID,
  type PosixTimer,
  type TimerClock,
} from "./timers.js";

/** The timers of a process that run on the monotonic clock, as the kernel's queue sees them. */
export class ProcessTimer implements TimerTarget {
  constructor(
    private readonly kernel: Kernel,
    private readonly process: Process,
  ) {}

  expired(now: number): void {
    const { kernel, process } = this;
    process.timerEntry = null;
    const { timers } = process;
    if (expireOnce(timers.interval[ITIMER_REAL]!, now) > 0) signal(process, SIGALRM);
    firePosixTimers(kernel, process, "monotonic", now);
    kernel.timersChanged(process);
  }
}

/** Timers on processor time; to be called after a task of the process has run. */
export function fireCpuTimers(kernel: Kernel, task: Task): void {
  const { process } = task;
  const { timers, usage } = process;
  if (expire(timers.interval[ITIMER_VIRTUAL]!, usage.instructions) > 0) signal(process, SIGVTALRM);
  if (expire(timers.interval[ITIMER_PROF]!, usage.instructions) > 0) signal(process, SIGPROF);
  firePosixTimers(kernel, process, "cpu", usage.instructions);
}

function signal(process: Process, signo: number): void {
  if (process.exit === null) sendSignal(process.tasks[0]!, kernelSignal(signo), true);
}

/** Sends what is due; a timer's signal that is still pending is counted as overrun instead. */
function firePosixTimers(kernel: Kernel, process: Process, clock: TimerClock, now: number): void {
  for (const timer of process.timers.posix.values()) {
    if (timer.clock !== clock) continue;
    const times = clock === "cpu" ? expire(timer, now) : expireOnce(timer, now);
    if (times > 0 && timer.notify !== SIGEV_NONE && process.exit === null)
      firePosix(kernel, process.tasks[0]!, timer, times);
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

/** POSIX timers whose signal was thrown away go on when it is ignored no more (posixtimer_sig_unignore). */
export function goOnUnignored(kernel: Kernel, process: Process, signo: number): void {
  const held = [...process.timers.posix.values()].filter((timer) => timer.held && timer.signal === signo);
  if (held.length === 0) return;
  const now = kernel.clock.monotonic();
  for (const timer of held) {
    const queues = [process.pending, ...process.tasks.map(({ signals }) => signals.pending)];
    if (!queues.some(({ set }) => set.has(signo))) goOn(timer, now);
  }
  kernel.timersChanged(process);
}
