/** From a call's number to its handler: what the kernel is given as its SyscallDispatch. */

import { ENOSYS } from "../kernel/errno.js";
import type { Kernel } from "../kernel/kernel.js";
import { IA32_CALLS, type SyscallDispatch } from "../kernel/syscall-dispatch.js";
import type { Task } from "../kernel/task.js";
import { SyscallCall } from "./call.js";
import { Ia32Call } from "./ia32/call.js";
import type { Definition, SyscallTable } from "./table.js";

export class TableDispatch implements SyscallDispatch {
  private call: SyscallCall | null = null;

  constructor(readonly table: SyscallTable) {}

  execute(kernel: Kernel, task: Task, number: number): number | bigint {
    const definition = this.table.get(number);
    if (definition === undefined) return -ENOSYS;
    if (number >= IA32_CALLS) return this.executeIa32(kernel, task, number, definition);
    // Machines that take turns pay for a new record; one machine alone never does.
    if (this.call?.kernel !== kernel) this.call = new SyscallCall(kernel);
    const call = this.call;
    call.task = task;
    call.number = number;
    call.resumed = task.waiting;
    task.waiting = null;
    return definition.handler(call);
  }

  private executeIa32(
    kernel: Kernel,
    task: Task,
    number: number,
    { handler }: Definition,
  ): ReturnType<Definition["handler"]> {
    const call = new Ia32Call(kernel);
    call.task = task;
    call.number = number;
    call.resumed = task.waiting;
    task.waiting = null;
    call.begin();
    return handler(call);
  }

  nameOf(number: number): string {
    return (
      this.table.get(number)?.name ??
      `${number >= IA32_CALLS ? "ia32_" : ""}syscall_0x${(number >>> 0).toString(16)}`
    );
  }
}
