/** Signals (kernel/signal.c). */

import { EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";
import { membersOf } from "../kernel/process-groups.js";
import { RSP } from "../kernel/processor.js";
import { ERESTARTNOHAND } from "../kernel/restart.js";
import { setAlternateStack, stackState } from "../kernel/signals/alternate-stack.js";
import {
  SA_EXPOSE_TAGBITS,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SA_SIGINFO,
  SI_TKILL,
  SI_USER,
  SIG_IGN,
  SIG_DFL,
  SIGKILL,
  SIGNAL_MAX,
  SIGSTOP,
  defaultAction,
} from "../kernel/signals/numbers.js";
import { maySignal } from "../kernel/signals/permission.js";
import { signalReturn } from "../kernel/signals/return.js";
import { discardSignals, sendSignal } from "../kernel/signals/send.js";
import { decodeSiginfo, encodeSiginfo, SIGINFO_BYTES, type SignalInfo } from "../kernel/signals/siginfo.js";
import { setBlocked } from "../kernel/signals/mask.js";
import { SignalSet } from "../kernel/signals/signal-set.js";
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from "../kernel/signals/state.js";
import { takeSignal } from "../kernel/signals/take.js";
import { goOnUnignored } from "../kernel/timer-signals.js";
import { BLOCKED, NO_RESULT } from "../kernel/syscall-dispatch.js";
import type { Process, Task } from "../kernel/task.js";
import {
  choice,
  length,
  names,
  pid,
  signal,
  signalSetIn,
  signalSetOut,
  structIn,
  structOut,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readTimespec, readView, writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const SIGSET_BYTES = 8;
const SIGACTION_BYTES = 32;
const STACK_BYTES = 24;
/** SA_* bits that the kernel keeps (UAPI_SA_FLAGS); others are cleared, which is how a program finds out. */
const KEPT_FLAGS =
  SA_NOCLDSTOP |
  SA_NOCLDWAIT |
  SA_SIGINFO |
  SA_ONSTACK |
  SA_RESTART |
  SA_NODEFER |
  SA_RESETHAND |
  SA_EXPOSE_TAGBITS |
  SA_RESTORER;

const HOW = names("SIG_???", { SIG_BLOCK: 0, SIG_UNBLOCK: 1, SIG_SETMASK: 2 });
const UNBLOCKABLE = SignalSet.of(SIGKILL, SIGSTOP);

function rtSigaction(call: SyscallCall): HandlerResult {
  const { task, user } = call;
  if (call.n(3) !== SIGSET_BYTES) return -EINVAL;
  const signo = call.i32(0);
  const newAddress = call.word(1);
  const oldAddress = call.word(2);
  const view = newAddress === 0 ? null : readView(user, newAddress, SIGACTION_BYTES);
  if (typeof view === "number") return view;
  if (signo < 1 || signo > SIGNAL_MAX || (view !== null && UNBLOCKABLE.has(signo))) return -EINVAL;
  const action = task.process.handlers.of(signo);
  const old = new Uint8Array(SIGACTION_BYTES);
  const oldView = new DataView(old.buffer);
  oldView.setBigUint64(0, action.handler, true);
  oldView.setBigUint64(8, BigInt(action.flags >>> 0), true);
  oldView.setBigUint64(16, action.restorer, true);
  old.set(action.mask.toBytes(), 24);
  if (view !== null) {
    action.handler = view.getBigUint64(0, true);
    action.flags = (view.getUint32(8, true) & KEPT_FLAGS) >>> 0;
    action.restorer = view.getBigUint64(16, true);
    const mask = SignalSet.fromBytes(new Uint8Array(view.buffer, view.byteOffset + 24, SIGSET_BYTES));
    mask.deleteAll(UNBLOCKABLE);
    action.mask = mask;
    const ignored =
      action.handler === SIG_IGN ||
      (action.handler === SIG_DFL && ["ignore", "continue"].includes(defaultAction(signo)));
    if (!ignored) goOnUnignored(call.kernel, task.process, signo);
    else {
      // POSIX: setting a signal to be ignored throws away those that are pending, blocked or not.
      const one = SignalSet.of(signo);
      discardSignals(task.process.pending, one);
      for (const each of task.process.tasks) {
        discardSignals(each.signals.pending, one);
        each.signals.recalculate();
      }
    }
  }
  return oldAddress === 0 ? 0 : writeBytes(user, oldAddress, old);
}

function rtSigprocmask(call: SyscallCall): HandlerResult {
  const { task, user } = call;
  if (call.n(3) !== SIGSET_BYTES) return -EINVAL;
  const old = task.signals.blocked.copy();
  const newAddress = call.word(1);
  if (newAddress !== 0) {
    const bytes = user.read(newAddress, SIGSET_BYTES);
    if (typeof bytes === "number") return -EFAULT;
    const given = SignalSet.fromBytes(bytes);
    given.deleteAll(UNBLOCKABLE);
    const set = old.copy();
    switch (call.i32(0)) {
      case 0:
        set.addAll(given);
        break;
      case 1:
        set.deleteAll(given);
        break;
      case 2:
        set.assign(given);
        break;
      default:
        return -EINVAL;
    }
    setBlocked(task, set);
  }
  const oldAddress = call.word(2);
  return oldAddress === 0 ? 0 : writeBytes(user, oldAddress, old.toBytes());
}

function rtSigpending(call: SyscallCall): HandlerResult {
  const size = call.n(1);
  if (size > SIGSET_BYTES) return -EINVAL;
  const { signals, process } = call.task;
  const set = signals.pending.set.copy();
  set.addAll(process.pending.set);
  set.lo &= signals.blocked.lo;
  set.hi &= signals.blocked.hi;
  return writeBytes(call.user, call.word(0), set.toBytes().subarray(0, size));
}

/** Waits with another mask; `restore` puts the old one back when a handler has been entered, or nothing came of it. */
function rtSigsuspend(call: SyscallCall): HandlerResult {
  const { task } = call;
  if (call.n(1) !== SIGSET_BYTES) return -EINVAL;
  if (call.resumed === null) {
    const bytes = call.user.read(call.word(0), SIGSET_BYTES);
    if (typeof bytes === "number") return -EFAULT;
    task.signals.saved = task.signals.blocked.copy();
    setBlocked(task, SignalSet.fromBytes(bytes));
  }
  task.waiting = { kind: "signal", deadline: null, timedOut: false, interrupted: ERESTARTNOHAND };
  return BLOCKED;
}

function pause(call: SyscallCall): HandlerResult {
  call.task.waiting = { kind: "signal", deadline: null, timedOut: false, interrupted: ERESTARTNOHAND };
  return BLOCKED;
}

function rtSigtimedwait(call: SyscallCall): HandlerResult {
  const { kernel, task, user } = call;
  const { signals } = task;
  if (call.n(3) !== SIGSET_BYTES) return -EINVAL;
  const bytes = user.read(call.word(0), SIGSET_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const wanted = SignalSet.fromBytes(bytes);
  wanted.deleteAll(UNBLOCKABLE);
  let timeout: number | null = null;
  if (call.word(2) !== 0) {
    const given = readTimespec(user, call.word(2));
    if (typeof given === "number") return given;
    timeout = given.nanoseconds;
  }
  const others = new SignalSet();
  others.lo = ~wanted.lo;
  others.hi = ~wanted.hi;
  const info = takeSignal(call.kernel, task, others);
  if (info !== null) {
    signals.waitedFor = null;
    signals.recalculate();
    if (call.word(1) !== 0 && writeBytes(user, call.word(1), encodeSiginfo(info)) !== 0) return -EFAULT;
    return info.signo;
  }
  const { resumed } = call;
  if (timeout === 0 || resumed?.timedOut === true) {
    signals.waitedFor = null;
    return -EAGAIN;
  }
  signals.waitedFor = wanted;
  const deadline =
    resumed !== null ? resumed.deadline : timeout === null ? null : kernel.clock.monotonic() + timeout;
  task.waiting = { kind: "signal", deadline, timedOut: false, interrupted: EINTR };
  return BLOCKED;
}

export function sender(task: Task, signo: number, code: number): SignalInfo {
  return {
    signo,
    errno: 0,
    code,
    detail: { kind: "kill", pid: task.pid, uid: task.credentials.uid },
  };
}

const validSignal = (signo: number): boolean => signo >= 0 && signo <= SIGNAL_MAX;

/** Checks and sends (check_kill_permission, then do_send_sig_info). */
export function sendTo(call: SyscallCall, target: Task, info: SignalInfo, toProcess: boolean): number {
  if (!validSignal(info.signo)) return -EINVAL;
  const fromUser = info.code <= 0;
  if (fromUser && !maySignal(call.task, target, info.signo)) return -EPERM;
  return info.signo === 0 ? 0 : sendSignal(target, info, toProcess);
}

function kill(call: SyscallCall): HandlerResult {
  const { kernel, task } = call;
  const number = call.i32(0);
  const info = sender(task, call.i32(1), SI_USER);
  // -2^31 has no positive counterpart (kill_something_info).
  if (number === -0x8000_0000) return -ESRCH;
  const send = ({ leader }: Process): number => sendTo(call, leader, info, true);
  if (number > 0) {
    const process = kernel.tasks.get(number)?.process;
    return process === undefined ? -ESRCH : send(process);
  }
  if (number === -1) {
    // Every process but init and the caller's own; those that it may not signal do not count as failures.
    const others = [...kernel.processes.values()].filter(({ pid }) => pid > 1 && pid !== task.pid);
    const results = others.map(send).filter((result) => result !== -EPERM);
    return others.length === 0 ? -ESRCH : (results.at(-1) ?? 0);
  }
  const group = number === 0 ? task.process.processGroup : -number;
  const results = membersOf(kernel, group).map(send);
  // One that was reached is success.
  return results.includes(0) ? 0 : (results.at(-1) ?? -ESRCH);
}

function sendToThread(call: SyscallCall, group: number | null, tid: number, info: SignalInfo): number {
  const target = call.kernel.tasks.get(tid);
  if (target === undefined || (group !== null && target.pid !== group)) return -ESRCH;
  return sendTo(call, target, info, false);
}

function tgkill(call: SyscallCall): HandlerResult {
  const group = call.i32(0);
  const tid = call.i32(1);
  if (group <= 0 || tid <= 0) return -EINVAL;
  return sendToThread(call, group, tid, sender(call.task, call.i32(2), SI_TKILL));
}

function tkill(call: SyscallCall): HandlerResult {
  const tid = call.i32(0);
  if (tid <= 0) return -EINVAL;
  return sendToThread(call, null, tid, sender(call.task, call.i32(1), SI_TKILL));
}

export function queueInfo(call: SyscallCall, signo: number, at: number): SignalInfo | number {
  const bytes = call.user.read(call.word(at), SIGINFO_BYTES);
  return typeof bytes === "number" ? -EFAULT : decodeSiginfo(signo, bytes);
}

/** What a program may pretend to another process: nothing that the kernel or kill(2) would have sent. */
const forged = (call: SyscallCall, info: SignalInfo, target: number): boolean =>
  (info.code >= 0 || info.code === SI_TKILL) && call.task.pid !== target;

function rtSigqueueinfo(call: SyscallCall): HandlerResult {
  const number = call.i32(0);
  const info = queueInfo(call, call.i32(1), 2);
  if (typeof info === "number") return info;
  if (forged(call, info, number)) return -EPERM;
  const target = call.kernel.tasks.get(number);
  if (target === undefined) return -ESRCH;
  return sendTo(call, target.process.leader, info, true);
}

function rtTgsigqueueinfo(call: SyscallCall): HandlerResult {
  const group = call.i32(0);
  const tid = call.i32(1);
  const info = queueInfo(call, call.i32(2), 3);
  if (typeof info === "number") return info;
  if (group <= 0 || tid <= 0) return -EINVAL;
  if (forged(call, info, group)) return -EPERM;
  return sendToThread(call, group, tid, info);
}

function sigaltstack(call: SyscallCall): HandlerResult {
  const { user } = call;
  const stack = call.task.signals.alternate;
  const sp = call.kernel.cpu.registers.get(RSP);
  const old = new Uint8Array(STACK_BYTES);
  const oldView = new DataView(old.buffer);
  oldView.setBigUint64(0, stack.base, true);
  oldView.setUint32(8, (stackState(stack, sp) | (stack.flags & SS_AUTODISARM)) >>> 0, true);
  oldView.setBigUint64(16, stack.size, true);
  const newAddress = call.word(0);
  if (newAddress !== 0) {
    const view = readView(user, newAddress, STACK_BYTES);
    if (typeof view === "number") return view;
    const result = setAlternateStack(
      stack,
      view.getBigUint64(0, true),
      view.getBigUint64(16, true),
      view.getInt32(8, true),
      sp,
    );
    if (result !== 0) return result;
  }
  const oldAddress = call.word(1);
  return oldAddress === 0 ? 0 : writeBytes(user, oldAddress, old);
}

function rtSigreturn(call: SyscallCall): HandlerResult {
  signalReturn(call.kernel, call.task);
  return NO_RESULT;
}

/** The names of ss_flags, for the trace. */
export const STACK_FLAGS = names("SS_???", { SS_ONSTACK, SS_DISABLE, SS_AUTODISARM });

export const signalSyscalls: readonly Definition[] = [
  define({
    number: 13,
    name: "rt_sigaction",
    args: [
      signal("signum"),
      structIn("act", "sigaction"),
      structOut("oldact", "sigaction"),
      length("sigsetsize"),
    ],
    handler: rtSigaction,
  }),
  define({
    number: 14,
    name: "rt_sigprocmask",
    args: [choice("how", HOW), signalSetIn("set", 3), signalSetOut("oldset", 3), length("sigsetsize")],
    handler: rtSigprocmask,
  }),
  define({ number: 15, name: "rt_sigreturn", args: [], returns: "none", handler: rtSigreturn }),
  define({ number: 34, name: "pause", args: [], handler: pause }),
  define({ number: 62, name: "kill", args: [pid("pid"), signal("sig")], handler: kill }),
  define({
    number: 127,
    name: "rt_sigpending",
    args: [signalSetOut("set", 1), length("sigsetsize")],
    handler: rtSigpending,
  }),
  define({
    number: 128,
    name: "rt_sigtimedwait",
    args: [
      signalSetIn("set", 3),
      structOut("info", "siginfo"),
      structIn("timeout", "timespec"),
      length("sigsetsize"),
    ],
    handler: rtSigtimedwait,
  }),
  define({
    number: 129,
    name: "rt_sigqueueinfo",
    args: [pid("tgid"), signal("sig"), structIn("info", "siginfo")],
    handler: rtSigqueueinfo,
  }),
  define({
    number: 130,
    name: "rt_sigsuspend",
    args: [signalSetIn("mask", 1), length("sigsetsize")],
    handler: rtSigsuspend,
  }),
  define({
    number: 131,
    name: "sigaltstack",
    args: [structIn("ss", "sigaltstack"), structOut("old_ss", "sigaltstack")],
    handler: sigaltstack,
  }),
  define({ number: 200, name: "tkill", args: [pid("tid"), signal("sig")], handler: tkill }),
  define({ number: 234, name: "tgkill", args: [pid("tgid"), pid("tid"), signal("sig")], handler: tgkill }),
  define({
    number: 297,
    name: "rt_tgsigqueueinfo",
    args: [pid("tgid"), pid("tid"), signal("sig"), structIn("info", "siginfo")],
    handler: rtTgsigqueueinfo,
  }),
];
