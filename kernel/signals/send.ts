/** Sending a signal (kernel/signal.c: prepare_signal, send_signal_locked, force_sig_info). */

import { EAGAIN } from "../errno.js";
import { RLIMIT_SIGPENDING } from "../limits.js";
import type { Process, Task } from "../task.js";
import {
  defaultAction,
  SI_KERNEL,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  SIGRTMIN,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
} from "./numbers.js";
import { SignalSet } from "./signal-set.js";
import type { SignalInfo } from "./siginfo.js";
import type { PendingSignals, SignalHandlers } from "./state.js";

const STOPS = SignalSet.of(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
const CONTINUE = SignalSet.of(SIGCONT);

/** Takes signals of a set out of a queue. */
export function discardSignals(pending: PendingSignals, signals: SignalSet): void {
  pending.set.deleteAll(signals);
  pending.queue = pending.queue.filter((info) => !signals.has(info.signo));
}

/** True if the signal would be thrown away on arrival: ignored, or by default of no effect. */
export function isIgnored(handlers: SignalHandlers, signal: number): boolean {
  const handler = handlers.of(signal).handler;
  if (handler === SIG_IGN) return true;
  if (handler !== SIG_DFL) return false;
  const action = defaultAction(signal);
  return action === "ignore" || action === "continue";
}

function recalculateAll(process: Process): void {
  for (const task of process.tasks) task.signals.recalculate();
}

/**
 * Sends to one task, or to the task's whole process. 0, or -EAGAIN when a queued real-time signal finds
 * RLIMIT_SIGPENDING reached.
 */
export function sendSignal(task: Task, info: SignalInfo, toProcess: boolean): number {
  const { process } = task;
  const signal = info.signo;
  if (process.exit !== null) return 0;
  const queues = [process.pending, ...process.tasks.map((each) => each.signals.pending)];
  if (STOPS.has(signal)) {
    for (const queue of queues) discardSignals(queue, CONTINUE);
  } else if (signal === SIGCONT) {
    for (const queue of queues) discardSignals(queue, STOPS);
    process.stopped = 0;
  } else if (signal === SIGKILL) {
    process.stopped = 0;
  }
  // A blocked signal is kept even if it is ignored now: the action may change before it is unblocked.
  const dropped = isIgnored(process.handlers, signal) && !isBlocked(task, signal);
  if (!dropped) {
    const pending = toProcess ? process.pending : task.signals.pending;
    if (signal < SIGRTMIN && pending.set.has(signal)) return 0;
    const queued = queues.reduce((sum, queue) => sum + queue.queue.length, 0);
    // Linux lets a standard signal that the kernel or kill(2) sends exceed the limit.
    const override = signal < SIGRTMIN && info.code >= 0;
    if (queued < process.limits.soft(RLIMIT_SIGPENDING) || override) pending.queue.push(info);
    else if (signal >= SIGRTMIN && info.code !== SI_USER) return -EAGAIN;
    pending.set.add(signal);
  }
  recalculateAll(process);
  return 0;
}

function isBlocked(task: Task, signal: number): boolean {
  // rt_sigtimedwait's own set counts as blocked though it is not, so that an ignored signal can be waited for.
  return task.signals.blocked.has(signal) || (task.signals.waitedFor?.has(signal) ?? false);
}

/** A signal from the kernel itself (SI_KERNEL, or SEND_SIG_PRIV). */
export function kernelSignal(signal: number): SignalInfo {
  return { signo: signal, errno: 0, code: SI_KERNEL, detail: { kind: "none" } };
}

/**
 * A signal that the task's own instruction caused: one that is blocked or ignored is unblocked, put back to its
 * default, and so kills.
 */
export function forceSignal(task: Task, info: SignalInfo, fatal = false): void {
  const action = task.process.handlers.of(info.signo);
  const blocked = task.signals.blocked.has(info.signo);
  if (blocked || action.handler === SIG_IGN || fatal) {
    action.handler = SIG_DFL;
    task.signals.blocked.delete(info.signo);
  }
  sendSignal(task, info, false);
}
