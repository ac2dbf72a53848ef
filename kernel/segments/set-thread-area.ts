/** set_thread_area(2) for the running task (arch/x86/kernel/tls.c do_set_thread_area). */

import { CS, DS, ES, FS, GS, SS } from "../../cpu/segments.js";
import { EINVAL } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { reload } from "./return.js";
import { isThreadEntry, setThreadEntry } from "./thread-area.js";
import type { UserDesc } from "./user-desc.js";

/** Writes an entry, and loads the segment registers that name it anew. 0, or -EINVAL for an entry that is none. */
export function setThreadArea(kernel: Kernel, task: Task, desc: UserDesc): number {
  if (!isThreadEntry(desc.entryNumber)) return -EINVAL;
  setThreadEntry(task, desc.entryNumber, desc);
  const { registers } = kernel.cpu;
  const selector = (desc.entryNumber << 3) | 3;
  for (const i of [DS, ES, FS, GS]) if (registers.selector(i) === selector) reload(kernel, i);
  if (registers.selector(CS) === selector || registers.selector(SS) === selector)
    task.selectorsChanged = true;
  return 0;
}
