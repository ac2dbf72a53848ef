/** What each task waits for, in words: for a machine that stands still. */

import type { Kernel } from "./kernel.js";
import { callNumber } from "./syscall-dispatch.js";
import type { Task } from "./task.js";

export interface WaitReason {
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  /** "read: waits for pipe:[12] (descriptor 0)". */
  readonly text: string;
}

/** Every living task of the machine, by number. */
export function waitReasons(kernel: Kernel): WaitReason[] {
  return [...kernel.tasks.values()]
    .filter((task) => task.state !== "dead")
    .sort((a, b) => a.tid - b.tid)
    .map((task) => ({ pid: task.pid, tid: task.tid, comm: task.comm, text: reasonOf(kernel, task) }));
}

function reasonOf(kernel: Kernel, task: Task): string {
  if (task.process.stopped !== 0) return `stopped by signal ${task.process.stopped}, until SIGCONT`;
  if (task.userfault !== null)
    return "event" in task.userfault.wait
      ? "waits until its userfaultfd's event is read"
      : `page fault at 0x${task.userfault.wait.address.toString(16)}: waits for a userfaultfd`;
  if (task.waiting === null) return "ready to run";
  const call = kernel.syscallName(callNumber(task));
  return `${call}: waits for ${objectOf(task)}`;
}

function objectOf(task: Task): string {
  const wait = task.waiting!;
  switch (wait.kind) {
    case "file":
      return wait.fds.length === 0
        ? "nothing but a signal"
        : wait.fds.map((fd) => descriptor(task, fd)).join(", ");
    case "sleep":
      return "its time";
    case "signal":
      return "a signal";
    case "futex":
      return "a futex to be woken";
    case "child":
      return "a child to end";
    case "vfork":
      return `its vfork child ${wait.pid}`;
    case "open":
      return "the other end of a fifo to be opened";
    case "queue":
      return wait.reason;
  }
}

function descriptor(task: Task, fd: number): string {
  const file = task.files.get(fd);
  return file === undefined ? `descriptor ${fd}` : `${file.mapName} (descriptor ${fd})`;
}
