/**
 * The kernel's own accesses to memory that a userfaultfd watches. A handler cannot sleep in its middle, so:
 * - a read (and what must be certain before something else is done, `UserMemory.awaitWritable`) leaves the handler, the
 *   task sleeps, and when the fault is answered the handler is executed again from its start, with the registers as
 *   they were: whatever reads after a side effect asks beforehand (`UserMemory.awaitReadable`);
 * - a write is taken over: the handler goes on and ends, its task does not go on before all bytes are written.
 * As in Linux, only a fatal signal ends such a sleep.
 */

import { EFAULT } from "./errno.js";
import { bringInOrKill, faultForUser } from "./mm/fault.js";
import type { FaultForUser } from "./mm/fault-outcome.js";
import type { LateAccess, UserfaultDoor } from "./mm/userfault/door.js";
import type { Kernel } from "./kernel.js";
import { SIGSEGV } from "./signals/numbers.js";
import { forceSignal, kernelSignal } from "./signals/send.js";
import { BLOCKED, NO_RESULT, SLEEPING } from "./syscall-dispatch.js";
import type { Task } from "./task.js";

/** Where `tunables` has vm.unprivileged_userfaultfd. */
export const UNPRIVILEGED_USERFAULTFD = "vm/unprivileged_userfaultfd";

/** What is to be done when the writes taken over are done, or could not be. */
export type AfterWrites =
  /** A system call's end: its result, which is -EFAULT where a write failed. */
  | { readonly kind: "call"; readonly result: number | bigint }
  /** SIGSEGV where a write failed (a signal's frame, a thread's rseq record). */
  | { readonly kind: "signal" }
  /** Nothing, as put_user's result that nobody looks at. */
  | { readonly kind: "nothing" };

/** Why a task sleeps over a page fault inside the kernel. */
export type InKernel =
  /** `call`: the system call is executed again; else whatever it was comes again by itself. */
  | { readonly kind: "again"; readonly call: boolean }
  | { readonly kind: "late"; readonly accesses: Late[]; readonly then: AfterWrites };

interface Late extends LateAccess {
  /** PKRU as it was. */
  readonly pkru: number;
}

/** Thrown through a handler, and caught here: it is executed again when the fault has been answered. */
class HandlerLeft {
  constructor(readonly fault: FaultForUser) {}
}

export class KernelUserfaults implements UserfaultDoor {
  /** For whom the kernel works now and may sleep; null: nobody waits. */
  private task: Task | null = null;
  /** Writes taken over since then, and what the first one met. */
  private accesses: Late[] = [];
  private first: FaultForUser | null = null;
  /** A write taken over is being made: what it meets. */
  private making = false;
  private met: FaultForUser | null = null;

  constructor(private readonly kernel: Kernel) {}

  wait(fault: FaultForUser): void {
    if (this.task === null) return;
    if (!this.making) throw new HandlerLeft(fault);
    this.met = fault;
  }

  later(fault: FaultForUser, access: LateAccess): boolean {
    if (this.task === null) return false;
    if (this.making) {
      this.met = fault;
      return false;
    }
    this.first ??= fault;
    this.accesses.push({ ...access, pkru: this.kernel.cpu.registers.pkru });
    return true;
  }

  /** The task that the kernel works for ends (PF_EXITING) or its memory is written to a core file: nothing waits. */
  refuse(): void {
    this.task = null;
    this.accesses = [];
    this.first = null;
  }

  /** Executes a system call. @returns as SyscallDispatch, or SLEEPING: `task.userfault` says how it goes on */
  execute(task: Task, number: number): number | bigint {
    const resumed = task.waiting;
    let result: number | bigint = SLEEPING;
    const done = this.guard(task, true, () => {
      result = this.kernel.dispatch.execute(this.kernel, task, number);
    });
    if (!done) task.waiting = resumed;
    else if (this.sleepOverWrites(task, { kind: "call", result })) return SLEEPING;
    return result;
  }

  /** Does something for a task outside of system calls. @returns false where the task sleeps now */
  attempt(task: Task, then: AfterWrites, action: () => void): boolean {
    return this.guard(task, false, action) && !this.sleepOverWrites(task, then);
  }

  /** False where the action was left: the task sleeps. */
  private guard(task: Task, call: boolean, action: () => void): boolean {
    this.task = task;
    this.accesses = [];
    this.first = null;
    try {
      action();
      return true;
    } catch (left) {
      if (!(left instanceof HandlerLeft)) throw left;
      this.sleep(task, left.fault, { kind: "again", call });
      return false;
    } finally {
      this.task = null;
    }
  }

  private sleepOverWrites(task: Task, then: AfterWrites): boolean {
    const { accesses, first } = this;
    this.accesses = [];
    this.first = null;
    if (first === null || task.state === "dead") return false;
    this.sleep(task, first, { kind: "late", accesses, then });
    return true;
  }

  private sleep(task: Task, { context, address, flags }: FaultForUser, inKernel: InKernel): void {
    task.userfault = { context, wait: context.sleep(task, task.tid, address, flags), inKernel };
    this.kernel.scheduler.sleep(task, "asleep");
  }

  /** Makes the writes taken over. @returns null where the task sleeps over the next one; else what is to be done */
  goOn(task: Task, late: Extract<InKernel, { kind: "late" }>): AfterWrites | null {
    const { accesses, then } = late;
    const { registers } = this.kernel.cpu;
    const { pkru } = registers;
    this.task = task;
    this.making = true;
    let failed = false;
    for (let access = accesses[0]; access !== undefined && !failed; access = accesses[0]) {
      this.met = null;
      registers.pkru = access.pkru;
      failed = !make(access);
      if (this.met !== null) break;
      accesses.shift();
    }
    registers.pkru = pkru;
    this.making = false;
    this.task = null;
    const { met } = this;
    this.met = null;
    if (met !== null) {
      this.sleep(task, met, late);
      return null;
    }
    if (!failed) return then;
    if (then.kind === "signal") forceSignal(task, kernelSignal(SIGSEGV));
    if (then.kind !== "call" || then.result === BLOCKED || then.result === NO_RESULT) return then;
    return { kind: "call", result: -EFAULT };
  }
}

function make({ mm, va, write, copy }: LateAccess): boolean {
  if (copy !== null) return copy.memory.copyOut(va, copy.bytes) === copy.bytes.length;
  const area = mm.findArea(va);
  if (area === null) return false;
  const outcome = bringInOrKill(mm, area, va, write);
  const fault = faultForUser(area, va, write, outcome);
  if (fault !== null) mm.env.machine.userfaults?.wait(fault);
  return outcome === "ok";
}
