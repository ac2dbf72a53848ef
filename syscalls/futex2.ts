/** The futex calls with flags of their own (futex2: kernel/futex/syscalls.c). Of sizes only 32 bits are there. */

import { EAGAIN, EFAULT, EINVAL, ETIMEDOUT } from "../kernel/errno.js";
import type { FutexFlags } from "../kernel/futex/key.js";
import {
  FUTEX2_MPOL,
  FUTEX2_NUMA,
  FUTEX2_PRIVATE,
  FUTEX2_SIZE_MASK,
  FUTEX2_SIZE_U32,
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_WAITV_MAX,
} from "../kernel/futex/uapi.js";
import { newWaiter, type FutexWaiter } from "../kernel/futex/waiter.js";
import { wordOf, type Word } from "../kernel/mm/word.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { address, choice, flags, hex, int, names, structIn, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import {
  FOR_EVER,
  futexKey,
  goOnWaiting,
  readUntil,
  resumedFutex,
  sleepForFutex,
  waitForFutex,
  type Until,
} from "./futex-wait.js";
import { readView } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const VALID = FUTEX2_SIZE_MASK | FUTEX2_NUMA | FUTEX2_MPOL | FUTEX2_PRIVATE;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCKS = names("CLOCK_???", { CLOCK_REALTIME, CLOCK_MONOTONIC });
const FUTEX2_FLAGS = names("FUTEX2_???", { FUTEX2_SIZE_U32, FUTEX2_NUMA, FUTEX2_MPOL, FUTEX2_PRIVATE });
/** Bytes of struct futex_waitv: value, address, flags, and a word that must be 0. */
const WAITV_BYTES = 24;

/** -EINVAL for bits that there are not, and for any size but 32 bits. Memory policies name no node here. */
function decodeFlags(given: number): FutexFlags | number {
  if ((given & ~VALID) !== 0 || (given & FUTEX2_SIZE_MASK) !== FUTEX2_SIZE_U32) return -EINVAL;
  return { shared: (given & FUTEX2_PRIVATE) === 0, numa: (given & FUTEX2_NUMA) !== 0 };
}

/** An absolute time: -EINVAL for another clock than the two, then the time's own errors. */
function absoluteUntil(call: SyscallCall, pointer: Word, clock: number): Until | number {
  if (pointer === 0 || resumedFutex(call) !== null) return FOR_EVER;
  if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) return -EINVAL;
  return readUntil(call, pointer, clock === CLOCK_REALTIME ? "realtime" : "monotonic");
}

function futexWake(call: SyscallCall): HandlerResult {
  const decoded = decodeFlags(call.u32(3));
  if (typeof decoded === "number") return decoded;
  const mask = call.u32(1);
  if (call.high(1) !== 0 || mask === 0) return -EINVAL;
  const key = futexKey(call, call.u64(0), decoded, false);
  if (typeof key === "number") return key;
  const count = call.i32(2);
  return count === 0 ? 0 : call.kernel.futexes.wake(key, count, mask);
}

function futexWait(call: SyscallCall): HandlerResult {
  const decoded = decodeFlags(call.u32(3));
  if (typeof decoded === "number") return decoded;
  if (call.high(1) !== 0 || call.high(2) !== 0) return -EINVAL;
  const until = absoluteUntil(call, call.word(4), call.i32(5));
  if (typeof until === "number") return until;
  const request = { address: call.u64(0), flags: decoded, value: call.u32(1), bitset: call.u32(2) };
  return waitForFutex(call, { ...request, ...until, restarts: false });
}

interface VectorEntry {
  readonly address: bigint;
  readonly value: number;
  readonly given: number;
  readonly flags: FutexFlags;
}

/** struct futex_waitv[count]; -EFAULT, -EINVAL, whichever comes first in the array. */
function readVector(call: SyscallCall, pointer: Word, count: number): VectorEntry[] | number {
  const entries: VectorEntry[] = [];
  for (let i = 0; i < count; i++) {
    const view = readView(call.user, wordOf(BigInt(pointer) + BigInt(i * WAITV_BYTES)), WAITV_BYTES);
    if (typeof view === "number") return view;
    const given = view.getUint32(16, true);
    const decoded = decodeFlags(given);
    // A flag that there is not, a word that must be 0, a size: all are EINVAL, in whatever order.
    if (typeof decoded === "number") return decoded;
    if (view.getUint32(20, true) !== 0 || view.getUint32(4, true) !== 0) return -EINVAL;
    const value = view.getUint32(0, true);
    entries.push({ address: view.getBigUint64(8, true), value, given, flags: decoded });
  }
  return entries;
}

/** Waits for the first of several futexes to be woken: its index. Errors as FUTEX_WAIT's, after -EINVAL of its own. */
function futexWaitv(call: SyscallCall): HandlerResult {
  const resumed = resumedFutex(call);
  if (resumed !== null) {
    const answered = lastWoken(resumed.waiters);
    const result = goOnWaiting(call, resumed);
    return result === null || result === BLOCKED ? (result ?? answered) : result;
  }
  const count = call.u32(1);
  const pointer = call.word(0);
  if (call.u32(2) !== 0 || count === 0 || count > FUTEX_WAITV_MAX || pointer === 0) return -EINVAL;
  const until = absoluteUntil(call, call.word(3), call.i32(4));
  if (typeof until === "number") return until;
  const entries = readVector(call, pointer, count);
  if (typeof entries === "number") return entries;
  const keys = [];
  for (const entry of entries) {
    const key = futexKey(call, entry.address, entry.flags, false);
    if (typeof key === "number") return key;
    keys.push(key);
  }
  for (const { address: at, value } of entries) {
    const present = call.user.readU32(wordOf(at));
    if (present === null) return -EFAULT;
    if (present !== value) return -EAGAIN;
  }
  if (until.deadline !== null && call.kernel.clock.monotonic() >= until.deadline) return -ETIMEDOUT;
  const waiters = keys.map((key) => {
    const waiter = newWaiter(call.task, FUTEX_BITSET_MATCH_ANY);
    call.kernel.futexes.add(waiter, key);
    return waiter;
  });
  return sleepForFutex(call, waiters, Number(entries[0]!.address), until, ERESTARTSYS);
}

/** The last one of those that were woken; which comes last in the array, not in time. */
function lastWoken(waiters: readonly FutexWaiter[]): number {
  return waiters.findLastIndex((waiter) => waiter.queue === null);
}

function futexRequeue(call: SyscallCall): HandlerResult {
  const pointer = call.word(0);
  if (call.u32(1) !== 0 || pointer === 0) return -EINVAL;
  const entries = readVector(call, pointer, 2);
  if (typeof entries === "number") return entries;
  const [from, to] = entries as [VectorEntry, VectorEntry];
  if (from.given !== to.given) return -EINVAL;
  const wakes = call.i32(2);
  const moves = call.i32(3);
  if (wakes < 0 || moves < 0) return -EINVAL;
  const first = futexKey(call, from.address, from.flags, false);
  if (typeof first === "number") return first;
  const second = futexKey(call, to.address, to.flags, false);
  if (typeof second === "number") return second;
  const present = call.user.readU32(wordOf(from.address));
  if (present === null) return -EFAULT;
  if (present !== from.value) return -EAGAIN;
  return call.kernel.futexes.requeue(first, second, wakes, moves);
}

export const futex2Syscalls: readonly Definition[] = [
  define({
    number: 449,
    name: "futex_waitv",
    args: [
      address("waiters"),
      uint("nr_futexes"),
      uint("flags"),
      structIn("timeout", "timespec"),
      choice("clockid", CLOCKS),
    ],
    handler: futexWaitv,
  }),
  define({
    number: 454,
    name: "futex_wake",
    args: [address("uaddr"), hex("mask"), int("nr"), flags("flags", FUTEX2_FLAGS)],
    handler: futexWake,
  }),
  define({
    number: 455,
    name: "futex_wait",
    args: [
      address("uaddr"),
      hex("val"),
      hex("mask"),
      flags("flags", FUTEX2_FLAGS),
      structIn("timeout", "timespec"),
      choice("clockid", CLOCKS),
    ],
    handler: futexWait,
  }),
  define({
    number: 456,
    name: "futex_requeue",
    args: [address("waiters"), uint("flags"), int("nr_wake"), int("nr_requeue")],
    handler: futexRequeue,
  }),
];
