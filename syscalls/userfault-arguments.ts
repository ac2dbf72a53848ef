/** What the requests of ioctl_userfaultfd(2) have in common: ranges of pages, results in their structures. */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import type { UserfaultContext } from "../kernel/mm/userfault/context.js";
import type { SyscallCall } from "./call.js";
import { readView } from "./structs.js";

/** A 64-bit value into user memory; 0 or -EFAULT. */
export function put64(call: SyscallCall, at: number, value: bigint): number {
  return call.user.writeU64(at, BigInt.asUintN(64, value)) ? 0 : -EFAULT;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Two 64-bit words as whole pages in user space above mmap_min_addr; null: EINVAL (validate_range). */
export function rangeAt(view: DataView, at: number, context: UserfaultContext, aligned = true): Range | null {
  const start = view.getBigUint64(at, true);
  const length = view.getBigUint64(at + 8, true);
  const limit = BigInt(TASK_SIZE);
  if (start >= limit || length === 0n || length > limit - start) return null;
  if (start < BigInt(context.mm.env.settings.mmapMinAddr) || length % 4096n !== 0n) return null;
  if (aligned && start % 4096n !== 0n) return null;
  return { start: Number(start), end: Number(start + length) };
}

/** EFAULT, EINVAL (the range), what `work` says. */
export function onRange(
  call: SyscallCall,
  context: UserfaultContext,
  work: (start: number, end: number) => number,
): number {
  const view = readView(call.user, call.word(2), 16);
  if (typeof view === "number") return view;
  const range = rangeAt(view, 0, context);
  return range === null ? -EINVAL : work(range.start, range.end);
}
