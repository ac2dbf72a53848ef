/** The signal mask that ppoll, pselect6 and epoll_pwait have in place while they wait (set_user_sigmask). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { setBlocked } from "../kernel/signals/mask.js";
import { SignalSet } from "../kernel/signals/signal-set.js";
import type { SyscallCall } from "./call.js";

const SIGSET_BYTES = 8;

/** Puts the mask in place, once; the kernel puts the old one back when a signal ends the call. 0 or -errno. */
export function useMask(call: SyscallCall, pointer: Word, size: number): number {
  if (call.resumed || isZero(pointer)) return 0;
  if (size !== SIGSET_BYTES) return -EINVAL;
  const bytes = call.user.read(pointer, SIGSET_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const { signals } = call.task;
  // The call may be at its start again after a page fault that a userfaultfd answered.
  signals.saved ??= signals.blocked.copy();
  setBlocked(call.task, SignalSet.fromBytes(bytes));
  return 0;
}

/** The call ends without a signal: the mask it borrowed goes back. */
export function restoreMask(call: SyscallCall, pointer: Word): void {
  const { signals } = call.task;
  if (isZero(pointer) || signals.saved === null) return;
  setBlocked(call.task, signals.saved);
  signals.saved = null;
}
