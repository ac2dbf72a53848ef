/** modify_ldt(2)'s changes (arch/x86/kernel/ldt.c write_ldt, flush_ldt). */

import { CS, DS, ES, SS } from "../../cpu/segments.js";
import { EINVAL } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { LDT_ENTRIES, withEntry } from "./local-table.js";
import { reload } from "./return.js";
import { SELECTOR_LOCAL } from "./tables.js";
import {
  descriptorOf,
  isEmptyDesc,
  NO_DESCRIPTOR,
  withoutAvailable,
  type Descriptor,
  type UserDesc,
} from "./user-desc.js";

const CONFORMING_CODE = 3;

/**
 * Writes an entry of the address space's table.
 * @param old function 1: no conforming code, an entry is cleared by base and limit 0 alone, and AVL is not told
 * @returns 0, or -EINVAL for an entry beyond the table's 8192 and for conforming code that is present
 */
export function writeLocalEntry(kernel: Kernel, task: Task, desc: UserDesc, old: boolean): number {
  if (desc.entryNumber >= LDT_ENTRIES) return -EINVAL;
  if (desc.contents === CONFORMING_CODE && (old || !desc.notPresent)) return -EINVAL;
  const { mm } = task;
  mm.ldt = withEntry(mm.ldt, desc.entryNumber, descriptorFor(desc, old));
  for (const other of kernel.tasks.values())
    if (other.mm === mm && other !== task) other.selectorsChanged = true;
  const { registers } = kernel.cpu;
  if (((registers.selector(CS) | registers.selector(SS)) & SELECTOR_LOCAL) !== 0)
    task.selectorsChanged = true;
  // The caller's FS and GS keep what they have until it is switched to again (refresh_ldt_segments).
  for (const i of [DS, ES]) if ((registers.selector(i) & SELECTOR_LOCAL) !== 0) reload(kernel, i);
  return 0;
}

function descriptorFor(desc: UserDesc, old: boolean): Descriptor {
  if ((old && desc.base === 0 && desc.limit === 0) || isEmptyDesc(desc)) return NO_DESCRIPTOR;
  const descriptor = descriptorOf(desc);
  return old ? withoutAvailable(descriptor) : descriptor;
}
