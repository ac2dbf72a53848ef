/** epoll_create, epoll_ctl, epoll_wait and their variants (fs/eventpoll.c). */

import { CAP_BLOCK_SUSPEND } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EEXIST, EFAULT, EINTR, EINVAL, ELOOP, ENOENT, EPERM } from "../kernel/errno.js";
import { EPOLLET, EPOLLEXCLUSIVE, EPOLLWAKEUP, EpollFile, type EpollEvent } from "../kernel/fs/epoll-file.js";
import { fewPaths, mayNest } from "../kernel/fs/epoll-nesting.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { O_CLOEXEC, POLLERR, POLLHUP, POLLIN, POLLOUT } from "../kernel/fs/open-flags.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import {
  choice,
  dependent,
  fd,
  flags,
  int,
  length,
  names,
  signalSetIn,
  structIn,
  structOut,
} from "./argument.js";
import { restoreMask, useMask } from "./borrowed-mask.js";
import type { SyscallCall } from "./call.js";
import { block, descriptorLimit, fileOf } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { readTimespec } from "./structs.js";
import { define, type Definition } from "./table.js";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const OPERATIONS = names("EPOLL_CTL_???", { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD });
/** Bytes of a struct epoll_event, which is packed on x86-64. */
const EVENT_BYTES = 12;
/** EP_MAX_EVENTS */
const MAX_EVENTS = Math.floor(0x7fff_ffff / EVENT_BYTES);
const MILLISECOND = 1e6;
/** EPOLLEXCLUSIVE_OK_BITS */
const WITH_EXCLUSIVE = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

type Result = number | typeof BLOCKED;

function create(call: SyscallCall, bits: number): number {
  if ((bits & ~O_CLOEXEC) !== 0) return -EINVAL;
  const file = new EpollFile(internalLocation(call, () => "anon_inode:[eventpoll]", 0o600));
  return call.task.files.install(file, bits !== 0, descriptorLimit(call));
}

/** EFAULT (even where the operation is unknown), EPERM, EINVAL, ELOOP, EINVAL (paths), EEXIST or ENOENT. */
function control(call: SyscallCall): number {
  const operation = call.i32(1);
  let event: EpollEvent = { events: 0, dataLow: 0, dataHigh: 0 };
  if (operation !== EPOLL_CTL_DEL) {
    const bytes = call.user.read(call.word(3), EVENT_BYTES);
    if (typeof bytes === "number") return -EFAULT;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    event = {
      events: view.getInt32(0, true),
      dataLow: view.getUint32(4, true),
      dataHigh: view.getUint32(8, true),
    };
  }
  const epoll = fileOf(call, call.fd(0));
  if (typeof epoll === "number") return epoll;
  const number = call.fd(2);
  const target = fileOf(call, number);
  if (typeof target === "number") return target;
  if (!target.pollable) return -EPERM;
  if (epoll === target || !(epoll instanceof EpollFile)) return -EINVAL;
  const exclusive = operation !== EPOLL_CTL_DEL && (event.events & EPOLLEXCLUSIVE) !== 0;
  if (exclusive && operation === EPOLL_CTL_MOD) return -EINVAL;
  if (exclusive && operation === EPOLL_CTL_ADD)
    if (target instanceof EpollFile || (event.events & ~WITH_EXCLUSIVE) !== 0) return -EINVAL;
  if (!hasCapability(call.task.credentials, CAP_BLOCK_SUSPEND))
    event = { ...event, events: event.events & ~EPOLLWAKEUP };
  const always = { ...event, events: event.events | POLLERR | POLLHUP };
  const item = epoll.find(target, number);
  switch (operation) {
    case EPOLL_CTL_ADD:
      return add(epoll, target, number, always);
    case EPOLL_CTL_DEL:
      if (item === undefined) return -ENOENT;
      epoll.remove(item);
      return 0;
    case EPOLL_CTL_MOD:
      if (item === undefined) return -ENOENT;
      if ((item.event.events & EPOLLEXCLUSIVE) !== 0) return -EINVAL;
      epoll.modify(item, always);
      return 0;
    default:
      return -EINVAL;
  }
}

function add(epoll: EpollFile, target: OpenFile, number: number, event: EpollEvent): number {
  const bottom = new Set<OpenFile>();
  const watched = (file: OpenFile): boolean => file.watchers !== null && file.watchers.size > 0;
  const check = watched(epoll) || target instanceof EpollFile;
  if (target instanceof EpollFile) {
    if (!mayNest(epoll, target, bottom)) return -ELOOP;
  } else if (check) bottom.add(target);
  if (epoll.find(target, number) !== undefined) return -EEXIST;
  const item = epoll.insert(target, number, event);
  if (!check || fewPaths(bottom)) return 0;
  epoll.remove(item);
  return -EINVAL;
}

/**
 * Takes events or waits for one.
 * @param nanoseconds how long at most; null: for ever
 */
function wait(call: SyscallCall, nanoseconds: number | null): Result {
  const number = call.fd(0);
  const file = fileOf(call, number);
  if (typeof file === "number") return file;
  const max = call.i32(2);
  if (max <= 0 || max > MAX_EVENTS) return -EINVAL;
  const to = call.word(1);
  if (!call.user.accessOk(to, max * EVENT_BYTES)) return -EFAULT;
  if (!(file instanceof EpollFile)) return -EINVAL;
  const bytes = new Uint8Array(EVENT_BYTES);
  const view = new DataView(bytes.buffer);
  const taken = file.take(max, (index, events, { dataLow, dataHigh }) => {
    view.setInt32(0, events, true);
    view.setUint32(4, dataLow, true);
    view.setUint32(8, dataHigh, true);
    return call.user.writeBytes(Number(to) + index * EVENT_BYTES, bytes);
  });
  if (taken !== 0) return taken < 0 ? -EFAULT : taken;
  const now = call.kernel.clock.monotonic();
  const deadline = call.resumed ? call.resumed.deadline : nanoseconds === null ? null : now + nanoseconds;
  if (call.resumed?.timedOut === true || (deadline !== null && deadline <= now)) return 0;
  return block(call, [number], file.waitsOnHost, 0, deadline, EINTR);
}

const milliseconds = (timeout: number): number | null => (timeout < 0 ? null : timeout * MILLISECOND);

function waitMasked(call: SyscallCall, nanoseconds: number | null): Result {
  const mask = call.word(4);
  const masked = useMask(call, mask, call.n(5));
  if (masked < 0) return masked;
  const result = wait(call, nanoseconds);
  if (result !== BLOCKED) restoreMask(call, mask);
  return result;
}

function waitTimespec(call: SyscallCall): Result {
  const pointer: Word = call.word(3);
  if (isZero(pointer) || call.resumed) return waitMasked(call, null);
  const timeout = readTimespec(call.user, pointer);
  return typeof timeout === "number" ? timeout : waitMasked(call, timeout.nanoseconds);
}

const createFlags = flags("flags", names("EPOLL_???", { EPOLL_CLOEXEC: O_CLOEXEC }));
const eventArgument = dependent("event", 1, [[EPOLL_CTL_DEL, { kind: "address" }]], {
  kind: "struct",
  struct: "epoll_event",
  direction: "in",
});
const waitArguments = [fd("epfd"), structOut("events", "epoll_event", "result"), int("maxevents")] as const;

export const epollSyscalls: readonly Definition[] = [
  define({
    number: 213,
    name: "epoll_create",
    args: [int("size")],
    returns: "fd",
    handler: (call) => (call.i32(0) <= 0 ? -EINVAL : create(call, 0)),
  }),
  define({
    number: 232,
    name: "epoll_wait",
    args: [...waitArguments, int("timeout")],
    handler: (call) => wait(call, milliseconds(call.i32(3))),
  }),
  define({
    number: 233,
    name: "epoll_ctl",
    args: [fd("epfd"), choice("op", OPERATIONS), fd("fd"), eventArgument],
    handler: control,
  }),
  define({
    number: 281,
    name: "epoll_pwait",
    args: [...waitArguments, int("timeout"), signalSetIn("sigmask", 5), length("sigsetsize")],
    handler: (call) => waitMasked(call, milliseconds(call.i32(3))),
  }),
  define({
    number: 291,
    name: "epoll_create1",
    args: [createFlags],
    returns: "fd",
    handler: (call) => create(call, call.i32(0)),
  }),
  define({
    number: 441,
    name: "epoll_pwait2",
    args: [
      ...waitArguments,
      structIn("timeout", "timespec"),
      signalSetIn("sigmask", 5),
      length("sigsetsize"),
    ],
    handler: waitTimespec,
  }),
];
