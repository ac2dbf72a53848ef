/** prctl(2) (kernel/sys.c). */

import type { HugePagesDisabled } from "../kernel/mm/huge/eligible.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { SECBIT_KEEP_CAPS } from "../kernel/credentials.js";
import { mergeAnything, mergeNothing } from "../kernel/mm/ksm/mergeable.js";
import { SIGNAL_MAX } from "../kernel/signals/numbers.js";
import { choice, dependent, hex, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { switchOwnEvents } from "./perf-event-open.js";
import { modeNumber } from "../kernel/seccomp/filter.js";
import {
  changeAmbient,
  dropBounding,
  readBounding,
  setKeepCapabilities,
  setSecurebits,
} from "./prctl-capabilities.js";
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
    case PR_CAPBSET_READ:
      return readBounding(call);
    case PR_CAPBSET_DROP:
      return dropBounding(call);
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
      if (call.n(1) !== 1 || !call.allZero(2, 3, 4)) return -EINVAL;
      task.noNewPrivileges = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return call.allZero(1, 2, 3, 4) ? (task.noNewPrivileges ? 1 : 0) : -EINVAL;
    case PR_GET_TID_ADDRESS:
      return user.writeU64(call.word(1), task.clearChildTid) ? 0 : -EFAULT;
    case PR_SET_THP_DISABLE:
      return disableHugePages(call);
    case PR_GET_THP_DISABLE:
      return call.allZero(1, 2, 3, 4) ? HUGE_PAGES_DISABLED.indexOf(task.mm.hugePagesDisabled) : -EINVAL;
    case PR_SET_MDWE:
      return setMdwe(call);
    case PR_GET_MDWE:
      if (!call.allZero(1, 2, 3, 4)) return -EINVAL;
      return mdweBits(call);
    case PR_SET_MEMORY_MERGE:
      if (!call.allZero(2, 3, 4)) return -EINVAL;
      return call.n(1) === 0 ? mergeNothing(call.mm) : mergeAnything(call.mm);
    case PR_GET_MEMORY_MERGE:
      return call.allZero(1, 2, 3, 4) ? (call.mm.mergeAny ? 1 : 0) : -EINVAL;
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

function mdweBits(call: SyscallCall): number {
  return call.mm.denyWriteExec ? MDWE_REFUSE_EXEC_GAIN | (call.mm.mdweNotInherited ? MDWE_NO_INHERIT : 0) : 0;
}

/** Memory-deny-write-execute: set once, never changed (prctl_set_mdwe). */
function setMdwe(call: SyscallCall): HandlerResult {
  const bits = call.n(1);
  if (!call.allZero(2, 3, 4)) return -EINVAL;
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
  if (!call.allZero(3, 4) || (flags !== 0 && !(known && flags === PR_THP_DISABLE_EXCEPT_ADVISED)))
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
];
