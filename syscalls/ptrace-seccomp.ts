/** A tracer's requests about seccomp and user dispatch (kernel/seccomp.c, kernel/entry/syscall_user_dispatch.c). */

import { BPF_INSTRUCTION_BYTES, encodeBpf } from "../kernel/bpf/instruction.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EACCES, EFAULT, EINVAL, ENOENT } from "../kernel/errno.js";
import type { SeccompFilter } from "../kernel/seccomp/filter.js";
import type { Task } from "../kernel/task.js";
import type { SyscallCall } from "./call.js";
import { setUserDispatch } from "./prctl-user-dispatch.js";
import { readView, writeBytes } from "./structs.js";

export const PTRACE_SECCOMP_GET_FILTER = 0x420c;
export const PTRACE_SECCOMP_GET_METADATA = 0x420d;
export const PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG = 0x4210;
export const PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG = 0x4211;

const METADATA_BYTES = 16;
const FLAG_LOG = 2n;

/** The filter that was installed `from` after the first one (get_nth_filter). */
function nth(call: SyscallCall, { seccomp }: Task, from: bigint): SeccompFilter | number {
  if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN) || call.task.seccomp !== null) return -EACCES;
  if (seccomp?.mode !== "filter") return -EINVAL;
  const chain = [...seccomp.filter.chain()];
  return from < BigInt(chain.length) ? chain[chain.length - 1 - Number(from)]! : -ENOENT;
}

/** PTRACE_SECCOMP_GET_FILTER: how many instructions it has, which are copied out where there is room for them. */
export function getFilter(call: SyscallCall, target: Task): number {
  const filter = nth(call, target, call.u64(2));
  if (typeof filter === "number") return filter;
  const { program } = filter;
  if (call.u64(3) === 0n) return program.length;
  const bytes = new Uint8Array(program.length * BPF_INSTRUCTION_BYTES);
  encodeBpf(program, bytes);
  return writeBytes(call.user, call.word(3), bytes) === 0 ? program.length : -EFAULT;
}

/** PTRACE_SECCOMP_GET_METADATA: struct seccomp_metadata { filter_off, flags }, as much of it as asked for. */
export function getMetadata(call: SyscallCall, target: Task): number {
  const size = Math.min(call.n(2), METADATA_BYTES);
  if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN) || call.task.seccomp !== null) return -EACCES;
  if (size < 8) return -EINVAL;
  const view = readView(call.user, call.word(3), 8);
  if (typeof view === "number") return view;
  const from = view.getBigUint64(0, true);
  const filter = nth(call, target, from);
  if (typeof filter === "number") return filter;
  const words = BigUint64Array.of(from, filter.logs ? FLAG_LOG : 0n);
  const bytes = new Uint8Array(words.buffer, 0, size);
  return writeBytes(call.user, call.word(3), bytes) === 0 ? size : -EFAULT;
}

/** struct ptrace_sud_config { mode, selector, offset, len }. */
const DISPATCH_BYTES = 32;

export function getDispatch(call: SyscallCall, { userDispatch }: Task): number {
  if (call.u64(2) !== BigInt(DISPATCH_BYTES)) return -EINVAL;
  const { selector, offset, length } = userDispatch ?? { selector: 0n, offset: 0n, length: 0n };
  const words = BigUint64Array.of(userDispatch === null ? 0n : 1n, selector, offset, length);
  return writeBytes(call.user, call.word(3), new Uint8Array(words.buffer)) === 0 ? 0 : -EFAULT;
}

export function setDispatch(call: SyscallCall, target: Task): number {
  if (call.u64(2) !== BigInt(DISPATCH_BYTES)) return -EINVAL;
  const view = readView(call.user, call.word(3), DISPATCH_BYTES);
  if (typeof view === "number") return view;
  const word = (at: number): bigint => view.getBigUint64(at, true);
  return setUserDispatch(target, call.kernel.release, word(0), word(16), word(24), word(8));
}
