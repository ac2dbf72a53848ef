/** Taking the next pending signal (kernel/signal.c: next_signal, collect_signal, dequeue_signal). */

import type { Task } from "../task.js";
import { SI_USER, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP } from "./numbers.js";
import { SignalSet } from "./signal-set.js";
import type { SignalInfo } from "./siginfo.js";
import type { PendingSignals } from "./state.js";

const SYNCHRONOUS = SignalSet.of(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);

function lowest(pending: PendingSignals, blocked: SignalSet): number {
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

/** The next signal not in `blocked`, the task's own before the process's; null if there is none. */
export function takeSignal(task: Task, blocked: SignalSet): SignalInfo | null {
  const own = task.signals.pending;
  let info: SignalInfo | null = null;
  // A fault of this task comes before everything sent to it, in the order in which faults came.
  const fault = own.queue.find(
    (each) => each.code > 0 && SYNCHRONOUS.has(each.signo) && !blocked.has(each.signo),
  );
  const signal = fault?.signo ?? lowest(own, blocked);
  if (signal !== 0) info = collect(own, signal);
  else {
    const shared = lowest(task.process.pending, blocked);
    if (shared !== 0) info = collect(task.process.pending, shared);
  }
  if (info?.detail.kind === "timer") {
    const timer = task.process.timers.posix.get(info.detail.timer);
    if (timer !== undefined) {
      info.detail.overrun = timer.overrun;
      timer.overrun = 0;
    }
  }
  task.signals.recalculate();
  return info;
}
