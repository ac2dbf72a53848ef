/**
 * Going on in user mode with selectors that the kernel has written, or whose descriptors may have changed: what
 * switch_to loads and what IRET checks (arch/x86/kernel/process_64.c, arch/x86/entry/entry_64.S).
 */

import { CS, DS, ES, FS, GS, SS } from "../../cpu/segments.js";
import { raiseFault } from "../exceptions.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { SELECTOR_LOCAL } from "./tables.js";

const GENERAL_PROTECTION = 13;

/**
 * Loads the running task's selectors.
 * @returns false where IRET faults: the task has the signal of it, with the registers it was to go on with
 */
export function returnToUser(kernel: Kernel, task: Task): boolean {
  const { cpu } = kernel;
  const { registers } = cpu;
  task.selectorsChanged = false;
  for (const i of [DS, ES]) reload(kernel, i);
  // FS and GS have their bases put back after their selectors (x86_fsgsbase_load).
  const { fsBase, gsBase } = registers;
  for (const i of [FS, GS]) reload(kernel, i);
  registers.fsBase = fsBase;
  registers.gsBase = gsBase;
  const ss = registers.selector(SS);
  const fault = cpu.returnTo(registers.selector(CS), ss);
  if (fault !== undefined) {
    // A stack segment of the LDT may be of 16 bits, so that IRET runs on the espfix stack: there any fault of it becomes
    // a double fault, of which Linux makes a #GP without its error code (exc_double_fault).
    if ((ss & SELECTOR_LOCAL) !== 0) raiseFault(kernel, task, GENERAL_PROTECTION, 0);
    else raiseFault(kernel, task, fault.vector, fault.errorCode);
    return false;
  }
  return true;
}

/** Loads DS, ES, FS or GS with the selector it shows; one that cannot be loaded becomes 0. */
export function reload(kernel: Kernel, i: number): void {
  const { cpu } = kernel;
  const selector = cpu.registers.selector(i);
  if (selector === 0) return;
  if (cpu.loadSegment(i, selector) !== undefined) cpu.loadSegment(i, 0);
}

/** As start_thread: the flat 64-bit segments, everything else 0. */
export function resetSegments(kernel: Kernel): void {
  for (const i of [DS, ES, FS, GS]) kernel.cpu.loadSegment(i, 0);
  kernel.cpu.returnTo(0x33, 0x2b);
}
