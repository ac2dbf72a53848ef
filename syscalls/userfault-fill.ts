/**
 * Requests of ioctl_userfaultfd(2) that answer page faults (fs/userfaultfd.c). All are EAGAIN while the address space is
 * being changed and the event of that has not been read.
 */

import { EAGAIN, EFAULT, EINVAL, ESRCH } from "../kernel/errno.js";
import type { UserfaultContext } from "../kernel/mm/userfault/context.js";
import { bytesToCopy, fillPages, type Filling } from "../kernel/mm/userfault/fill.js";
import { movePages } from "../kernel/mm/userfault/move.js";
import { writeProtectRange } from "../kernel/mm/userfault/protect.js";
import * as uapi from "../kernel/mm/userfault/uapi.js";
import type { SyscallCall } from "./call.js";
import { readView } from "./structs.js";
import { put64, rangeAt } from "./userfault-arguments.js";

/** What they share: the result goes into a field; less than all is EAGAIN. */
function ended(
  call: SyscallCall,
  context: UserfaultContext,
  resultAt: number,
  range: { readonly start: number; readonly end: number },
  wake: boolean,
  work: () => number,
): number {
  if (context.mm.released) return -ESRCH;
  const done = work();
  if (put64(call, resultAt, BigInt(done)) !== 0) return -EFAULT;
  if (done < 0) return done;
  if (wake) context.wake(range.start, range.start + done);
  return done === range.end - range.start ? 0 : -EAGAIN;
}

/** The address space is being changed: the result's field says so too. */
function isChanging(call: SyscallCall, context: UserfaultContext, resultAt: number): number {
  if (context.changing === 0) return 0;
  return put64(call, resultAt, BigInt(-EAGAIN)) === 0 ? -EAGAIN : -EFAULT;
}

const has = (mode: bigint, bit: number): boolean => (Number(mode) & bit) !== 0;
const unknown = (mode: bigint, known: number): boolean => (mode & ~BigInt(known)) !== 0n;

/** struct uffdio_copy { dst, src, len, mode, copy }. */
export function copy(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const changing = isChanging(call, context, at + 32);
  if (changing !== 0) return changing;
  const view = readView(call.user, at, 32);
  if (typeof view === "number") return view;
  const { source, target, mode } = twoRanges(view, context, false);
  if (source === null || target === null) return -EINVAL;
  if (unknown(mode, uapi.UFFDIO_MODE_DONTWAKE | uapi.UFFDIO_MODE_WP)) return -EINVAL;
  const page = (va: number): Uint8Array | null => {
    const bytes = call.user.read(source.start + (va - target.start), 4096);
    return typeof bytes === "number" ? null : bytes;
  };
  const protect = has(mode, uapi.UFFDIO_MODE_WP);
  const filling: Filling = { ...target, content: { kind: "copy", page }, protect };
  awaitWatched(call, source.start, bytesToCopy(context.mm, filling));
  return ended(call, context, at + 32, target, !has(mode, uapi.UFFDIO_MODE_DONTWAKE), () =>
    fillPages(context.mm, filling),
  );
}

/**
 * Waits for what other userfaultfds have to fill of a source. The rest comes in as each page is copied: it may be what is
 * filled itself.
 */
function awaitWatched(call: SyscallCall, start: number, length: number): void {
  for (let at = start; at < start + length; at += 4096) {
    const watcher = call.mm.findArea(at)?.userfault ?? null;
    if (watcher?.has(uapi.UFFD_FEATURE_SIGBUS) === false) call.user.awaitReadable(at, 4096);
  }
}

/** { dst, src, len, mode }: what COPY and MOVE begin with. The source is looked at first. */
function twoRanges(view: DataView, context: UserfaultContext, aligned: boolean) {
  const word = (index: number): bigint => view.getBigUint64(index * 8, true);
  const ranges = new DataView(new ArrayBuffer(32));
  [word(1), word(2), word(0), word(2)].forEach((each, i) => ranges.setBigUint64(i * 8, each, true));
  const source = rangeAt(ranges, 0, context, aligned);
  return { source, target: rangeAt(ranges, 16, context), mode: word(3) };
}

/** struct uffdio_move { dst, src, len, mode, move }. EINVAL also for another's memory. */
export function move(call: SyscallCall, context: UserfaultContext): number {
  const at = call.n(2);
  const changing = isChanging(call, context, at + 32);
  if (changing !== 0) return changing;
  const view = readView(call.user, at, 32);
  if (typeof view === "number") return view;
  if (context.mm !== call.mm) return -EINVAL;
  const { source, target, mode } = twoRanges(view, context, true);
  if (source === null || target === null) return -EINVAL;
  if (unknown(mode, uapi.UFFDIO_MODE_DONTWAKE | uapi.UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES)) return -EINVAL;
  const holes = has(mode, uapi.UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES);
  const length = source.end - source.start;
  return ended(call, context, at + 32, target, !has(mode, uapi.UFFDIO_MODE_DONTWAKE), () =>
    movePages(context, { from: source.start, to: target.start, length, holes }),
  );
}

/** { range, mode, result }: ZEROPAGE, CONTINUE and POISON. @param known modes besides DONTWAKE */
const filling =
  (content: Filling["content"], known: number) =>
  (call: SyscallCall, context: UserfaultContext): number => {
    const at = call.n(2);
    const changing = isChanging(call, context, at + 24);
    if (changing !== 0) return changing;
    const view = readView(call.user, at, 24);
    if (typeof view === "number") return view;
    const range = rangeAt(view, 0, context);
    const mode = view.getBigUint64(16, true);
    if (range === null || unknown(mode, known | uapi.UFFDIO_MODE_DONTWAKE)) return -EINVAL;
    const protect = has(mode, known & uapi.UFFDIO_MODE_WP);
    return ended(call, context, at + 24, range, !has(mode, uapi.UFFDIO_MODE_DONTWAKE), () =>
      fillPages(context.mm, { ...range, content, protect }),
    );
  };

/** struct uffdio_zeropage { range, mode, zeropage }. */
export const zeroPage = filling({ kind: "zeroes" }, 0);
/** struct uffdio_continue { range, mode, mapped }. */
export const goOnWithPages = filling({ kind: "cached" }, uapi.UFFDIO_MODE_WP);
/** struct uffdio_poison { range, mode, updated }. */
export const poison = filling({ kind: "poison" }, 0);

/** struct uffdio_writeprotect { range, mode }. */
export function writeProtect(call: SyscallCall, context: UserfaultContext): number {
  if (context.changing > 0) return -EAGAIN;
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
