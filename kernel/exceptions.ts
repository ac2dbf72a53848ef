/**
 * CPU exceptions in user mode and the signals they become (arch/x86/kernel/traps.c, arch/x86/mm/fault.c).
 */

import type { Kernel } from "./kernel.js";
import { meetsBreakpoint } from "./debug-registers/slots.js";
import { DR_STEP } from "./debug-registers/traced.js";
import { stepsNow } from "./ptrace/stop.js";
import { pageBytesOf } from "./mm/hugetlb/area.js";
import { BUS_MCEERR_AR } from "./mm/fault-outcome.js";
import { TASK_SIZE } from "./mm/layout.js";
import type { Refusal } from "./refusal.js";
import { FLAG_TF } from "./signals/frame.js";
import {
  BUS_ADRALN,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_INTDIV,
  ILL_ILLOPN,
  SEGV_PKUERR,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGSEGV,
  SIGTRAP,
  TRAP_BRKPT,
  TRAP_HWBKPT,
  TRAP_TRACE,
} from "./signals/numbers.js";
import { forceSignal, kernelSignal } from "./signals/send.js";
import type { Task } from "./task.js";
import { abandonStep, meetsProbe, tellsStepOverProbe } from "./uprobes/hit.js";
import { waitForUserfault } from "./userfault-wait.js";
import { emulateVsyscall } from "./vsyscall.js";

const PAGE_SHIFT = 12;
const DIVIDE = 0;
const DEBUG = 1;
const BREAKPOINT = 3;
const OVERFLOW = 4;
const BOUNDS = 5;
const INVALID_OPCODE = 6;
const INVALID_TSS = 10;
const SEGMENT_NOT_PRESENT = 11;
const STACK = 12;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;
const X87 = 16;
const ALIGNMENT = 17;
const SIMD = 19;

/** Serves the exception that ended the CPU's run. */
export function raiseException(kernel: Kernel, task: Task): void {
  const { vector, errorCode } = kernel.cpu.exit;
  task.noSyscall = true;
  task.ia32Call = false;
  if (vector === PAGE_FAULT) pageFault(kernel, task);
  else raiseFault(kernel, task, vector, errorCode);
}

/** An exception that is no page fault: its signal. */
export function raiseFault(kernel: Kernel, task: Task, vector: number, errorCode: number): void {
  const rip = kernel.cpu.registers.ripBig;
  const at = (signal: number, code: number, address: bigint): void => {
    trap(kernel, task, signal, vector, errorCode);
    forceSignal(task, { signo: signal, errno: 0, code, detail: { kind: "fault", address } });
  };
  const plain = (signal: number): void => {
    trap(kernel, task, signal, vector, errorCode);
    forceSignal(task, kernelSignal(signal));
  };
  switch (vector) {
    case DIVIDE:
      at(SIGFPE, FPE_INTDIV, rip);
      break;
    case DEBUG: {
      const code = debugCode(kernel, task);
      if (code !== 0) at(SIGTRAP, code, rip);
      // Before the instruction: a fault, as no other #DB.
      if (code === TRAP_HWBKPT) task.resumeFlag = kernel.cpu.hardwareBreakpoints?.isResumed(rip) === true;
      break;
    }
    case BREAKPOINT:
      if (!meetsProbe(kernel, task)) plain(SIGTRAP);
      break;
    case INVALID_OPCODE:
      at(SIGILL, ILL_ILLOPN, rip);
      break;
    case SEGMENT_NOT_PRESENT:
    case STACK:
      plain(SIGBUS);
      break;
    case OVERFLOW:
    case BOUNDS:
    case INVALID_TSS:
    case GENERAL_PROTECTION:
      plain(SIGSEGV);
      break;
    case ALIGNMENT:
      at(SIGBUS, BUS_ADRALN, 0n);
      break;
    case X87:
    case SIMD: {
      const code = floatingPointCode(kernel, vector === X87);
      // Without an unmasked exception there is nothing to tell; Linux goes on too.
      if (code !== 0) at(SIGFPE, code, rip);
      break;
    }
    default:
      plain(SIGSEGV);
  }
}

/** si_code of #DB, 0 for none: a breakpoint of a perf event is nobody else's business (exc_debug_user). */
function debugCode(kernel: Kernel, task: Task): number {
  const traced = task.debugRegisters;
  const stepped = (kernel.cpu.registers.rflags & FLAG_TF) !== 0;
  if (traced !== null) traced.status = 0n;
  const met = meetsBreakpoint(kernel, task);
  const byTracer = stepsNow(task) && met !== "before";
  if (traced !== null && (stepped || byTracer)) traced.status |= DR_STEP;
  if (stepped && met === "none" && tellsStepOverProbe(kernel, task)) {
    abandonStep(task);
    return 0;
  }
  if (stepped && met !== "before") return TRAP_TRACE;
  if (met === "none") return TRAP_BRKPT;
  if (traced === null || (traced.status & 15n) === 0n) return 0;
  return byTracer ? TRAP_TRACE : TRAP_HWBKPT;
}

/** Traps, which report after the instruction; every other exception is a fault. */
const isTrap = (vector: number): boolean => vector === DEBUG || vector === BREAKPOINT || vector === OVERFLOW;

function trap(kernel: Kernel, task: Task, signal: number, vector: number, errorCode: number): void {
  task.trapNumber = vector;
  task.trapErrorCode = errorCode;
  task.resumeFlag = !isTrap(vector);
  kernel.lastFaultRefusal = null;
  abandonStep(task);
  report(kernel, task, vector, errorCode, 0, signal, null);
}

function report(
  kernel: Kernel,
  task: Task,
  vector: number,
  errorCode: number,
  address: number,
  signal: number | null,
  refusal: Refusal | null,
): void {
  if (!kernel.events.listening.fault) return;
  const { instructions, registers } = kernel.cpu;
  const event = { task, vector, errorCode, address, rip: registers.rip, signal, instruction: instructions };
  kernel.events.emit("fault", refusal === null ? event : { ...event, refusal });
}

function pageFault(kernel: Kernel, task: Task): void {
  const { address, addressBig, errorCode } = kernel.cpu.exit;
  if (address >= TASK_SIZE && emulateVsyscall(kernel, task, addressBig, errorCode)) return;
  const outcome = task.mm.handleFault(address < 2 ** 53 ? address : addressBig, errorCode);
  if (outcome.kind !== "signal") {
    report(kernel, task, PAGE_FAULT, errorCode, address, null, null);
    if (outcome.kind === "userfault") waitForUserfault(kernel, task, outcome);
    return;
  }
  abandonStep(task);
  const full = addressBig;
  task.trapNumber = PAGE_FAULT;
  task.trapErrorCode = outcome.errorCode;
  task.faultAddress = full;
  task.resumeFlag = true;
  kernel.lastFaultRefusal = outcome.refusal;
  report(kernel, task, PAGE_FAULT, outcome.errorCode, address, outcome.signal, kernel.lastFaultRefusal);
  const detail =
    outcome.code === SEGV_PKUERR && outcome.signal === SIGSEGV
      ? { kind: "fault" as const, address: full, pkey: outcome.key }
      : outcome.code === BUS_MCEERR_AR && outcome.signal === SIGBUS
        ? { kind: "fault" as const, address: full, shift: pageShiftAt(task, address) }
        : { kind: "fault" as const, address: full };
  forceSignal(task, { signo: outcome.signal, errno: 0, code: outcome.code, detail });
}

/** The size of the page that a memory error spoilt, as a power of two. */
function pageShiftAt(task: Task, address: number): number {
  const area = task.mm.findArea(address);
  return area === null ? PAGE_SHIFT : Math.log2(pageBytesOf(area));
}

/** si_code of an x87 (from its control and status words) or SSE exception (from MXCSR): fpu__exception_code. */
function floatingPointCode(kernel: Kernel, x87: boolean): number {
  let raised: number;
  if (x87) {
    const area = kernel.cpu.xsaveArea();
    const control = area[0]! | (area[1]! << 8);
    const status = area[2]! | (area[3]! << 8);
    raised = status & ~control;
  } else {
    const { mxcsr } = kernel.cpu.registers;
    raised = ~(mxcsr >> 7) & mxcsr;
  }
  if ((raised & 0x01) !== 0) return FPE_FLTINV;
  if ((raised & 0x04) !== 0) return FPE_FLTDIV;
  if ((raised & 0x08) !== 0) return FPE_FLTOVF;
  if ((raised & 0x12) !== 0) return FPE_FLTUND;
  return (raised & 0x20) !== 0 ? FPE_FLTRES : 0;
}
