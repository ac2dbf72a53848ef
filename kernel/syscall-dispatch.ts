/**
 * The kernel's side of system calls. The table itself is in syscalls/, which the kernel may not
 * import; it is handed in as a SyscallDispatch.
 */

import type { Kernel } from "./kernel.js";
import type { Task } from "./task.js";

/** The call waits: `task.waiting` says for what, and it will be executed again from its start. */
export const BLOCKED = -1_000_000;
/** The handler has put the registers right itself: nothing is written to RAX. */
export const NO_RESULT = -1_000_001;
/** The task sleeps over a page fault of its call's (kernel/userfault-copies.ts); no handler gives this. */
export const SLEEPING = -1_000_002;

/** Added to a call's number in the table of 32-bit programs, which INT 0x80 reaches. */
export const IA32_CALLS = 2 ** 32;

/** What the table has the task's present or last call under. */
export function callNumber(task: Task): number {
  return (task.originalRaxLow >>> 0) + (task.ia32Call ? IA32_CALLS : 0);
}

export interface SyscallDispatch {
  /**
   * Executes call `number` (RAX, low 32 bits taken as unsigned; for INT 0x80 with IA32_CALLS added) of the current task. The arguments are in the
   * CPU's registers. Gives a result >= 0, -errno, BLOCKED or NO_RESULT; -ENOSYS for an unknown number.
   */
  execute(kernel: Kernel, task: Task, number: number): number | bigint;
  /** "mmap", or "syscall_0x1f4" for one that the table lacks. */
  nameOf(number: number): string;
}
