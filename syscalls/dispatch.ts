/** From a call's number to its handler: what the kernel is given as its SyscallDispatch. */

import { ENOSYS } from "../kernel/errno.js";
import type { Kernel } from "../kernel/kernel.js";
import type { SyscallDispatch } from "../kernel/syscall-dispatch.js";
import type { Task } from "../kernel/task.js";
import { SyscallCall } from "./call.js";
import type { SyscallTable } from "./table.js";

export class TableDispatch implements SyscallDispatch {
  private call: SyscallCall | null = null;

  constructor(readonly table: SyscallTable) {}

  execute(kernel: Kernel, task: Task, number: number): number | bigint {
    const definition = this.table.get(number);
    if (definition === undefined) return -ENOSYS;
    // Machines that take turns pay for a new record; one machine alone never does.
    if (this.call?.kernel !== kernel) this.call = new SyscallCall(kernel);
    const call = this.call;
    call.task = task;
    call.number = number;
    call.resumed = task.waiting;
    task.waiting = null;
    return definition.handler(call);
  }

  nameOf(number: number): string {
    return this.table.get(number)?.name ?? `syscall_0x${(number >>> 0).toString(16)}`;
  }
}
