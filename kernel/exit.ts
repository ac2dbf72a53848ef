/** The end of a task and of a process (kernel/exit.c do_exit, do_group_exit, exit_notify; kernel/signal.c). */

import { leaveFutexes } from "./futex/exit.js";
import { leaveRings } from "./io-uring/leave.js";
import type { Kernel } from "./kernel.js";
import { releaseTracees } from "./ptrace/attach.js";
import { withRegisters } from "./ptrace/registers.js";
import { stopForEvent, tellTracer } from "./ptrace/stop.js";
import { PTRACE_EVENT_EXIT, PTRACE_O_TRACEEXIT } from "./ptrace/tracing.js";
import { hasStoppedMember, isOrphanedGroup, membersOf } from "./process-groups.js";
import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  SA_NOCLDWAIT,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGKILL,
} from "./signals/numbers.js";
import { leaveSeccomp } from "./seccomp/listener.js";
import { childSignal, kernelSignal, retargetSignals, sendSignal } from "./signals/send.js";
import type { ExitStatus, Process, Task, Usage } from "./task.js";
import { sleepNoMore } from "./sleep.js";
import { disassociateTerminal } from "./tty/job-control.js";
import { abandonUserfault } from "./userfault-wait.js";

/** exit(2), or seccomp's killing of one thread: this task alone ends; with the last one, its process. */
export function exitTask(kernel: Kernel, task: Task, code: number, signal: number | null = null): void {
  const status: ExitStatus = { code, signal, core: false };
  if (task.process.tasks.length === 1) {
    exitProcess(kernel, task, status);
    return;
  }
  if (stopsBeforeExit(kernel, task, status, "exit-task")) return;
  report(kernel, task, status);
  leave(kernel, task);
  endTracee(task, status);
  // A pidfd of the thread is ready.
  task.process.exitQueue.wake();
  retargetSignals(task);
}

/** exit_group(2), or a fatal signal: all tasks of the process end now. */
export function exitProcess(kernel: Kernel, task: Task, status: ExitStatus): void {
  const { process } = task;
  if (process.exit !== null) return;
  if (status.signal !== SIGKILL && stopsBeforeExit(kernel, task, status, "exit-process")) return;
  process.exit = status;
  process.stopped = 0;
  process.unreported = null;
  // The caller last: what it leaves behind is what a debugger looks at.
  for (const each of [...process.tasks].filter((other) => other !== task)) {
    leave(kernel, each);
    endTracee(each, status);
  }
  report(kernel, task, status);
  leave(kernel, task);
  endTracee(task, status);
  endProcess(kernel, process);
}

/** A thread that another one of its process ends: by execve. */
export function endThread(kernel: Kernel, task: Task): void {
  const status: ExitStatus = { code: 0, signal: null, core: false };
  report(kernel, task, status);
  leave(kernel, task);
  endTracee(task, status);
}

/** The lower 16 bits of wait's status word. */
export function statusWord({ code, signal, core }: ExitStatus): number {
  return signal === null ? code << 8 : signal | (core ? 0x80 : 0);
}

/** PTRACE_EVENT_EXIT: the tracer looks at the task before it ends. */
function stopsBeforeExit(
  kernel: Kernel,
  task: Task,
  status: ExitStatus,
  kind: "exit-task" | "exit-process",
): boolean {
  const { tracing } = task;
  if (tracing === null || tracing.exitReported || task.state === "dead") return false;
  const message = statusWord(status);
  if (!stopForEvent(kernel, task, PTRACE_EVENT_EXIT, PTRACE_O_TRACEEXIT, message, { kind, status }))
    return false;
  tracing.exitReported = true;
  return true;
}

/** A traced thread has ended: its number stays until its tracer has heard of it. */
function endTracee(task: Task, status: ExitStatus): void {
  const { tracing, process } = task;
  if (tracing === null || task === process.leader) return;
  tracing.stop = null;
  tracing.ended = statusWord(status);
  tellTracer(task, CLD_EXITED, status.code);
}

/** The tracer of an ended task has heard of its end, or ended itself. */
export function tracerLeft(kernel: Kernel, task: Task): void {
  const { process } = task;
  if (task !== process.leader) kernel.tasks.delete(task.tid);
  else if (process.heldByTracer) {
    process.heldByTracer = false;
    const { parent } = process;
    if (parent === null || tellParent(process, parent)) kernel.forget(process);
    else parent.childQueue.wake();
  }
}

function report(kernel: Kernel, task: Task, { code, signal, core }: ExitStatus): void {
  if (!kernel.events.listening.exit) return;
  const instruction = kernel.cpu.instructions;
  kernel.events.emit("exit", { task, status: code, signal, core, instruction });
}

/** What every ending task does: gives up futexes, memory, files, and its place in the run queue. */
function leave(kernel: Kernel, task: Task): void {
  const { process } = task;
  sleepNoMore(kernel, task);
  abandonUserfault(kernel, task);
  leaveSeccomp(task);
  kernel.userfaults?.refuse();
  task.waiting = null;
  // Its memory is touched with its own PKRU, whoever ends it.
  withRegisters(kernel, task, () => leaveFutexes(kernel, task));
  for (const ended of releaseTracees(task)) tracerLeft(kernel, ended);
  adoptChildren(kernel, task);
  kernel.cgroups.exited(task);
  kernel.scheduler.sleep(task, "dead");
  task.context = null;
  const at = process.tasks.indexOf(task);
  if (at >= 0) process.tasks.splice(at, 1);
  // A leader's number stays taken until its process has been waited for.
  if (task !== process.leader && task.tracing === null) kernel.tasks.delete(task.tid);
  leaveRings(task);
  kernel.perf?.ended(task);
  task.files.drop();
  countResident(task, process.usage);
  task.mm.syncFiles();
  task.mm.drop();
}

function countResident(task: Task, usage: Usage): void {
  const { mm } = task;
  usage.minorFaults = Math.max(usage.minorFaults, mm.stats.minorFaults);
  usage.majorFaults = Math.max(usage.majorFaults, mm.stats.majorFaults);
  usage.maxResident = Math.max(usage.maxResident, mm.anonPages + mm.filePages);
}

/** Children that this task made hear of its end, and pass to another task of the process. */
function adoptChildren(_kernel: Kernel, task: Task): void {
  const { process } = task;
  const heir = process.tasks.find((other) => other !== task) ?? null;
  for (const child of process.children) {
    if (child.parentTask !== task) continue;
    for (const each of child.tasks)
      if (each.parentDeathSignal !== 0) sendSignal(each, parentDeath(task, each.parentDeathSignal), false);
    child.parentTask = heir;
  }
}

function parentDeath(parent: Task, signo: number): ReturnType<typeof kernelSignal> {
  return { signo, errno: 0, code: 0, detail: { kind: "kill", pid: parent.pid, uid: parent.credentials.uid } };
}

function endProcess(kernel: Kernel, process: Process): void {
  if (process.timerEntry !== null) kernel.timerQueue.cancel(process.timerEntry);
  process.timerEntry = null;
  kernel.ipc.semaphores.exit(process);
  disassociateTerminal(kernel, process, true);
  process.controllingTerminal = null;
  forsake(kernel, process);
  if (process === kernel.init && !kernel.waitForAll) killTheRest(kernel, process);
  const { parent } = process;
  if (process.vforked) process.vforked = false;
  process.zombie = true;
  orphanGroups(kernel, process);
  const tracer = process.leader.tracing?.tracer.process ?? null;
  if (tracer !== null && tracer !== parent) {
    process.heldByTracer = true;
    tellTracer(process.leader, CLD_EXITED, process.exit!.code);
  } else if (parent === null || tellParent(process, parent)) kernel.forget(process);
  else parent.childQueue.wake();
  process.exitQueue.wake();
}

/** True where the parent does not want to wait for it (SIGCHLD ignored, or SA_NOCLDWAIT). */
function tellParent(process: Process, parent: Process): boolean {
  const { exitSignal } = process;
  const status = process.exit!;
  const code = status.signal === null ? CLD_EXITED : status.core ? CLD_DUMPED : CLD_KILLED;
  const action = parent.handlers.of(SIGCHLD);
  // A tracer hears of it even so.
  const traced = process.leader.tracing !== null;
  const unwanted =
    !traced && exitSignal === SIGCHLD && (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
  if (exitSignal !== 0 && !(exitSignal === SIGCHLD && action.handler === SIG_IGN)) {
    const info = childSignal(process, exitSignal, code, status.signal ?? status.code);
    sendSignal(parent.tasks[0] ?? parent.leader, info, true);
  }
  if (unwanted) parent.childQueue.wake();
  return unwanted;
}

/** Children go to the nearest subreaper above, else to the world outside (forget_original_parent). */
function forsake(kernel: Kernel, process: Process): void {
  let heir = process.parent;
  while (heir !== null && (!heir.childSubreaper || heir.exit !== null)) heir = heir.parent;
  for (const child of [...process.children]) {
    const orphaned = child.processGroup !== process.processGroup && child.session === process.session;
    process.children.delete(child);
    child.parent = heir;
    child.parentTask = heir?.tasks[0] ?? null;
    child.exitSignal = SIGCHLD;
    heir?.children.add(child);
    if (child.zombie) {
      if (heir === null || tellParent(child, heir)) kernel.forget(child);
      else heir.childQueue.wake();
    }
    if (orphaned) hangUpIfOrphaned(kernel, child.processGroup, process);
  }
}

/** As the end of a process namespace's first process takes all others along (zap_pid_ns_processes). */
function killTheRest(kernel: Kernel, first: Process): void {
  for (const other of kernel.processes.values())
    if (other !== first && other.tasks.length > 0) sendSignal(other.tasks[0]!, kernelSignal(SIGKILL), true);
}

/** Its end may leave its own group without anybody to continue it (kill_orphaned_pgrp). */
function orphanGroups(kernel: Kernel, process: Process): void {
  const { parent } = process;
  if (parent === null || parent.processGroup === process.processGroup || parent.session !== process.session)
    return;
  hangUpIfOrphaned(kernel, process.processGroup, process);
}

function hangUpIfOrphaned(kernel: Kernel, group: number, leaving: Process): void {
  if (!hasStoppedMember(kernel, group) || !isOrphanedGroup(kernel, group, leaving)) return;
  for (const signal of [SIGHUP, SIGCONT])
    for (const member of [...membersOf(kernel, group)])
      sendSignal(member.tasks[0] ?? member.leader, kernelSignal(signal), true);
}
