/** What wait finds among the children of a process (kernel/exit.c do_wait, wait_consider_task). */

import type { Kernel } from "./kernel.js";
import {
  CLD_CONTINUED,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  SIGCHLD,
  SIGCONT,
} from "./signals/numbers.js";
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
  /** Which children: by number, by process group, or any. */
  matches(child: Process): boolean;
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
    if (!selector.matches(child) || !isEligible(task, child, options)) continue;
    eligible = true;
    const change = changeOf(child, options);
    if (change === null) continue;
    if ((options & WNOWAIT) === 0) consume(kernel, task.process, child);
    return change;
  }
  return eligible ? "none" : null;
}

/** A "clone" child is one that tells its end by another signal than SIGCHLD. */
function isEligible(task: Task, child: Process, options: number): boolean {
  if ((options & WNOTHREAD) !== 0 && child.parentTask !== task) return false;
  if ((options & WALL) !== 0) return true;
  return (child.exitSignal !== SIGCHLD) === ((options & WCLONE) !== 0);
}

function changeOf(child: Process, options: number): ChildChange | null {
  const { pid, exit, usage } = child;
  const { uid } = child.leader.credentials;
  if (child.zombie && exit !== null) {
    if ((options & WEXITED) === 0) return null;
    if (exit.signal === null)
      return { pid, uid, code: CLD_EXITED, status: exit.code, word: exit.code << 8, usage };
    const code = exit.core ? CLD_DUMPED : CLD_KILLED;
    return { pid, uid, code, status: exit.signal, word: exit.signal | (exit.core ? 0x80 : 0), usage };
  }
  if (child.unreported === "stopped" && (options & WSTOPPED) !== 0)
    return { pid, uid, code: CLD_STOPPED, status: child.stopped, word: (child.stopped << 8) | 0x7f, usage };
  if (child.unreported === "continued" && (options & WCONTINUED) !== 0)
    return { pid, uid, code: CLD_CONTINUED, status: SIGCONT, word: 0xffff, usage };
  return null;
}

function consume(kernel: Kernel, parent: Process, child: Process): void {
  child.unreported = null;
  if (!child.zombie) return;
  addUsage(parent.childrenUsage, child.usage);
  addUsage(parent.childrenUsage, child.childrenUsage);
  kernel.forget(child);
}

export function addUsage(sum: Usage, part: Usage): void {
  sum.instructions += part.instructions;
  sum.minorFaults += part.minorFaults;
  sum.majorFaults += part.majorFaults;
  sum.maxResident = Math.max(sum.maxResident, part.maxResident);
}
