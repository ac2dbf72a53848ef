/** Reading and setting clocks, and sleeping (kernel/time/). */

import { CAP_SYS_TIME } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINTR, EINVAL, EOPNOTSUPP, EPERM } from "../kernel/errno.js";
import { ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { choice, flags, structIn, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import {
  CLOCK_REALTIME,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  TICK,
  TIMER_ABSTIME,
  CLOCKS,
  TIMER_FLAGS,
  readClock,
} from "./clocks.js";
import { restartPoll } from "./files-poll.js";
import { restartFutex } from "./futex-wait.js";
import {
  NANOSECONDS,
  readTimespec,
  readTimespecExact,
  timespecBytes,
  timevalBytes,
  writeBytes,
} from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

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

export const timeSyscalls: readonly Definition[] = [
  define({
    number: 35,
    name: "nanosleep",
    args: [structIn("req", "timespec"), structOut("rem", "timespec")],
    handler: nanosleep,
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
