/** A tracee stops and its tracer is told (kernel/signal.c ptrace_stop, ptrace_notify; kernel/ptrace.c). */

import { DR_STEP } from "../debug-registers/traced.js";
import type { Kernel } from "../kernel.js";
import {
  CLD_TRAPPED,
  SA_NOCLDSTOP,
  SIG_IGN,
  SIGCHLD,
  SIGKILL,
  SIGTRAP,
  TRAP_TRACE,
} from "../signals/numbers.js";
import { forceSignal, sendSignal } from "../signals/send.js";
import type { SignalInfo } from "../signals/siginfo.js";
import type { Task } from "../task.js";
import { tellsStepOverProbe } from "../uprobes/hit.js";
import { PTRACE_O_TRACESYSGOOD, type TraceStop, type Unfinished } from "./tracing.js";

const SYSCALL_GOOD = 0x80;
const PTRACE_EVENTMSG_SYSCALL_ENTRY = 1;
const PTRACE_EVENTMSG_SYSCALL_EXIT = 2;

/** Stops the task; it goes on when its tracer says so, or by SIGKILL. @param message for PTRACE_GETEVENTMSG */
function stopTask(kernel: Kernel, task: Task, stop: Omit<TraceStop, "unreported">, message = 0): void {
  // Who is being killed stops for nobody (ptrace_stop).
  if (task.signals.pending.set.has(SIGKILL) || task.process.pending.set.has(SIGKILL)) return;
  const tracing = task.tracing!;
  tracing.stop = { ...stop, unreported: true };
  tracing.listening = false;
  tracing.eventMessage = message;
  kernel.scheduler.sleep(task, "asleep");
  tellTracer(task, CLD_TRAPPED, stop.code & 0x7f);
}

/** SIGCHLD to the tracer, and a wake for its wait. */
export function tellTracer(task: Task, code: number, status: number): void {
  const { tracer } = task.tracing!;
  const { process } = tracer;
  const action = process.handlers.of(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    const uid = task.credentials.uid;
    const detail = { kind: "child" as const, pid: task.tid, uid, status, utime: 0, stime: 0 };
    sendSignal(process.tasks[0] ?? process.leader, { signo: SIGCHLD, errno: 0, code, detail }, true);
  }
  process.childQueue.wake();
}

/** What an event- or syscall-stop says of itself: SIGTRAP from the task, the whole code as si_code. */
function ownInfo(task: Task, code: number): SignalInfo {
  return {
    signo: SIGTRAP,
    errno: 0,
    code,
    detail: { kind: "kill", pid: task.tid, uid: task.credentials.uid },
  };
}

/** A signal-delivery-stop. */
export function stopForSignal(kernel: Kernel, task: Task, info: SignalInfo): void {
  stopTask(kernel, task, { kind: "signal", code: info.signo, info });
}

/** Whether calls of the task stop: PTRACE_SYSCALL, or PTRACE_SYSEMU at the entry. */
export function stopsAtSyscalls(task: Task, at: "entry" | "exit"): boolean {
  const mode = task.tracing?.mode;
  if (mode === undefined) return false;
  return mode === "syscall" || (at === "entry" && (mode === "emulate" || mode === "emulate-step"));
}

/** PTRACE_SYSEMU: the tracer does the call that stopped at its entry. */
export function emulates(task: Task): boolean {
  return task.tracing?.mode.startsWith("emulate") === true;
}

export function stopForSyscall(kernel: Kernel, task: Task, at: "entry" | "exit"): void {
  const code = SIGTRAP | (task.tracing!.has(PTRACE_O_TRACESYSGOOD) ? SYSCALL_GOOD : 0);
  const message = at === "entry" ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT;
  stopTask(kernel, task, { kind: at, code, info: ownInfo(task, code) }, message);
}

/**
 * A PTRACE_EVENT stop where its option asks for one.
 * @returns false without a tracer that wants it
 */
export function stopForEvent(
  kernel: Kernel,
  task: Task,
  event: number,
  option: number,
  message: number,
  then: Unfinished | null = null,
): boolean {
  const { tracing } = task;
  if (tracing === null || !tracing.has(option)) return false;
  if (then !== null) task.unfinished.unshift(then);
  const code = SIGTRAP | (event << 8);
  stopTask(kernel, task, { kind: "event", code, info: ownInfo(task, code) }, message);
  return true;
}

/** One instruction at a time (PTRACE_SINGLESTEP). */
export function stepsNow(task: Task): boolean {
  const mode = task.tracing?.mode;
  return mode === "step" || mode === "emulate-step";
}

/** The one instruction has been executed, and raised nothing of its own. */
export function reportStep(kernel: Kernel, task: Task): void {
  if (task.tracing?.stop !== null || task.signals.attention || task.state !== "ready") return;
  const address = BigInt.asUintN(64, kernel.cpu.registers.ripBig);
  if (task.debugRegisters !== null) task.debugRegisters.status = DR_STEP;
  if (tellsStepOverProbe(kernel, task)) return;
  const detail = { kind: "fault" as const, address };
  forceSignal(task, { signo: SIGTRAP, errno: 0, code: TRAP_TRACE, detail });
}

/** A handler was entered by a task that is stepped: it stops before the handler's first instruction. */
export function stopInHandler(kernel: Kernel, task: Task): void {
  if (stepsNow(task)) stopTask(kernel, task, { kind: "event", code: SIGTRAP, info: ownInfo(task, SIGTRAP) });
}

/** A stop of a seized task with the whole process, or by PTRACE_INTERRUPT. */
export function stopWithEvent(kernel: Kernel, task: Task, event: number, signal: number): void {
  const code = signal | (event << 8);
  stopTask(kernel, task, { kind: "group", code, info: { ...ownInfo(task, code), signo: signal } });
}
