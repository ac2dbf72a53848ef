/** ptrace(2) (kernel/ptrace.c, arch/x86/kernel/ptrace.c). */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EIO, EPERM, ESRCH } from "../kernel/errno.js";
import { UserMemory } from "../kernel/mm/user-memory.js";
import { attach, traceMe } from "../kernel/ptrace/attach.js";
import { detachTracee, resumeTracee } from "../kernel/ptrace/resume.js";
import { PTRACE_O_MASK, PTRACE_O_SUSPEND_SECCOMP, type ResumeMode } from "../kernel/ptrace/tracing.js";
import { SIGKILL } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import type { Task } from "../kernel/task.js";
import { address, choice, names, pid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import {
  archPrctl,
  getFpregs,
  getRegs,
  peekUser,
  pokeUser,
  registerSet,
  setFpregs,
  setRegs,
} from "./ptrace-registers.js";
import {
  getDispatch,
  getFilter,
  getMetadata,
  PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG,
  PTRACE_SECCOMP_GET_FILTER,
  PTRACE_SECCOMP_GET_METADATA,
  PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG,
  setDispatch,
} from "./ptrace-seccomp.js";
import { getSiginfo, getSigmask, peekSiginfo, setSiginfo, setSigmask } from "./ptrace-signals.js";
import { syscallInfo } from "./ptrace-syscall-info.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const REQUESTS = {
  PTRACE_TRACEME: 0,
  PTRACE_PEEKTEXT: 1,
  PTRACE_PEEKDATA: 2,
  PTRACE_PEEKUSER: 3,
  PTRACE_POKETEXT: 4,
  PTRACE_POKEDATA: 5,
  PTRACE_POKEUSER: 6,
  PTRACE_CONT: 7,
  PTRACE_KILL: 8,
  PTRACE_SINGLESTEP: 9,
  PTRACE_GETREGS: 12,
  PTRACE_SETREGS: 13,
  PTRACE_GETFPREGS: 14,
  PTRACE_SETFPREGS: 15,
  PTRACE_ATTACH: 16,
  PTRACE_DETACH: 17,
  PTRACE_SYSCALL: 24,
  PTRACE_ARCH_PRCTL: 30,
  PTRACE_SYSEMU: 31,
  PTRACE_SYSEMU_SINGLESTEP: 32,
  PTRACE_SETOPTIONS: 0x4200,
  PTRACE_GETEVENTMSG: 0x4201,
  PTRACE_GETSIGINFO: 0x4202,
  PTRACE_SETSIGINFO: 0x4203,
  PTRACE_GETREGSET: 0x4204,
  PTRACE_SETREGSET: 0x4205,
  PTRACE_SEIZE: 0x4206,
  PTRACE_INTERRUPT: 0x4207,
  PTRACE_LISTEN: 0x4208,
  PTRACE_PEEKSIGINFO: 0x4209,
  PTRACE_GETSIGMASK: 0x420a,
  PTRACE_SETSIGMASK: 0x420b,
  PTRACE_SECCOMP_GET_FILTER,
  PTRACE_SECCOMP_GET_METADATA,
  PTRACE_GET_SYSCALL_INFO: 0x420e,
  PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG,
  PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG,
} as const;

const MODES: Readonly<Record<number, ResumeMode>> = {
  [REQUESTS.PTRACE_CONT]: "continue",
  [REQUESTS.PTRACE_SYSCALL]: "syscall",
  [REQUESTS.PTRACE_SINGLESTEP]: "step",
  [REQUESTS.PTRACE_SYSEMU]: "emulate",
  [REQUESTS.PTRACE_SYSEMU_SINGLESTEP]: "emulate-step",
};

function ptrace(call: SyscallCall): HandlerResult {
  const { kernel, task } = call;
  const request = call.u32(0);
  if (request === REQUESTS.PTRACE_TRACEME) return traceMe(task);
  const target = kernel.tasks.get(call.i32(1));
  if (target === undefined) return -ESRCH;
  if (request === REQUESTS.PTRACE_ATTACH) return attach(kernel, task, target, false, 0);
  if (request === REQUESTS.PTRACE_SEIZE) return seize(call, target);
  const { tracing } = target;
  if (tracing === null || tracing.tracer !== task) return -ESRCH;
  if (request === REQUESTS.PTRACE_KILL) {
    sendSignal(target, kernelSignal(SIGKILL), false);
    return 0;
  }
  if (request === REQUESTS.PTRACE_INTERRUPT) {
    if (!tracing.seized) return -EIO;
    // One that stands still stops once more when it goes on.
    tracing.interrupted = true;
    if (tracing.listening) tracing.stop = null;
    target.wake();
    return 0;
  }
  // Everything else is for a tracee that stands still.
  if (tracing.stop === null || tracing.listening || target.state === "dead") return -ESRCH;
  return onStopped(call, request, target);
}

function seize(call: SyscallCall, target: Task): number {
  if (call.word(2) !== 0) return -EIO;
  const options = call.u64(3);
  if ((options & ~BigInt(PTRACE_O_MASK)) !== 0n) return -EIO;
  if (!maySuspendSeccomp(call, options)) return -EPERM;
  return attach(call.kernel, call.task, target, true, Number(options));
}

/** Whoever lets others off their filters must be root and have none (check_ptrace_options). */
function maySuspendSeccomp({ task }: SyscallCall, options: bigint): boolean {
  if ((options & BigInt(PTRACE_O_SUSPEND_SECCOMP)) === 0n) return true;
  const suspended = task.tracing?.has(PTRACE_O_SUSPEND_SECCOMP) === true;
  return hasCapability(task.credentials, CAP_SYS_ADMIN) && task.seccomp === null && !suspended;
}

function onStopped(call: SyscallCall, request: number, target: Task): HandlerResult {
  const { kernel } = call;
  const tracing = target.tracing!;
  switch (request) {
    case REQUESTS.PTRACE_PEEKTEXT:
    case REQUESTS.PTRACE_PEEKDATA:
      return peek(call, target);
    case REQUESTS.PTRACE_POKETEXT:
    case REQUESTS.PTRACE_POKEDATA:
      return memoryOf(target).writeU64(call.word(2), call.u64(3)) ? 0 : -EIO;
    case REQUESTS.PTRACE_PEEKUSER:
      return peekUser(call, target);
    case REQUESTS.PTRACE_POKEUSER:
      return pokeUser(call, target);
    case REQUESTS.PTRACE_CONT:
    case REQUESTS.PTRACE_SYSCALL:
    case REQUESTS.PTRACE_SINGLESTEP:
    case REQUESTS.PTRACE_SYSEMU:
    case REQUESTS.PTRACE_SYSEMU_SINGLESTEP:
      return resumeTracee(kernel, target, MODES[request]!, signalArgument(call));
    case REQUESTS.PTRACE_DETACH:
      return detachTracee(kernel, target, signalArgument(call));
    case REQUESTS.PTRACE_LISTEN:
      if (!tracing.seized || tracing.stop!.code >> 8 === 0) return -EIO;
      tracing.listening = true;
      return 0;
    case REQUESTS.PTRACE_GETREGS:
      return getRegs(call, target);
    case REQUESTS.PTRACE_SETREGS:
      return setRegs(call, target);
    case REQUESTS.PTRACE_GETFPREGS:
      return getFpregs(call, target);
    case REQUESTS.PTRACE_SETFPREGS:
      return setFpregs(call, target);
    case REQUESTS.PTRACE_GETREGSET:
    case REQUESTS.PTRACE_SETREGSET:
      return registerSet(call, target, request === REQUESTS.PTRACE_SETREGSET);
    case REQUESTS.PTRACE_SETOPTIONS: {
      const options = call.u64(3);
      if ((options & ~BigInt(PTRACE_O_MASK)) !== 0n) return -EINVAL;
      if (!maySuspendSeccomp(call, options)) return -EPERM;
      tracing.options = Number(options);
      return 0;
    }
    case REQUESTS.PTRACE_GETEVENTMSG:
      return call.user.writeU64(call.word(3), tracing.eventMessage) ? 0 : -EFAULT;
    case REQUESTS.PTRACE_GETSIGINFO:
      return getSiginfo(call, target);
    case REQUESTS.PTRACE_SETSIGINFO:
      return setSiginfo(call, target);
    case REQUESTS.PTRACE_PEEKSIGINFO:
      return peekSiginfo(call, target);
    case REQUESTS.PTRACE_GETSIGMASK:
      return getSigmask(call, target);
    case REQUESTS.PTRACE_SETSIGMASK:
      return setSigmask(call, target);
    case REQUESTS.PTRACE_GET_SYSCALL_INFO:
      return syscallInfo(call, target);
    case REQUESTS.PTRACE_SECCOMP_GET_FILTER:
      return getFilter(call, target);
    case REQUESTS.PTRACE_SECCOMP_GET_METADATA:
      return getMetadata(call, target);
    case REQUESTS.PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG:
      return getDispatch(call, target);
    case REQUESTS.PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG:
      return setDispatch(call, target);
    case REQUESTS.PTRACE_ARCH_PRCTL:
      return archPrctl(call, target);
    default:
      return -EIO;
  }
}

/** The signal of PTRACE_CONT and friends; -1 for one that does not fit. */
function signalArgument(call: SyscallCall): number {
  const given = call.n(3);
  return given <= 64 ? given : -1;
}

/** The tracee's memory as a debugger may touch it: areas without write permission too, and no key counts. */
function memoryOf(target: Task): UserMemory {
  return new UserMemory(target.mm, { foreign: true, force: true });
}

/** The kernel stores the word at `data`; the C library gives it as the result. */
function peek(call: SyscallCall, target: Task): number {
  const word = memoryOf(target).readU64(call.word(2));
  if (word === null) return -EIO;
  return call.user.writeU64(call.word(3), word) ? 0 : -EFAULT;
}

export const ptraceSyscalls: readonly Definition[] = [
  define({
    number: 101,
    name: "ptrace",
    args: [choice("request", names("PTRACE_???", REQUESTS)), pid("pid"), address("addr"), address("data")],
    handler: ptrace,
  }),
];
