/** What seccomp says of a call before it is made (kernel/seccomp.c __secure_computing, __seccomp_filter). */

import { ENOSYS } from "../errno.js";
import { exitProcess, exitTask } from "../exit.js";
import type { Kernel } from "../kernel.js";
import { RAX } from "../processor.js";
import { rawOriginalRax } from "../ptrace/registers.js";
import { stopForEvent } from "../ptrace/stop.js";
import { PTRACE_EVENT_SECCOMP, PTRACE_O_SUSPEND_SECCOMP, PTRACE_O_TRACESECCOMP } from "../ptrace/tracing.js";
import { ERESTARTSYS } from "../restart.js";
import { SIGKILL, SIGSYS } from "../signals/numbers.js";
import { forceSignal } from "../signals/send.js";
import { BLOCKED, NO_RESULT, SLEEPING } from "../syscall-dispatch.js";
import type { Task } from "../task.js";
import * as actions from "./actions.js";
import { argumentsOf } from "../call-arguments.js";
import { askFilters, type FilterAnswer, type SeccompFilter } from "./filter.js";
import { leaveNotification, USER_NOTIF_CONTINUE } from "./listener.js";

const AUDIT_ARCH_X86_64 = 0xc000_003e;
const AUDIT_ARCH_I386 = 0x4000_0003;
const SYS_SECCOMP = 1;
const MAX_ERRNO = 4095;
/** read, write, rt_sigreturn, exit: all that strict mode leaves. */
const STRICT_CALLS: ReadonlySet<number> = new Set([0, 1, 15, 60]);
/** Of int 0x80: read, write, exit, sigreturn. */
const STRICT_IA32_CALLS: ReadonlySet<number> = new Set([3, 4, 1, 119]);

/**
 * Asked before each execution of a call by a task with seccomp.
 * @param resumed it has been executed before, and waited
 * @param traced its tracer has been asked (SECCOMP_RET_TRACE) and let it pass
 * @returns null: the call is made; NO_RESULT, a result, or BLOCKED instead of it; SLEEPING: a tracer is asked
 */
export function filterCall(
  kernel: Kernel,
  task: Task,
  resumed: boolean,
  traced: boolean,
): number | bigint | null {
  if (resumed) return task.notification === null ? null : answered(task);
  const { seccomp } = task;
  if (seccomp === null || task.tracing?.has(PTRACE_O_SUSPEND_SECCOMP) === true) return null;
  const number = task.originalRaxLow >>> 0;
  if (seccomp.mode === "strict") {
    if ((task.ia32Call ? STRICT_IA32_CALLS : STRICT_CALLS).has(number)) return null;
    refuse(task, "seccomp.strict", "strict mode leaves nothing but read, write, exit and rt_sigreturn", null);
    endTask(kernel, task, SIGKILL);
    return NO_RESULT;
  }
  const data = callData(kernel, task);
  const { answer, filter } = askFilters(seccomp.filter, new Uint32Array(data.buffer));
  const value = actions.dataOf(answer);
  switch (actions.actionOf(answer)) {
    case actions.SECCOMP_RET_ALLOW:
    case actions.SECCOMP_RET_LOG:
      return null;
    case actions.SECCOMP_RET_ERRNO:
      return refuse(
        task,
        "seccomp.errno",
        "a filter answered SECCOMP_RET_ERRNO",
        filter,
        Math.min(value, MAX_ERRNO),
      );
    case actions.SECCOMP_RET_TRAP:
      refuse(task, "seccomp.trap", "a filter answered SECCOMP_RET_TRAP", filter);
      raise(kernel, task, value, false);
      return NO_RESULT;
    case actions.SECCOMP_RET_TRACE:
      return traced ? null : askTracer(kernel, task, value, filter);
    case actions.SECCOMP_RET_USER_NOTIF:
      return askListener(task, data, filter);
    default:
      return kill(kernel, task, { answer, filter });
  }
}

const architectureOf = ({ ia32Call }: Task): number => (ia32Call ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64);

/** struct seccomp_data: number, architecture, where the call was made, its arguments. */
function callData(kernel: Kernel, task: Task): Uint8Array {
  const { registers } = kernel.cpu;
  const data = new Uint8Array(64);
  const view = new DataView(data.buffer);
  view.setInt32(0, task.originalRaxLow, true);
  view.setUint32(4, architectureOf(task), true);
  view.setBigUint64(8, BigInt.asUintN(64, registers.ripBig), true);
  for (const [i, value] of argumentsOf(registers, task).entries()) view.setBigUint64(16 + 8 * i, value, true);
  return data;
}

/** Says why to whoever asks. @returns -errno; -0 where the call just gives 0 */
function refuse(task: Task, rule: string, text: string, filter: SeccompFilter | null, errno = 0): number {
  return task.mm.refuse(rule, errno, () => {
    const by = filter?.by;
    const where = by === undefined ? "" : `, installed by thread ${by.tid} at instruction ${by.instruction}`;
    return { text: text + where, source: "__seccomp_filter" };
  });
}

/** SIGSYS with what was called; forced to end the process, it is taken by no handler (force_sig_seccomp). */
function raise(kernel: Kernel, task: Task, errno: number, fatal: boolean): void {
  const { registers } = kernel.cpu;
  registers.set(RAX, rawOriginalRax(task));
  forceSignal(task, sysSignal(kernel, task, SYS_SECCOMP, errno), fatal ? "exit" : "signal");
}

/** SIGSYS of a call that was not made. @param code SYS_SECCOMP or SYS_USER_DISPATCH */
export function sysSignal(kernel: Kernel, task: Task, code: number, errno: number) {
  const detail = {
    kind: "call" as const,
    address: BigInt.asUintN(64, kernel.cpu.registers.ripBig),
    number: task.originalRaxLow,
    architecture: architectureOf(task),
  };
  return { signo: SIGSYS, errno, code, detail };
}

/** The last thread of a process dies with its core, as the process would. */
function kill(kernel: Kernel, task: Task, { answer, filter }: FilterAnswer): number {
  refuse(task, "seccomp.kill", "a filter answered that the caller is to be killed", filter);
  const alone = task.process.tasks.length === 1;
  if (actions.actionOf(answer) !== actions.SECCOMP_RET_KILL_THREAD || alone)
    raise(kernel, task, actions.dataOf(answer), true);
  else endTask(kernel, task, SIGSYS);
  return NO_RESULT;
}

/** do_exit with a signal's number: this thread alone, without a core. */
function endTask(kernel: Kernel, task: Task, signal: number): void {
  if (task.process.tasks.length === 1) exitProcess(kernel, task, { code: 0, signal, core: false });
  else exitTask(kernel, task, 0, signal);
}

/** PTRACE_EVENT_SECCOMP; without a tracer that wants it the call is not there. */
function askTracer(kernel: Kernel, task: Task, value: number, filter: SeccompFilter): number {
  const { registers } = kernel.cpu;
  const before = registers.get(RAX);
  registers.setNumber(RAX, -ENOSYS);
  const then = { kind: "execute", emulated: false, traced: true } as const;
  if (stopForEvent(kernel, task, PTRACE_EVENT_SECCOMP, PTRACE_O_TRACESECCOMP, value, then)) return SLEEPING;
  registers.set(RAX, BigInt.asUintN(64, before));
  return refuse(task, "seccomp.trace", "a filter asked for a tracer, and there is none", filter, ENOSYS);
}

function askListener(task: Task, data: Uint8Array, filter: SeccompFilter): number {
  const { listener } = filter;
  if (listener === null)
    return refuse(task, "seccomp.listener", "a filter asked its listener, and there is none", filter, ENOSYS);
  task.notification = listener.ask(task, data);
  return wait(task);
}

function wait(task: Task): number {
  const { queue } = task.notification!;
  task.waiting ??= {
    kind: "queue",
    queues: [queue],
    reason: "seccomp notification",
    deadline: null,
    timedOut: false,
    interrupted: ERESTARTSYS,
  };
  return BLOCKED;
}

/** Woken: perhaps with the answer. */
function answered(task: Task): number | bigint | null {
  const { state, error, value, flags } = task.notification!;
  if (state !== "replied") return wait(task);
  leaveNotification(task);
  task.waiting = null;
  if ((flags & USER_NOTIF_CONTINUE) !== 0) return null;
  // As it is: no error of a listener's has the call made again.
  return error !== 0 ? BigInt(error) : BigInt.asIntN(64, value);
}
