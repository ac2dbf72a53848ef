/** Taking the next pending signal (kernel/signal.c: next_signal, collect_signal, dequeue_signal). */

import type { Clock } from "../clock.js";
import type { Process, Task } from "../task.js";
import { goOn, ITIMER_REAL } from "../timers.js";
import { SI_USER, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSYS, SIGTRAP } from "./numbers.js";
import { SignalSet } from "./signal-set.js";
import type { SignalInfo } from "./siginfo.js";
import type { PendingSignals } from "./state.js";

const SYNCHRONOUS = SignalSet.of(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);

function lowest(pending: PendingSignals, blocked: SignalSet): number {
  // SIGKILL has ended the process already (complete_signal).
  if (pending.set.has(SIGKILL) && !blocked.has(SIGKILL)) return SIGKILL;
  const exceptions = SYNCHRONOUS.copy();
  exceptions.lo &= pending.set.lo;
  return exceptions.lowestOutside(blocked) || pending.set.lowestOutside(blocked);
}

function collect(pending: PendingSignals, signal: number): SignalInfo {
  const at = pending.queue.findIndex((info) => info.signo === signal);
  if (at < 0) {
    pending.set.delete(signal);
    return { signo: signal, errno: 0, code: SI_USER, detail: { kind: "kill", pid: 0, uid: 0 } };
  }
  const [info] = pending.queue.splice(at, 1);
  if (!pending.queue.some((other) => other.signo === signal)) pending.set.delete(signal);
  return info!;
}

/** What is told of a timer that goes on. */
export interface TimerMachine {
  readonly clock: Clock;
  timersChanged(process: Process): void;
}

/** The next signal not in `blocked`, the task's own before the process's; null if there is none. */
export function takeSignal(machine: TimerMachine, task: Task, blocked: SignalSet): SignalInfo | null {
  const { process } = task;
  const own = task.signals.pending;
  let info: SignalInfo | null = null;
  // A fault of this task comes before everything sent to it, in the order in which faults came.
  const fault = own.queue.find(
    (each) => each.code > 0 && SYNCHRONOUS.has(each.signo) && !blocked.has(each.signo),
  );
  const killed = process.pending.set.has(SIGKILL) && !blocked.has(SIGKILL);
  const signal = killed ? 0 : (fault?.signo ?? lowest(own, blocked));
  if (signal !== 0) info = collect(own, signal);
  else {
    const shared = lowest(process.pending, blocked);
    if (shared !== 0) info = collect(process.pending, shared);
  }
  if (info !== null) takeUpTimer(machine, process, info);
  task.signals.recalculate();
  return info;
}

/** A timer whose signal was taken goes on (posixtimer_rearm; of ITIMER_REAL, dequeue_signal). */
function takeUpTimer(machine: TimerMachine, process: Process, info: SignalInfo): void {
  const { timers } = process;
  if (info.detail.kind !== "timer" && info.signo !== SIGALRM) return;
  const now = machine.clock.monotonic();
  if (info.detail.kind === "timer") {
    const timer = timers.posix.get(info.detail.timer);
    if (timer === undefined) return;
    info.detail.overrun = timer.overrun + goOn(timer, now);
    timer.overrun = 0;
  } else goOn(timers.interval[ITIMER_REAL]!, now);
  machine.timersChanged(process);
}
