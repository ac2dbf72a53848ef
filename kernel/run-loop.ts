/** A run is a row of steps: let the CPU run, serve what made it stop, deliver signals, go on, change tasks. */

import { checkCpuLimit, checkRealTimeLimit, cpuLimitAt, realTimeLeft } from "./cpu-limit.js";
import { armBreakpoints } from "./debug-registers/slots.js";
import { exitProcess, exitTask } from "./exit.js";
import { staysFrozen } from "./cgroup/freezer.js";
import { raiseException } from "./exceptions.js";
import type { Kernel } from "./kernel.js";
import { RAX } from "./processor.js";
import { rawOriginalRax } from "./ptrace/registers.js";
import { reportStep, stepsNow, stopWithEvent } from "./ptrace/stop.js";
import { PTRACE_EVENT_STOP, type Tracing, type Unfinished } from "./ptrace/tracing.js";
import { rseqReturn } from "./rseq.js";
import { returnToUser } from "./segments/return.js";
import { deliverSignals } from "./signals/deliver.js";
import { SIGTRAP } from "./signals/numbers.js";
import { isKilled } from "./signals/send.js";
import { sleepNoMore } from "./sleep.js";
import type { SystemCalls } from "./system-calls.js";
import type { ExitStatus, Task } from "./task.js";
import { turnBegins, turnEnds } from "./thread-faults.js";
import { fireCpuTimers } from "./timer-signals.js";
import type { AfterWrites } from "./userfault-copies.js";
import { runPastProbes, stepsOverProbe } from "./uprobes/hit.js";
import { sleepsOnUserfault } from "./userfault-wait.js";

export type RunResult =
  | { readonly reason: "exited"; readonly status: ExitStatus }
  /** The instructions allowed have been retired. */
  | { readonly reason: "budget" }
  /** `requestStop` was called. */
  | { readonly reason: "stopped" }
  /** A stop signal stopped it, and nobody is there to continue it. */
  | { readonly reason: "suspended"; readonly signal: number }
  /**
   * It waits. `input`: for the host's input (run again when there is some). `deadline`: at that monotonic time it
   * goes on by itself (on a virtual clock, `advanceClock` carries it there). Neither: for a signal from outside, and
   * without one for ever (kernel/wait-reason.ts says for what).
   */
  | { readonly reason: "blocked"; readonly input: boolean; readonly deadline: number | null };

const SIGNAL: AfterWrites = { kind: "signal" };
const NOTHING: AfterWrites = { kind: "nothing" };
const BUDGET: RunResult = { reason: "budget" };
const STOPPED: RunResult = { reason: "stopped" };
/** On a host's clock, how many instructions may pass before timers are looked at. */
const TIMER_SLICE = 200_000;

export class RunLoop {
  /** Makes `run` return "stopped" at the next boundary. */
  stopRequested = false;
  /** The earliest timer when the running task's budget was made: an earlier one ends its run. */
  private timersSeen = Infinity;
  /** A limit or timer of processor time was set: the running task's budget is made again. */
  deadlinesChanged = false;
  /** A debugger stopped it at a call's entry: the call is made before anything else happens. */
  private atEntry: Task | null = null;
  /** Bytes of a context that was loaded: the next one is saved in them. */
  private spareContext: Uint8Array | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly calls: SystemCalls,
  ) {}

  /**
   * Runs until at most `maxInstructions` more have been retired. Exact: a run that stops by "budget" has retired
   * that many.
   */
  run(maxInstructions: number): RunResult {
    const { kernel } = this;
    const { cpu, scheduler, outside: recorded } = kernel;
    const limit = cpu.instructions + maxInstructions;
    // A machine that was loaded, or went back in time, has them in its tasks only.
    if (kernel.breakpoints !== null || cpu.hardwareBreakpoints !== null)
      armBreakpoints(kernel, kernel.current);
    for (;;) {
      if (this.stopRequested) {
        this.stopRequested = false;
        return STOPPED;
      }
      if (this.atEntry !== null) {
        this.leaveEntry(this.atEntry);
        continue;
      }
      if (this.kernel.processes.size === 0) return { reason: "exited", status: this.kernel.init.exit! };
      this.wakeDue();
      const task = scheduler.pick(cpu.instructions);
      if (task === null) {
        const result = this.idle();
        if (result !== null) return result;
        continue;
      }
      if (task !== this.kernel.current) this.switchTo(task);
      else this.kernel.perf?.switchedTo(task);
      const { process } = task;
      if (task.userfault !== null && task.userfault.inKernel !== null) {
        this.calls.answered(task, task.userfault);
        continue;
      }
      if (task.tracing !== null && this.stoppedByTracer(task, task.tracing)) continue;
      if (process.stopped !== 0 && task.tracing === null && !isKilled(task)) {
        scheduler.sleep(task, "asleep");
        continue;
      }
      if (task.freezing && staysFrozen(this.kernel, task)) continue;
      if (task.unfinished.length > 0 && !isKilled(task)) {
        this.goOnUnfinished(task, task.unfinished.shift()!);
        continue;
      }
      if (task.work.length > 0) {
        const work = task.work.shift()!;
        let done = false;
        this.attempt(task, NOTHING, () => {
          work.run();
          done = true;
        });
        if (!done) task.work.unshift(work);
        continue;
      }
      if (task.waiting !== null) {
        this.calls.goOn(task);
        continue;
      }
      if (task.userfault !== null && sleepsOnUserfault(kernel, task, task.userfault)) continue;
      if (task.rseq?.preempted === true && !this.attempt(task, SIGNAL, () => rseqReturn(kernel, task)))
        continue;
      if (
        (task.signals.attention || task.interruptedBy !== 0 || task.injected !== null) &&
        !stepsOverProbe(task)
      ) {
        this.attempt(task, SIGNAL, () => deliverSignals(kernel, task, task.interruptedBy));
        continue;
      }
      if (task.selectorsChanged && !returnToUser(kernel, task)) continue;
      const { debugger: outside } = kernel;
      if (outside !== null && outside.stopsBefore(task)) return STOPPED;
      const now = cpu.instructions;
      if (now >= limit) return BUDGET;
      if (recorded !== null && recorded.next <= now && recorded.admit()) continue;
      const until = Math.min(
        limit,
        recorded === null ? Infinity : Math.max(now + 1, recorded.next),
        scheduler.waiting > 0 ? scheduler.sliceEnd : Infinity,
        now + this.untilTimer(task),
        stepsNow(task) ? now + 1 : Infinity,
        outside === null ? Infinity : now + outside.allowance(task),
      );
      const stopped = this.runUser(task, until - now);
      if (stepsNow(task) && cpu.instructions === now + 1 && !stepsOverProbe(task))
        reportStep(this.kernel, task);
      if (process.timers.usesCpu) fireCpuTimers(this.kernel, task);
      if (process.usage.instructions >= cpuLimitAt(process)) checkCpuLimit(process);
      if (task.policy !== 0 && task.state !== "dead" && realTimeLeft(task) <= 0) checkRealTimeLimit(task);
      if (stopped) return STOPPED;
    }
  }

  /** A debugger has stopped the running task at the entry of its call. */
  stoppedAtEntry(task: Task): void {
    this.atEntry = task;
    this.stopRequested = true;
  }

  /** Without the debugger nothing would have come between: no timer, no turn of another task. */
  private leaveEntry(task: Task): void {
    this.atEntry = null;
    const [step] = task.unfinished;
    if (step?.kind !== "execute" || task !== this.kernel.current) return;
    if (this.kernel.debugger?.mayRun(task) === false) return;
    task.unfinished.shift();
    // RAX showed what a tracer is shown. A call that is cancelled returns what was put there.
    if (task.originalRaxLow !== -1) this.kernel.cpu.registers.set(RAX, rawOriginalRax(task));
    this.goOnUnfinished(task, step);
  }

  /** A tracee stands still, or has to stop now; false where it goes on. */
  private stoppedByTracer(task: Task, tracing: Tracing): boolean {
    const { process } = task;
    if (isKilled(task)) {
      tracing.stop = null;
      return false;
    }
    if (tracing.stop !== null) {
      this.kernel.scheduler.sleep(task, "asleep");
      return true;
    }
    const joins = process.stopped !== 0 && tracing.passedStop !== process.stops;
    if (joins || tracing.interrupted) {
      if (task.waiting !== null) {
        // vfork's parent stops when it has its memory back.
        if (task.waiting.interrupted === 0) return false;
        this.calls.interrupt(task);
        sleepNoMore(this.kernel, task);
        // The call's end is told first.
        if (task.tracing?.stop !== null) return true;
      }
      tracing.interrupted = false;
      if (joins) tracing.passedStop = process.stops;
      const event = tracing.seized ? PTRACE_EVENT_STOP : 0;
      stopWithEvent(this.kernel, task, event, process.stopped === 0 ? SIGTRAP : process.stopped);
      return true;
    }
    return false;
  }

  /** Takes up what a tracer's stop put off. */
  private goOnUnfinished(task: Task, step: Unfinished): void {
    switch (step.kind) {
      case "execute":
        // A tracer may have cancelled the call, which the number -1 says, or does it itself.
        if (task.originalRaxLow === -1 || step.emulated) this.calls.ended(task);
        else this.calls.execute(task, false, step.traced === true);
        break;
      case "exit-stop":
        this.calls.ended(task);
        break;
      case "exit-task":
        exitTask(this.kernel, task, step.status.code);
        break;
      case "exit-process":
        exitProcess(this.kernel, task, step.status);
        break;
    }
  }

  /** Timers that have expired and input that has come wake their tasks. */
  private wakeDue(): void {
    if (this.kernel.timerQueue.next !== Infinity) {
      const now = this.kernel.clock.monotonic();
      if (this.kernel.timerQueue.next <= now) this.kernel.timerQueue.fire(now);
    }
    if (this.kernel.hostWaiters.size > 0 && this.kernel.host.stdin.ready())
      for (const task of [...this.kernel.hostWaiters]) task.wake(0);
  }

  /** Nobody can run: carries a virtual clock to the next timer, else says what the run waits for. */
  private idle(): RunResult | null {
    this.kernel.perf?.switchedTo(null);
    const { scanThreads, timerQueue } = this.kernel;
    const scans = scanThreads.filter((thread) => thread.isWaiting).length;
    const next = timerQueue.size === scans ? Infinity : timerQueue.next;
    const input = this.kernel.hostWaiters.size > 0;
    const held = this.kernel.debugger?.holdsTasks === true;
    const { clock } = this.kernel;
    if (next !== Infinity && clock.virtual && !clock.carried && !input && !held) {
      clock.advanceTo(next);
      return null;
    }
    if (!held && this.kernel.outside?.idle() === true) return null;
    const { init } = this.kernel;
    if (next === Infinity && !input && init.stopped !== 0)
      return { reason: "suspended", signal: init.stopped };
    return { reason: "blocked", input, deadline: next === Infinity ? null : next };
  }

  /** The processor goes to another task: its registers, its page tables. */
  private switchTo(task: Task): void {
    const { kernel } = this;
    const { cpu, current } = kernel;
    kernel.perf?.switchedTo(task);
    if (kernel.breakpoints !== null) armBreakpoints(kernel, task);
    turnEnds(current);
    turnBegins(task);
    // Of an ended first process, the registers can be looked at to the last.
    if (current.state !== "dead" || current === kernel.init.leader) {
      current.context = cpu.saveContext(this.spareContext ?? undefined);
      this.spareContext = null;
      const writer = current.pkruWriter;
      writer.instruction = cpu.pkruWriter.instruction;
      writer.rip = cpu.pkruWriter.rip;
      writer.set = this.kernel.pkruSet;
    }
    this.kernel.current = task;
    this.kernel.activate(task.mm);
    if (task.context !== null) {
      cpu.loadContext(task.context);
      this.spareContext = task.context;
      task.context = null;
    }
    kernel.debugger?.switched(task);
    cpu.pkruWriter.instruction = task.pkruWriter.instruction;
    cpu.pkruWriter.rip = task.pkruWriter.rip;
    this.kernel.pkruSet = task.pkruWriter.set;
    if (task.setChildTid !== 0) {
      const address = task.setChildTid;
      task.setChildTid = 0;
      this.attempt(task, NOTHING, () => task.user.writeU32(address, task.tid));
    }
  }

  /**
   * Does what may touch user memory outside of a system call.
   * @returns false where the task sleeps over a page fault of the kernel's instead
   */
  private attempt(task: Task, then: AfterWrites, action: () => void): boolean {
    const { userfaults } = this.kernel;
    if (userfaults !== null) return userfaults.attempt(task, then, action);
    action();
    return true;
  }

  /** Runs the CPU and serves system calls until something other than a plain call happens; true to stop. */
  private runUser(task: Task, budget: number): boolean {
    const { cpu, scheduler } = this.kernel;
    const limit = cpu.instructions + budget;
    const { signals } = task;
    const alone = scheduler.waiting === 0;
    do {
      const before = cpu.instructions;
      const { pkru } = cpu.registers;
      const reason =
        task.uprobes === null
          ? cpu.run(limit - before)
          : runPastProbes(this.kernel, task.uprobes, limit - before);
      task.instructions += cpu.instructions - before;
      task.process.usage.instructions += cpu.instructions - before;
      if (reason === "syscall") this.calls.serve(task);
      else if (reason === "exception") {
        this.attempt(task, SIGNAL, () => raiseException(this.kernel, task));
        return false;
      } else if (reason === "interrupt") this.calls.serveInterrupt(task);
      else if (reason === "budget") return false;
      else {
        if (reason === "pkru") this.tellPkru(task, pkru);
        const stops = this.kernel.debugger?.stoppedAt(task, reason) ?? reason !== "pkru";
        if (stops) return true;
      }
      if (this.stopRequested) {
        this.stopRequested = false;
        return true;
      }
    } while (
      !signals.attention &&
      task.waiting === null &&
      task.work.length === 0 &&
      task.state === "ready" &&
      task.interruptedBy === 0 &&
      !task.selectorsChanged &&
      !scheduler.yielding &&
      (scheduler.waiting === 0) === alone &&
      !this.deadlinesChanged &&
      this.kernel.timerQueue.next >= this.timersSeen &&
      cpu.instructions < limit
    );
    return false;
  }

  /** A WRPKRU or XRSTOR has just been executed. */
  private tellPkru(task: Task, before: number): void {
    const { events, cpu } = this.kernel;
    if (!events.listening.pkru) return;
    const { instruction, rip } = cpu.pkruWriter;
    events.emit("pkru", { task, before, after: cpu.registers.pkru, instruction, rip });
  }

  /** Instructions until a timer may expire, at least 1. */
  private untilTimer(task: Task): number {
    this.deadlinesChanged = false;
    const next = (this.timersSeen = this.kernel.timerQueue.next);
    let left = Infinity;
    if (next !== Infinity || this.kernel.hostWaiters.size > 0)
      left =
        this.kernel.clock.virtual && next !== Infinity ? next - this.kernel.clock.monotonic() : TIMER_SLICE;
    const { process } = task;
    left = Math.min(left, cpuLimitAt(process) - process.usage.instructions);
    if (task.policy !== 0) left = Math.min(left, Math.max(1, realTimeLeft(task)));
    if (process.timers.usesCpu)
      left = Math.min(left, process.timers.next("cpu") - process.usage.instructions);
    return Math.max(1, Math.ceil(left));
  }
}
