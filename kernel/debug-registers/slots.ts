/** Who has the four debug registers: tracers and perf events (kernel/events/hw_breakpoint.c). */

import { HardwareBreakpoints, type HardwareBreakpoint } from "../../cpu/hardware-breakpoints.js";
import { ENOSPC } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";

const REGISTERS = 4;

/** Somebody who has one of the registers; it is taken also while it is off. */
export interface BreakpointHolder {
  /** What stops; null: nothing now. */
  readonly place: HardwareBreakpoint | null;
  /** A task met it. */
  met(task: Task): void;
}

/** A task's breakpoints, or those of the processor whatever it runs. */
export class BreakpointSlots {
  readonly holders: BreakpointHolder[] = [];
}

/** What a task's registers are set to when it runs. */
export interface TaskBreakpoints {
  readonly slots: BreakpointSlots;
  armed: HardwareBreakpoints | null;
  /** Whom the bits of `armed` belong to. */
  met: readonly BreakpointHolder[];
}

/** @param task null: every task. @returns 0, or -ENOSPC: all four are taken */
export function takeSlot(kernel: Kernel, task: Task | null, holder: BreakpointHolder): number {
  const general = kernel.breakpoints?.holders.length ?? 0;
  const most = task === null ? mostTaken(kernel) : (task.breakpoints?.slots.holders.length ?? 0);
  if (general + most >= REGISTERS) return -ENOSPC;
  kernel.breakpoints ??= new BreakpointSlots();
  slotsOf(kernel, task).holders.push(holder);
  changed(kernel, task);
  return 0;
}

export function giveSlot(kernel: Kernel, task: Task | null, holder: BreakpointHolder): void {
  const { holders } = slotsOf(kernel, task);
  const at = holders.indexOf(holder);
  if (at < 0) return;
  holders.splice(at, 1);
  changed(kernel, task);
}

function mostTaken(kernel: Kernel): number {
  let most = 0;
  for (const { breakpoints } of kernel.tasks.values())
    most = Math.max(most, breakpoints?.slots.holders.length ?? 0);
  return most;
}

function slotsOf(kernel: Kernel, task: Task | null): BreakpointSlots {
  if (task === null) return kernel.breakpoints!;
  task.breakpoints ??= { slots: new BreakpointSlots(), armed: null, met: [] };
  return task.breakpoints.slots;
}

/** Somebody's place is another one now. @param task null: of all */
export function changed(kernel: Kernel, task: Task | null): void {
  for (const each of task === null ? kernel.tasks.values() : [task])
    if (each.breakpoints !== null) each.breakpoints.armed = null;
  armBreakpoints(kernel, kernel.current);
}

/** The processor's registers become those of whoever runs from now on. */
export function armBreakpoints(kernel: Kernel, task: Task): void {
  kernel.cpu.hardwareBreakpoints = registersOf(kernel, task);
}

function registersOf(kernel: Kernel, task: Task): HardwareBreakpoints | null {
  const general = kernel.breakpoints?.holders ?? [];
  if (general.length === 0 && (task.breakpoints?.slots.holders.length ?? 0) === 0) return null;
  slotsOf(kernel, task);
  const state = task.breakpoints!;
  if (state.armed === null) {
    const active = [...general, ...state.slots.holders].filter(({ place }) => place !== null);
    state.met = active;
    state.armed = new HardwareBreakpoints(active.map(({ place }) => place!));
  }
  return state.armed.list.length === 0 ? null : state.armed;
}

/**
 * #DB was raised; the holders of breakpoints that were met are told.
 * @returns "before" an instruction (a fault), "behind" one that touched data, or "none" was met
 */
export function meetsBreakpoint(kernel: Kernel, task: Task): "before" | "behind" | "none" {
  const { hardwareBreakpoints } = kernel.cpu;
  const hits = hardwareBreakpoints?.take() ?? 0;
  const holders = (task.breakpoints?.met ?? []).filter((_holder, i) => ((hits >> i) & 1) !== 0);
  for (const holder of holders) holder.met(task);
  if (hits === 0) return "none";
  const data = hardwareBreakpoints!.list.some(({ kind }, i) => ((hits >> i) & 1) !== 0 && kind !== "execute");
  return data ? "behind" : "before";
}
