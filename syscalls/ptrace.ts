/** ptrace(2) (kernel/ptrace.c, arch/x86/kernel/ptrace.c). */

import { readDebugRegister, writeDebugRegister } from "../kernel/debug-registers/traced.js";
import { FS, GS } from "../cpu/segments.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EIO, EPERM, ESRCH } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { UserMemory } from "../kernel/mm/user-memory.js";
import { RSP } from "../kernel/processor.js";
import { attach, traceMe } from "../kernel/ptrace/attach.js";
import {
  readUserRegs,
  readXstate,
  readXstateSet,
  USER_REGS_BYTES,
  withRegisters,
  writeUserRegs,
  writeUserWord,
  writeXstate,
  XSAVE_FEATURES,
} from "../kernel/ptrace/registers.js";
import { detachTracee, resumeTracee } from "../kernel/ptrace/resume.js";
import {
  PTRACE_EVENT_SECCOMP,
  PTRACE_O_MASK,
  PTRACE_O_SUSPEND_SECCOMP,
  type ResumeMode,
} from "../kernel/ptrace/tracing.js";
import { decodeSiginfo, encodeSiginfo, SIGINFO_BYTES } from "../kernel/signals/siginfo.js";
import { setBase } from "../kernel/segments/base.js";
import { setBlocked } from "../kernel/signals/mask.js";
import { SIGKILL } from "../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../kernel/signals/send.js";
import { SignalSet } from "../kernel/signals/signal-set.js";
import { IA32_ARGUMENTS } from "../kernel/call-arguments.js";
import type { Task } from "../kernel/task.js";
import { address, choice, names, pid } from "./argument.js";
import type { SyscallCall } from "./call.js";
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
import { writeBytes } from "./structs.js";
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

const NT_PRSTATUS = 1;
const NT_PRFPREG = 2;
const NT_X86_XSTATE = 0x202;
const FPREGS_BYTES = 512;
/** The header behind the legacy region: XSTATE_BV, XCOMP_BV and what is reserved. */
const XSAVE_HEADER = 512;
const XSAVE_HEADER_BYTES = 64;
/** sizeof(struct user), and its debug registers. */
const USER_BYTES = 928;
const USER_DEBUG = 848;
const DEBUG_BYTES = 64;
const ARCH_SET_GS = 0x1001;
const ARCH_SET_FS = 0x1002;
const ARCH_GET_FS = 0x1003;
const ARCH_GET_GS = 0x1004;
const AUDIT_ARCH_X86_64 = 0xc000_003e;
const AUDIT_ARCH_I386 = 0x4000_0003;
const PEEKSIGINFO_SHARED = 1;

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
      return writeBytes(call.user, call.word(3), readUserRegs(kernel, target));
    case REQUESTS.PTRACE_SETREGS: {
      const bytes = call.user.read(call.word(3), USER_REGS_BYTES);
      return typeof bytes === "number" ? bytes : writeUserRegs(kernel, target, bytes);
    }
    case REQUESTS.PTRACE_GETFPREGS:
      return writeBytes(call.user, call.word(3), readXstate(kernel, target).subarray(0, FPREGS_BYTES));
    case REQUESTS.PTRACE_SETFPREGS: {
      const bytes = call.user.read(call.word(3), FPREGS_BYTES);
      return typeof bytes === "number" ? bytes : writeLegacy(call, target, bytes);
    }
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
      if (isPlainGroupStop(target)) return -EINVAL;
      return writeBytes(call.user, call.word(3), encodeSiginfo(tracing.stop!.info));
    case REQUESTS.PTRACE_SETSIGINFO: {
      if (isPlainGroupStop(target)) return -EINVAL;
      const bytes = call.user.read(call.word(3), SIGINFO_BYTES);
      if (typeof bytes === "number") return bytes;
      const signo = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
      tracing.stop!.info = decodeSiginfo(signo, bytes);
      return 0;
    }
    case REQUESTS.PTRACE_PEEKSIGINFO:
      return peekSiginfo(call, target);
    case REQUESTS.PTRACE_GETSIGMASK:
      if (call.word(2) !== 8) return -EINVAL;
      return writeBytes(call.user, call.word(3), (target.signals.saved ?? target.signals.blocked).toBytes());
    case REQUESTS.PTRACE_SETSIGMASK: {
      if (call.word(2) !== 8) return -EINVAL;
      const bytes = call.user.read(call.word(3), 8);
      if (typeof bytes === "number") return bytes;
      target.signals.saved = null;
      setBlocked(target, SignalSet.fromBytes(bytes));
      return 0;
    }
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

/** A stop with its process of a task that was not seized, which nothing is said of (last_siginfo is null). */
function isPlainGroupStop({ tracing }: Task): boolean {
  return tracing!.stop!.kind === "group" && !tracing!.seized;
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

function userOffset(call: SyscallCall): number {
  const offset = call.n(2);
  return offset % 8 === 0 && offset < USER_BYTES ? offset : -EIO;
}

function peekUser(call: SyscallCall, target: Task): number {
  const offset = userOffset(call);
  if (offset < 0) return offset;
  let value = 0n;
  if (offset < USER_REGS_BYTES) {
    const bytes = readUserRegs(call.kernel, target);
    value = new DataView(bytes.buffer).getBigUint64(offset, true);
  } else if (offset >= USER_DEBUG && offset < USER_DEBUG + DEBUG_BYTES)
    value = readDebugRegister(target, (offset - USER_DEBUG) / 8);
  return call.user.writeU64(call.word(3), value) ? 0 : -EFAULT;
}

function pokeUser(call: SyscallCall, target: Task): number {
  const offset = userOffset(call);
  if (offset < 0) return offset;
  const value = call.u64(3);
  if (offset < USER_REGS_BYTES) return writeUserWord(call.kernel, target, offset, value);
  if (offset >= USER_DEBUG && offset < USER_DEBUG + DEBUG_BYTES)
    return writeDebugRegister(call.kernel, target, (offset - USER_DEBUG) / 8, value);
  return -EIO;
}

function writeLegacy(call: SyscallCall, target: Task, bytes: Uint8Array): number {
  const area = readXstate(call.kernel, target);
  area.set(bytes);
  writeXstate(call.kernel, target, area);
  return 0;
}

function registerSet(call: SyscallCall, target: Task, write: boolean): number {
  const { user } = call;
  const vector = call.word(3);
  const base = user.readNumber64(vector);
  const room = user.readNumber64(typeof vector === "number" ? vector + 8 : vector + 8n);
  if (base === null || room === null) return -EFAULT;
  const set = readSet(call, target);
  if (set === null) return -EINVAL;
  if (room % 8 !== 0) return -EINVAL;
  const length = Math.min(room, set.length);
  if (!write) {
    if (writeBytes(user, base, set.subarray(0, length)) !== 0) return -EFAULT;
  } else {
    const bytes = user.read(base, length);
    if (typeof bytes === "number") return bytes;
    const result = writeSet(call, target, bytes, set);
    if (result < 0) return result;
  }
  return user.writeU64(typeof vector === "number" ? vector + 8 : vector + 8n, length) ? 0 : -EFAULT;
}

function readSet(call: SyscallCall, target: Task): Uint8Array | null {
  const { kernel } = call;
  switch (call.u32(2)) {
    case NT_PRSTATUS:
      return readUserRegs(kernel, target);
    case NT_PRFPREG:
      return readXstate(kernel, target).slice(0, FPREGS_BYTES);
    case NT_X86_XSTATE:
      return readXstateSet(kernel, target);
    default:
      return null;
  }
}

/** The header of an XSAVE area names no feature but the known ones and is 0 beyond (validate_user_xstate_header). */
function validHeader(bytes: Uint8Array, known: Uint8Array): boolean {
  const word = (of: Uint8Array, at: number): bigint =>
    new DataView(of.buffer, of.byteOffset).getBigUint64(at, true);
  if ((word(bytes, XSAVE_HEADER) & ~word(known, XSAVE_FEATURES)) !== 0n) return false;
  return bytes.subarray(XSAVE_HEADER + 8, XSAVE_HEADER + XSAVE_HEADER_BYTES).every((byte) => byte === 0);
}

function writeSet(call: SyscallCall, target: Task, bytes: Uint8Array, old: Uint8Array): number {
  switch (call.u32(2)) {
    case NT_PRSTATUS:
      return writeUserRegs(call.kernel, target, bytes);
    case NT_PRFPREG:
      return writeLegacy(call, target, bytes);
    default:
      // The whole area or nothing (xstateregs_set).
      if (bytes.length !== old.length) return -EFAULT;
      if (!validHeader(bytes, old)) return -EINVAL;
      writeXstate(call.kernel, target, bytes);
      return 0;
  }
}

/** struct ptrace_peeksiginfo_args { offset, flags, nr }; the number of signals copied. */
function peekSiginfo(call: SyscallCall, target: Task): number {
  const given = call.user.read(call.word(2), 16);
  if (typeof given === "number") return given;
  const view = new DataView(given.buffer, given.byteOffset);
  const flags = view.getUint32(8, true);
  const count = view.getInt32(12, true);
  if ((flags & ~PEEKSIGINFO_SHARED) !== 0 || count < 0) return -EINVAL;
  const pending = (flags & PEEKSIGINFO_SHARED) !== 0 ? target.process.pending : target.signals.pending;
  const from = Number(view.getBigUint64(0, true));
  const infos = pending.queue.slice(from, from + count);
  const start = call.u64(3);
  for (const [i, info] of infos.entries())
    if (!call.user.writeBytes(start + BigInt(i * SIGINFO_BYTES), encodeSiginfo(info)))
      return i > 0 ? i : -EFAULT;
  return infos.length;
}

/** si_code of a syscall-stop under PTRACE_O_TRACESYSGOOD: SIGTRAP and 0x80. */
const SYSCALL_STOP = 0x85;
const INFO_NONE = 0;
const INFO_ENTRY = 1;
const INFO_EXIT = 2;
const INFO_SECCOMP = 3;
const SECCOMP_STOP = 5 | (PTRACE_EVENT_SECCOMP << 8);
/** Bytes of struct ptrace_syscall_info up to the end of what each kind has. */
const INFO_BYTES = { [INFO_NONE]: 24, [INFO_ENTRY]: 80, [INFO_EXIT]: 33, [INFO_SECCOMP]: 84 } as const;
const ARGUMENTS = [7, 6, 2, 10, 8, 9];

function syscallInfo(call: SyscallCall, target: Task): number {
  const { kernel } = call;
  const { stop } = target.tracing!;
  // Only PTRACE_O_TRACESYSGOOD tells a syscall-stop from others (ptrace_get_syscall_info_op).
  const told = stop!.info.code === SYSCALL_STOP;
  const kind =
    told && stop!.kind === "entry"
      ? INFO_ENTRY
      : told && stop!.kind === "exit"
        ? INFO_EXIT
        : stop!.info.code === SECCOMP_STOP
          ? INFO_SECCOMP
          : INFO_NONE;
  const bytes = new Uint8Array(INFO_BYTES[INFO_SECCOMP]);
  const view = new DataView(bytes.buffer);
  withRegisters(kernel, target, () => {
    const { registers } = kernel.cpu;
    const word = (register: number): bigint => BigInt.asUintN(64, registers.get(register));
    view.setUint8(0, kind);
    const { ia32Call } = target;
    view.setUint32(4, ia32Call ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64, true);
    view.setBigUint64(8, BigInt.asUintN(64, registers.ripBig), true);
    view.setBigUint64(16, word(RSP), true);
    if (kind === INFO_SECCOMP) view.setUint32(80, target.tracing!.eventMessage, true);
    if (kind === INFO_ENTRY || kind === INFO_SECCOMP) {
      view.setBigUint64(24, BigInt(target.originalRaxLow >>> 0), true);
      (ia32Call ? IA32_ARGUMENTS : ARGUMENTS).forEach((register, i) =>
        view.setBigUint64(32 + 8 * i, ia32Call ? BigInt.asUintN(32, word(register)) : word(register), true),
      );
    } else if (kind === INFO_EXIT) {
      const result = BigInt.asIntN(64, word(0));
      view.setBigInt64(24, result, true);
      view.setUint8(32, result < 0n && result >= -4095n ? 1 : 0);
    }
  });
  const size = INFO_BYTES[kind];
  const copied = Math.min(call.n(2), size);
  return writeBytes(call.user, call.word(3), bytes.subarray(0, copied)) === 0 ? size : -EFAULT;
}

function archPrctl(call: SyscallCall, target: Task): number {
  const { kernel } = call;
  const where = call.word(2);
  const code = call.n(3);
  if (code === ARCH_GET_FS || code === ARCH_GET_GS) {
    const base = withRegisters(kernel, target, () =>
      code === ARCH_GET_FS ? kernel.cpu.registers.fsBase : kernel.cpu.registers.gsBase,
    );
    return call.user.writeU64(where, base) ? 0 : -EFAULT;
  }
  if (code !== ARCH_SET_FS && code !== ARCH_SET_GS) return -EINVAL;
  if (where >= TASK_SIZE) return -EPERM;
  withRegisters(kernel, target, () => setBase(kernel.cpu, code === ARCH_SET_FS ? FS : GS, Number(where)));
  return 0;
}

export const ptraceSyscalls: readonly Definition[] = [
  define({
    number: 101,
    name: "ptrace",
    args: [choice("request", names("PTRACE_???", REQUESTS)), pid("pid"), address("addr"), address("data")],
    handler: ptrace,
  }),
];
