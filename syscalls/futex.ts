/**
 * futex(2) (kernel/futex/). With one task nobody can be woken by another: a wait ends by its time or a signal.
 * Priority-inheriting operations are absent: ENOSYS, as on a kernel without CONFIG_FUTEX_PI.
 */

import { EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT } from "../kernel/errno.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { address, choiceAndFlags, hex, names, structIn, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readTimespecExact } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_PRIVATE_FLAG = 128;
const FUTEX_CLOCK_REALTIME = 256;
const COMMAND_MASK = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
const MATCH_ANY = 0xffff_ffff;

const COMMANDS = names("FUTEX_???", {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_FD: 2,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI: 6,
  FUTEX_UNLOCK_PI: 7,
  FUTEX_TRYLOCK_PI: 8,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI: 11,
  FUTEX_CMP_REQUEUE_PI: 12,
  FUTEX_LOCK_PI2: 13,
});
const FLAGS = names("FUTEX_???", { FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME });

function futex(call: SyscallCall): HandlerResult {
  const operation = call.i32(1);
  const command = operation & COMMAND_MASK;
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0;
  if (realtime && command !== FUTEX_WAIT_BITSET) return -ENOSYS;
  switch (command) {
    case FUTEX_WAIT:
      return wait(call, MATCH_ANY, false, false);
    case FUTEX_WAIT_BITSET:
      return wait(call, call.u32(5), true, realtime);
    case FUTEX_WAKE:
      return wake(call, operation, MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return wake(call, operation, call.u32(5));
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
      return requeue(call, command === FUTEX_CMP_REQUEUE);
    case FUTEX_WAKE_OP:
      return wakeOperation(call);
    default:
      return -ENOSYS;
  }
}

/** Goes on with an interrupted wait that had a time. */
export function restartFutex(call: SyscallCall, deadline: number | null): HandlerResult {
  return waitUntil(call, MATCH_ANY, deadline);
}

function wait(call: SyscallCall, bitset: number, absolute: boolean, realtime: boolean): HandlerResult {
  const { kernel } = call;
  let deadline: number | null = null;
  const timeout = call.word(3);
  if (timeout !== 0) {
    const given = readTimespecExact(call.user, timeout);
    if (typeof given === "number") return given;
    const monotonic = kernel.clock.monotonic();
    if (!absolute) deadline = monotonic + Number(given);
    else deadline = realtime ? Number(given - kernel.clock.realtimeOrigin) : Number(given);
  }
  if (bitset === 0) return -EINVAL;
  return waitUntil(call, bitset, call.resumed === null ? deadline : call.resumed.deadline);
}

function waitUntil(call: SyscallCall, bitset: number, deadline: number | null): HandlerResult {
  const { task, user, kernel, resumed } = call;
  const at = call.n(0);
  if (at % 4 !== 0) return -EINVAL;
  if (resumed?.kind === "futex" && resumed.woken) return 0;
  if (resumed === null) {
    const value = user.readU32(call.word(0));
    if (value === null) return -EFAULT;
    if (value !== call.u32(2)) return -EAGAIN;
  }
  if (deadline !== null && kernel.clock.monotonic() >= deadline) {
    task.restart = null;
    return -ETIMEDOUT;
  }
  if (deadline !== null) task.restart = { kind: "futex", deadline };
  const interrupted = deadline === null ? ERESTARTSYS : ERESTART_RESTARTBLOCK;
  task.waiting = { kind: "futex", address: at, bitset, woken: false, deadline, timedOut: false, interrupted };
  return BLOCKED;
}

/** A shared futex is known by its page, which must be there; a private one by its address alone. */
function checkAddress(call: SyscallCall, operation: number): number {
  if (call.n(0) % 4 !== 0) return -EINVAL;
  const shared = (operation & FUTEX_PRIVATE_FLAG) === 0;
  return shared && call.user.readU32(call.word(0)) === null ? -EFAULT : 0;
}

function wake(call: SyscallCall, operation: number, bitset: number): HandlerResult {
  if (bitset === 0) return -EINVAL;
  const checked = checkAddress(call, operation);
  if (checked !== 0) return checked;
  let woken = 0;
  for (const task of call.kernel.tasks.values()) {
    const { waiting } = task;
    if (waiting?.kind !== "futex" || task.mm !== call.mm || waiting.address !== call.n(0)) continue;
    if ((waiting.bitset & bitset) === 0 || waiting.woken || woken >= call.i32(2)) continue;
    waiting.woken = true;
    woken++;
  }
  return woken;
}

function requeue(call: SyscallCall, compare: boolean): HandlerResult {
  if (call.i32(2) < 0 || call.i32(3) < 0) return -EINVAL;
  if (call.n(0) % 4 !== 0 || call.n(4) % 4 !== 0) return -EINVAL;
  if (compare) {
    const value = call.user.readU32(call.word(0));
    if (value === null) return -EFAULT;
    if (value !== call.u32(5)) return -EAGAIN;
  }
  return 0;
}

/** FUTEX_WAKE_OP: changes the second word; nobody waits on either. */
function wakeOperation(call: SyscallCall): HandlerResult {
  if (call.n(0) % 4 !== 0 || call.n(4) % 4 !== 0) return -EINVAL;
  const encoded = call.u32(5);
  const comparison = (encoded >>> 24) & 15;
  let operand = (encoded << 8) >> 20;
  const kind = (encoded >>> 28) & 7;
  const shifted = encoded >>> 31 !== 0;
  if (shifted) operand = 1 << (operand & 31);
  const old = call.user.readU32(call.word(4));
  if (old === null) return -EFAULT;
  const changed = [operand, old + operand, old | operand, old & ~operand, old ^ operand][kind];
  if (changed === undefined) return -ENOSYS;
  if (!call.user.writeU32(call.word(4), changed >>> 0)) return -EFAULT;
  return comparison > 5 ? -ENOSYS : 0;
}

export const futexSyscalls: readonly Definition[] = [
  define({
    number: 202,
    name: "futex",
    args: [
      address("uaddr"),
      choiceAndFlags("op", COMMAND_MASK, COMMANDS, FLAGS),
      uint("val"),
      structIn("timeout", "timespec"),
      address("uaddr2"),
      hex("val3"),
    ],
    handler: futex,
  }),
];
