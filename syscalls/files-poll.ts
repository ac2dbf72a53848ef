/** poll, ppoll, select, pselect6 (fs/select.c). */

import { EBADF, EFAULT, EINVAL } from "../kernel/errno.js";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../kernel/fs/open-flags.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../kernel/restart.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import { int, length, signalSetIn, structIn, structInOut, uint, address } from "./argument.js";
import { restoreMask, useMask } from "./borrowed-mask.js";
import type { SyscallCall } from "./call.js";
import { block, descriptorLimit } from "./files-common.js";
import { readTimespec, timespecBytes, timevalBytes } from "./structs.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const MILLISECOND = 1e6;
const SECOND_MICROS = 1_000_000n;

/** When the call ends by itself, kept over its executions; null: never. */
function deadlineOf(call: SyscallCall, nanoseconds: number | null): number | null {
  if (call.resumed) return call.resumed.deadline;
  return nanoseconds === null ? null : call.kernel.clock.monotonic() + nanoseconds;
}

/** 0 when time is up, else a wait for the files. */
function waitFor(
  call: SyscallCall,
  fds: number[],
  host: boolean,
  deadline: number | null,
  interrupted: number,
): number | typeof BLOCKED {
  if (call.resumed?.timedOut || (deadline !== null && deadline <= call.kernel.clock.monotonic())) return 0;
  return block(call, fds, host, 0, deadline, interrupted);
}

/** The descriptors of argument 0, as many as argument 1 says, until one is ready or the time is up. */
function poll(call: SyscallCall, deadline: number | null, interrupted: number): number | typeof BLOCKED {
  const count = call.u32(1);
  if (count > descriptorLimit(call)) return -EINVAL;
  const bytes = call.user.read(call.word(0), 8 * count);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let ready = 0;
  let host = false;
  const fds: number[] = [];
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(8 * i, true);
    const wanted = view.getUint16(8 * i + 4, true);
    let result = 0;
    if (fd >= 0) {
      const file = call.task.files.get(fd);
      fds.push(fd);
      host ||= file !== undefined && (wanted & (POLLIN | POLLRDNORM)) !== 0 && file.waitsOnHost;
      result = !file || file.isPath ? POLLNVAL : file.poll() & (wanted | POLLERR | POLLHUP);
    }
    view.setUint16(8 * i + 6, result, true);
    if (result !== 0) ready++;
  }
  if (ready === 0) {
    const waited = waitFor(call, fds, host, deadline, interrupted);
    if (waited === BLOCKED) return BLOCKED;
  }
  for (let i = 0; i < count; i++)
    if (!call.user.writeU16(addTo(call.word(0), 8 * i + 6), view.getUint16(8 * i + 6, true))) return -EFAULT;
  return ready;
}

function addTo(base: Word, offset: number): Word {
  return typeof base === "number" ? base + offset : base + BigInt(offset);
}

function pollMilliseconds(call: SyscallCall): number | typeof BLOCKED {
  const timeout = call.i32(2);
  return restartPoll(call, deadlineOf(call, timeout < 0 ? null : timeout * MILLISECOND));
}

/**
 * poll, at first or once more after a stop: then it keeps its deadline, and its arguments are still in the registers
 * (do_restart_poll).
 */
export function restartPoll(call: SyscallCall, deadline: number | null): number | typeof BLOCKED {
  call.task.restart = { kind: "poll", deadline };
  return poll(call, deadline, ERESTART_RESTARTBLOCK);
}

function ppoll(call: SyscallCall): number | typeof BLOCKED {
  const timeout = readTimeout(call, call.word(2));
  if (typeof timeout === "number") return timeout;
  const masked = useMask(call, call.word(3), call.n(4));
  if (masked < 0) return masked;
  const deadline = deadlineOf(call, timeout.nanoseconds);
  const result = poll(call, deadline, ERESTARTNOHAND);
  if (result === BLOCKED) askForRest(call, call.word(2), 1);
  else {
    restoreMask(call, call.word(3));
    giveRest(call, call.word(2), timespecBytes, deadline);
  }
  return result;
}

function readTimeout(call: SyscallCall, pointer: Word): { nanoseconds: number | null } | number {
  if (isZero(pointer) || call.resumed) return { nanoseconds: null };
  return readTimespec(call.user, pointer);
}

/** Linux writes the time that is left; a failure to do so is not an error. */
function giveRest(
  call: SyscallCall,
  pointer: Word,
  encode: (nanoseconds: number) => Uint8Array,
  deadline: number | null,
): void {
  if (isZero(pointer) || deadline === null) return;
  call.user.writeBytes(pointer, encode(Math.max(0, Math.ceil(deadline - call.kernel.clock.monotonic()))));
}

/** The same when a signal ends the wait. */
function askForRest({ task }: SyscallCall, address: Word, unit: 1 | 1000): void {
  if (task.waiting?.kind === "file" && !isZero(address)) task.waiting.timeLeft = { address, unit };
}

const READ_EVENTS = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const WRITE_EVENTS = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const EVENTS = [READ_EVENTS, WRITE_EVENTS, POLLPRI];

function select(call: SyscallCall, nanoseconds: number | null): number | typeof BLOCKED {
  const wantedCount = call.i32(0);
  if (wantedCount < 0) return -EINVAL;
  const count = Math.min(wantedCount, Math.ceil(Math.max(call.task.files.end, 64) / 64) * 64);
  const bytes = Math.ceil(count / 64) * 8;
  const sets: (Uint8Array | null)[] = [];
  for (const i of [1, 2, 3]) {
    const set = isZero(call.word(i)) ? null : call.user.read(call.word(i), bytes);
    if (typeof set === "number") return -EFAULT;
    sets.push(set);
  }
  const results = sets.map((set) => (set ? new Uint8Array(set.length) : null));
  const fds: number[] = [];
  let host = false;
  let ready = 0;
  for (let fd = 0; fd < count; fd++) {
    const [byte, bit] = [fd >>> 3, 1 << (fd & 7)];
    const asked = sets.map((set) => set !== null && (set[byte] & bit) !== 0);
    if (!asked.includes(true)) continue;
    const file = call.task.files.get(fd);
    if (!file) return -EBADF;
    fds.push(fd);
    host ||= asked[0] === true && file.waitsOnHost;
    const events = file.poll();
    asked.forEach((wanted, i) => {
      if (!wanted || (events & EVENTS[i]) === 0) return;
      results[i]![byte] |= bit;
      ready++;
    });
  }
  if (ready === 0) {
    const waited = waitFor(call, fds, host, deadlineOf(call, nanoseconds), ERESTARTNOHAND);
    if (waited === BLOCKED) return BLOCKED;
  }
  for (const [i, result] of results.entries())
    if (result && !call.user.writeBytes(call.word(i + 1), result)) return -EFAULT;
  return ready;
}

function selectTimeval(call: SyscallCall): number | typeof BLOCKED {
  const pointer = call.word(4);
  let nanoseconds: number | null = null;
  if (!isZero(pointer) && !call.resumed) {
    const seconds = call.user.readI64(pointer);
    const micros = seconds === null ? null : call.user.readI64(addTo(pointer, 8));
    if (seconds === null || micros === null) return -EFAULT;
    // Microseconds beyond a second count as seconds, also where that makes good a negative number of them.
    const whole = seconds + micros / SECOND_MICROS;
    const rest = micros % SECOND_MICROS;
    if (whole < 0n || rest < 0n) return -EINVAL;
    nanoseconds = Number((whole * SECOND_MICROS + rest) * 1000n);
  }
  const deadline = deadlineOf(call, nanoseconds);
  const result = select(call, nanoseconds);
  if (result === BLOCKED) askForRest(call, pointer, 1000);
  else giveRest(call, pointer, timevalBytes, deadline);
  return result;
}

function pselect6(call: SyscallCall): number | typeof BLOCKED {
  let mask: Word = 0;
  let size = 0;
  if (!isZero(call.word(5))) {
    const pointer = call.user.readNumber64(call.word(5));
    const bytes = call.user.readNumber64(addTo(call.word(5), 8));
    if (pointer === null || bytes === null) return -EFAULT;
    mask = pointer;
    size = bytes;
  }
  const timeout = readTimeout(call, call.word(4));
  if (typeof timeout === "number") return timeout;
  const masked = useMask(call, mask, size);
  if (masked < 0) return masked;
  const deadline = deadlineOf(call, timeout.nanoseconds);
  const result = select(call, timeout.nanoseconds);
  if (result === BLOCKED) askForRest(call, call.word(4), 1);
  else {
    restoreMask(call, mask);
    giveRest(call, call.word(4), timespecBytes, deadline);
  }
  return result;
}

const sets = [
  structInOut("readfds", "fdset", 0),
  structInOut("writefds", "fdset", 0),
  structInOut("exceptfds", "fdset", 0),
] as const;

export const pollSyscalls: readonly Definition[] = [
  define({
    number: 7,
    name: "poll",
    args: [structInOut("fds", "pollfd", 1), uint("nfds"), int("timeout")],
    handler: pollMilliseconds,
  }),
  define({
    number: 23,
    name: "select",
    args: [int("nfds"), ...sets, structInOut("timeout", "timeval")],
    handler: selectTimeval,
  }),
  define({
    number: 270,
    name: "pselect6",
    args: [int("nfds"), ...sets, structIn("timeout", "timespec"), address("sigmask")],
    handler: pselect6,
  }),
  define({
    number: 271,
    name: "ppoll",
    args: [
      structInOut("fds", "pollfd", 1),
      uint("nfds"),
      structIn("tmo_p", "timespec"),
      signalSetIn("sigmask", 4),
      length("sigsetsize"),
    ],
    handler: ppoll,
  }),
];
