/** A tracer's requests about its tracee's registers (arch/x86/kernel/ptrace.c). */

import { FS, GS } from "../cpu/segments.js";
import { readDebugRegister, writeDebugRegister } from "../kernel/debug-registers/traced.js";
import { EFAULT, EINVAL, EIO, EPERM } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
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
import { setBase } from "../kernel/segments/base.js";
import type { Task } from "../kernel/task.js";
import { ARCH_GET_FS, ARCH_GET_GS, ARCH_SET_FS, ARCH_SET_GS } from "./arch-prctl.js";
import type { SyscallCall } from "./call.js";
import { writeBytes } from "./structs.js";

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

function userOffset(call: SyscallCall): number {
  const offset = call.n(2);
  return offset % 8 === 0 && offset < USER_BYTES ? offset : -EIO;
}

/** PTRACE_PEEKUSER: a word of struct user: a register, or 0. */
export function peekUser(call: SyscallCall, target: Task): number {
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

/** PTRACE_POKEUSER */
export function pokeUser(call: SyscallCall, target: Task): number {
  const offset = userOffset(call);
  if (offset < 0) return offset;
  const value = call.u64(3);
  if (offset < USER_REGS_BYTES) return writeUserWord(call.kernel, target, offset, value);
  if (offset >= USER_DEBUG && offset < USER_DEBUG + DEBUG_BYTES)
    return writeDebugRegister(call.kernel, target, (offset - USER_DEBUG) / 8, value);
  return -EIO;
}

/** PTRACE_GETREGS: struct user_regs_struct. */
export function getRegs(call: SyscallCall, target: Task): number {
  return writeBytes(call.user, call.word(3), readUserRegs(call.kernel, target));
}

/** PTRACE_SETREGS */
export function setRegs(call: SyscallCall, target: Task): number {
  const bytes = call.user.read(call.word(3), USER_REGS_BYTES);
  return typeof bytes === "number" ? bytes : writeUserRegs(call.kernel, target, bytes);
}

/** PTRACE_GETFPREGS: struct user_fpregs_struct, what FXSAVE stores. */
export function getFpregs(call: SyscallCall, target: Task): number {
  return writeBytes(call.user, call.word(3), readXstate(call.kernel, target).subarray(0, FPREGS_BYTES));
}

/** PTRACE_SETFPREGS */
export function setFpregs(call: SyscallCall, target: Task): number {
  const bytes = call.user.read(call.word(3), FPREGS_BYTES);
  return typeof bytes === "number" ? bytes : writeLegacy(call, target, bytes);
}

function writeLegacy(call: SyscallCall, target: Task, bytes: Uint8Array): number {
  const area = readXstate(call.kernel, target);
  area.set(bytes);
  writeXstate(call.kernel, target, area);
  return 0;
}

/** PTRACE_GETREGSET and PTRACE_SETREGSET: what the iovec has room for. */
export function registerSet(call: SyscallCall, target: Task, write: boolean): number {
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

/** PTRACE_ARCH_PRCTL: arch_prctl(2) for the tracee, of its segment bases. */
export function archPrctl(call: SyscallCall, target: Task): number {
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
