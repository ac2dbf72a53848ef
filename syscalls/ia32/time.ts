/** Clocks and sleeps with seconds of 32 bits (kernel/time/: their _time32 versions). */

import { EFAULT } from "../../kernel/errno.js";
import type { SyscallCall } from "../call.js";
import { address, fd, hex, int, uint } from "../argument.js";
import type { Handler, HandlerResult } from "../table.js";
import type { Ia32Call } from "./call.js";
import { converter, scratchFor, viewOf, withScratch, type Converter } from "./converter.js";

const TIME_BYTES = 16;
const FUTEX_COMMAND = 0x7f;
/** FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2: their fourth argument is a time. */
const TIMED_FUTEXES = new Set([0, 6, 9, 11, 13]);

/** A struct timespec or timeval of two words as one of 64-bit words; null where it cannot be read. */
function readTime(call: Ia32Call, at: number): Uint8Array | null {
  const given = call.user.read(call.word(at), TIME_BYTES / 2);
  if (typeof given === "number") return null;
  const bytes = new Uint8Array(TIME_BYTES);
  for (const word of [0, 1])
    viewOf(bytes).setBigInt64(8 * word, BigInt(viewOf(given).getInt32(4 * word, true)), true);
  return bytes;
}

/** An itimerval or itimerspec of four words, read at argument `from` and written, as it was before, to `to`. */
function interval(call: Ia32Call, native: Handler, from: number | null, to: number): HandlerResult {
  const bytes = new Uint8Array(4 * TIME_BYTES);
  const view = viewOf(bytes);
  if (from !== null && call.values[from] !== 0n) {
    const given = call.user.read(call.word(from), TIME_BYTES);
    if (typeof given === "number") return -EFAULT;
    for (let i = 0; i < 4; i++) view.setBigInt64(8 * i, BigInt(viewOf(given).getInt32(4 * i, true)), true);
    call.values[from] = BigInt(scratchFor(call, from));
  }
  const where = call.n(to);
  call.values[to] = BigInt(scratchFor(call, to, 2 * TIME_BYTES));
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0 || where === 0) return result;
  const short = new Uint8Array(TIME_BYTES);
  for (let i = 0; i < 4; i++)
    viewOf(short).setUint32(4 * i, view.getUint32(2 * TIME_BYTES + 8 * i, true), true);
  return call.user.writeBytes(where, short) ? 0 : -EFAULT;
}

/** Calls with a time to read at argument `at`; null is passed on. */
function reads(call: Ia32Call, native: Handler, at: number): HandlerResult {
  if (call.values[at] === 0n) return native(call);
  const bytes = readTime(call, at);
  if (bytes === null) return -EFAULT;
  call.values[at] = BigInt(scratchFor(call, at));
  return withScratch(call, bytes, () => native(call));
}

/** Calls that write a time to argument `at`, if that is not null. */
function writes(call: Ia32Call, native: Handler, at: number): HandlerResult {
  const where = call.n(at);
  const bytes = new Uint8Array(TIME_BYTES);
  call.values[at] = BigInt(scratchFor(call, at));
  const result = withScratch(call, bytes, () => native(call));
  if (result !== 0 || where === 0) return result;
  const short = new Uint8Array(TIME_BYTES / 2);
  for (const word of [0, 1]) viewOf(short).setUint32(4 * word, viewOf(bytes).getUint32(8 * word, true), true);
  return call.user.writeBytes(where, short) ? 0 : -EFAULT;
}

/** A sleep whose rest, should a signal come, is told in words of 32 bits. */
function sleeps(call: SyscallCall, act: () => HandlerResult): HandlerResult {
  const result = act();
  const { restart } = call.task;
  if (restart?.kind === "nanosleep") call.task.restart = { ...restart, short: true };
  return result;
}

function restartCall(call: SyscallCall, native: Handler): HandlerResult {
  const { restart } = call.task;
  const short = restart?.kind === "nanosleep" && restart.short === true;
  return short ? sleeps(call, () => native(call)) : native(call);
}

function time(call: Ia32Call, native: Handler): HandlerResult {
  const where = call.n(0);
  call.pass(0);
  const result = native(call);
  if (where !== 0 && !call.user.writeI32(where, Number(result) | 0)) return -EFAULT;
  return result;
}

const times = [address("req"), address("rem")];

export const timeConverters: readonly Converter[] = [
  converter(0, "restart_syscall", "restart_syscall", [], restartCall),
  converter(13, "time", "time", [address("tloc")], time),
  converter(78, "gettimeofday", "gettimeofday", [address("tv"), address("tz")], (call, native) =>
    writes(call, native, 0),
  ),
  converter(
    104,
    "setitimer",
    "setitimer",
    [int("which"), address("value"), address("ovalue")],
    (call, native) => interval(call, native, 1, 2),
  ),
  converter(105, "getitimer", "getitimer", [int("which"), address("value")], (call, native) =>
    interval(call, native, null, 1),
  ),
  converter(
    325,
    "timerfd_settime",
    "timerfd_settime",
    [fd("fd"), int("flags"), address("utmr"), address("otmr")],
    (call, native) => interval(call, native, 2, 3),
  ),
  converter(326, "timerfd_gettime", "timerfd_gettime", [fd("fd"), address("otmr")], (call, native) =>
    interval(call, native, null, 1),
  ),
  converter(162, "nanosleep", "nanosleep", times, (call, native) =>
    sleeps(call, () => reads(call, native, 0)),
  ),
  converter(264, "clock_settime", "clock_settime", [int("clockid"), address("tp")], (call, native) =>
    reads(call, native, 1),
  ),
  converter(265, "clock_gettime", "clock_gettime", [int("clockid"), address("tp")], (call, native) =>
    writes(call, native, 1),
  ),
  converter(266, "clock_getres", "clock_getres", [int("clockid"), address("tp")], (call, native) =>
    writes(call, native, 1),
  ),
  converter(
    267,
    "clock_nanosleep",
    "clock_nanosleep",
    [int("clockid"), int("flags"), ...times],
    (call, native) => sleeps(call, () => reads(call, native, 2)),
  ),
  converter(
    240,
    "futex",
    "futex",
    [address("uaddr"), int("op"), uint("val"), address("timeout"), address("uaddr2"), hex("val3")],
    (call, native) =>
      TIMED_FUTEXES.has(call.u32(1) & FUTEX_COMMAND) ? reads(call, native, 3) : native(call),
  ),
];
