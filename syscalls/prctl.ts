/** prctl(2) and arch_prctl(2) (kernel/sys.c, arch/x86/kernel/process_64.c). */

import { EFAULT, EINVAL, ENODEV, EPERM } from "../kernel/errno.js";
import { CAP_LAST } from "../kernel/credentials.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { SIGNAL_MAX } from "../kernel/signals/numbers.js";
import { address, choice, dependent, hex, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_KEEPCAPS = 7;
const PR_GET_TIMING = 13;
const PR_SET_TIMING = 14;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_GET_SECCOMP = 21;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_TSC = 25;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_GET_TID_ADDRESS = 40;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const PR_SET_MDWE = 65;
const PR_GET_MDWE = 66;
const PR_SET_VMA = 0x5356_4d41;

const MDWE_REFUSE_EXEC_GAIN = 1;
const MDWE_NO_INHERIT = 2;
const COMM_BYTES = 16;
const DEFAULT_TIMER_SLACK = 50_000;

const OPTIONS = names("PR_???", {
  PR_SET_PDEATHSIG,
  PR_GET_PDEATHSIG,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  PR_GET_KEEPCAPS,
  PR_SET_KEEPCAPS: 8,
  PR_GET_TIMING,
  PR_SET_TIMING,
  PR_SET_NAME,
  PR_GET_NAME,
  PR_GET_SECCOMP,
  PR_SET_SECCOMP: 22,
  PR_CAPBSET_READ,
  PR_CAPBSET_DROP,
  PR_GET_TSC,
  PR_SET_TSC: 26,
  PR_SET_TIMERSLACK,
  PR_GET_TIMERSLACK,
  PR_SET_CHILD_SUBREAPER,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_NO_NEW_PRIVS,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_TID_ADDRESS,
  PR_SET_THP_DISABLE,
  PR_GET_THP_DISABLE,
  PR_CAP_AMBIENT: 47,
  PR_SET_MDWE,
  PR_GET_MDWE,
  PR_SET_VMA,
});

const allZero = (call: SyscallCall, ...positions: number[]): boolean =>
  positions.every((i) => call.n(i) === 0);

function prctl(call: SyscallCall): HandlerResult {
  const { task, user } = call;
  switch (call.i32(0)) {
    case PR_SET_PDEATHSIG: {
      const signo = call.n(1);
      if (signo > SIGNAL_MAX) return -EINVAL;
      task.parentDeathSignal = signo;
      return 0;
    }
    case PR_GET_PDEATHSIG:
      return user.writeU32(call.word(1), task.parentDeathSignal) ? 0 : -EFAULT;
    case PR_GET_DUMPABLE:
      return task.process.dumpable;
    case PR_SET_DUMPABLE: {
      const value = call.n(1);
      if (value !== 0 && value !== 1) return -EINVAL;
      task.process.dumpable = value;
      return 0;
    }
    case PR_GET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_GET_SECCOMP:
      return 0;
    case PR_SET_TIMING:
      return call.n(1) === 0 ? 0 : -EINVAL;
    case PR_SET_NAME: {
      const name = readName(call);
      if (name === null) return -EFAULT;
      task.comm = name;
      return 0;
    }
    case PR_GET_NAME:
      return writeBytes(user, call.word(1), nameBytes(task.comm));
    case PR_CAPBSET_READ: {
      const capability = call.n(1);
      if (capability > CAP_LAST) return -EINVAL;
      return Number((task.credentials.bounding >> BigInt(capability)) & 1n);
    }
    case PR_CAPBSET_DROP: {
      const capability = call.n(1);
      if (task.credentials.euid !== 0) return -EPERM;
      if (capability > CAP_LAST) return -EINVAL;
      task.credentials.bounding &= ~(1n << BigInt(capability));
      return 0;
    }
    case PR_GET_TSC:
      // PR_TSC_ENABLE.
      return user.writeU32(call.word(1), 1) ? 0 : -EFAULT;
    case PR_SET_TIMERSLACK: {
      const slack = call.s(1);
      task.timerSlackNanoseconds = slack <= 0 ? DEFAULT_TIMER_SLACK : slack;
      return 0;
    }
    case PR_GET_TIMERSLACK:
      return task.timerSlackNanoseconds;
    case PR_SET_CHILD_SUBREAPER:
      task.childSubreaper = call.n(1) !== 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return user.writeU32(call.word(1), task.childSubreaper ? 1 : 0) ? 0 : -EFAULT;
    case PR_SET_NO_NEW_PRIVS:
      if (call.n(1) !== 1 || !allZero(call, 2, 3, 4)) return -EINVAL;
      task.noNewPrivileges = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return allZero(call, 1, 2, 3, 4) ? (task.noNewPrivileges ? 1 : 0) : -EINVAL;
    case PR_GET_TID_ADDRESS:
      return user.writeU64(call.word(1), task.clearChildTid) ? 0 : -EFAULT;
    case PR_SET_THP_DISABLE:
      if (!allZero(call, 2, 3, 4)) return -EINVAL;
      task.hugePagesDisabled = call.n(1) !== 0;
      return 0;
    case PR_GET_THP_DISABLE:
      return allZero(call, 1, 2, 3, 4) ? (task.hugePagesDisabled ? 1 : 0) : -EINVAL;
    case PR_SET_MDWE:
      return setMdwe(call);
    case PR_GET_MDWE:
      if (!allZero(call, 1, 2, 3, 4)) return -EINVAL;
      return mdweBits(call);
    default:
      // Also PR_SET_VMA: this is a kernel without CONFIG_ANON_VMA_NAME.
      return -EINVAL;
  }
}

function mdweBits(call: SyscallCall): number {
  return call.mm.denyWriteExec
    ? MDWE_REFUSE_EXEC_GAIN | (call.task.mdweNotInherited ? MDWE_NO_INHERIT : 0)
    : 0;
}

/** Memory-deny-write-execute: set once, never changed (prctl_set_mdwe). */
function setMdwe(call: SyscallCall): HandlerResult {
  const bits = call.n(1);
  if (!allZero(call, 2, 3, 4)) return -EINVAL;
  if (bits > (MDWE_REFUSE_EXEC_GAIN | MDWE_NO_INHERIT) || bits === MDWE_NO_INHERIT) return -EINVAL;
  const current = mdweBits(call);
  if (current !== 0 && current !== bits) return -EPERM;
  call.task.mdweNotInherited = (bits & MDWE_NO_INHERIT) !== 0;
  if ((bits & MDWE_REFUSE_EXEC_GAIN) !== 0) call.mm.denyWriteExec = true;
  return 0;
}

/** At most 15 bytes; the rest is cut off without a word. */
function readName(call: SyscallCall): string | null {
  let name = "";
  for (let i = 0n; i < COMM_BYTES - 1; i++) {
    const byte = call.user.readU8(call.u64(1) + i);
    if (byte === null) return null;
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return name;
}

function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(COMM_BYTES);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

const ARCH_SET_GS = 0x1001;
const ARCH_SET_FS = 0x1002;
const ARCH_GET_FS = 0x1003;
const ARCH_GET_GS = 0x1004;
const ARCH_GET_CPUID = 0x1011;
const ARCH_SET_CPUID = 0x1012;
const ARCH_GET_XCOMP_SUPP = 0x1021;
const ARCH_GET_XCOMP_PERM = 0x1022;
const ARCH_CODES = names("ARCH_???", {
  ARCH_SET_GS,
  ARCH_SET_FS,
  ARCH_GET_FS,
  ARCH_GET_GS,
  ARCH_GET_CPUID,
  ARCH_SET_CPUID,
  ARCH_GET_XCOMP_SUPP,
  ARCH_GET_XCOMP_PERM,
  ARCH_REQ_XCOMP_PERM: 0x1023,
  ARCH_CET_STATUS: 0x3001,
});

function archPrctl(call: SyscallCall): HandlerResult {
  const { registers } = call.kernel.cpu;
  switch (call.i32(0)) {
    case ARCH_SET_FS: {
      const base = call.n(1);
      if (base >= TASK_SIZE) return -EPERM;
      registers.fsBase = base;
      return 0;
    }
    case ARCH_SET_GS: {
      const base = call.n(1);
      if (base >= TASK_SIZE) return -EPERM;
      registers.gsBase = base;
      return 0;
    }
    case ARCH_GET_FS:
      return call.user.writeU64(call.word(1), baseBits(registers.fsBase)) ? 0 : -EFAULT;
    case ARCH_GET_GS:
      return call.user.writeU64(call.word(1), baseBits(registers.gsBase)) ? 0 : -EFAULT;
    case ARCH_GET_CPUID:
      return 1;
    case ARCH_SET_CPUID:
      // CPUID faulting is not announced by any CPU model.
      return -ENODEV;
    case ARCH_GET_XCOMP_SUPP:
    case ARCH_GET_XCOMP_PERM:
      return call.user.writeU64(call.word(1), call.kernel.pku ? 0x203 : 3) ? 0 : -EFAULT;
    default:
      return -EINVAL;
  }
}

/** WRFSBASE may have put a kernel-half address there, which the CPU gives as a negative number. */
const baseBits = (base: number): bigint => BigInt.asUintN(64, BigInt(base));

export const prctlSyscalls: readonly Definition[] = [
  define({
    number: 157,
    name: "prctl",
    args: [
      choice("option", OPTIONS),
      dependent("arg2", 0, [[PR_SET_NAME, { kind: "string" }]]),
      hex("arg3"),
      hex("arg4"),
      hex("arg5"),
    ],
    handler: prctl,
  }),
  define({
    number: 158,
    name: "arch_prctl",
    args: [choice("code", ARCH_CODES), address("addr")],
    handler: archPrctl,
  }),
];
