/**
 * A task meets a probe's breakpoint, or returns from a probed function (kernel/events/uprobes.c: handle_swbp,
 * prepare_uretprobe, handle_trampoline).
 *
 * The instruction that the breakpoint stands for is executed where it is, by itself, from the bytes that were there:
 * what it does is what Linux's copy of it in [uprobes] does. Signals wait until it is done, unless it is what raises them.
 */

import { SEGV_ACCERR, SEGV_MAPERR } from "../mm/fault-outcome.js";
import type { Kernel } from "../kernel.js";
import { VM_EXEC } from "../mm/vm-flags.js";
import type { ExitReason } from "../processor.js";
import { RSP } from "../processor.js";
import { SI_USER, SIGILL, SIGSEGV, SIGTRAP } from "../signals/numbers.js";
import { forceSignal, isKilled, kernelSignal, sendSignal } from "../signals/send.js";
import type { Task } from "../task.js";
import type { Uprobe } from "./uprobe.js";
import type { Uprobes } from "./uprobes.js";

/** A probed function that has not returned (struct return_instance). */
export interface ReturnInstance {
  readonly uprobe: Uprobe;
  /** RSP at its entry. */
  readonly stack: number;
  /** Where it really returns to. */
  readonly returnAddress: bigint;
  /** It was entered by a jump of another one, and returns to where that one does. */
  readonly chained: boolean;
}

/** What a task has of probes (struct uprobe_task). */
export interface UprobeTask {
  /** The instruction to be executed next in a breakpoint's place. */
  step: { readonly address: number; readonly bytes: Uint8Array } | null;
  /** The count of instructions behind the last one that was executed so. */
  steppedAt: number;
  /** The innermost last. */
  returns: ReturnInstance[];
}

/** MAX_URETPROBE_DEPTH */
const MAX_DEPTH = 64;

const stateOf = (task: Task): UprobeTask => (task.uprobes ??= { step: null, steppedAt: -1, returns: [] });

/** Who has the special mappings sealed, of the areas that a program gets later too. */
function sealerFor(kernel: Kernel, task: Task): string | null {
  return task.process.sealsSpecialMappings ? kernel.parameters.specialMappings.by : null;
}

/** INT3 was executed. @returns false where it is none of a probe's */
export function meetsProbe(kernel: Kernel, task: Task): boolean {
  const { uprobes, cpu } = kernel;
  if (uprobes === null) return false;
  const { mm } = task;
  const address = cpu.registers.rip - 1;
  if (address === mm.uprobesArea && !uprobes.trampoline.byCall) {
    if (!returnsThroughTrampoline(kernel, task)) forceSignal(task, kernelSignal(SIGILL));
    return true;
  }
  const uprobe = uprobes.at(mm, address);
  if (uprobe === undefined) return false;
  cpu.registers.rip = address;
  const instruction = uprobe.instruction();
  if (typeof instruction === "number") return true;
  tell(kernel, task, uprobe, address, "entry");
  callConsumers(kernel, uprobes, task, uprobe);
  if (instruction.emulated || hasSlot(kernel, uprobes, task))
    stateOf(task).step = { address, bytes: instruction.bytes };
  return true;
}

function callConsumers(kernel: Kernel, uprobes: Uprobes, task: Task, uprobe: Uprobe): void {
  const wanting = uprobe.consumers.filter((consumer) => consumer.wants(task.mm));
  if (wanting.length === 0) {
    uprobes.removeFrom(task.mm, uprobe);
    return;
  }
  for (const consumer of wanting) if (!consumer.onReturn) consumer.hit(task);
  if (uprobe.consumers.some((consumer) => consumer.onReturn)) waitForReturn(kernel, uprobes, task, uprobe);
}

/** Linux executes the instruction in [uprobes]: without it, there is no going on. */
function hasSlot(kernel: Kernel, uprobes: Uprobes, task: Task): boolean {
  const { mm } = task;
  const start = uprobes.trampoline.ensure(mm, sealerFor(kernel, task));
  if (start < 0) return false;
  const area = mm.findArea(start);
  if (area !== null && (area.flags & VM_EXEC) !== 0) return true;
  const address = BigInt(uprobes.trampoline.slotOf(start));
  const code = area === null ? SEGV_MAPERR : SEGV_ACCERR;
  forceSignal(task, { signo: SIGSEGV, errno: 0, code, detail: { kind: "fault", address } });
  return false;
}

/** The function that was entered returns to the trampoline (prepare_uretprobe). */
function waitForReturn(kernel: Kernel, uprobes: Uprobes, task: Task, uprobe: Uprobe): void {
  const start = uprobes.trampoline.ensure(task.mm, sealerFor(kernel, task));
  const { returns } = stateOf(task);
  if (start < 0 || returns.length >= MAX_DEPTH) return;
  const stack = kernel.cpu.registers.number(RSP);
  let returnAddress = task.user.readU64(stack);
  if (returnAddress === null) return;
  const chained = returnAddress === BigInt(start);
  if (!chained && !task.user.writeU64(stack, start)) {
    forceSignal(task, kernelSignal(SIGSEGV));
    return;
  }
  // Those that longjmp left.
  while (returns.length > 0 && !isAlive(returns.at(-1)!, stack, chained)) returns.pop();
  if (chained) {
    const outer = returns.at(-1);
    if (outer === undefined) return;
    ({ returnAddress } = outer);
  }
  returns.push({ uprobe, stack, returnAddress, chained });
}

function isAlive({ stack }: ReturnInstance, now: number, orEqual: boolean): boolean {
  return orEqual ? now <= stack : now < stack;
}

/** A task came to the trampoline: it goes on where its function returns to. @returns false where it has none */
export function returnsThroughTrampoline(kernel: Kernel, task: Task): boolean {
  const returns = task.uprobes?.returns ?? [];
  if (returns.length === 0) return false;
  const { registers } = kernel.cpu;
  const stack = registers.number(RSP);
  for (let valid = false; !valid && returns.length > 0;) {
    let outermost = returns.length - 1;
    while (returns[outermost]!.chained && outermost > 0) outermost--;
    const next = returns[outermost - 1];
    valid = next === undefined || isAlive(next, stack, true);
    registers.ripBig = returns.at(-1)!.returnAddress;
    for (const { uprobe } of returns.splice(outermost).reverse()) {
      if (!valid) continue;
      tell(kernel, task, uprobe, registers.rip, "return");
      for (const consumer of uprobe.consumers)
        if (consumer.onReturn && consumer.wants(task.mm)) consumer.hit(task);
    }
  }
  return true;
}

function tell(kernel: Kernel, task: Task, uprobe: Uprobe, address: number, kind: "entry" | "return"): void {
  const { events, cpu } = kernel;
  if (!events.listening.probe) return;
  events.emit("probe", { task, kind, address, offset: uprobe.offset, instruction: cpu.instructions });
}

/** A probed instruction is still to be executed: signals wait, but for the end. */
export function stepsOverProbe(task: Task): boolean {
  return task.uprobes !== null && task.uprobes.step !== null && !isKilled(task);
}

/** Lets the processor run, a probed instruction first and by itself. */
export function runPastProbes(kernel: Kernel, state: UprobeTask, budget: number): ExitReason {
  const { cpu } = kernel;
  const { step } = state;
  if (step === null) return cpu.run(budget);
  if (cpu.registers.rip !== step.address) {
    state.step = null;
    return cpu.run(budget);
  }
  const reason = cpu.runInstruction(step.bytes);
  // After a page fault that is mended it is executed again.
  if (reason !== "exception") state.step = null;
  state.steppedAt = cpu.instructions;
  return reason;
}

/**
 * Who steps, by a tracer or RFLAGS.TF, hears of a probed instruction by a signal that looks like kill(2)'s (send_sig in
 * arch_uprobe_post_xol). @returns false where the last instruction had no probe
 */
export function tellsStepOverProbe(kernel: Kernel, task: Task): boolean {
  if (task.uprobes?.steppedAt !== kernel.cpu.instructions) return false;
  const detail = { kind: "kill" as const, pid: task.pid, uid: task.credentials.uid };
  sendSignal(task, { signo: SIGTRAP, errno: 0, code: SI_USER, detail }, false);
  return true;
}

/** The instruction raised a signal: the breakpoint is met again when the task comes back to it. */
export function abandonStep(task: Task): void {
  if (task.uprobes !== null) task.uprobes.step = null;
}

/** uprobe_copy_process: a child that has the callers' frames returns through the trampoline too. */
export function inheritReturns(kernel: Kernel, parent: Task, child: Task, sharesStack: boolean): void {
  const { uprobes } = kernel;
  if (uprobes === null || parent.uprobes === null || parent.uprobes.returns.length === 0) return;
  if (parent.mm === child.mm && !sharesStack) return;
  child.uprobes = { step: null, steppedAt: -1, returns: [...parent.uprobes.returns] };
  if (parent.mm !== child.mm)
    uprobes.trampoline.map(child.mm, parent.mm.uprobesArea, sealerFor(kernel, parent));
}
