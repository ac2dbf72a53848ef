/** userfaultfd(2) and the requests of ioctl_userfaultfd(2) (fs/userfaultfd.c). */

import type { AddressSpace } from "../kernel/mm/address-space.js";
import { isHugetlb } from "../kernel/mm/hugetlb/area.js";
import { CAP_SYS_PTRACE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, ENOMEM, EPERM } from "../kernel/errno.js";
import { O_CLOEXEC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import { UserfaultFile } from "../kernel/fs/userfault-file.js";
import { UserfaultContext } from "../kernel/mm/userfault/context.js";
import { registerRange, unregisterRange } from "../kernel/mm/userfault/register.js";
import * as uapi from "../kernel/mm/userfault/uapi.js";
import { KernelUserfaults, UNPRIVILEGED_USERFAULTFD } from "../kernel/userfault-copies.js";
import { flags, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";
import { onRange, put64, rangeAt } from "./userfault-arguments.js";
import { copy, goOnWithPages, move, poison, writeProtect, zeroPage } from "./userfault-fill.js";

const UFFD_USER_MODE_ONLY = 1;
const FLAGS = names("UFFD_???", { UFFD_USER_MODE_ONLY, O_CLOEXEC, O_NONBLOCK });

/**
 * EPERM without UFFD_USER_MODE_ONLY, CAP_SYS_PTRACE and vm.unprivileged_userfaultfd: who can make the kernel's own
 * accesses wait can win races in it (userfaultfd_syscall_allowed). Then as `create`.
 */
function userfaultfd(call: SyscallCall): number {
  const bits = call.i32(0);
  const permitted =
    (bits & UFFD_USER_MODE_ONLY) !== 0 ||
    mayTrace(call) ||
    call.kernel.tunables.get(UNPRIVILEGED_USERFAULTFD) === "1";
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

/** What watches the children of forks that a read of so many bytes tells of gets descriptors. */
export function openForked(call: SyscallCall, file: UserfaultFile, bytes: number): void {
  for (const event of file.forksToTell(bytes)) {
    if (event.child === null || event.descriptor >= 0) continue;
    const location = internalLocation(call, () => "anon_inode:[userfaultfd]", 0o600);
    const made = new UserfaultFile(location, file.flags & O_NONBLOCK, event.child);
    const closes = call.task.files.closesOnExec(call.fd(0));
    event.descriptor = call.task.files.install(made, closes, descriptorLimit(call));
  }
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
const UFFDIO_MOVE = 0xc028_aa05;
const UFFDIO_WRITEPROTECT = 0xc018_aa06;
const UFFDIO_CONTINUE = 0xc020_aa07;
const UFFDIO_POISON = 0xc020_aa08;

export const USERFAULT_REQUESTS = {
  UFFDIO_API,
  UFFDIO_REGISTER,
  UFFDIO_UNREGISTER,
  UFFDIO_WAKE,
  UFFDIO_COPY,
  UFFDIO_ZEROPAGE,
  UFFDIO_MOVE,
  UFFDIO_WRITEPROTECT,
  UFFDIO_CONTINUE,
  UFFDIO_POISON,
} as const;

/** The requests by their numbers' bits: on the file, and on a range (UFFD_API_IOCTLS, UFFD_API_RANGE_IOCTLS). */
const FILE_REQUESTS = (1n << 0x3fn) | (1n << 0n) | (1n << 1n);
const RANGE_REQUESTS = (1n << 2n) | (1n << 3n) | (1n << 4n) | (1n << 5n) | (1n << 8n);
/** Of huge pages: neither zeroes nor moves (UFFD_API_RANGE_IOCTLS_BASIC). */
const HUGETLB_REQUESTS = (1n << 2n) | (1n << 3n) | (1n << 8n);
const WRITEPROTECT_BIT = 1n << 6n;
const CONTINUE_BIT = 1n << 7n;

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
    case UFFDIO_MOVE:
      return move(call, context);
    case UFFDIO_CONTINUE:
      return goOnWithPages(call, context);
    case UFFDIO_POISON:
      return poison(call, context);
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

/**
 * EFAULT; EINVAL (another API), EPERM (forks are told to who has CAP_SYS_PTRACE), EINVAL (unknown features, the second
 * time), with the structure zeroed.
 */
function api(call: SyscallCall, context: UserfaultContext): number {
  const at = call.word(2);
  const view = readView(call.user, at, 24);
  if (typeof view === "number") return view;
  const asked = view.getBigUint64(8, true);
  const refuse = (errno: number, text: string): number => {
    if (writeBytes(call.user, at, new Uint8Array(24)) !== 0) return -EFAULT;
    return context.mm.refuse("userfaultfd.api", errno, () => ({ text, source: "userfaultfd_api" }));
  };
  if (view.getBigUint64(0, true) !== BigInt(uapi.UFFD_API)) return refuse(EINVAL, "another API");
  if ((asked & BigInt(uapi.UFFD_FEATURE_EVENT_FORK)) !== 0n && !mayTrace(call))
    return refuse(EPERM, "who is told of forks gets into the children's memory, which takes CAP_SYS_PTRACE");
  if ((asked & ~BigInt(uapi.UFFD_FEATURES)) !== 0n) return refuse(EINVAL, "features that there are not");
  const answer = new DataView(new ArrayBuffer(24));
  answer.setBigUint64(0, BigInt(uapi.UFFD_API), true);
  answer.setBigUint64(8, BigInt(uapi.UFFD_FEATURES), true);
  answer.setBigUint64(16, FILE_REQUESTS, true);
  if (writeBytes(call.user, at, new Uint8Array(answer.buffer)) !== 0) return -EFAULT;
  if (context.features !== null) return refuse(EINVAL, "the features have been chosen already");
  const chosen = Number(asked);
  const implied = (chosen & uapi.UFFD_FEATURE_WP_ASYNC) !== 0 ? uapi.UFFD_FEATURE_WP_UNPOPULATED : 0;
  context.features = chosen | implied;
  if ((chosen & uapi.UFFD_EVENT_FEATURES) !== 0) call.kernel.userfaults ??= new KernelUserfaults(call.kernel);
  return 0;
}

function hasHugetlb(
  mm: AddressSpace,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next)
    if (isHugetlb(area)) return true;
  return false;
}

const mayTrace = ({ task }: SyscallCall): boolean => hasCapability(task.credentials, CAP_SYS_PTRACE);

/** EFAULT; EINVAL (modes, the range); ENOMEM (the memory is gone); what registerRange says; EFAULT (registered). */
function register(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const view = readView(call.user, at, 24);
  if (typeof view === "number") return view;
  const mode = view.getBigUint64(16, true);
  const known = BigInt(
    uapi.UFFDIO_REGISTER_MODE_MISSING | uapi.UFFDIO_REGISTER_MODE_WP | uapi.UFFDIO_REGISTER_MODE_MINOR,
  );
  if (mode === 0n || (mode & ~known) !== 0n) return -EINVAL;
  const range = rangeAt(view, 0, context);
  if (range === null) return -EINVAL;
  if (context.mm.released) return -ENOMEM;
  const error = registerRange(context, range.start, range.end, Number(mode));
  if (error !== 0) return error;
  const protects = (Number(mode) & uapi.UFFDIO_REGISTER_MODE_WP) !== 0 ? WRITEPROTECT_BIT : 0n;
  const goesOn = (Number(mode) & uapi.UFFDIO_REGISTER_MODE_MINOR) !== 0 ? CONTINUE_BIT : 0n;
  const requests = hasHugetlb(context.mm, range) ? HUGETLB_REQUESTS : RANGE_REQUESTS;
  return put64(call, at + 24, requests | protects | goesOn);
}
