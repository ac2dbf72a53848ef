/** What wait finds among the children of a process (kernel/exit.c do_wait, wait_consider_task). */

import { tracerLeft } from "./exit.js";
import type { Kernel } from "./kernel.js";
import {
  CLD_CONTINUED,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  CLD_TRAPPED,
  SIGCHLD,
  SIGCONT,
} from "./signals/numbers.js";
import { detach } from "./ptrace/attach.js";
import type { Process, Task, Usage } from "./task.js";

export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x0100_0000;
export const WNOTHREAD = 0x2000_0000;
export const WALL = 0x4000_0000;
export const WCLONE = 0x8000_0000;

export interface ChildSelector {
  /** Which: by the number of the child or of a traced thread, and its process group. */
  matches(pid: number, processGroup: number): boolean;
  /** W* bits; WEXITED, WSTOPPED and WCONTINUED say of what. */
  readonly options: number;
}

/** A change of a child that wait tells. */
export interface ChildChange {
  readonly pid: number;
  readonly uid: number;
  /** CLD_*. */
  readonly code: number;
  /** Exit code or signal. */
  readonly status: number;
  /** As wait4's status word has it. */
  readonly word: number;
  readonly usage: Usage;
}

/** The first change, which is consumed unless WNOWAIT; "none" while eligible children run; null without any. */
export function findChild(kernel: Kernel, task: Task, selector: ChildSelector): ChildChange | "none" | null {
  const { options } = selector;
  let eligible = false;
  for (const child of task.process.children) {
    if (!selector.matches(child.pid, child.processGroup) || !isEligible(task, child, options)) continue;
    if (!isOver(child, options)) eligible = true;
    const change = changeOf(child, options);
    if (change === null) continue;
    if ((options & WNOWAIT) === 0) consume(kernel, task.process, child);
    return change;
  }
  for (const tracer of (options & WNOTHREAD) !== 0 ? [task] : task.process.tasks) {
    for (const tracee of tracer.tracees) {
      if (!selector.matches(tracee.tid, tracee.process.processGroup)) continue;
      if (!isTraceOver(tracee, options)) eligible = true;
      const change = traceChange(tracee, options);
      if (change === null) continue;
      if ((options & WNOWAIT) === 0) consumeTraced(kernel, tracee);
      return change;
    }
  }
  return eligible ? "none" : null;
}

/** A "clone" child is one that tells its end by another signal than SIGCHLD. */
function isEligible(task: Task, child: Process, options: number): boolean {
  if ((options & WNOTHREAD) !== 0 && child.parentTask !== task) return false;
  if ((options & WALL) !== 0) return true;
  return (child.exitSignal !== SIGCHLD) === ((options & WCLONE) !== 0);
}

/** An end that is not asked for: nothing else will come of this child (wait_task_zombie without WEXITED). */
function isOver(child: Process, options: number): boolean {
  return (options & WEXITED) === 0 && child.zombie && child.exit !== null && !child.heldByTracer;
}

/** The same of a traced task; a first thread that has ended before the others may still be told of as continued. */
function isTraceOver(tracee: Task, options: number): boolean {
  const { process } = tracee;
  if ((options & WEXITED) !== 0) return false;
  if (process.zombie && process.exit !== null) return true;
  if (tracee.tracing!.ended === null) return false;
  return tracee !== process.leader || (options & WCONTINUED) === 0;
}

function changeOf(child: Process, options: number, toTracer = false): ChildChange | null {
  const { pid, exit, usage } = child;
  const { uid } = child.leader.credentials;
  if (child.zombie && exit !== null) {
    if (child.heldByTracer && !toTracer) return null;
    if ((options & WEXITED) === 0) return null;
    if (exit.signal === null)
      return { pid, uid, code: CLD_EXITED, status: exit.code, word: exit.code << 8, usage };
    const code = exit.core ? CLD_DUMPED : CLD_KILLED;
    return { pid, uid, code, status: exit.signal, word: exit.signal | (exit.core ? 0x80 : 0), usage };
  }
  // A parent that traces its child is told of each task's stop.
  if (child.leader.tracing !== null && child.leader.tracing.tracer.process === child.parent) return null;
  if (child.unreported === "stopped" && (options & WSTOPPED) !== 0)
    return { pid, uid, code: CLD_STOPPED, status: child.stopped, word: (child.stopped << 8) | 0x7f, usage };
  if (child.unreported === "continued" && (options & WCONTINUED) !== 0)
    return { pid, uid, code: CLD_CONTINUED, status: SIGCONT, word: 0xffff, usage };
  return null;
}

/** A stop or the end of a traced task; stops are told whether asked for or not. */
function traceChange(task: Task, options: number): ChildChange | null {
  const { tid: pid, process } = task;
  const { stop, ended } = task.tracing!;
  const { uid } = task.credentials;
  const usage: Usage = { ...process.usage, instructions: task.instructions };
  if (stop?.unreported === true) {
    const { code } = stop;
    return { pid, uid, code: CLD_TRAPPED, status: code, word: (code << 8) | 0x7f, usage };
  }
  if (ended !== null && (options & WEXITED) !== 0)
    return { pid, uid, code: CLD_EXITED, status: ended >> 8, word: ended, usage };
  // Its own parent's tracee ends as a child does, and is found as one.
  if (process.heldByTracer && task === process.leader) return changeOf(process, options, true);
  return null;
}

function consumeTraced(kernel: Kernel, task: Task): void {
  const tracing = task.tracing!;
  if (tracing.stop?.unreported === true) {
    tracing.stop.unreported = false;
    return;
  }
  detach(task);
  tracerLeft(kernel, task);
}

function consume(kernel: Kernel, parent: Process, child: Process): void {
  child.unreported = null;
  if (!child.zombie) return;
  addUsage(parent.childrenUsage, child.usage);
  addUsage(parent.childrenUsage, child.childrenUsage);
  detach(child.leader);
  kernel.forget(child);
}

export function addUsage(sum: Usage, part: Usage): void {
  sum.instructions += part.instructions;
  sum.minorFaults += part.minorFaults;
  sum.majorFaults += part.majorFaults;
  sum.maxResident = Math.max(sum.maxResident, part.maxResident);
}
