/** A tracer's view of debug registers (arch/x86/kernel/ptrace.c: ptrace_get_debugreg, ptrace_set_debugreg). */

import type { HardwareBreakpoint } from "../../cpu/hardware-breakpoints.js";
import { EINVAL, EIO } from "../errno.js";
import type { Kernel } from "../kernel.js";
import { TASK_SIZE } from "../mm/layout.js";
import type { Task } from "../task.js";
import { changed, takeSlot, type BreakpointHolder } from "./slots.js";

/** What DR6 shows that is always set, and single-stepping's bit. */
const DR6_RESERVED = 0xffff_0ff0n;
export const DR_STEP = 0x4000n;
const ENABLE_BITS = 2;
const CONTROL_SHIFT = 16;
const KINDS = ["execute", "write", null, "access"] as const;
const LENGTHS = [1, 2, 8, 4];

type Kind = HardwareBreakpoint["kind"];

/** One of DR0 to DR3: taken when its address is first set, off until DR7 says so. */
export class TracedBreakpoint implements BreakpointHolder {
  address = 0;
  kind: Kind = "write";
  length = 1;
  on = false;

  constructor(private readonly index: number) {}

  get place(): HardwareBreakpoint | null {
    const { on, address, kind, length } = this;
    return on ? { start: address, end: address + length, kind } : null;
  }

  met(task: Task): void {
    if (task.debugRegisters !== null) task.debugRegisters.status |= 1n << BigInt(this.index);
  }
}

/** thread.ptrace_bps, ptrace_dr7, virtual_dr6. */
export class DebugRegisters {
  readonly breakpoints: (TracedBreakpoint | null)[] = [null, null, null, null];
  control = 0n;
  status = 0n;
}

export function readDebugRegister(task: Task, number: number): bigint {
  const registers = task.debugRegisters;
  if (number < 4) return BigInt(registers?.breakpoints[number]?.address ?? 0);
  if (number === 6) return (registers?.status ?? 0n) ^ DR6_RESERVED;
  return number === 7 ? (registers?.control ?? 0n) : 0n;
}

/**
 * EIO: no such register (DR4, DR5). Of DR0 to DR3: EINVAL an address above user space, or one that does not go with the
 * length; ENOSPC all are taken. Of DR7: EINVAL a length or a kind that there is not, and then all is as before.
 */
export function writeDebugRegister(kernel: Kernel, task: Task, number: number, value: bigint): number {
  if (number === 4 || number === 5) return -EIO;
  const registers = (task.debugRegisters ??= new DebugRegisters());
  if (number === 6) {
    registers.status = value ^ DR6_RESERVED;
    return 0;
  }
  return number === 7
    ? setControl(kernel, task, registers, value)
    : setAddress(kernel, task, registers, number, value);
}

function setAddress(
  kernel: Kernel,
  task: Task,
  registers: DebugRegisters,
  index: number,
  value: bigint,
): number {
  const known = registers.breakpoints[index] ?? null;
  const breakpoint = known ?? new TracedBreakpoint(index);
  if (value >= BigInt(TASK_SIZE) || Number(value) % breakpoint.length !== 0) return -EINVAL;
  if (known === null) {
    const taken = takeSlot(kernel, task, breakpoint);
    if (taken !== 0) return taken;
    registers.breakpoints[index] = breakpoint;
  }
  breakpoint.address = Number(value);
  changed(kernel, task);
  return 0;
}

interface Wanted {
  readonly on: boolean;
  readonly kind: Kind | null;
  readonly length: number;
}

/** What DR7 says of one register. */
function wantedBy(control: bigint, index: number): Wanted {
  const bits = Number((control >> BigInt(CONTROL_SHIFT + 4 * index)) & 15n);
  const on = ((control >> BigInt(ENABLE_BITS * index)) & 3n) !== 0n;
  return { on, kind: KINDS[bits & 3]!, length: LENGTHS[bits >> 2]! };
}

function setControl(kernel: Kernel, task: Task, registers: DebugRegisters, control: bigint): number {
  const old = registers.breakpoints.map((each) =>
    each === null ? null : { on: each.on, kind: each.kind, length: each.length },
  );
  let error = 0;
  for (let i = 0; i < 4 && error === 0; i++) error = setOne(kernel, task, registers, i, wantedBy(control, i));
  if (error === 0) registers.control = control;
  else
    registers.breakpoints.forEach((each, i) => {
      if (each !== null) Object.assign(each, old[i] ?? { on: false });
    });
  changed(kernel, task);
  return error;
}

function setOne(
  kernel: Kernel,
  task: Task,
  registers: DebugRegisters,
  index: number,
  { on, kind, length }: Wanted,
): number {
  let breakpoint = registers.breakpoints[index] ?? null;
  if (breakpoint === null && !on) return 0;
  if (kind === null || (kind === "execute" && length !== 1)) return -EINVAL;
  if (breakpoint === null) {
    breakpoint = new TracedBreakpoint(index);
    const taken = takeSlot(kernel, task, breakpoint);
    if (taken !== 0) return taken;
    registers.breakpoints[index] = breakpoint;
  }
  if (breakpoint.address % length !== 0) return -EINVAL;
  breakpoint.kind = kind;
  breakpoint.length = length;
  breakpoint.on = on;
  return 0;
}

/** execve: the new program has none of them (flush_ptrace_hw_breakpoint). */
export function forgetTracedBreakpoints(kernel: Kernel, task: Task): void {
  const { debugRegisters, breakpoints } = task;
  if (debugRegisters === null || breakpoints === null) return;
  const { holders } = breakpoints.slots;
  for (const each of debugRegisters.breakpoints)
    if (each !== null && holders.includes(each)) holders.splice(holders.indexOf(each), 1);
  task.debugRegisters = null;
  changed(kernel, task);
}
