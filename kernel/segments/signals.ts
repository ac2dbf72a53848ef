/** CS and SS of a signal handler, and of what rt_sigreturn(2) goes back to (arch/x86/kernel/signal_64.c). */

import { CS, SS } from "../../cpu/segments.js";
import type { Kernel } from "../kernel.js";
import { USER_CS, USER_DS } from "../signals/frame.js";
import type { Task } from "../task.js";
import { isStackSegment } from "./user-desc.js";

const RPL = 3;

/** A handler is 64-bit code; its stack segment stays, if a stack may lie in it. */
export function enterLongMode(kernel: Kernel, task: Task): void {
  const { registers } = kernel.cpu;
  if (registers.selector(CS) !== USER_CS) {
    registers.setSelectorOnly(CS, USER_CS);
    task.selectorsChanged = true;
  }
  if (registers.selector(SS) !== USER_DS) forceStackSegment(kernel, task);
}

/**
 * What a signal frame says of CS and SS; whether they can be loaded is seen at the return to user mode.
 * @param strict UC_STRICT_RESTORE_SS: a stack segment that is none is not mended for 64-bit code
 */
export function setReturnSegments(kernel: Kernel, task: Task, cs: number, ss: number, strict: boolean): void {
  const { registers } = kernel.cpu;
  if ((cs | RPL) === registers.selector(CS) && (ss | RPL) === registers.selector(SS)) return;
  registers.setSelectorOnly(CS, cs | RPL);
  registers.setSelectorOnly(SS, ss | RPL);
  task.selectorsChanged = true;
  if (!strict && (cs | RPL) === USER_CS) forceStackSegment(kernel, task);
}

/** force_valid_ss: the flat data segment in place of one that no stack may lie in. */
function forceStackSegment(kernel: Kernel, task: Task): void {
  const { registers, descriptorTables } = kernel.cpu;
  const descriptor = descriptorTables.read(registers.selector(SS));
  if (descriptor !== undefined && isStackSegment(descriptor)) return;
  registers.setSelectorOnly(SS, USER_DS);
  task.selectorsChanged = true;
}
