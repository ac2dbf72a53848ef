/** Interval timers and POSIX timers (kernel/time/itimer.c, posix-timers.c). */

import { EFAULT, EINVAL, EOPNOTSUPP } from "../kernel/errno.js";
import { SIGALRM, SIGNAL_MAX } from "../kernel/signals/numbers.js";
import {
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD_ID,
  type PosixTimer,
  type Timer,
} from "../kernel/timers.js";
import { choice, flags, int, names, structIn, structOut, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import {
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  TIMER_ABSTIME,
  CLOCKS,
  TIMER_FLAGS,
  cpuTime,
  readClock,
} from "./clocks.js";
import {
  NANOSECONDS,
  readTimespec,
  readTimespecExact,
  readView,
  timespecBytes,
  timevalBytes,
  writeBytes,
} from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const MICROSECONDS = 1_000_000n;
const INTERVAL_TIMERS = names("ITIMER_???", { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF });

/** A timer's clock: real time for ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, else processor time. */
function intervalNow(call: SyscallCall, which: number): number {
  return which === ITIMER_REAL ? call.kernel.clock.monotonic() : cpuTime(call.task);
}

/** Nanoseconds left of a timer, 0 when disarmed; at least 1 while armed. */
const left = (timer: Timer, now: number): number =>
  timer.expires === Infinity || timer.held ? 0 : Math.max(1, timer.expires - now);

/** Of a POSIX timer also while it is held: until it would expire next. */
const leftOfPosix = (timer: Timer, now: number): number =>
  timer.held ? timer.interval - ((now - timer.expires) % timer.interval) : left(timer, now);

/** A remaining time in a structure of microseconds: never 0 while armed. */
function intervalBytes(timer: Timer, now: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(timevalBytes(timer.interval), 0);
  const rest = left(timer, now);
  bytes.set(timevalBytes(rest > 0 ? Math.max(rest, 1000) : 0), 16);
  return bytes;
}

function readTimeval(view: DataView, at: number): number | null {
  const seconds = view.getBigInt64(at, true);
  const micros = view.getBigInt64(at + 8, true);
  if (seconds < 0n || micros < 0n || micros >= MICROSECONDS) return null;
  return Number((seconds * MICROSECONDS + micros) * 1000n);
}

function getitimer(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  const timer = call.task.process.timers.interval[which];
  if (timer === undefined) return -EINVAL;
  return writeBytes(call.user, call.word(1), intervalBytes(timer, intervalNow(call, which)));
}

function setitimer(call: SyscallCall): HandlerResult {
  const which = call.i32(0);
  const address = call.word(1);
  let interval = 0;
  let value = 0;
  if (address !== 0) {
    const view = readView(call.user, address, 32);
    if (typeof view === "number") return view;
    const first = readTimeval(view, 0);
    const second = readTimeval(view, 16);
    if (first === null || second === null) return -EINVAL;
    interval = first;
    value = second;
  }
  const timer = call.task.process.timers.interval[which];
  if (timer === undefined) return -EINVAL;
  const now = intervalNow(call, which);
  const old = intervalBytes(timer, now);
  timer.expires = value === 0 ? Infinity : now + value;
  timer.interval = interval;
  timer.held = false;
  call.kernel.timersChanged(call.task.process);
  const oldAddress = call.word(2);
  return oldAddress === 0 ? 0 : writeBytes(call.user, oldAddress, old);
}

function alarm(call: SyscallCall): HandlerResult {
  const timer = call.task.process.timers.interval[ITIMER_REAL]!;
  const now = call.kernel.clock.monotonic();
  const rest = left(timer, now);
  const seconds = call.u32(0);
  timer.expires = seconds === 0 ? Infinity : now + seconds * NANOSECONDS;
  timer.held = false;
  call.kernel.timersChanged(call.task.process);
  timer.interval = 0;
  // Rounded to the nearest second, but an armed timer never reads 0 (alarm_setitimer).
  return rest === 0 ? 0 : Math.max(1, Math.floor(rest / NANOSECONDS + 0.5));
}

function timerCreate(call: SyscallCall): HandlerResult {
  const { kernel, task, user } = call;
  const id = call.i32(0);
  const event = call.word(1);
  let notify = SIGEV_SIGNAL;
  let signo = SIGALRM;
  let value: bigint | null = null;
  let tid = 0;
  if (event !== 0) {
    const view = readView(user, event, 64);
    if (typeof view === "number") return view;
    value = view.getBigUint64(0, true);
    signo = view.getInt32(8, true);
    notify = view.getInt32(12, true);
    tid = view.getInt32(16, true);
  }
  if (typeof readClock(kernel, task, id) === "number") return -EINVAL;
  if ([CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE].includes(id)) return -EOPNOTSUPP;
  const known = [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID, 2].includes(notify);
  if (!known || (notify !== SIGEV_NONE && (signo < 1 || signo > SIGNAL_MAX))) return -EINVAL;
  if (notify === SIGEV_THREAD_ID && kernel.tasks.get(tid)?.process !== task.process) return -EINVAL;
  const { timers } = task.process;
  const number = timers.newId();
  if (!user.writeU32(call.word(2), number)) return -EFAULT;
  const onCpu = id === CLOCK_PROCESS_CPUTIME_ID || id === CLOCK_THREAD_CPUTIME_ID || id < 0;
  timers.posix.set(number, {
    id: number,
    clockId: id,
    clock: onCpu ? "cpu" : "monotonic",
    notify,
    signal: signo,
    value: value ?? BigInt(number),
    tid: notify === SIGEV_THREAD_ID ? tid : 0,
    expires: Infinity,
    interval: 0,
    held: false,
    overrun: 0,
  });
  return 0;
}

const posixTimer = (call: SyscallCall): PosixTimer | undefined =>
  call.task.process.timers.posix.get(call.i32(0));

const timerNow = (call: SyscallCall, timer: PosixTimer): number =>
  timer.clock === "monotonic" ? call.kernel.clock.monotonic() : cpuTime(call.task);

function timerBytes(call: SyscallCall, timer: PosixTimer): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(timespecBytes(timer.interval), 0);
  bytes.set(timespecBytes(leftOfPosix(timer, timerNow(call, timer))), 16);
  return bytes;
}

function timerSettime(call: SyscallCall): HandlerResult {
  const { user, kernel, task } = call;
  const address = call.word(2);
  if (address === 0) return -EINVAL;
  const interval = readTimespec(user, address);
  const value = readTimespecExact(user, typeof address === "number" ? address + 16 : address + 16n);
  if (typeof interval === "number") return interval;
  if (typeof value === "number") return value;
  const timer = posixTimer(call);
  if (timer === undefined) return -EINVAL;
  const old = timerBytes(call, timer);
  const now = timerNow(call, timer);
  const absolute = (call.i32(1) & TIMER_ABSTIME) !== 0;
  const clock = readClock(kernel, task, timer.clockId);
  const distance = absolute && typeof clock !== "number" ? value - clock : value;
  timer.expires = value === 0n ? Infinity : Math.max(now, now + Number(distance));
  timer.interval = interval.nanoseconds;
  timer.held = false;
  timer.overrun = 0;
  kernel.timersChanged(task.process);
  const oldAddress = call.word(3);
  return oldAddress === 0 ? 0 : writeBytes(user, oldAddress, old);
}

function timerGettime(call: SyscallCall): HandlerResult {
  const timer = posixTimer(call);
  return timer === undefined ? -EINVAL : writeBytes(call.user, call.word(1), timerBytes(call, timer));
}

function timerGetoverrun(call: SyscallCall): HandlerResult {
  return posixTimer(call)?.overrun ?? -EINVAL;
}

function timerDelete(call: SyscallCall): HandlerResult {
  return call.task.process.timers.posix.delete(call.i32(0)) ? 0 : -EINVAL;
}

export const timerSyscalls: readonly Definition[] = [
  define({
    number: 36,
    name: "getitimer",
    args: [choice("which", INTERVAL_TIMERS), structOut("curr_value", "itimerval")],
    handler: getitimer,
  }),
  define({ number: 37, name: "alarm", args: [uint("seconds")], handler: alarm }),
  define({
    number: 38,
    name: "setitimer",
    args: [
      choice("which", INTERVAL_TIMERS),
      structIn("new_value", "itimerval"),
      structOut("old_value", "itimerval"),
    ],
    handler: setitimer,
  }),
  define({
    number: 222,
    name: "timer_create",
    args: [choice("clockid", CLOCKS), structIn("sevp", "sigevent"), structOut("timerid", "int")],
    handler: timerCreate,
  }),
  define({
    number: 223,
    name: "timer_settime",
    args: [
      int("timerid"),
      flags("flags", TIMER_FLAGS),
      structIn("new_value", "itimerspec"),
      structOut("old_value", "itimerspec"),
    ],
    handler: timerSettime,
  }),
  define({
    number: 224,
    name: "timer_gettime",
    args: [int("timerid"), structOut("curr_value", "itimerspec")],
    handler: timerGettime,
  }),
  define({ number: 225, name: "timer_getoverrun", args: [int("timerid")], handler: timerGetoverrun }),
  define({ number: 226, name: "timer_delete", args: [int("timerid")], handler: timerDelete }),
];
