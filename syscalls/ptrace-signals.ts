/** A tracer's requests about its tracee's signals (kernel/ptrace.c). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { setBlocked } from "../kernel/signals/mask.js";
import { decodeSiginfo, encodeSiginfo, SIGINFO_BYTES } from "../kernel/signals/siginfo.js";
import { SignalSet } from "../kernel/signals/signal-set.js";
import type { Task } from "../kernel/task.js";
import type { SyscallCall } from "./call.js";
import { writeBytes } from "./structs.js";

const PEEKSIGINFO_SHARED = 1;
/** sizeof(sigset_t) as the kernel has it. */
const MASK_BYTES = 8;

/** A stop with its process of a task that was not seized, which nothing is said of (last_siginfo is null). */
function isPlainGroupStop({ tracing }: Task): boolean {
  return tracing!.stop!.kind === "group" && !tracing!.seized;
}

/** PTRACE_GETSIGINFO: of the signal that it stands still for. */
export function getSiginfo(call: SyscallCall, target: Task): number {
  if (isPlainGroupStop(target)) return -EINVAL;
  return writeBytes(call.user, call.word(3), encodeSiginfo(target.tracing!.stop!.info));
}

/** PTRACE_SETSIGINFO */
export function setSiginfo(call: SyscallCall, target: Task): number {
  if (isPlainGroupStop(target)) return -EINVAL;
  const bytes = call.user.read(call.word(3), SIGINFO_BYTES);
  if (typeof bytes === "number") return bytes;
  const signo = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  target.tracing!.stop!.info = decodeSiginfo(signo, bytes);
  return 0;
}

/** PTRACE_PEEKSIGINFO: struct ptrace_peeksiginfo_args { offset, flags, nr }; the number of signals copied. */
export function peekSiginfo(call: SyscallCall, target: Task): number {
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

/** PTRACE_GETSIGMASK: the mask that it comes back to, where it waits with another. */
export function getSigmask(call: SyscallCall, target: Task): number {
  if (call.word(2) !== MASK_BYTES) return -EINVAL;
  return writeBytes(call.user, call.word(3), (target.signals.saved ?? target.signals.blocked).toBytes());
}

/** PTRACE_SETSIGMASK */
export function setSigmask(call: SyscallCall, target: Task): number {
  if (call.word(2) !== MASK_BYTES) return -EINVAL;
  const bytes = call.user.read(call.word(3), MASK_BYTES);
  if (typeof bytes === "number") return bytes;
  target.signals.saved = null;
  setBlocked(target, SignalSet.fromBytes(bytes));
  return 0;
}
