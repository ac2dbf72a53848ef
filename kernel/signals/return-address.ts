/** Going back to user mode at an address that is none. */

import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { SIGSEGV } from "./numbers.js";
import { forceSignal, kernelSignal } from "./send.js";

const GENERAL_PROTECTION = 13;
const CANONICAL_END = 1n << 47n;

/** IRET to a non-canonical address is #GP, which Linux gives the task as SIGSEGV (fixup_bad_iret). */
export function checkReturnAddress(kernel: Kernel, task: Task): void {
  const rip = kernel.cpu.registers.ripBig;
  if (rip < CANONICAL_END || rip >= (1n << 64n) - CANONICAL_END) return;
  task.trapNumber = GENERAL_PROTECTION;
  task.trapErrorCode = 0;
  forceSignal(task, kernelSignal(SIGSEGV));
}
