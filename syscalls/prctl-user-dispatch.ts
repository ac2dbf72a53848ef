/** prctl(PR_SET_SYSCALL_USER_DISPATCH) (kernel/entry/syscall_user_dispatch.c). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import type { Release } from "../kernel/release.js";
import type { Task } from "../kernel/task.js";

const PR_SYS_DISPATCH_OFF = 0n;
const PR_SYS_DISPATCH_ON = 1n;
/** Calls from within the region are dispatched, not those from without. */
const PR_SYS_DISPATCH_INCLUSIVE_ON = 2n;

const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);

/** EINVAL (a mode, a region that is none, arguments with OFF), EFAULT (the selector lies outside of user space). */
export function setUserDispatch(
  task: Task,
  release: Release,
  mode: bigint,
  offset: bigint,
  length: bigint,
  selector: bigint,
): number {
  const overflows = wrapped(offset + length) <= offset;
  switch (mode) {
    case PR_SYS_DISPATCH_OFF:
      if (offset !== 0n || length !== 0n || selector !== 0n) return -EINVAL;
      task.userDispatch = null;
      return 0;
    case PR_SYS_DISPATCH_ON:
      if (offset !== 0n && overflows) return -EINVAL;
      break;
    case PR_SYS_DISPATCH_INCLUSIVE_ON:
      if (release.rules.userDispatchModes !== "both" || length === 0n || overflows) return -EINVAL;
      // Everything else is what passes: the region goes on behind its end, round to its start.
      offset = wrapped(offset + length);
      length = wrapped(-length);
      break;
    default:
      return -EINVAL;
  }
  if (selector !== 0n && selector >= BigInt(TASK_SIZE)) return -EFAULT;
  task.userDispatch = { offset, length, selector };
  return 0;
}
