/** PR_SET_SYSCALL_USER_DISPATCH: calls from outside of a region raise SIGSYS (kernel/entry/syscall_user_dispatch.c). */

import type { Kernel } from "./kernel.js";
import { sysSignal } from "./seccomp/enter.js";
import { SIGSEGV, SIGSYS } from "./signals/numbers.js";
import { forceSignal, kernelSignal } from "./signals/send.js";
import type { Task } from "./task.js";

const SYS_USER_DISPATCH = 2;
const FILTER_ALLOW = 0;
const FILTER_BLOCK = 1;

/** Set for one thread: clone, fork and execve leave it behind. */
export interface UserDispatch {
  /** Calls from [offset, offset + length), counted round the end of 64 bits, are made at once. */
  readonly offset: bigint;
  readonly length: bigint;
  /** A byte of the program's that says whether others are made; 0: they never are. */
  readonly selector: bigint;
}

/** @returns true where the call is not made: the program hears of it by a signal, and no tracer does */
export function dispatchToUser(kernel: Kernel, task: Task, dispatch: UserDispatch): boolean {
  const at = BigInt.asUintN(64, kernel.cpu.registers.ripBig);
  if (BigInt.asUintN(64, at - dispatch.offset) < dispatch.length) return false;
  if (dispatch.selector !== 0n) {
    const state = task.user.readU8(dispatch.selector);
    if (state === FILTER_ALLOW) return false;
    if (state !== FILTER_BLOCK) {
      forceSignal(task, kernelSignal(state === null ? SIGSEGV : SIGSYS), "exit");
      return true;
    }
  }
  forceSignal(task, sysSignal(kernel, task, SYS_USER_DISPATCH, 0));
  return true;
}
