/** prctl(2) and arch_prctl(2) (kernel/sys.c, arch/x86/kernel/process_64.c). */

import { FS, GS } from "../cpu/segments.js";
import type { HugePagesDisabled } from "../kernel/mm/huge/eligible.js";
import { EFAULT, EINVAL, ENODEV, EPERM } from "../kernel/errno.js";
import { CAP_LAST, CAP_SETPCAP, contains } from "../kernel/capabilities.js";
import {
  commitCredentials,
  hasCapability,
  SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE,
} from "../kernel/credentials.js";
import { mergeAnything, mergeNothing } from "../kernel/mm/ksm/mergeable.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { setBase } from "../kernel/segments/base.js";
import { SIGNAL_MAX } from "../kernel/signals/numbers.js";
import { address, choice, dependent, hex, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { switchOwnEvents } from "./perf-event-open.js";
import { modeNumber } from "../kernel/seccomp/filter.js";
import { setMm } from "./prctl-mm.js";
import { setUserDispatch } from "./prctl-user-dispatch.js";
import { nameMemory } from "./prctl-vma.js";
import { PR_GET_SEAL_HOOK, PR_SET_SEAL_HOOK, sealHookLength, setSealHook } from "./seal-hook.js";
import {
  getSpecialMappings,
  PR_GET_MSEAL_SYSTEM_MAPPINGS,
  PR_SET_MSEAL_SYSTEM_MAPPINGS,
  setSpecialMappings,
} from "./special-mappings.js";
import { setSeccompMode } from "./seccomp.js";
import { writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_KEEPCAPS = 7;
const PR_SET_KEEPCAPS = 8;
const PR_GET_TIMING = 13;
const PR_SET_TIMING = 14;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_GET_SECCOMP = 21;
const PR_SET_SECCOMP = 22;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_TSC = 25;
const PR_SET_TSC = 26;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_SET_TIMERSLACK = 29;
const PR_TASK_PERF_EVENTS_DISABLE = 31;
const PR_TASK_PERF_EVENTS_ENABLE = 32;
const PR_GET_TIMERSLACK = 30;
const PR_SET_MM = 35;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_GET_TID_ADDRESS = 40;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const PR_THP_DISABLE_EXCEPT_ADVISED = 2;
/** By what PR_GET_THP_DISABLE says: 1, or 1 with PR_THP_DISABLE_EXCEPT_ADVISED. */
const HUGE_PAGES_DISABLED: readonly (HugePagesDisabled | null)[] = ["no", "all", null, "unless-advised"];
const PR_CAP_AMBIENT = 47;
const PR_SET_SYSCALL_USER_DISPATCH = 59;
const PR_SET_MDWE = 65;
const PR_GET_MDWE = 66;
const PR_SET_MEMORY_MERGE = 67;
const PR_GET_MEMORY_MERGE = 68;
const PR_SET_VMA = 0x5356_4d41;

const PR_CAP_AMBIENT_IS_SET = 1;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_LOWER = 3;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const SECURE_SETTINGS = 0x555;
const SECURE_LOCKS = 0xaaa;
/** SECBIT_EXEC_*: what a program asks of interpreters; nobody needs a capability for them. */
const SECURE_UNPRIVILEGED = 0xf00;
const MDWE_REFUSE_EXEC_GAIN = 1;
const MDWE_NO_INHERIT = 2;
const COMM_BYTES = 16;

const OPTIONS = names("PR_???", {
  PR_SET_PDEATHSIG,
  PR_GET_PDEATHSIG,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  PR_GET_KEEPCAPS,
  PR_SET_KEEPCAPS,
  PR_GET_TIMING,
  PR_SET_TIMING,
  PR_SET_NAME,
  PR_GET_NAME,
  PR_GET_SECCOMP,
  PR_SET_SECCOMP,
  PR_CAPBSET_READ,
  PR_CAPBSET_DROP,
  PR_GET_TSC,
  PR_SET_TSC,
  PR_GET_SECUREBITS,
  PR_SET_SECUREBITS,
  PR_SET_TIMERSLACK,
  PR_TASK_PERF_EVENTS_DISABLE,
  PR_TASK_PERF_EVENTS_ENABLE,
  PR_GET_TIMERSLACK,
  PR_SET_MM,
  PR_SET_CHILD_SUBREAPER,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_NO_NEW_PRIVS,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_TID_ADDRESS,
  PR_SET_THP_DISABLE,
  PR_GET_THP_DISABLE,
  PR_CAP_AMBIENT,
  PR_SET_MDWE,
  PR_GET_MDWE,
  PR_SET_MEMORY_MERGE,
  PR_GET_MEMORY_MERGE,
  PR_SET_SYSCALL_USER_DISPATCH,
  PR_SET_VMA,
  PR_SET_SEAL_HOOK,
  PR_GET_SEAL_HOOK,
  PR_GET_MSEAL_SYSTEM_MAPPINGS,
  PR_SET_MSEAL_SYSTEM_MAPPINGS,
  PR_SET_PTRACER: 0x5961_6d61,
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
      return (task.credentials.securebits & SECBIT_KEEP_CAPS) === 0 ? 0 : 1;
    case PR_SET_KEEPCAPS:
      return setKeepCapabilities(call);
    case PR_GET_SECUREBITS:
      return task.credentials.securebits;
    case PR_SET_SECUREBITS:
      return setSecurebits(call);
    case PR_CAP_AMBIENT:
      return changeAmbient(call);
    case PR_GET_TIMING:
      return 0;
    case PR_GET_SECCOMP:
      return modeNumber(task.seccomp);
    case PR_SET_SECCOMP:
      return setSeccompMode(call);
    case PR_SET_SYSCALL_USER_DISPATCH:
      return setUserDispatch(task, call.kernel.release, call.u64(1), call.u64(2), call.u64(3), call.u64(4));
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
      return contains(task.credentials.bounding, capability) ? 1 : 0;
    }
    case PR_CAPBSET_DROP: {
      const capability = call.n(1);
      if (!hasCapability(task.credentials, CAP_SETPCAP)) return -EPERM;
      if (capability > CAP_LAST) return -EINVAL;
      const bounding = task.credentials.bounding & ~(1n << BigInt(capability));
      commitCredentials(task, { ...task.credentials, bounding });
      return 0;
    }
    case PR_GET_TSC:
      // PR_TSC_ENABLE.
      return user.writeU32(call.word(1), 1) ? 0 : -EFAULT;
    case PR_SET_TSC:
      // PR_TSC_ENABLE; the processor here cannot refuse RDTSC.
      return call.n(1) === 1 ? 0 : -EINVAL;
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
      return switchOwnEvents(call, call.u32(0) === PR_TASK_PERF_EVENTS_ENABLE);
    case PR_SET_TIMERSLACK: {
      const slack = call.s(1);
      task.timerSlackNanoseconds = slack <= 0 ? task.defaultTimerSlackNanoseconds : slack;
      return 0;
    }
    case PR_GET_TIMERSLACK:
      return task.timerSlackNanoseconds;
    case PR_SET_CHILD_SUBREAPER:
      task.process.childSubreaper = call.n(1) !== 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return user.writeU32(call.word(1), task.process.childSubreaper ? 1 : 0) ? 0 : -EFAULT;
    case PR_SET_NO_NEW_PRIVS:
      if (call.n(1) !== 1 || !allZero(call, 2, 3, 4)) return -EINVAL;
      task.noNewPrivileges = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return allZero(call, 1, 2, 3, 4) ? (task.noNewPrivileges ? 1 : 0) : -EINVAL;
    case PR_GET_TID_ADDRESS:
      return user.writeU64(call.word(1), task.clearChildTid) ? 0 : -EFAULT;
    case PR_SET_THP_DISABLE:
      return disableHugePages(call);
    case PR_GET_THP_DISABLE:
      return allZero(call, 1, 2, 3, 4) ? HUGE_PAGES_DISABLED.indexOf(task.mm.hugePagesDisabled) : -EINVAL;
    case PR_SET_MDWE:
      return setMdwe(call);
    case PR_GET_MDWE:
      if (!allZero(call, 1, 2, 3, 4)) return -EINVAL;
      return mdweBits(call);
    case PR_SET_MEMORY_MERGE:
      if (!allZero(call, 2, 3, 4)) return -EINVAL;
      return call.n(1) === 0 ? mergeNothing(call.mm) : mergeAnything(call.mm);
    case PR_GET_MEMORY_MERGE:
      return allZero(call, 1, 2, 3, 4) ? (call.mm.mergeAny ? 1 : 0) : -EINVAL;
    case PR_SET_SEAL_HOOK:
      return setSealHook(call);
    case PR_GET_SEAL_HOOK:
      return sealHookLength(call);
    case PR_GET_MSEAL_SYSTEM_MAPPINGS:
      return getSpecialMappings(call);
    case PR_SET_MSEAL_SYSTEM_MAPPINGS:
      return setSpecialMappings(call);
    case PR_SET_MM:
      return setMm(call);
    case PR_SET_VMA:
      return nameMemory(call);
    default:
      return -EINVAL;
  }
}

function setKeepCapabilities(call: SyscallCall): HandlerResult {
  const { task } = call;
  const wanted = call.n(1);
  const { securebits } = task.credentials;
  if (wanted > 1) return -EINVAL;
  if ((securebits & SECBIT_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
  const kept = wanted === 1 ? securebits | SECBIT_KEEP_CAPS : securebits & ~SECBIT_KEEP_CAPS;
  commitCredentials(task, { ...task.credentials, securebits: kept });
  return 0;
}

/** Bits come in pairs: the setting and, above it, its lock. A locked setting and a lock stay (cap_task_prctl). */
function setSecurebits(call: SyscallCall): HandlerResult {
  const { task } = call;
  const wanted = call.n(1);
  const old = task.credentials.securebits;
  if (wanted > (SECURE_SETTINGS | SECURE_LOCKS)) return -EPERM;
  const bits = wanted | 0;
  if (((((old & SECURE_LOCKS) >> 1) & (old ^ bits)) | (old & SECURE_LOCKS & ~bits)) !== 0) return -EPERM;
  if ((bits & ~(SECURE_SETTINGS | SECURE_LOCKS)) !== 0) return -EPERM;
  // To set what is set already takes the capability too.
  const changed = old ^ bits;
  const privileged = changed === 0 || (changed & ~SECURE_UNPRIVILEGED) !== 0;
  if (privileged && !hasCapability(task.credentials, CAP_SETPCAP)) return -EPERM;
  commitCredentials(task, { ...task.credentials, securebits: bits });
  return 0;
}

function changeAmbient(call: SyscallCall): HandlerResult {
  const { task } = call;
  const old = task.credentials;
  const action = call.n(1);
  if (action === PR_CAP_AMBIENT_CLEAR_ALL) {
    if (!allZero(call, 2, 3, 4)) return -EINVAL;
    commitCredentials(task, { ...old, ambient: 0n });
    return 0;
  }
  const capability = call.n(2);
  if (capability > CAP_LAST || !allZero(call, 3, 4)) return -EINVAL;
  if (action === PR_CAP_AMBIENT_IS_SET) return contains(old.ambient, capability) ? 1 : 0;
  const bit = 1n << BigInt(capability);
  if (action === PR_CAP_AMBIENT_LOWER) {
    commitCredentials(task, { ...old, ambient: old.ambient & ~bit });
    return 0;
  }
  if (action !== PR_CAP_AMBIENT_RAISE) return -EINVAL;
  const held = contains(old.permitted, capability) && contains(old.inheritable, capability);
  if (!held || (old.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
  commitCredentials(task, { ...old, ambient: old.ambient | bit });
  return 0;
}

function mdweBits(call: SyscallCall): number {
  return call.mm.denyWriteExec ? MDWE_REFUSE_EXEC_GAIN | (call.mm.mdweNotInherited ? MDWE_NO_INHERIT : 0) : 0;
}

/** Memory-deny-write-execute: set once, never changed (prctl_set_mdwe). */
function setMdwe(call: SyscallCall): HandlerResult {
  const bits = call.n(1);
  if (!allZero(call, 2, 3, 4)) return -EINVAL;
  if (bits > (MDWE_REFUSE_EXEC_GAIN | MDWE_NO_INHERIT) || bits === MDWE_NO_INHERIT) return -EINVAL;
  const current = mdweBits(call);
  if (current !== 0 && current !== bits) return -EPERM;
  call.mm.mdweNotInherited = (bits & MDWE_NO_INHERIT) !== 0;
  if ((bits & MDWE_REFUSE_EXEC_GAIN) !== 0) call.mm.denyWriteExec = true;
  return 0;
}

/** Turns huge pages off for the process and what it forks, or on again (prctl_set_thp_disable). */
function disableHugePages(call: SyscallCall): HandlerResult {
  const disable = call.n(1) !== 0;
  const flags = Number(call.u64(2));
  const known = disable && call.mm.env.release.hugePagesDisableKnowsAdvice;
  if (!allZero(call, 3, 4) || (flags !== 0 && !(known && flags === PR_THP_DISABLE_EXCEPT_ADVISED)))
    return -EINVAL;
  call.mm.hugePagesDisabled = !disable ? "no" : flags === 0 ? "all" : "unless-advised";
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
      setBase(call.kernel.cpu, FS, base);
      return 0;
    }
    case ARCH_SET_GS: {
      const base = call.n(1);
      if (base >= TASK_SIZE) return -EPERM;
      setBase(call.kernel.cpu, GS, base);
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
      dependent("arg2", 0, [
        [PR_SET_NAME, { kind: "string" }],
        [PR_GET_NAME, { kind: "buffer-out", length: "string" }],
      ]),
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
