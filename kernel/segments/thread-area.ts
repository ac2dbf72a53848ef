/**
 * A thread's own three entries of the global descriptor table (arch/x86/kernel/tls.c): set_thread_area(2) and
 * get_thread_area(2) as 32-bit calls have them.
 */

import { EINVAL, ESRCH } from "../errno.js";
import type { Task } from "../task.js";
import {
  descriptorOf,
  isEmptyDesc,
  isZeroDesc,
  NO_DESCRIPTOR,
  userDescOf,
  type Descriptor,
  type UserDesc,
} from "./user-desc.js";

/** GDT_ENTRY_TLS_MIN and the number of entries. */
const TLS_FIRST = 12;
const TLS_ENTRIES = 3;
/** The entry number that asks for a free one. */
export const ANY_ENTRY = 0xffff_ffff;

/** Entry `index`, from TLS_FIRST on. */
export function threadEntry(task: Task, index: number): Descriptor {
  const { tls } = task;
  const at = 2 * (index - TLS_FIRST);
  return tls === null ? NO_DESCRIPTOR : [tls[at]!, tls[at + 1]!];
}

export const isThreadEntry = (index: number): boolean =>
  index >= TLS_FIRST && index < TLS_FIRST + TLS_ENTRIES;

/** Only present 32-bit data segments may stand there, or nothing (tls_desc_okay). */
export function isThreadDesc(desc: UserDesc): boolean {
  if (isEmptyDesc(desc) || isZeroDesc(desc)) return true;
  return desc.seg32bit && desc.contents <= 1 && !desc.notPresent;
}

/** The first entry that is all 0, or -ESRCH (get_free_idx). */
export function freeThreadEntry(task: Task): number {
  for (let index = TLS_FIRST; index < TLS_FIRST + TLS_ENTRIES; index++) {
    const [low, high] = threadEntry(task, index);
    if (low === 0 && high === 0) return index;
  }
  return -ESRCH;
}

export function setThreadEntry(task: Task, index: number, desc: UserDesc): void {
  task.tls ??= new Uint32Array(2 * TLS_ENTRIES);
  const [low, high] = isEmptyDesc(desc) || isZeroDesc(desc) ? NO_DESCRIPTOR : descriptorOf(desc);
  task.tls[2 * (index - TLS_FIRST)] = low;
  task.tls[2 * (index - TLS_FIRST) + 1] = high;
}

/** An entry as get_thread_area(2) gives it, or -EINVAL. */
export function readThreadEntry(task: Task, index: number): UserDesc | number {
  return isThreadEntry(index) ? userDescOf(index, threadEntry(task, index)) : -EINVAL;
}
