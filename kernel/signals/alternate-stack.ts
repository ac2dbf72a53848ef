/** The alternate signal stack (kernel/signal.c do_sigaltstack; include/linux/sched/signal.h). */

import { EINVAL, ENOMEM, EPERM } from "../errno.js";
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK, type AlternateStack } from "./state.js";

/** MINSIGSTKSZ of the ABI. */
const MINIMUM_STACK = 2048n;

/** True if `sp` is on the stack, whatever its flags. */
export function within(stack: AlternateStack, sp: bigint): boolean {
  return sp > stack.base && sp - stack.base <= stack.size;
}

/** True if `sp` counts as on the stack: an SS_AUTODISARM stack never does. */
export function isOnStack(stack: AlternateStack, sp: bigint): boolean {
  return (stack.flags & SS_AUTODISARM) === 0 && within(stack, sp);
}

/** SS_DISABLE, SS_ONSTACK or 0. */
export function stackState(stack: AlternateStack, sp: bigint): number {
  if (stack.size === 0n) return SS_DISABLE;
  return isOnStack(stack, sp) ? SS_ONSTACK : 0;
}

export function disarm(stack: AlternateStack): void {
  stack.base = 0n;
  stack.size = 0n;
  stack.flags = SS_DISABLE;
}

/**
 * Sets the stack, with the caller at `sp`. -EPERM while on it; -EINVAL for flags; -ENOMEM when it is too small.
 */
export function setAlternateStack(
  stack: AlternateStack,
  base: bigint,
  size: bigint,
  flags: number,
  sp: bigint,
): number {
  if (isOnStack(stack, sp)) return -EPERM;
  const mode = flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
  if (stack.base === base && stack.size === size && stack.flags === flags) return 0;
  if (mode === SS_DISABLE) {
    stack.base = 0n;
    stack.size = 0n;
  } else {
    if (size < MINIMUM_STACK) return -ENOMEM;
    stack.base = base;
    stack.size = size;
  }
  stack.flags = flags;
  return 0;
}
