/** A tracer lets its tracee go on (kernel/ptrace.c ptrace_resume, ptrace_detach). */

import { EIO } from "../errno.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "../restart.js";
import { RAX } from "../processor.js";
import type { Kernel } from "../kernel.js";
import { SI_USER, SIGNAL_MAX } from "../signals/numbers.js";
import { sendSignal } from "../signals/send.js";
import type { SignalInfo } from "../signals/siginfo.js";
import type { Task } from "../task.js";
import { detach } from "./attach.js";
import { withRegisters } from "./registers.js";
import type { ResumeMode } from "./tracing.js";

/** Goes on in a mode, with a signal (0: none). -EIO for a number that is none. */
export function resumeTracee(kernel: Kernel, task: Task, mode: ResumeMode, signal: number): number {
  if (signal < 0 || signal > SIGNAL_MAX) return -EIO;
  const tracing = task.tracing!;
  tracing.mode = mode;
  leaveStop(kernel, task, signal);
  task.wake();
  return 0;
}

/** PTRACE_DETACH: likewise, and for good. */
export function detachTracee(kernel: Kernel, task: Task, signal: number): number {
  if (signal < 0 || signal > SIGNAL_MAX) return -EIO;
  leaveStop(kernel, task, signal);
  detach(task);
  return 0;
}

function leaveStop(kernel: Kernel, task: Task, signal: number): void {
  const tracing = task.tracing!;
  const { stop } = tracing;
  tracing.stop = null;
  if (stop === null) return;
  const info = signal === 0 ? null : signal === stop.info.signo ? stop.info : sentBy(tracing.tracer, signal);
  if (stop.kind === "signal") {
    task.injected = info;
    task.interruptedBy = restartOf(kernel, task);
  } else if (info !== null && stop.kind !== "group") sendSignal(task, sentBy(tracing.tracer, signal), false);
}

/** Whether a call is to be made again: as the registers now say, which the tracer may have changed. */
function restartOf(kernel: Kernel, task: Task): number {
  if (task.noSyscall) return 0;
  const result = withRegisters(kernel, task, () => BigInt.asIntN(64, kernel.cpu.registers.get(RAX)));
  const code = -Number(result);
  return code >= ERESTARTSYS && code <= ERESTART_RESTARTBLOCK ? code : 0;
}

function sentBy(tracer: Task, signo: number): SignalInfo {
  return {
    signo,
    errno: 0,
    code: SI_USER,
    detail: { kind: "kill", pid: tracer.pid, uid: tracer.credentials.uid },
  };
}
