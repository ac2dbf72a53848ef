/** Sending a signal (kernel/signal.c: prepare_signal, send_signal_locked, force_sig_info). */

import { EAGAIN } from "../errno.js";
import { RLIMIT_SIGPENDING } from "../limits.js";
import type { Process, Task } from "../task.js";
import {
  CLD_CONTINUED,
  defaultAction,
  SA_IMMUTABLE,
  SA_NOCLDSTOP,
  SI_KERNEL,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGCHLD,
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
/** A tick of USER_HZ, 10 ms, at an instruction a nanosecond. */
const TICK_INSTRUCTIONS = 10_000_000;

/** Takes signals of a set out of a queue. */
export function discardSignals(pending: PendingSignals, signals: SignalSet): void {
  pending.set.deleteAll(signals);
  pending.queue = pending.queue.filter((info) => !signals.has(info.signo));
}

/** True if the signal would be thrown away on arrival: ignored, or by default of no effect. */
function isIgnored(handlers: SignalHandlers, signal: number): boolean {
  const handler = handlers.of(signal).handler;
  if (handler === SIG_IGN) return true;
  if (handler !== SIG_DFL) return false;
  const action = defaultAction(signal);
  return action === "ignore" || action === "continue";
}

/**
 * Sends to one task, or to the task's whole process. 0, or -EAGAIN when a queued real-time signal finds
 * RLIMIT_SIGPENDING reached.
 */
export function sendSignal(task: Task, info: SignalInfo, toProcess: boolean): number {
  const { process } = task;
  const signal = info.signo;
  if (process.zombie || (process.exit !== null && signal !== SIGKILL)) return 0;
  const queues = [process.pending, ...process.tasks.map((each) => each.signals.pending)];
  if (STOPS.has(signal)) {
    for (const queue of queues) discardSignals(queue, CONTINUE);
  } else if (signal === SIGCONT) {
    for (const queue of queues) discardSignals(queue, STOPS);
    continueProcess(process);
    for (const each of process.tasks) notifySeized(each);
  }
  // A blocked signal is kept even if it is ignored now: the action may change before it is unblocked.
  // A tracer may want to see even an ignored one (sig_task_ignored).
  const dropped = isIgnored(process.handlers, signal) && !isBlocked(task, signal) && task.tracing === null;
  if (dropped) return 0;
  const pending = toProcess ? process.pending : task.signals.pending;
  if (!(signal < SIGRTMIN && pending.set.has(signal))) {
    // Linux lets a standard signal that the kernel or kill(2) sends exceed the limit.
    const override = signal < SIGRTMIN && info.code >= 0;
    if (override || queuedOfUser(task) < process.limits.soft(RLIMIT_SIGPENDING)) pending.queue.push(info);
    else if (signal >= SIGRTMIN && info.code !== SI_USER) return -EAGAIN;
    pending.set.add(signal);
  }
  process.handlers.signalQueue.wake();
  if (signal === SIGKILL) for (const each of process.tasks) notice(each);
  else notice(toProcess ? chooseTask(task, signal) : task);
  return 0;
}

/** Signals queued for all processes of the receiver's real user (sig_get_ucounts). */
function queuedOfUser({ process, credentials }: Task): number {
  let queued = 0;
  for (const each of process.population.values()) {
    if (each.leader.credentials.uid !== credentials.uid) continue;
    queued += each.pending.queue.length;
    for (const task of each.tasks) queued += task.signals.pending.queue.length;
  }
  return queued;
}

/** The task sees at its next boundary that a signal is there; asleep, it wakes if it does not block it. */
function notice(task: Task): void {
  task.signals.recalculate();
  if (task.signals.attention || task.signals.waitedFor !== null) task.wake();
}

/** Who takes a signal sent to the process: the task named if it can, else the first that does (complete_signal). */
function chooseTask(task: Task, signal: number): Task {
  const wants = (each: Task): boolean => each.state !== "dead" && !each.signals.blocked.has(signal);
  if (wants(task)) return task;
  const { tasks } = task.process;
  return (
    tasks.find((each) => each.signals.waitedFor?.has(signal) ?? false) ??
    tasks.find(wants) ??
    tasks[0] ??
    task
  );
}

/** SIGKILL is on its way: nothing holds the task back any more. */
export function isKilled(task: Task): boolean {
  return task.signals.pending.set.has(SIGKILL) || task.process.pending.set.has(SIGKILL);
}

/** Others may have to take what this task blocks from now on, or leaves behind at its end (retarget_shared_pending). */
export function retargetSignals(task: Task): void {
  const { pending, tasks } = task.process;
  if (tasks.length < 2 || pending.set.empty) return;
  for (const each of tasks) if (each !== task && each.state !== "dead") notice(each);
}

/** SIGCONT stops a seized task once more, which tells its tracer; also one that was listening (ptrace_trap_notify). */
function notifySeized(task: Task): void {
  const { tracing } = task;
  if (tracing?.seized !== true) return;
  tracing.interrupted = true;
  if (tracing.listening) {
    tracing.listening = false;
    tracing.stop = null;
  }
  if (tracing.stop === null) task.wake();
}

/** SIGCONT's first effect, whatever its disposition: the process goes on. */
function continueProcess(process: Process): void {
  if (process.stopped === 0) return;
  process.stopped = 0;
  process.unreported = "continued";
  for (const task of process.tasks) {
    task.wake();
  }
  notifyStateChange(process, CLD_CONTINUED, SIGCONT);
}

/** Tells the parent that its child stopped or went on: SIGCHLD, unless it does not want that, and wait's waiters. */
export function notifyStateChange(child: Process, code: number, signal: number): void {
  const { parent } = child;
  if (parent === null) return;
  const action = parent.handlers.of(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0)
    sendSignal(parent.tasks[0] ?? parent.leader, childSignal(child, SIGCHLD, code, signal), true);
  parent.childQueue.wake();
}

/** What a parent is told of a child: si_pid, si_uid, si_status and processor time in ticks of 10 ms. */
export function childSignal(child: Process, signo: number, code: number, status: number): SignalInfo {
  return {
    signo,
    errno: 0,
    code,
    detail: {
      kind: "child",
      pid: child.pid,
      uid: child.leader.credentials.uid,
      status,
      utime: Math.floor(child.usage.instructions / TICK_INSTRUCTIONS),
      stime: 0,
    },
  };
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
 * @param how "fatal": it kills in any case; "exit": and no tracer sees it before
 */
export function forceSignal(task: Task, info: SignalInfo, how: "signal" | "fatal" | "exit" = "signal"): void {
  const action = task.process.handlers.of(info.signo);
  const blocked = task.signals.blocked.has(info.signo);
  if (blocked || action.handler === SIG_IGN || how !== "signal") {
    action.handler = SIG_DFL;
    if (how === "exit") action.flags |= SA_IMMUTABLE;
    task.signals.blocked.delete(info.signo);
  }
  sendSignal(task, info, false);
}
