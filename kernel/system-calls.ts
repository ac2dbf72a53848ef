/**
 * System calls as a task makes them: from the SYSCALL instruction to the result in RAX, over as many executions as a
 * wait takes, with the signals and the tracer that come between.
 */

import { EFAULT, ENOSYS } from "./errno.js";
import { argumentsOf } from "./call-arguments.js";
import type { Kernel } from "./kernel.js";
import { killForMemory } from "./out-of-memory.js";
import { SS } from "../cpu/segments.js";
import { RAX } from "./processor.js";
import { emulates, stopForSyscall, stopsAtSyscalls } from "./ptrace/stop.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "./restart.js";
import { filterCall } from "./seccomp/enter.js";
import { leaveNotification } from "./seccomp/listener.js";
import { isDying } from "./signals/fatal.js";
import { isKilled } from "./signals/send.js";
import { USER_DS } from "./signals/frame.js";
import { SignalSet } from "./signals/signal-set.js";
import { sleepNoMore, sleepOn } from "./sleep.js";
import { writeRemainder, writeTimeLeft } from "./sleep-remainder.js";
import { BLOCKED, callNumber, NO_RESULT, SLEEPING, type SyscallDispatch } from "./syscall-dispatch.js";
import type { Task } from "./task.js";
import { dispatchToUser } from "./user-dispatch.js";
import { abandonUserfault, leaveUserfault, type UserfaultSleep } from "./userfault-wait.js";
import type { WaitRecord } from "./wait.js";

/** Waits for a condition, which a signal does not undo. */
const LOOKS_FIRST: ReadonlySet<WaitRecord["kind"]> = new Set(["file", "open", "queue", "child", "signal"]);

export class SystemCalls {
  /** The number of the call that is being executed now; null outside of one. */
  running: number | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly dispatch: SyscallDispatch,
  ) {}

  /** A SYSCALL instruction. */
  serve(task: Task): void {
    const { registers } = this.kernel.cpu;
    task.originalRaxHigh = registers.high(RAX);
    task.ia32Call = false;
    // SYSCALL saves no stack segment: the way back is to the flat one.
    if (registers.selector(SS) !== USER_DS) {
      registers.setSelectorOnly(SS, USER_DS);
      task.selectorsChanged = true;
    }
    this.enter(task);
  }

  /** INT 0x80: a call of 32-bit programs, whose number and arguments are the registers' low halves. */
  serveInterrupt(task: Task): void {
    task.originalRaxHigh = 0;
    task.ia32Call = true;
    this.enter(task);
  }

  private enter(task: Task): void {
    const { registers } = this.kernel.cpu;
    this.kernel.syscalls++;
    task.originalRaxLow = registers.low(RAX);
    task.noSyscall = false;
    if (task.userDispatch !== null && dispatchToUser(this.kernel, task, task.userDispatch)) return;
    if (task.tracing !== null && stopsAtSyscalls(task, "entry")) {
      registers.setNumber(RAX, -ENOSYS);
      task.unfinished.push({ kind: "execute", emulated: emulates(task) });
      stopForSyscall(this.kernel, task, "entry");
    } else if (this.kernel.debugger?.stopsAtCall(task, "entry") === true) {
      registers.setNumber(RAX, -ENOSYS);
      task.unfinished.push({ kind: "execute", emulated: false });
      this.kernel.stoppedAtEntry(task);
    } else this.execute(task, false);
  }

  /**
   * Executes the call whose number is in the task's record, and puts its result where it belongs.
   * @param traced a tracer has let it pass that seccomp had asked
   */
  execute(task: Task, resumed: boolean, traced = false): void {
    const verdict = task.seccomp === null ? null : filterCall(this.kernel, task, resumed, traced);
    if (verdict === SLEEPING) return;
    const number = callNumber(task);
    const { listening } = this.kernel.events;
    this.running = number;
    if (listening.syscallEnter || listening.syscallExit) {
      this.executeTraced(task, number, resumed, verdict);
    } else {
      const result = verdict ?? this.make(task, number);
      if (result !== BLOCKED && result !== NO_RESULT && result !== SLEEPING) this.finish(task, result);
    }
    this.running = null;
    if (this.kernel.frames.charging.by?.isOver === true) killForMemory(this.kernel, task.mm);
    if (task.userfault !== null) return;
    if (task.waiting !== null) sleepOn(this.kernel, task);
    else {
      if (task.registered !== null) sleepNoMore(this.kernel, task);
      if (task.tracing !== null || this.kernel.debugger !== null) this.ended(task);
    }
  }

  private make(task: Task, number: number): number | bigint {
    const { userfaults } = this.kernel;
    return userfaults === null
      ? this.dispatch.execute(this.kernel, task, number)
      : userfaults.execute(task, number);
  }

  /** A task that slept over a page fault of the kernel's was woken (kernel/userfault-copies.ts). */
  answered(task: Task, { context, wait, inKernel }: UserfaultSleep): void {
    const killed = isDying(task);
    if (!wait.woken && !context.released && !killed) {
      this.kernel.scheduler.sleep(task, "asleep");
      return;
    }
    if (killed) abandonUserfault(this.kernel, task);
    else leaveUserfault(task);
    if (killed || inKernel === null) return;
    if (inKernel.kind === "again") {
      if (task.waiting !== null) this.goOn(task);
      else if (inKernel.call) this.execute(task, true);
      return;
    }
    const then = this.kernel.userfaults!.goOn(task, inKernel);
    if (then?.kind === "call") this.endLate(task, then.result);
  }

  /** A call ends whose writes had to wait. */
  private endLate(task: Task, result: number | bigint): void {
    if (result === BLOCKED) {
      // What it waits for may have come meanwhile.
      this.goOn(task);
      return;
    }
    this.tellEnd(task, result === NO_RESULT ? null : BigInt(result));
    if (result !== NO_RESULT) this.finish(task, result);
    if (task.registered !== null) sleepNoMore(this.kernel, task);
    if (task.tracing !== null || this.kernel.debugger !== null) this.ended(task);
  }

  /** Executes a call that never waits and that no SYSCALL instruction asked for. @returns its result */
  emulate(task: Task, number: number): number | bigint {
    task.ia32Call = false;
    this.running = number;
    const result = this.dispatch.execute(this.kernel, task, number);
    this.running = null;
    return result;
  }

  private executeTraced(task: Task, number: number, resumed: boolean, verdict: number | bigint | null): void {
    const { registers } = this.kernel.cpu;
    const args = argumentsOf(registers, task);
    const name = this.dispatch.nameOf(number);
    const enter = { task, number, name, args, instruction: this.kernel.cpu.instructions, resumed };
    if (this.kernel.events.listening.syscallEnter) this.kernel.events.emit("syscallEnter", enter);
    const result = verdict ?? this.make(task, number);
    if (result === BLOCKED || result === SLEEPING) return;
    if (this.kernel.events.listening.syscallExit) {
      this.kernel.events.emit("syscallExit", {
        ...enter,
        result: result === NO_RESULT ? null : BigInt(result),
      });
    }
    if (result !== NO_RESULT) this.finish(task, result);
  }

  /** Writes a result to RAX; a call that asks for its restart has signals delivered next, as only these cause it. */
  private finish(task: Task, result: number | bigint): void {
    const { registers } = this.kernel.cpu;
    if (typeof result === "bigint") registers.set(RAX, BigInt.asUintN(64, result));
    else {
      registers.setNumber(RAX, result);
      if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK) task.interruptedBy = -result;
    }
  }

  /** A waiting task was woken: executes its call again where that makes sense. */
  goOn(task: Task): void {
    const wait = task.waiting!;
    task.signals.recalculate();
    // A futex wait that was woken has succeeded, whatever else there is; so has a semop(2) done by others.
    const woken = (wait.kind === "futex" && wait.woken) || (wait.kind === "queue" && wait.done === true);
    if (task.signals.attention && !woken && (wait.interrupted !== 0 || isDying(task))) {
      // What has come counts before the signal, as Linux looks at its condition before it gives a wait up.
      if (LOOKS_FIRST.has(wait.kind) && !isKilled(task)) {
        this.execute(task, true);
        if (task.waiting === null || !task.signals.attention) return;
      }
      this.interrupt(task);
      sleepNoMore(this.kernel, task);
      return;
    }
    const late = wait.deadline !== null && this.kernel.clock.monotonic() >= wait.deadline;
    if (late || this.mayGoOn(task)) {
      wait.timedOut = late;
      this.execute(task, true);
    } else sleepOn(this.kernel, task);
  }

  private mayGoOn(task: Task): boolean {
    const wait = task.waiting!;
    switch (wait.kind) {
      case "file":
      case "open":
      case "queue":
      case "child":
      case "vfork":
        return true;
      case "futex":
        return wait.woken || wait.realtime !== null;
      case "signal": {
        const { pending, waitedFor } = task.signals;
        if (waitedFor === null) return false;
        const others = new SignalSet();
        others.lo = ~waitedFor.lo;
        others.hi = ~waitedFor.hi;
        return pending.set.anyOutside(others) || task.process.pending.set.anyOutside(others);
      }
      case "sleep":
        return false;
    }
  }

  /** A signal ends a wait. */
  interrupt(task: Task): void {
    const wait = task.waiting!;
    task.waiting = null;
    leaveNotification(task);
    task.signals.waitedFor = null;
    if (wait.interrupted === 0) return;
    if (wait.kind === "file" && wait.progress > 0) {
      this.tellEnd(task, BigInt(wait.progress));
      this.kernel.cpu.registers.setNumber(RAX, wait.progress);
      if (task.tracing !== null || this.kernel.debugger !== null) this.ended(task);
      return;
    }
    const bad = !this.writeTimes(task, wait);
    const code = bad ? EFAULT : wait.interrupted;
    this.tellEnd(task, BigInt(-code));
    this.kernel.cpu.registers.setNumber(RAX, -code);
    task.interruptedBy = code >= ERESTARTSYS ? code : 0;
    if (task.tracing !== null || this.kernel.debugger !== null) this.ended(task);
  }

  /** The time left, for those who asked for it; false where it had to be written and could not be. */
  private writeTimes(task: Task, wait: WaitRecord): boolean {
    let written = true;
    const write = (): void => {
      if (wait.kind === "file") writeTimeLeft(this.kernel, task, wait);
      written = wait.interrupted !== ERESTART_RESTARTBLOCK || writeRemainder(this.kernel, task);
    };
    const { userfaults } = this.kernel;
    if (userfaults === null) write();
    else userfaults.attempt(task, { kind: "nothing" }, write);
    return written;
  }

  /** The end of a call that waited. */
  private tellEnd(task: Task, result: bigint | null): void {
    if (!this.kernel.events.listening.syscallExit) return;
    const { registers } = this.kernel.cpu;
    const number = callNumber(task);
    this.kernel.events.emit("syscallExit", {
      task,
      number,
      name: this.dispatch.nameOf(number),
      args: argumentsOf(registers, task),
      instruction: this.kernel.cpu.instructions,
      resumed: true,
      result,
    });
  }

  /** A system call has ended: a tracer may want to see that, after what else it has been told. */
  ended(task: Task): void {
    if (task.state !== "dead" && this.kernel.debugger?.stopsAtCall(task, "exit") === true)
      this.kernel.requestStop();
    if (task.tracing === null || task.state === "dead" || !stopsAtSyscalls(task, "exit")) return;
    // A call that ends the task has no exit.
    if (task.unfinished.some(({ kind }) => kind === "exit-task" || kind === "exit-process")) return;
    if (task.tracing.stop === null) stopForSyscall(this.kernel, task, "exit");
    else task.unfinished.push({ kind: "exit-stop" });
  }
}
