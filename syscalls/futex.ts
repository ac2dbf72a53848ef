/** futex(2) (kernel/futex/syscalls.c, waitwake.c, requeue.c, pi.c). */

import { EAGAIN, EFAULT, EINVAL, ENOSYS } from "../kernel/errno.js";
import { changeWord } from "../kernel/futex/operation.js";
import { sameFutex, type FutexFlags } from "../kernel/futex/key.js";
import { requeuePi } from "../kernel/futex/requeue-pi.js";
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMP_REQUEUE,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI,
  FUTEX_LOCK_PI2,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_TRYLOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
} from "../kernel/futex/uapi.js";
import { address, choiceAndFlags, dependent, hex, names, structIn, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { lockPiFutex, unlockPiFutex, waitRequeuePi } from "./futex-pi.js";
import { futexKey, readUntil, resumedFutex, waitForFutex, FOR_EVER, type TimeBase } from "./futex-wait.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const COMMAND_MASK = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

const COMMANDS = names("FUTEX_???", {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_FD: 2,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_TRYLOCK_PI,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI2,
});
const FLAGS = names("FUTEX_???", { FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME });
/** Of the others the fourth argument is a number, or nothing. */
const WITH_TIME = new Set([
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_LOCK_PI,
  FUTEX_LOCK_PI2,
  FUTEX_WAIT_REQUEUE_PI,
]);
const MAY_FOLLOW_REALTIME = new Set([FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2]);

/** -EFAULT and -EINVAL of the time come before everything else, even before an unknown clock's -ENOSYS. */
function futex(call: SyscallCall): HandlerResult {
  const operation = call.i32(1);
  const command = operation & COMMAND_MASK;
  const flags: FutexFlags = { shared: (operation & FUTEX_PRIVATE_FLAG) === 0, numa: false };
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0;
  const until =
    WITH_TIME.has(command) && resumedFutex(call) === null
      ? readUntil(call, call.word(3), timeBase(command, realtime))
      : FOR_EVER;
  if (typeof until === "number") return until;
  if (realtime && !MAY_FOLLOW_REALTIME.has(command)) return -ENOSYS;
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const bitset = command === FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : call.u32(5);
      const { deadline, realtime } = until;
      const address = call.u64(0);
      return waitForFutex(call, {
        address,
        flags,
        value: call.u32(2),
        bitset,
        restarts: true,
        deadline,
        realtime,
      });
    }
    case FUTEX_WAKE:
      return wake(call, flags, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return wake(call, flags, call.u32(5));
    case FUTEX_REQUEUE:
      return requeue(call, flags, false);
    case FUTEX_CMP_REQUEUE:
      return requeue(call, flags, true);
    case FUTEX_WAKE_OP:
      return wakeOperation(call, flags);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return lockPiFutex(call, flags, until, false);
    case FUTEX_TRYLOCK_PI:
      return lockPiFutex(call, flags, until, true);
    case FUTEX_UNLOCK_PI:
      return unlockPiFutex(call, flags);
    case FUTEX_WAIT_REQUEUE_PI:
      return waitRequeuePi(call, flags, until);
    case FUTEX_CMP_REQUEUE_PI:
      return cmpRequeuePi(call, flags);
    default:
      return -ENOSYS;
  }
}

/** FUTEX_LOCK_PI follows CLOCK_REALTIME without being told. */
function timeBase(command: number, realtime: boolean): TimeBase {
  if (command === FUTEX_WAIT) return "relative";
  return realtime || command === FUTEX_LOCK_PI ? "realtime" : "monotonic";
}

function wake(call: SyscallCall, flags: FutexFlags, bitset: number): HandlerResult {
  if (bitset === 0) return -EINVAL;
  const key = futexKey(call, call.u64(0), flags, false);
  return typeof key === "number" ? key : call.kernel.futexes.wake(key, call.i32(2), bitset);
}

function requeue(call: SyscallCall, flags: FutexFlags, compare: boolean): HandlerResult {
  const wakes = call.i32(2);
  const moves = call.i32(3);
  if (wakes < 0 || moves < 0) return -EINVAL;
  const from = futexKey(call, call.u64(0), flags, false);
  if (typeof from === "number") return from;
  const to = futexKey(call, call.u64(4), flags, false);
  if (typeof to === "number") return to;
  if (compare) {
    const different = compareWord(call);
    if (different !== 0) return different;
  }
  return call.kernel.futexes.requeue(from, to, wakes, moves);
}

/** -EFAULT, or -EAGAIN where the first word is not the sixth argument. */
function compareWord(call: SyscallCall): number {
  const value = call.user.readU32(call.word(0));
  if (value === null) return -EFAULT;
  return value === call.u32(5) ? 0 : -EAGAIN;
}

/** FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second if its old value says so. */
function wakeOperation(call: SyscallCall, flags: FutexFlags): HandlerResult {
  const { futexes } = call.kernel;
  const first = futexKey(call, call.u64(0), flags, false);
  if (typeof first === "number") return first;
  const second = futexKey(call, call.u64(4), flags, true);
  if (typeof second === "number") return second;
  const holds = changeWord(call.user, call.n(4), call.u32(5));
  if (typeof holds === "number") return holds;
  const woken = futexes.wake(first, call.i32(2), FUTEX_BITSET_MATCH_ANY);
  if (woken < 0 || !holds) return woken;
  const more = futexes.wake(second, call.i32(3), FUTEX_BITSET_MATCH_ANY);
  return more < 0 ? more : woken + more;
}

function cmpRequeuePi(call: SyscallCall, flags: FutexFlags): HandlerResult {
  const wakes = call.i32(2);
  const moves = call.i32(3);
  if (wakes < 0 || moves < 0) return -EINVAL;
  if (call.u64(0) === call.u64(4) || wakes !== 1) return -EINVAL;
  const from = futexKey(call, call.u64(0), flags, false);
  if (typeof from === "number") return from;
  const to = futexKey(call, call.u64(4), flags, true);
  if (typeof to === "number") return to;
  if (sameFutex(from, to)) return -EINVAL;
  const different = compareWord(call);
  if (different !== 0) return different;
  return requeuePi(call.kernel, call.user, from, to, call.n(4), moves);
}

export const futexSyscalls: readonly Definition[] = [
  define({
    number: 202,
    name: "futex",
    args: [
      address("uaddr"),
      choiceAndFlags("op", COMMAND_MASK, COMMANDS, FLAGS),
      uint("val"),
      dependent(
        "timeout",
        1,
        [FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI].flatMap((command) => [
          [command, { kind: "uint" }] as const,
          [command | FUTEX_PRIVATE_FLAG, { kind: "uint" }] as const,
        ]),
        structIn("timeout", "timespec"),
      ),
      address("uaddr2"),
      hex("val3"),
    ],
    handler: futex,
  }),
];
