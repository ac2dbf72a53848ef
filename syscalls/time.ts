/** Clocks, sleeping and timers (kernel/time/). */

import { CAP_SYS_TIME } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINTR, EINVAL, EOPNOTSUPP, EPERM } from "../kernel/errno.js";
import type { Kernel } from "../kernel/kernel.js";
import { ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../kernel/restart.js";
import { SIGALRM, SIGNAL_MAX } from "../kernel/signals/numbers.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { Task } from "../kernel/task.js";
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
import { restartPoll } from "./files-poll.js";
import { restartFutex } from "./futex-wait.js";
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

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
const CLOCK_PROCESS_CPUTIME_ID = 2;
const CLOCK_THREAD_CPUTIME_ID = 3;
const CLOCK_MONOTONIC_RAW = 4;
const CLOCK_REALTIME_COARSE = 5;
const CLOCK_MONOTONIC_COARSE = 6;
const CLOCK_BOOTTIME = 7;
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_BOOTTIME_ALARM = 9;
const CLOCK_TAI = 11;
/** One tick of the coarse clocks: 4 ms at 250 Hz. */
const TICK = 4_000_000;
const TIMER_ABSTIME = 1;
const MICROSECONDS = 1_000_000n;

export const CLOCKS = names("CLOCK_???", {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI,
});
const TIMER_FLAGS = names("TIMER_???", { TIMER_ABSTIME });
const INTERVAL_TIMERS = names("ITIMER_???", { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF });

/** Processor time in nanoseconds: one for each instruction. */
const cpuTime = (task: Task): number => task.process.usage.instructions;

/** A clock's time in nanoseconds, or -EINVAL for one that does not exist. */
function readClock(kernel: Kernel, task: Task, id: number): bigint | number {
  const monotonic = kernel.clock.monotonic();
  const coarse = monotonic - (monotonic % TICK);
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return kernel.clock.realtimeOrigin + BigInt(monotonic);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return BigInt(monotonic);
    case CLOCK_REALTIME_COARSE:
      return kernel.clock.realtimeOrigin + BigInt(coarse);
    case CLOCK_MONOTONIC_COARSE:
      return BigInt(coarse);
    case CLOCK_PROCESS_CPUTIME_ID:
      return BigInt(cpuTime(task));
    case CLOCK_THREAD_CPUTIME_ID:
      return BigInt(task.instructions);
    default:
      return id < 0 ? readCpuClock(kernel, task, id) : -EINVAL;
  }
}

/** A dynamic id: ~pid in the upper bits, bit 2 for a thread's, the kind in the lowest two (posix-cpu-timers.c). */
function readCpuClock(kernel: Kernel, caller: Task, id: number): bigint | number {
  const who = ~(id >> 3);
  if ((id & 3) === 3) return -EINVAL;
  const task = who === 0 ? caller : kernel.tasks.get(who);
  if (task === undefined) return -EINVAL;
  if ((id & 4) === 0) return BigInt(cpuTime(task));
  return task.process === caller.process ? BigInt(task.instructions) : -EINVAL;
}

function clockGettime(call: SyscallCall): HandlerResult {
  const time = readClock(call.kernel, call.task, call.i32(0));
  return typeof time === "number" ? time : writeBytes(call.user, call.word(1), timespecBytes(time));
}

function clockGetres(call: SyscallCall): HandlerResult {
  const id = call.i32(0);
  const time = readClock(call.kernel, call.task, id);
  if (typeof time === "number") return time;
  const address = call.word(1);
  const coarse = id === CLOCK_REALTIME_COARSE || id === CLOCK_MONOTONIC_COARSE;
  return address === 0 ? 0 : writeBytes(call.user, address, timespecBytes(coarse ? TICK : 1));
}

function clockSettime(call: SyscallCall): HandlerResult {
  const id = call.i32(0);
  const known = readClock(call.kernel, call.task, id);
  if (typeof known === "number" || id !== CLOCK_REALTIME) return -EINVAL;
  const time = readTimespecExact(call.user, call.word(1));
  if (typeof time === "number") return time;
  if (!hasCapability(call.task.credentials, CAP_SYS_TIME)) return -EPERM;
  call.kernel.clock.realtimeOrigin = time - BigInt(call.kernel.clock.monotonic());
  return 0;
}

function gettimeofday(call: SyscallCall): HandlerResult {
  const { kernel, user } = call;
  const time = kernel.clock.realtimeOrigin + BigInt(kernel.clock.monotonic());
  const timeval = call.word(0);
  const zone = call.word(1);
  if (timeval !== 0 && writeBytes(user, timeval, timevalBytes(time)) !== 0) return -EFAULT;
  return zone === 0 ? 0 : writeBytes(user, zone, new Uint8Array(8));
}

function time(call: SyscallCall): HandlerResult {
  const { kernel, user } = call;
  const seconds = (kernel.clock.realtimeOrigin + BigInt(kernel.clock.monotonic())) / BigInt(NANOSECONDS);
  const address = call.word(0);
  if (address !== 0 && !user.writeU64(address, seconds)) return -EFAULT;
  return Number(seconds);
}

/** Sleeps until `deadline` on the monotonic clock. `remainder`: where the rest goes on a signal; 0 for nowhere. */
function sleep(call: SyscallCall, deadline: number, remainder: bigint, absolute: boolean): HandlerResult {
  const { task, kernel } = call;
  if (call.resumed?.timedOut === true || deadline <= kernel.clock.monotonic()) {
    task.restart = null;
    return 0;
  }
  if (!absolute) task.restart = { kind: "nanosleep", deadline, remainder };
  const interrupted = absolute ? ERESTARTNOHAND : ERESTART_RESTARTBLOCK;
  task.waiting = { kind: "sleep", deadline, timedOut: false, interrupted };
  return BLOCKED;
}

function nanosleep(call: SyscallCall): HandlerResult {
  const given = readTimespec(call.user, call.word(0));
  if (typeof given === "number") return given;
  const deadline = call.resumed?.deadline ?? call.kernel.clock.monotonic() + given.nanoseconds;
  return sleep(call, deadline, call.u64(1), false);
}

function clockNanosleep(call: SyscallCall): HandlerResult {
  const { kernel, task } = call;
  const id = call.i32(0);
  const now = readClock(kernel, task, id);
  if (typeof now === "number") return -EINVAL;
  const unslept = [
    CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
  ];
  if (unslept.includes(id)) return -EOPNOTSUPP;
  const given = readTimespecExact(call.user, call.word(2));
  if (typeof given === "number") return given;
  const absolute = (call.i32(1) & TIMER_ABSTIME) !== 0;
  const monotonic = kernel.clock.monotonic();
  // On a clock of processor time a lone sleeper would wait for ever: its own time stands still.
  if (id === CLOCK_PROCESS_CPUTIME_ID || id < 0) {
    if (absolute && given <= now) return 0;
    task.waiting = { kind: "sleep", deadline: null, timedOut: false, interrupted: ERESTARTNOHAND };
    return BLOCKED;
  }
  const fresh = absolute ? monotonic + Number(given - now) : monotonic + Number(given);
  return sleep(call, call.resumed?.deadline ?? fresh, call.u64(3), absolute);
}

function restartSyscall(call: SyscallCall): HandlerResult {
  const block = call.task.restart;
  if (block?.kind === "futex") return restartFutex(call);
  if (block?.kind === "poll") return restartPoll(call, block.deadline);
  if (block?.kind !== "nanosleep") return -EINTR;
  return sleep(call, block.deadline, block.remainder, false);
}

/** A timer's clock: real time for ITIMER_REAL, else processor time. */
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

export const timeSyscalls: readonly Definition[] = [
  define({
    number: 35,
    name: "nanosleep",
    args: [structIn("req", "timespec"), structOut("rem", "timespec")],
    handler: nanosleep,
  }),
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
    number: 96,
    name: "gettimeofday",
    args: [structOut("tv", "timeval"), structOut("tz", "timezone")],
    handler: gettimeofday,
  }),
  define({
    number: 201,
    name: "time",
    args: [structOut("tloc", "time_t")],
    returns: "seconds",
    handler: time,
  }),
  define({ number: 219, name: "restart_syscall", args: [], handler: restartSyscall }),
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
  define({
    number: 227,
    name: "clock_settime",
    args: [choice("clockid", CLOCKS), structIn("tp", "timespec")],
    handler: clockSettime,
  }),
  define({
    number: 228,
    name: "clock_gettime",
    args: [choice("clockid", CLOCKS), structOut("tp", "timespec")],
    handler: clockGettime,
  }),
  define({
    number: 229,
    name: "clock_getres",
    args: [choice("clockid", CLOCKS), structOut("res", "timespec")],
    handler: clockGetres,
  }),
  define({
    number: 230,
    name: "clock_nanosleep",
    args: [
      choice("clockid", CLOCKS),
      flags("flags", TIMER_FLAGS),
      structIn("request", "timespec"),
      structOut("remain", "timespec"),
    ],
    handler: clockNanosleep,
  }),
];
