/** What a process has consumed: getrusage, times (kernel/sys.c). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { addUsage } from "../kernel/wait-child.js";
import { minorFaultsOf } from "../kernel/thread-faults.js";
import { noUsage, type Task, type Usage } from "../kernel/task.js";
import { choice, names, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { timevalBytes, writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const RUSAGE_THREAD = 1;
const RUSAGE_WHO = names("RUSAGE_???", { RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD });
const RUSAGE_BYTES = 144;
/** Nanoseconds in a tick of USER_HZ. */
const CLOCK_T = 10_000_000;
const KIB_PER_PAGE = 4;

/** struct rusage: all processor time is user time. */
export function usageBytes(usage: Usage): Uint8Array {
  const bytes = new Uint8Array(RUSAGE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(timevalBytes(usage.instructions), 0);
  view.setBigInt64(32, BigInt(usage.maxResident * KIB_PER_PAGE), true);
  view.setBigInt64(64, BigInt(usage.minorFaults), true);
  view.setBigInt64(72, BigInt(usage.majorFaults), true);
  return bytes;
}

/** The caller's process, or its thread. */
function usageNow(task: Task, thread: boolean): Usage {
  const { mm, process } = task;
  const sum = noUsage();
  addUsage(sum, process.usage);
  if (thread) sum.instructions = task.instructions;
  if (thread) sum.minorFaults = minorFaultsOf(task, true);
  else sum.minorFaults += mm.stats.minorFaults;
  sum.majorFaults += mm.stats.majorFaults;
  sum.maxResident = Math.max(sum.maxResident, mm.anonPages + mm.filePages);
  return sum;
}

function getrusage(call: SyscallCall): HandlerResult {
  const who = call.i32(0);
  if (who !== RUSAGE_SELF && who !== RUSAGE_CHILDREN && who !== RUSAGE_THREAD) return -EINVAL;
  const { task } = call;
  const usage = who === RUSAGE_CHILDREN ? task.process.childrenUsage : usageNow(task, who === RUSAGE_THREAD);
  return writeBytes(call.user, call.word(1), usageBytes(usage));
}

function times(call: SyscallCall): HandlerResult {
  const address = call.word(0);
  if (address !== 0) {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    const ticks = (usage: Usage): bigint => BigInt(Math.floor(usage.instructions / CLOCK_T));
    view.setBigInt64(0, ticks(call.task.process.usage), true);
    view.setBigInt64(16, ticks(call.task.process.childrenUsage), true);
    if (writeBytes(call.user, address, bytes) !== 0) return -EFAULT;
  }
  return Math.floor(call.kernel.clock.monotonic() / CLOCK_T);
}

export const usageSyscalls: readonly Definition[] = [
  define({
    number: 98,
    name: "getrusage",
    args: [choice("who", RUSAGE_WHO), structOut("usage", "rusage")],
    handler: getrusage,
  }),
  define({ number: 100, name: "times", args: [structOut("buf", "tms")], handler: times }),
];
