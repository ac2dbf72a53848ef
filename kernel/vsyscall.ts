/**
 * The vsyscall page (arch/x86/entry/vsyscall/vsyscall_64.c, vsyscall=xonly): three calls of old at fixed addresses
 * above user space. No area is there: a jump to it faults, and the kernel does what was called.
 */

import { EFAULT } from "./errno.js";
import type { Kernel } from "./kernel.js";
import { formatSpecialArea } from "./mm/proc-smaps.js";
import { RAX, RSP } from "./processor.js";
import { SIGSEGV } from "./signals/numbers.js";
import { forceSignal, kernelSignal } from "./signals/send.js";
import type { Task } from "./task.js";

const PAGE = 0xffff_ffff_ff60_0000n;
const PAGE_BYTES = 4096n;
/** Bytes between two entries. */
const ENTRY = 0x400n;
/** Of a page fault's error code: an access by user code, a fetch. */
const FETCH_BY_USER = 0x14;
/** gettimeofday, time, getcpu. */
const CALLS = [96, 201, 309];
const RDX = 2;
const GETCPU = 309;

/** Serves a page fault if it is a call through the page. @returns false where it is an ordinary fault */
export function emulateVsyscall(kernel: Kernel, task: Task, address: bigint, errorCode: number): boolean {
  const { registers } = kernel.cpu;
  if (kernel.parameters.vsyscall === "none" || address < PAGE || address >= PAGE + PAGE_BYTES) return false;
  if ((errorCode & FETCH_BY_USER) !== FETCH_BY_USER) return false;
  const offset = address - PAGE;
  const number = offset % ENTRY === 0n ? CALLS[Number(offset / ENTRY)] : undefined;
  const stack = BigInt.asUintN(64, registers.get(RSP));
  const caller = number === undefined ? null : task.user.readU64(stack);
  let result: number | bigint = -EFAULT;
  if (number !== undefined && caller !== null) {
    // getcpu's third argument is not passed on.
    if (number === GETCPU) registers.setNumber(RDX, 0);
    result = kernel.emulateCall(task, number);
  }
  if (caller === null || result === -EFAULT) {
    forceSignal(task, kernelSignal(SIGSEGV));
    return true;
  }
  if (typeof result === "bigint") registers.set(RAX, BigInt.asUintN(64, result));
  else registers.setNumber(RAX, result);
  registers.ripBig = caller;
  registers.set(RSP, BigInt.asUintN(64, stack + 8n));
  return true;
}

const LINE = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

/** The page's line of /proc/PID/maps; empty where there is none. */
export function vsyscallMaps(kernel: Kernel): string {
  return kernel.parameters.vsyscall === "none" ? "" : LINE;
}

/** Its paragraph of /proc/PID/smaps: sealed, it says so; nothing else comes of it. */
export function vsyscallSmaps(kernel: Kernel): string {
  if (kernel.parameters.vsyscall === "none") return "";
  const { sealed, vsyscall } = kernel.parameters.specialMappings;
  return formatSpecialArea(LINE, sealed && vsyscall ? ["ex", "sl"] : ["ex"], kernel.pku);
}
