/** timerfd_create, timerfd_settime, timerfd_gettime (fs/timerfd.c). */

import { CAP_WAKE_ALARM } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { O_CLOEXEC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import {
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
  TimerFile,
  type TimerSetting,
} from "../kernel/fs/timer-file.js";
import { isZero } from "../kernel/mm/word.js";
import { choice, fd, flags, names, structIn, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit, fileOf } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { readView, timespecBytes, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";
import { CLOCKS as CLOCK_NAMES } from "./clocks.js";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_BOOTTIME_ALARM = 9;
const ALARMS: readonly number[] = [CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM];
const CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, ...ALARMS];
const FLAGS = names("TFD_???", {
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
  TFD_CLOEXEC: O_CLOEXEC,
  TFD_NONBLOCK: O_NONBLOCK,
});
const SPEC_BYTES = 32;
const SECOND = 1_000_000_000n;

const mayWakeMachine = (call: SyscallCall, clock: number): boolean =>
  !ALARMS.includes(clock) || hasCapability(call.task.credentials, CAP_WAKE_ALARM);

function create(call: SyscallCall): number {
  const clock = call.i32(0);
  const bits = call.i32(1);
  if ((bits & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  if (!CLOCKS.includes(clock)) return -EINVAL;
  if (!mayWakeMachine(call, clock)) return -EPERM;
  const location = internalLocation(call, () => "anon_inode:[timerfd]", 0o600);
  const file = new TimerFile(location, bits & O_NONBLOCK, clock, call.kernel);
  return call.task.files.install(file, (bits & O_CLOEXEC) !== 0, descriptorLimit(call));
}

/** A struct timespec; null as itimerspec64_valid. */
function timespec(view: DataView, at: number): bigint | null {
  const seconds = view.getBigInt64(at, true);
  const nanoseconds = view.getBigInt64(at + 8, true);
  return seconds < 0n || nanoseconds < 0n || nanoseconds >= SECOND ? null : seconds * SECOND + nanoseconds;
}

function specBytes({ value, interval }: TimerSetting): Uint8Array {
  const bytes = new Uint8Array(SPEC_BYTES);
  bytes.set(timespecBytes(interval), 0);
  bytes.set(timespecBytes(value), 16);
  return bytes;
}

function timerOf(call: SyscallCall): TimerFile | number {
  const file = fileOf(call, call.fd(0));
  return typeof file === "number" || file instanceof TimerFile ? file : -EINVAL;
}

/** EFAULT, EINVAL (flags, times), EBADF, EINVAL (no timerfd), EPERM, ECANCELED (set all the same), EFAULT (old). */
function settime(call: SyscallCall): number {
  const view = readView(call.user, call.word(2), SPEC_BYTES);
  if (typeof view === "number") return view;
  const bits = call.i32(1);
  const interval = timespec(view, 0);
  const value = timespec(view, 16);
  if ((bits & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  if (interval === null || value === null) return -EINVAL;
  const file = timerOf(call);
  if (typeof file === "number") return file;
  if (!mayWakeMachine(call, file.clockId)) return -EPERM;
  const old = file.get();
  const result = file.set(bits, { value, interval });
  if (result < 0) return result;
  return isZero(call.word(3)) ? 0 : writeBytes(call.user, call.word(3), specBytes(old));
}

function gettime(call: SyscallCall): number {
  const file = timerOf(call);
  if (typeof file === "number") return file;
  return writeBytes(call.user, call.word(1), specBytes(file.get())) === 0 ? 0 : -EFAULT;
}

export const timerfdSyscalls: readonly Definition[] = [
  define({
    number: 283,
    name: "timerfd_create",
    args: [choice("clockid", CLOCK_NAMES), flags("flags", FLAGS, "0")],
    returns: "fd",
    handler: create,
  }),
  define({
    number: 286,
    name: "timerfd_settime",
    args: [
      fd("fd"),
      flags("flags", FLAGS, "0"),
      structIn("new_value", "itimerspec"),
      structOut("old_value", "itimerspec"),
    ],
    handler: settime,
  }),
  define({
    number: 287,
    name: "timerfd_gettime",
    args: [fd("fd"), structOut("curr_value", "itimerspec")],
    handler: gettime,
  }),
];
