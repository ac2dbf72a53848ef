/** What is left of an interrupted sleep (kernel/time/hrtimer.c nanosleep_copyout). */

import type { Kernel } from "./kernel.js";
import { wordOf } from "./mm/word.js";
import type { Task } from "./task.js";
import type { FileWait } from "./wait.js";

const NANOSECONDS = 1_000_000_000;

/** Writes the time left where the call asked for it; false for a bad pointer. */
export function writeRemainder(kernel: Kernel, task: Task): boolean {
  const block = task.restart;
  if (block?.kind !== "nanosleep" || block.remainder === 0n) return true;
  const long = timeUntil(kernel, block.deadline, 1);
  const bytes = block.short === true ? Uint8Array.of(...long.subarray(0, 4), ...long.subarray(8, 12)) : long;
  return task.user.copyOut(wordOf(block.remainder), bytes) === bytes.length;
}

/** The same for select and ppoll, which ask for it in the place of their time-out (poll_select_finish). */
export function writeTimeLeft(kernel: Kernel, task: Task, { timeLeft, deadline }: FileWait): void {
  if (timeLeft === undefined || deadline === null) return;
  task.user.copyOut(timeLeft.address, timeUntil(kernel, deadline, timeLeft.unit));
}

/** A struct timespec, or with a unit of 1000 a timeval. */
function timeUntil(kernel: Kernel, deadline: number, unit: number): Uint8Array {
  const left = Math.max(0, deadline - kernel.clock.monotonic());
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.floor(left / NANOSECONDS)), true);
  view.setBigInt64(8, BigInt(Math.floor((left % NANOSECONDS) / unit)), true);
  return bytes;
}
