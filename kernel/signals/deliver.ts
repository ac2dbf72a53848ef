/**
 * What happens before a task goes back to user mode: signals are taken, handlers entered, interrupted calls
 * restarted (arch/x86/kernel/signal.c arch_do_signal_or_restart, handle_signal; kernel/signal.c get_signal).
 */

import { dumpCore } from "../core/dump.js";
import { EINTR } from "../errno.js";
import type { SignalOutcome } from "../events.js";
import { CS, SS } from "../../cpu/segments.js";
import type { Kernel } from "../kernel.js";
import { RAX, RDI, RDX, RSI, RSP } from "../processor.js";
import type { Refusal } from "../refusal.js";
import {
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
  type RestartCode,
} from "../restart.js";
import { awaitRseq, rseqSignal } from "../rseq.js";
import type { Process, Task } from "../task.js";
import { disarm, isOnStack, stackState, within } from "./alternate-stack.js";
import {
  FLAG_DF,
  FLAG_RF,
  FLAG_TF,
  FP_XSTATE_MAGIC1,
  FP_XSTATE_MAGIC2,
  FRAME_BYTES,
  FRAME_CR2,
  FRAME_CS,
  FRAME_ERROR,
  FRAME_FPSTATE,
  FRAME_OLDMASK,
  FRAME_REGISTER_ORDER,
  FRAME_REGISTERS,
  FRAME_RFLAGS,
  FRAME_RIP,
  FRAME_SIGINFO,
  FRAME_SIGMASK,
  FRAME_SS,
  FRAME_TRAP,
  FRAME_UC_FLAGS,
  FRAME_UC_STACK,
  FRAME_UCONTEXT,
  FX_SOFTWARE,
  INITIAL_PKRU,
  MAGIC2_BYTES,
  RED_ZONE,
  UC_FP_XSTATE,
  UC_SIGCONTEXT_SS,
  UC_STRICT_RESTORE_SS,
  USER_CS,
  XFEATURES,
  XSAVE_HEADER,
  XSAVE_PKRU,
} from "./frame.js";
import {
  CLD_STOPPED,
  defaultAction,
  SA_IMMUTABLE,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SA_SIGINFO,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
} from "./numbers.js";
import { isOrphanedGroup } from "../process-groups.js";
import { stopForSignal, stopInHandler } from "../ptrace/stop.js";
import { forceSignal, kernelSignal, notifyStateChange, sendSignal } from "./send.js";
import { enterLongMode } from "../segments/signals.js";
import { checkReturnAddress } from "./return-address.js";
import { encodeSiginfo, type SignalInfo } from "./siginfo.js";
import { SS_AUTODISARM, type SignalAction } from "./state.js";
import { takeSignal } from "./take.js";

/** What PKRU in a handler is put down to. */
const DELIVERY = "signal delivery";

const RESTART_SYSCALL = 219;
const IA32_RESTART_SYSCALL = 0;
const SYSCALL_BYTES = 2;

/** Takes pending signals until a handler is entered or none is left. `restart`: how the interrupted call ended. */
export function deliverSignals(kernel: Kernel, task: Task, restart: RestartCode): void {
  const { signals, process } = task;
  awaitRseq(task);
  task.interruptedBy = 0;
  while (process.exit === null) {
    const info = nextSignal(kernel, task);
    if (info === null) break;
    const final = info.signo === SIGKILL || (process.handlers.of(info.signo).flags & SA_IMMUTABLE) !== 0;
    if (task.tracing !== null && task.injected === null && !final) {
      task.interruptedBy = restart;
      stopForSignal(kernel, task, info);
      return;
    }
    if (kernel.debugger !== null && task.injected === null && !final) {
      if (kernel.debugger.holdsSignal(task, info)) {
        task.interruptedBy = restart;
        task.injected = info;
        kernel.requestStop();
        return;
      }
    }
    task.injected = null;
    const action = process.handlers.of(info.signo);
    if (action.handler === SIG_IGN) {
      report(kernel, task, info, "ignored");
      continue;
    }
    if (action.handler !== SIG_DFL) {
      const taken: SignalAction = { ...action, mask: action.mask.copy() };
      if ((action.flags & SA_RESETHAND) !== 0) action.handler = SIG_DFL;
      settleInterrupted(kernel, task, restart, (taken.flags & SA_RESTART) !== 0);
      enterHandler(kernel, task, info, taken);
      // More may be pending: their frames go on top of this one, as Linux loops before it leaves.
      restart = 0;
      continue;
    }
    if (byDefault(kernel, task, info)) {
      // A stopped task takes its call up again when it goes on.
      task.interruptedBy = restart;
      return;
    }
  }
  if (process.exit !== null) return;
  if (restart !== 0) restartCall(kernel, task, restart);
  if (signals.saved !== null) {
    signals.blocked.assign(signals.saved);
    signals.saved = null;
    signals.recalculate();
    if (signals.attention) deliverSignals(kernel, task, 0);
  }
}

/** What a tracer let through comes first, if it is not blocked now; else the next that is pending. */
function nextSignal(kernel: Kernel, task: Task): SignalInfo | null {
  const { injected, signals } = task;
  if (injected !== null) {
    if (!signals.blocked.has(injected.signo)) return injected;
    task.injected = null;
    sendSignal(task, injected, false);
  }
  return takeSignal(kernel, task, signals.blocked);
}

/** The default action; true if the task does not go on. */
function byDefault(kernel: Kernel, task: Task, info: SignalInfo): boolean {
  const action = defaultAction(info.signo);
  switch (action) {
    case "ignore":
    case "continue":
      report(kernel, task, info, action === "ignore" ? "ignored" : "continue");
      return false;
    case "stop":
      if (info.signo !== SIGSTOP && isOrphanedGroup(kernel, task.process.processGroup)) {
        report(kernel, task, info, "ignored");
        return false;
      }
      report(kernel, task, info, "stop");
      stopProcess(task.process, info.signo);
      return true;
    case "core":
    case "terminate":
      report(kernel, task, info, action);
      kernel.exitProcess(task, {
        code: 0,
        signal: info.signo,
        core: action === "core" && dumpCore(kernel, task, info),
      });
      return true;
  }
}

/** do_signal_stop: no task of the process runs on before SIGCONT. */
function stopProcess(process: Process, signal: number): void {
  process.stopped = signal;
  process.stops++;
  process.unreported = "stopped";
  notifyStateChange(process, CLD_STOPPED, signal);
}

function report(kernel: Kernel, task: Task, info: SignalInfo, outcome: SignalOutcome): void {
  if (!kernel.events.listening.signal) return;
  const refusal: Refusal | null = info.detail.kind === "fault" ? kernel.lastFaultRefusal : null;
  const event = { task, info, outcome, instruction: kernel.cpu.instructions };
  kernel.events.emit("signal", refusal === null ? event : { ...event, refusal });
}

/** Before a handler runs: the interrupted call gives EINTR or will be made again. */
function settleInterrupted(kernel: Kernel, task: Task, restart: RestartCode, restarts: boolean): void {
  switch (restart) {
    case ERESTARTNOHAND:
    case ERESTART_RESTARTBLOCK:
      kernel.cpu.registers.setNumber(RAX, -EINTR);
      break;
    case ERESTARTSYS:
      if (!restarts) kernel.cpu.registers.setNumber(RAX, -EINTR);
      else again(kernel, task);
      break;
    case ERESTARTNOINTR:
      again(kernel, task);
      break;
  }
}

/** No handler runs: the call is made again, or gone on with. */
function restartCall(kernel: Kernel, task: Task, restart: RestartCode): void {
  if (restart === ERESTART_RESTARTBLOCK) {
    const { registers } = kernel.cpu;
    registers.setNumber(RAX, task.ia32Call ? IA32_RESTART_SYSCALL : RESTART_SYSCALL);
    registers.rip -= SYSCALL_BYTES;
  } else again(kernel, task);
}

function again(kernel: Kernel, task: Task): void {
  const { registers } = kernel.cpu;
  registers.set(RAX, (BigInt(task.originalRaxHigh >>> 0) << 32n) | BigInt(task.originalRaxLow >>> 0));
  registers.rip -= SYSCALL_BYTES;
}

function enterHandler(kernel: Kernel, task: Task, info: SignalInfo, action: SignalAction): void {
  const { signals } = task;
  report(kernel, task, info, "handler");
  rseqSignal(kernel, task, info.signo);
  if (!buildFrame(kernel, task, info, action)) {
    // force_sigsegv: a SIGSEGV that cannot be delivered kills.
    forceSignal(task, kernelSignal(SIGSEGV), info.signo === SIGSEGV ? "fatal" : "signal");
    return;
  }
  signals.saved = null;
  signals.blocked.addAll(action.mask);
  if ((action.flags & SA_NODEFER) === 0) signals.blocked.add(info.signo);
  if ((signals.alternate.flags & SS_AUTODISARM) !== 0) disarm(signals.alternate);
  signals.recalculate();
  checkReturnAddress(kernel, task);
  if (task.tracing !== null) stopInHandler(kernel, task);
  kernel.debugger?.enteredHandler(task);
}

/** Writes the frame and enters the handler; false if the stack will not take it, with nothing changed. */
function buildFrame(kernel: Kernel, task: Task, info: SignalInfo, action: SignalAction): boolean {
  const { registers } = kernel.cpu;
  const { alternate } = task.signals;
  const rsp = registers.get(RSP);
  const nested = isOnStack(alternate, rsp);
  let sp = BigInt.asUintN(64, rsp - BigInt(RED_ZONE));
  let entering = false;
  if ((action.flags & SA_ONSTACK) !== 0 && stackState(alternate, sp) === 0) {
    sp = BigInt.asUintN(64, alternate.base + alternate.size);
    entering = true;
  }
  const fpstate = BigInt.asUintN(64, sp - BigInt(kernel.xsaveBytes + MAGIC2_BYTES)) & ~63n;
  const frame = BigInt.asUintN(64, ((fpstate - BigInt(FRAME_BYTES)) & ~15n) - 8n);
  // A frame that would run off the alternate stack is not written at all.
  if ((nested || entering) && !within(alternate, frame)) return false;
  if (frame >= 1n << 47n || fpstate >= 1n << 47n) return false;
  if ((action.flags & SA_RESTORER) === 0) return false;

  const pkru = registers.pkru;
  const bytes = frameBytes(kernel, task, info, action, fpstate);
  const area = fpstateBytes(kernel, pkru);
  // With every key open the frame reaches a stack of any key.
  if (kernel.release.rules.signalFrameKeys === "open") kernel.setPkru(0, DELIVERY);
  const siginfo = (action.flags & SA_SIGINFO) !== 0;
  const length = siginfo ? FRAME_BYTES : FRAME_SIGINFO;
  const written =
    task.user.copyOut(Number(fpstate), area) === area.length &&
    task.user.copyOut(Number(frame), bytes.subarray(0, length)) === length;
  kernel.setPkru(written ? INITIAL_PKRU : pkru, DELIVERY);
  if (!written) return false;
  task.resumeFlag = false;

  kernel.cpu.resetXstate();
  registers.set(RDI, BigInt(info.signo));
  registers.set(RAX, 0n);
  registers.set(RSI, frame + BigInt(FRAME_SIGINFO));
  registers.set(RDX, frame + BigInt(FRAME_UCONTEXT));
  registers.set(RSP, frame);
  registers.ripBig = action.handler;
  enterLongMode(kernel, task);
  registers.rflags = registers.rflags & ~(FLAG_DF | FLAG_RF | FLAG_TF);
  return true;
}

function frameBytes(
  kernel: Kernel,
  task: Task,
  info: SignalInfo,
  action: SignalAction,
  fpstate: bigint,
): Uint8Array {
  const { registers } = kernel.cpu;
  const { signals } = task;
  const bytes = new Uint8Array(FRAME_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, action.restorer, true);
  const cs = registers.selector(CS);
  const strict = cs === USER_CS ? UC_STRICT_RESTORE_SS : 0;
  view.setUint32(FRAME_UC_FLAGS, UC_FP_XSTATE | UC_SIGCONTEXT_SS | strict, true);
  view.setBigUint64(FRAME_UC_STACK, signals.alternate.base, true);
  view.setUint32(FRAME_UC_STACK + 8, signals.alternate.flags >>> 0, true);
  view.setBigUint64(FRAME_UC_STACK + 16, signals.alternate.size, true);
  FRAME_REGISTER_ORDER.forEach((register, i) => {
    view.setBigUint64(FRAME_REGISTERS + 8 * i, BigInt.asUintN(64, registers.get(register)), true);
  });
  view.setBigUint64(FRAME_RIP, BigInt.asUintN(64, registers.ripBig), true);
  view.setUint32(FRAME_RFLAGS, registers.rflags | (task.resumeFlag ? FLAG_RF : 0), true);
  view.setUint16(FRAME_CS, cs, true);
  view.setUint16(FRAME_SS, registers.selector(SS), true);
  view.setUint32(FRAME_ERROR, task.trapErrorCode, true);
  view.setUint32(FRAME_TRAP, task.trapNumber, true);
  const mask = signals.saved ?? signals.blocked;
  view.setBigUint64(FRAME_OLDMASK, mask.toBigInt(), true);
  view.setBigUint64(FRAME_CR2, task.faultAddress, true);
  view.setBigUint64(FRAME_FPSTATE, fpstate, true);
  view.setBigUint64(FRAME_SIGMASK, mask.toBigInt(), true);
  bytes.set(encodeSiginfo(info), FRAME_SIGINFO);
  return bytes;
}

function fpstateBytes(kernel: Kernel, pkru: number): Uint8Array {
  const size = kernel.xsaveBytes;
  const bytes = new Uint8Array(size + MAGIC2_BYTES);
  bytes.set(kernel.cpu.xsaveArea().subarray(0, size));
  const view = new DataView(bytes.buffer);
  const features = kernel.pku ? XFEATURES : XFEATURES & ~0x200;
  bytes.fill(0, FX_SOFTWARE, XSAVE_HEADER + 64);
  view.setUint32(FX_SOFTWARE, FP_XSTATE_MAGIC1, true);
  view.setUint32(FX_SOFTWARE + 4, size + MAGIC2_BYTES, true);
  view.setUint32(FX_SOFTWARE + 8, features, true);
  view.setUint32(FX_SOFTWARE + 16, size, true);
  view.setUint32(XSAVE_HEADER, features, true);
  if (kernel.pku) view.setUint32(XSAVE_PKRU, pkru, true);
  view.setUint32(size, FP_XSTATE_MAGIC2, true);
  return bytes;
}
