/** What is left of an interrupted sleep (kernel/time/hrtimer.c nanosleep_copyout). */

import type { Kernel } from "./kernel.js";
import { wordOf } from "./mm/word.js";
import type { Task } from "./task.js";

const NANOSECONDS = 1_000_000_000;

/** Writes the time left where the call asked for it; false for a bad pointer. */
export function writeRemainder(kernel: Kernel, task: Task): boolean {
  const block = task.restart;
  if (block?.kind !== "nanosleep" || block.remainder === 0n) return true;
  const left = Math.max(0, block.deadline - kernel.clock.monotonic());
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(left / NANOSECONDS)), true);
  view.setBigInt64(8, BigInt(Math.floor(left % NANOSECONDS)), true);
  return task.user.copyOut(wordOf(block.remainder), bytes) === bytes.length;
}
