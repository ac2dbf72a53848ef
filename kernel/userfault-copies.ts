/**
 * The kernel's own accesses to memory that a userfaultfd watches. A handler cannot sleep in its middle, so:
 * - a read (and what must be certain before something else is done, `UserMemory.awaitWritable`) leaves the handler, the
 *   task sleeps, and when the fault is answered the handler is executed again from its start, with the registers as
 *   they were: whatever reads after a side effect asks beforehand (`UserMemory.awaitReadable`);
 * - a write is taken over: the handler goes on and ends, its task does not go on before all bytes are written.
 * As in Linux, only a fatal signal ends such a sleep.
 */

import { EFAULT } from "./errno.js";
import { bringInOrKill } from "./mm/bring-in.js";
import { faultForUser } from "./mm/fault.js";
import type { FaultForUser } from "./mm/fault-outcome.js";
import type { UserfaultContext, UserfaultEvent } from "./mm/userfault/context.js";
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
  | { readonly kind: "late"; readonly steps: Late[]; readonly then: AfterWrites };

type LateSteps = Extract<InKernel, { kind: "late" }>;

/** What a task does before it goes on: a write taken over, or waiting for an event's reader. */
type Late =
  | {
      readonly kind: "access";
      readonly access: LateAccess;
      /** PKRU as it was. */
      readonly pkru: number;
      /** What it met. */
      readonly fault: FaultForUser;
    }
  | { readonly kind: "event"; readonly context: UserfaultContext; readonly event: UserfaultEvent };

/** Thrown through a handler, and caught here: it is executed again when the fault has been answered. */
class HandlerLeft {
  constructor(readonly fault: FaultForUser) {}
}

export class KernelUserfaults implements UserfaultDoor {
  /** For whom the kernel works now and may sleep; null: nobody waits. */
  private task: Task | null = null;
  /** Writes taken over since then, and events. */
  private steps: Late[] = [];
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
    this.steps.push({ kind: "access", access, pkru: this.kernel.cpu.registers.pkru, fault });
    return true;
  }

  tell(context: UserfaultContext, event: UserfaultEvent): void {
    // Of what a task does at its end nobody is told (userfaultfd_event_wait_completion).
    if (this.task === null) return;
    context.changing++;
    this.steps.push({ kind: "event", context, event });
  }

  /** A child that fork has just made runs when somebody has read of it. */
  holdChild(child: Task): void {
    for (const step of this.steps)
      if (step.kind === "event" && step.event.child?.mm === child.mm) {
        step.event.sleepers.push(child);
        child.userfault = {
          context: step.context,
          wait: step.event,
          inKernel: { kind: "again", call: false },
        };
      }
  }

  /** The task that the kernel works for ends (PF_EXITING) or its memory is written to a core file: nothing waits. */
  refuse(): void {
    this.task = null;
    this.forget();
  }

  /** What has been put off is not to be done. */
  private forget(): void {
    for (const step of this.steps) if (step.kind === "event") abandon(step);
    this.steps = [];
  }

  /** Executes a system call. @returns as SyscallDispatch, or SLEEPING: `task.userfault` says how it goes on */
  execute(task: Task, number: number): number | bigint {
    const resumed = task.waiting;
    let result: number | bigint = SLEEPING;
    const done = this.guard(task, true, () => {
      result = this.kernel.dispatch.execute(this.kernel, task, number);
    });
    if (!done) task.waiting = resumed;
    else if (this.begin(task, { kind: "call", result })) return SLEEPING;
    return result;
  }

  /** Does something for a task outside of system calls. @returns false where the task sleeps now */
  attempt(task: Task, then: AfterWrites, action: () => void): boolean {
    return this.guard(task, false, action) && !this.begin(task, then);
  }

  /** False where the action was left: the task sleeps. */
  private guard(task: Task, call: boolean, action: () => void): boolean {
    this.task = task;
    this.steps = [];
    try {
      action();
      return true;
    } catch (left) {
      if (!(left instanceof HandlerLeft)) throw left;
      this.forget();
      this.sleep(task, left.fault, { kind: "again", call });
      return false;
    } finally {
      this.task = null;
    }
  }

  /** What was put off is done now. @returns false where there is nothing */
  private begin(task: Task, then: AfterWrites): boolean {
    const { steps } = this;
    this.steps = [];
    if (steps.length === 0 || task.state === "dead") return false;
    this.sleepOver(task, { kind: "late", steps, then });
    return true;
  }

  /** The task sleeps over its next step. */
  private sleepOver(task: Task, late: LateSteps): void {
    const step = late.steps[0]!;
    if (step.kind === "access") {
      this.sleep(task, step.fault, late);
      return;
    }
    const { context, event } = step;
    event.sleepers.push(task);
    context.events.push(event);
    context.queue.wake();
    task.userfault = { context, wait: event, inKernel: late };
    this.kernel.scheduler.sleep(task, "asleep");
  }

  private sleep(task: Task, { context, address, flags }: FaultForUser, inKernel: InKernel): void {
    task.userfault = { context, wait: context.sleep(task, task.tid, address, flags), inKernel };
    this.kernel.scheduler.sleep(task, "asleep");
  }

  /** The task ends before its steps are done. */
  abandon({ steps }: LateSteps): void {
    for (const step of steps) if (step.kind === "event") abandon(step);
  }

  /** The next step's fault was answered, or its event read. @returns null where the task sleeps again; else what is to be done */
  goOn(task: Task, late: LateSteps): AfterWrites | null {
    const { steps, then } = late;
    let failed = false;
    let fresh = true;
    for (let step = steps[0]; step !== undefined && !failed; step = steps[0]) {
      if (step.kind === "event") {
        if (!fresh) {
          this.sleepOver(task, late);
          return null;
        }
        step.context.changing--;
      } else {
        const made = this.make(task, step);
        if (typeof made === "object") {
          this.sleep(task, made, late);
          return null;
        }
        failed = !made;
      }
      steps.shift();
      fresh = false;
    }
    this.abandon(late);
    if (!failed) return then;
    if (then.kind === "signal") forceSignal(task, kernelSignal(SIGSEGV));
    if (then.kind !== "call" || then.result === BLOCKED || then.result === NO_RESULT) return then;
    return { kind: "call", result: -EFAULT };
  }

  /** Makes a write that was taken over; what it met where that has to be answered first. */
  private make(task: Task, { access, pkru }: Extract<Late, { kind: "access" }>): boolean | FaultForUser {
    const { registers } = this.kernel.cpu;
    const before = registers.pkru;
    registers.pkru = pkru;
    this.task = task;
    this.making = true;
    this.met = null;
    const made = make(access);
    registers.pkru = before;
    this.task = null;
    this.making = false;
    return this.met ?? made;
  }
}

/** Nobody waits for the event's reader any more. */
function abandon({ context, event }: Extract<Late, { kind: "event" }>): void {
  context.changing--;
  context.told(event);
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
