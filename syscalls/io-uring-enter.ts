/** io_uring_enter: takes submissions, waits for completions. */

import { EBADFD, EEXIST, EFAULT, EINTR, EINVAL, EOPNOTSUPP, ETIME } from "../kernel/errno.js";
import { Request } from "../kernel/io-uring/request.js";
import { RingFile } from "../kernel/io-uring/ring-file.js";
import {
  IORING_ENTER_ABS_TIMER,
  IORING_ENTER_EXT_ARG,
  IORING_ENTER_GETEVENTS,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SUBMIT_ALL,
  RINGS,
  SQE_BYTES,
} from "../kernel/io-uring/uapi.js";
import { isZero } from "../kernel/mm/word.js";
import type { Word } from "../kernel/mm/word.js";
import type { BLOCKED } from "../kernel/syscall-dispatch.js";
import { restoreMask, useMask } from "./borrowed-mask.js";
import type { SyscallCall } from "./call.js";
import { awaitSegments, block, fileOf } from "./files-common.js";
import { IORING_OP_WRITE, IORING_OP_WRITEV } from "./io-uring-operations.js";
import { prepare } from "./io-uring-prepare.js";
import { readTimespec, readView } from "./structs.js";

/** GETEVENTS, SQ_WAKEUP and SQ_WAIT (which mean nothing without a kernel thread), EXT_ARG, ABS_TIMER. */
const KNOWN_FLAGS = 0x2f;
/** Bytes of a struct io_uring_getevents_arg. */
const EXT_ARG_BYTES = 24;

const WRITES: ReadonlySet<number> = new Set([IORING_OP_WRITE, IORING_OP_WRITEV]);

interface WaitArguments {
  readonly mask: Word;
  readonly maskBytes: number;
  /** Nanoseconds; null: for ever. */
  readonly time: number | null;
}

/**
 * EINVAL (flags), EBADF, EOPNOTSUPP (no ring), EBADFD (not enabled yet), EEXIST (another task's ring). Then what was
 * submitted is the result, unless that is nothing: EINVAL or EFAULT (arguments of the wait), ETIME, EINTR.
 */
export function enter(call: SyscallCall): number | typeof BLOCKED {
  const bits = call.u32(3);
  if ((bits & ~KNOWN_FLAGS) !== 0) return -EINVAL;
  const ring = fileOf(call, call.fd(0));
  if (typeof ring === "number") return ring;
  if (!(ring instanceof RingFile)) return -EOPNOTSUPP;
  if (ring.disabled) return -EBADFD;
  const wanted = call.u32(1);
  const { resumed } = call;
  let submitted = resumed?.kind === "file" ? resumed.progress : 0;
  if (resumed === null && wanted > 0) {
    if (!maySubmit(ring, call)) return -EEXIST;
    if (call.mm.kernelWaits) awaitSubmissions(call, ring, wanted, bits);
    submitted = submit(call, ring, wanted);
    if (submitted !== wanted) return submitted;
  }
  if ((bits & IORING_ENTER_GETEVENTS) === 0) return submitted;
  const result = wait(call, ring, bits, submitted);
  return typeof result === "number" && submitted > 0 ? submitted : result;
}

function maySubmit(ring: RingFile, { task }: SyscallCall): boolean {
  if ((ring.shape.flags & IORING_SETUP_SINGLE_ISSUER) !== 0) {
    ring.submitter ??= task;
    if (ring.submitter !== task) return false;
  }
  (task.rings ??= new Set()).add(ring);
  return true;
}

/** Before the first entry is taken: what the entries and the wait read of user memory (UserMemory.awaitReadable). */
function awaitSubmissions(call: SyscallCall, ring: RingFile, wanted: number, bits: number): void {
  const { pages, shape } = ring;
  for (let i = 0; i < Math.min(wanted, ring.submitted); i++) {
    const slot = (ring.taken + i) & (shape.sqEntries - 1);
    const index = shape.array === 0 ? slot : pages.word(shape.array + 4 * slot);
    if (index >= shape.sqEntries) break;
    const request = new Request(call.kernel, ring, call.task, pages.entry(index, SQE_BYTES));
    if (prepare(call, request) === 0 && WRITES.has(request.opcode)) awaitSegments(call, request.segments);
  }
  if ((bits & IORING_ENTER_GETEVENTS) === 0) return;
  const args = waitArguments(call, bits);
  if (typeof args === "object") call.user.awaitReadable(args.mask, isZero(args.mask) ? 0 : 8);
}

/** Takes entries from the submission ring and begins them (io_submit_sqes). @returns how many were taken */
function submit(call: SyscallCall, ring: RingFile, wanted: number): number {
  const { pages, shape } = ring;
  const most = Math.min(wanted, ring.submitted);
  const mask = shape.sqEntries - 1;
  let head: Request | null = null;
  let last: Request | null = null;
  let broken = false;
  let count = 0;
  const begin = (chain: Request): void => {
    if (broken) ring.cancelChain(chain);
    else ring.begin(chain);
    head = last = null;
    broken = false;
  };
  while (count < most) {
    const slot = ring.taken & mask;
    const index = shape.array === 0 ? slot : pages.word(shape.array + 4 * slot);
    ring.taken = (ring.taken + 1) >>> 0;
    if (index >= shape.sqEntries) {
      pages.setWord(RINGS.sqDropped, pages.word(RINGS.sqDropped) + 1);
      break;
    }
    count++;
    const request = new Request(call.kernel, ring, call.task, pages.entry(index, SQE_BYTES));
    request.failed = prepare(call, request);
    if (request.failed !== 0) broken = true;
    if (last === null) head = request;
    else (last as Request).next = request;
    last = request;
    if (request.linked) continue;
    begin(head!);
    if (request.failed !== 0 && (shape.flags & IORING_SETUP_SUBMIT_ALL) === 0) break;
  }
  if (head !== null) begin(head);
  ring.commit();
  return count;
}

/** Where the arguments of the wait are (io_get_ext_arg). */
function waitArguments(call: SyscallCall, bits: number): WaitArguments | number {
  if ((bits & IORING_ENTER_EXT_ARG) === 0) return { mask: call.word(4), maskBytes: call.n(5), time: null };
  if (call.n(5) !== EXT_ARG_BYTES) return -EINVAL;
  const view = readView(call.user, call.word(4), EXT_ARG_BYTES);
  if (typeof view === "number") return -EFAULT;
  const mask = view.getBigUint64(0, true);
  const maskBytes = view.getUint32(8, true);
  const at = view.getBigUint64(16, true);
  if (isZero(at)) return { mask, maskBytes, time: null };
  const time = readTimespec(call.user, at);
  return typeof time === "number" ? time : { mask, maskBytes, time: time.nanoseconds };
}

function wait(call: SyscallCall, ring: RingFile, bits: number, submitted: number): number | typeof BLOCKED {
  const args = waitArguments(call, bits);
  if (typeof args === "number") return args;
  const fewest = Math.min(call.u32(2), ring.shape.cqEntries);
  ring.getEvents();
  if (call.resumed === null && ring.completions >= fewest) return 0;
  const masked = useMask(call, args.mask, args.maskBytes);
  if (masked < 0) return masked;
  if (ring.completions >= fewest) return leave(0);
  if (call.resumed?.timedOut === true) return leave(-ETIME);
  const { clock } = call.kernel;
  const from = (bits & IORING_ENTER_ABS_TIMER) !== 0 ? 0 : clock.monotonic();
  return block(call, [call.fd(0)], false, submitted, args.time === null ? null : from + args.time, EINTR);

  function leave(result: number): number {
    restoreMask(call, args instanceof Object ? args.mask : 0);
    return result;
  }
}
