/** userfaultfd(2) and the requests of ioctl_userfaultfd(2) (fs/userfaultfd.c). */

import { CAP_SYS_PTRACE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, ESRCH } from "../kernel/errno.js";
import { O_CLOEXEC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import { UserfaultFile } from "../kernel/fs/userfault-file.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { UserfaultContext } from "../kernel/mm/userfault/context.js";
import { fillPages } from "../kernel/mm/userfault/fill.js";
import { writeProtectRange } from "../kernel/mm/userfault/protect.js";
import { registerRange, unregisterRange } from "../kernel/mm/userfault/register.js";
import * as uapi from "../kernel/mm/userfault/uapi.js";
import { KernelUserfaults, UNPRIVILEGED_USERFAULTFD } from "../kernel/userfault-copies.js";
import { flags, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";

const UFFD_USER_MODE_ONLY = 1;
const FLAGS = names("UFFD_???", { UFFD_USER_MODE_ONLY, O_CLOEXEC, O_NONBLOCK });

/**
 * EPERM without UFFD_USER_MODE_ONLY, CAP_SYS_PTRACE and vm.unprivileged_userfaultfd: who can make the kernel's own
 * accesses wait can win races in it (userfaultfd_syscall_allowed). Then as `create`.
 */
function userfaultfd(call: SyscallCall): number {
  const bits = call.i32(0);
  const { kernel, task } = call;
  const permitted =
    (bits & UFFD_USER_MODE_ONLY) !== 0 ||
    hasCapability(task.credentials, CAP_SYS_PTRACE) ||
    kernel.tunables.get(UNPRIVILEGED_USERFAULTFD) === "1";
  if (permitted) return create(call, bits);
  return call.mm.refuse("userfaultfd.user-mode", EPERM, () => ({
    text: "without UFFD_USER_MODE_ONLY the kernel's own faults would wait too, which takes CAP_SYS_PTRACE",
    source: "userfaultfd_syscall_allowed",
  }));
}

/** EINVAL for unknown flags, EMFILE. */
function create(call: SyscallCall, bits: number): number {
  if ((bits & ~(UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const userModeOnly = (bits & UFFD_USER_MODE_ONLY) !== 0;
  if (!userModeOnly) call.kernel.userfaults ??= new KernelUserfaults(call.kernel);
  const location = internalLocation(call, () => "anon_inode:[userfaultfd]", 0o600);
  const file = new UserfaultFile(location, bits & O_NONBLOCK, new UserfaultContext(call.mm, userModeOnly));
  return call.task.files.install(file, (bits & O_CLOEXEC) !== 0, descriptorLimit(call));
}

const USERFAULTFD_IOC_NEW = 0xaa00;

/** Requests on /dev/userfaultfd: who could open it is asked for nothing more. EINVAL for unknown ones. */
export function userfaultDeviceIoctl(call: SyscallCall, request: number): number {
  return request === USERFAULTFD_IOC_NEW ? create(call, call.i32(2)) : -EINVAL;
}

export const userfaultSyscalls: readonly Definition[] = [
  define({
    number: 323,
    name: "userfaultfd",
    args: [flags("flags", FLAGS, "0")],
    returns: "fd",
    handler: userfaultfd,
  }),
];

export const UFFDIO_API = 0xc018_aa3f;
const UFFDIO_REGISTER = 0xc020_aa00;
const UFFDIO_UNREGISTER = 0x8010_aa01;
const UFFDIO_WAKE = 0x8010_aa02;
const UFFDIO_COPY = 0xc028_aa03;
const UFFDIO_ZEROPAGE = 0xc020_aa04;
const UFFDIO_WRITEPROTECT = 0xc018_aa06;

export const USERFAULT_REQUESTS = {
  UFFDIO_API,
  UFFDIO_REGISTER,
  UFFDIO_UNREGISTER,
  UFFDIO_WAKE,
  UFFDIO_COPY,
  UFFDIO_ZEROPAGE,
  UFFDIO_WRITEPROTECT,
} as const;

/** The requests by their numbers' bits: on the file, and on a range (UFFD_API_IOCTLS, UFFD_API_RANGE_IOCTLS). */
const FILE_REQUESTS = (1n << 0x3fn) | (1n << 0n) | (1n << 1n);
const RANGE_REQUESTS = (1n << 2n) | (1n << 3n) | (1n << 4n);
const WRITEPROTECT_BIT = 1n << 6n;

/** EINVAL for unknown requests, and for all others before UFFDIO_API. */
export function userfaultIoctl(call: SyscallCall, file: UserfaultFile, request: number): number {
  const { context } = file;
  if (request === UFFDIO_API) return api(call, context);
  if (context.features === null) return -EINVAL;
  switch (request) {
    case UFFDIO_REGISTER:
      return register(call, context);
    case UFFDIO_UNREGISTER:
      return onRange(call, context, (start, end) =>
        context.mm.released ? -ENOMEM : unregisterRange(context, start, end),
      );
    case UFFDIO_WAKE:
      return onRange(call, context, (start, end) => {
        context.wake(start, end);
        return 0;
      });
    case UFFDIO_COPY:
      return copy(call, context);
    case UFFDIO_ZEROPAGE:
      return zeroPage(call, context);
    case UFFDIO_WRITEPROTECT:
      return writeProtect(call, context);
    default:
      return -EINVAL;
  }
}

/** A 64-bit value into user memory; 0 or -EFAULT. */
function put64(call: SyscallCall, at: number, value: bigint): number {
  return call.user.writeU64(at, BigInt.asUintN(64, value)) ? 0 : -EFAULT;
}

/** EFAULT; EINVAL (another API, unknown features, the second time), with the structure zeroed. */
function api(call: SyscallCall, context: UserfaultContext): number {
  const at = call.word(2);
  const view = readView(call.user, at, 24);
  if (typeof view === "number") return view;
  const asked = view.getBigUint64(8, true);
  const refused =
    view.getBigUint64(0, true) !== BigInt(uapi.UFFD_API) || (asked & ~BigInt(uapi.UFFD_FEATURES)) !== 0n;
  const answer = new DataView(new ArrayBuffer(24));
  if (!refused) {
    answer.setBigUint64(0, BigInt(uapi.UFFD_API), true);
    answer.setBigUint64(8, BigInt(uapi.UFFD_FEATURES), true);
    answer.setBigUint64(16, FILE_REQUESTS, true);
    if (writeBytes(call.user, at, new Uint8Array(answer.buffer)) !== 0) return -EFAULT;
    if (context.features === null) {
      const chosen = Number(asked);
      const implied = (chosen & uapi.UFFD_FEATURE_WP_ASYNC) !== 0 ? uapi.UFFD_FEATURE_WP_UNPOPULATED : 0;
      context.features = chosen | implied;
      return 0;
    }
  }
  const error = writeBytes(call.user, at, new Uint8Array(24));
  if (error !== 0) return error;
  return context.mm.refuse("userfaultfd.api", EINVAL, () => ({
    text: refused ? "another API, or features that there are not" : "the features have been chosen already",
    source: "userfaultfd_api",
  }));
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Two 64-bit words as whole pages in user space above mmap_min_addr; null: EINVAL (validate_range). */
function rangeAt(view: DataView, at: number, context: UserfaultContext, aligned = true): Range | null {
  const start = view.getBigUint64(at, true);
  const length = view.getBigUint64(at + 8, true);
  const limit = BigInt(TASK_SIZE);
  if (start >= limit || length === 0n || length > limit - start) return null;
  if (start < BigInt(context.mm.env.settings.mmapMinAddr) || length % 4096n !== 0n) return null;
  if (aligned && start % 4096n !== 0n) return null;
  return { start: Number(start), end: Number(start + length) };
}

/** EFAULT, EINVAL (the range), what `work` says. */
function onRange(
  call: SyscallCall,
  context: UserfaultContext,
  work: (start: number, end: number) => number,
): number {
  const view = readView(call.user, call.word(2), 16);
  if (typeof view === "number") return view;
  const range = rangeAt(view, 0, context);
  return range === null ? -EINVAL : work(range.start, range.end);
}

/** EFAULT; EINVAL (modes, the range); ENOMEM (the memory is gone); what registerRange says; EFAULT (registered). */
function register(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const view = readView(call.user, at, 24);
  if (typeof view === "number") return view;
  const mode = view.getBigUint64(16, true);
  const known = BigInt(uapi.UFFDIO_REGISTER_MODE_MISSING | uapi.UFFDIO_REGISTER_MODE_WP);
  if (mode === 0n || (mode & ~known) !== 0n) return -EINVAL;
  const range = rangeAt(view, 0, context);
  if (range === null) return -EINVAL;
  if (context.mm.released) return -ENOMEM;
  const error = registerRange(context, range.start, range.end, Number(mode));
  if (error !== 0) return error;
  const protects = (Number(mode) & uapi.UFFDIO_REGISTER_MODE_WP) !== 0;
  return put64(call, at + 24, RANGE_REQUESTS | (protects ? WRITEPROTECT_BIT : 0n));
}

/** What COPY and ZEROPAGE share: the result goes into a field; less than all is EAGAIN. */
function filled(
  call: SyscallCall,
  context: UserfaultContext,
  resultAt: number,
  { start, end }: Range,
  fill: { page: ((va: number) => Uint8Array | null) | null; protect: boolean; wake: boolean },
): number {
  const { mm } = context;
  if (mm.released) return -ESRCH;
  const done = fillPages(mm, { start, end, page: fill.page, protect: fill.protect });
  if (put64(call, resultAt, BigInt(done)) !== 0) return -EFAULT;
  if (done < 0) return done;
  if (fill.wake) context.wake(start, start + done);
  return done === end - start ? 0 : -EAGAIN;
}

/** struct uffdio_copy { dst, src, len, mode, copy }. */
function copy(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const view = readView(call.user, at, 32);
  if (typeof view === "number") return view;
  const word = (index: number): bigint => view.getBigUint64(index * 8, true);
  const ranges = new DataView(new ArrayBuffer(32));
  [word(1), word(2), word(0), word(2)].forEach((each, i) => ranges.setBigUint64(i * 8, each, true));
  const source = rangeAt(ranges, 0, context, false);
  const target = rangeAt(ranges, 16, context);
  if (source === null || target === null) return -EINVAL;
  const mode = word(3);
  if ((mode & ~BigInt(uapi.UFFDIO_COPY_MODE_DONTWAKE | uapi.UFFDIO_COPY_MODE_WP)) !== 0n) return -EINVAL;
  const bits = Number(mode);
  call.user.awaitReadable(source.start, source.end - source.start);
  return filled(call, context, at + 32, target, {
    page: (va) => {
      const bytes = call.user.read(source.start + (va - target.start), 4096);
      return typeof bytes === "number" ? null : bytes;
    },
    protect: (bits & uapi.UFFDIO_COPY_MODE_WP) !== 0,
    wake: (bits & uapi.UFFDIO_COPY_MODE_DONTWAKE) === 0,
  });
}

/** struct uffdio_zeropage { range, mode, zeropage }. */
function zeroPage(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const view = readView(call.user, at, 24);
  if (typeof view === "number") return view;
  const range = rangeAt(view, 0, context);
  const mode = view.getBigUint64(16, true);
  if (range === null || (mode & ~BigInt(uapi.UFFDIO_ZEROPAGE_MODE_DONTWAKE)) !== 0n) return -EINVAL;
  return filled(call, context, at + 24, range, { page: null, protect: false, wake: mode === 0n });
}

/** struct uffdio_writeprotect { range, mode }. */
function writeProtect(call: SyscallCall, context: UserfaultContext): number {
  const view = readView(call.user, call.word(2), 24);
  if (typeof view === "number") return view;
  const range = rangeAt(view, 0, context);
  const mode = view.getBigUint64(16, true);
  const [on, quiet] = [uapi.UFFDIO_WRITEPROTECT_MODE_WP, uapi.UFFDIO_WRITEPROTECT_MODE_DONTWAKE];
  if (range === null || mode >= BigInt(on | quiet)) return -EINVAL;
  if (context.mm.released) return -ESRCH;
  const error = writeProtectRange(context.mm, range.start, range.end, Number(mode) === on);
  if (error !== 0) return error;
  if (mode === 0n) context.wake(range.start, range.end);
  return 0;
}
