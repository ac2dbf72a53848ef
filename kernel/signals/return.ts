/** rt_sigreturn(2): back to what a signal interrupted (arch/x86/kernel/signal_64.c, kernel/fpu/signal.c). */

import type { Kernel } from "../kernel.js";
import { RSP } from "../processor.js";
import type { Task } from "../task.js";
import { setAlternateStack } from "./alternate-stack.js";
import { checkReturnAddress } from "./return-address.js";
import {
  FP_XSTATE_MAGIC1,
  FP_XSTATE_MAGIC2,
  FRAME_CS,
  FRAME_FPSTATE,
  FRAME_REGISTER_ORDER,
  FRAME_REGISTERS,
  FRAME_RFLAGS,
  FRAME_RIP,
  FRAME_SIGINFO,
  FRAME_SIGMASK,
  FRAME_SS,
  FRAME_UC_FLAGS,
  FRAME_UC_STACK,
  FX_SOFTWARE,
  INITIAL_PKRU,
  RESTORED_FLAGS,
  UC_STRICT_RESTORE_SS,
  XFEATURE_FPSSE,
  XFEATURE_SSE,
  XFEATURE_PKRU,
  XFEATURES,
  XSAVE_BYTES,
  XSAVE_HEADER,
  XSAVE_PKRU,
} from "./frame.js";
import { setReturnSegments } from "../segments/signals.js";
import { SIGKILL, SIGSEGV, SIGSTOP } from "./numbers.js";
import { forceSignal, kernelSignal } from "./send.js";
import { SignalSet } from "./signal-set.js";

const LEGACY_BYTES = 512;
const HEADER_BYTES = 64;
/** MXCSR bits that exist on a CPU with denormals-are-zeros. */
const MXCSR_MASK = 0xffff;
const MXCSR_INITIAL = 0x1f80;

/** Restores everything from the frame at RSP - 8; a frame that is not one is SIGSEGV. */
export function signalReturn(kernel: Kernel, task: Task): void {
  if (!restore(kernel, task)) forceSignal(task, kernelSignal(SIGSEGV));
}

function restore(kernel: Kernel, task: Task): boolean {
  const { registers } = kernel.cpu;
  const frame = BigInt.asUintN(64, registers.get(RSP) - 8n);
  if (frame >= 1n << 47n) return false;
  const bytes = task.user.read(Number(frame), FRAME_SIGINFO);
  if (typeof bytes === "number") return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

  task.user.awaitReadable(view.getBigUint64(FRAME_FPSTATE, true), XSAVE_BYTES);
  const mask = SignalSet.fromBytes(bytes, FRAME_SIGMASK);
  mask.delete(SIGKILL);
  mask.delete(SIGSTOP);
  task.signals.blocked.assign(mask);
  task.signals.recalculate();
  task.restart = null;

  FRAME_REGISTER_ORDER.forEach((register, i) => {
    registers.set(register, view.getBigUint64(FRAME_REGISTERS + 8 * i, true));
  });
  registers.ripBig = view.getBigUint64(FRAME_RIP, true);
  registers.rflags =
    (registers.rflags & ~RESTORED_FLAGS) | (view.getUint32(FRAME_RFLAGS, true) & RESTORED_FLAGS);

  if (!restoreFpstate(kernel, task, view.getBigUint64(FRAME_FPSTATE, true))) return false;

  // Errors other than a bad pointer are not reported: the stack may simply be in use.
  setAlternateStack(
    task.signals.alternate,
    view.getBigUint64(FRAME_UC_STACK, true),
    view.getBigUint64(FRAME_UC_STACK + 16, true),
    view.getInt32(FRAME_UC_STACK + 8, true),
    registers.get(RSP),
  );

  checkReturnAddress(kernel, task);
  const strict = (view.getUint32(FRAME_UC_FLAGS, true) & UC_STRICT_RESTORE_SS) !== 0;
  setReturnSegments(kernel, task, view.getUint16(FRAME_CS, true), view.getUint16(FRAME_SS, true), strict);
  return true;
}

function restoreFpstate(kernel: Kernel, task: Task, address: bigint): boolean {
  if (address === 0n) {
    kernel.cpu.resetXstate();
    kernel.setPkru(INITIAL_PKRU);
    return true;
  }
  if (address >= 1n << 47n) return false;
  const at = Number(address);
  const legacy = task.user.read(at, LEGACY_BYTES);
  if (typeof legacy === "number") return false;
  const software = new DataView(legacy.buffer, legacy.byteOffset + FX_SOFTWARE, 48);
  const size = software.getUint32(16, true);
  if (
    software.getUint32(0, true) === FP_XSTATE_MAGIC1 &&
    size >= LEGACY_BYTES + HEADER_BYTES &&
    size <= kernel.xsaveBytes &&
    size <= software.getUint32(4, true)
  ) {
    const magic = task.user.readU32(at + size);
    if (magic === null) return false;
    if (magic === FP_XSTATE_MAGIC2) return restoreExtended(kernel, task, at, software.getUint32(8, true));
  }
  // FXRSTOR and XRSTOR: #GP for an area that is not aligned.
  if (at % 16 !== 0) return false;
  const area = new Uint8Array(XSAVE_BYTES);
  area.set(legacy);
  new DataView(area.buffer).setUint32(XSAVE_HEADER, XFEATURE_FPSSE, true);
  return load(kernel, area, 0, true);
}

/** The frame says that it holds the components `wanted`: those are restored, the others initialised. */
function restoreExtended(kernel: Kernel, task: Task, at: number, wanted: number): boolean {
  if (at % 64 !== 0) return false;
  const supported = kernel.pku ? XFEATURES : XFEATURE_FPSSE;
  // XRSTOR reads the bytes of the components it restores and no others.
  const needed = (wanted & supported & XFEATURE_PKRU) !== 0 ? XSAVE_BYTES : LEGACY_BYTES + HEADER_BYTES;
  const read = task.user.read(at, needed);
  if (typeof read === "number") return false;
  const area = new Uint8Array(XSAVE_BYTES);
  area.set(read);
  const view = new DataView(area.buffer);
  // XRSTOR: #GP for a component that does not exist, for compaction, and for reserved header bytes.
  if ((view.getUint32(XSAVE_HEADER, true) & ~supported) !== 0 || view.getUint32(XSAVE_HEADER + 4, true) !== 0)
    return false;
  for (let i = XSAVE_HEADER + 8; i < XSAVE_HEADER + 24; i++) if (area[i] !== 0) return false;
  const present = view.getUint32(XSAVE_HEADER, true) & wanted & supported;
  const pkru = (present & XFEATURE_PKRU) !== 0 ? view.getUint32(XSAVE_PKRU, true) : 0;
  view.setUint32(XSAVE_HEADER, present, true);
  return load(kernel, area, pkru, (wanted & XFEATURE_SSE) !== 0);
}

/** `sse`: SSE was asked for, and with it MXCSR, even where the area has SSE in its initial state. */
function load(kernel: Kernel, area: Uint8Array, pkru: number, sse: boolean): boolean {
  const view = new DataView(area.buffer);
  const mxcsr = sse ? view.getUint32(24, true) : MXCSR_INITIAL;
  if ((mxcsr & ~MXCSR_MASK) !== 0) return false;
  view.setUint32(24, mxcsr, true);
  view.setUint32(XSAVE_PKRU, pkru, true);
  kernel.cpu.loadXsaveArea(area);
  kernel.cpu.registers.mxcsr = mxcsr;
  if (kernel.pku) kernel.setPkru(pkru);
  return true;
}
