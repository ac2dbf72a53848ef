/** /proc/PID/syscall: which call a task waits in (fs/proc/base.c proc_pid_syscall, lib/syscall.c). */

import type { Kernel } from "../../kernel.js";
import { RSP } from "../../processor.js";
import { withRegisters } from "../../ptrace/registers.js";
import type { Task } from "../../task.js";

const ARGUMENTS = [7, 6, 2, 10, 8, 9];

/** "running", or number, arguments, stack and instruction pointer of a task that stands still; -1 outside of calls. */
export function currentCall(kernel: Kernel, task: Task): string {
  if (task.state !== "asleep") return "running\n";
  return withRegisters(kernel, task, () => {
    const { registers } = kernel.cpu;
    const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
    const place = `${hex(registers.get(RSP))} ${hex(registers.ripBig)}\n`;
    if (task.noSyscall) return `-1 ${place}`;
    const args = ARGUMENTS.map((register) => hex(registers.get(register)));
    return `${task.originalRaxLow} ${args.join(" ")} ${place}`;
  });
}
