/** cachestat: how much of a file is in the page cache (mm/filemap.c, since 6.5). */

import { EBADF, EFAULT, EINVAL, EOPNOTSUPP, EPERM } from "../kernel/errno.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { MAY_WRITE } from "../kernel/fs/mode.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { actorOf, ownerOrCapable, permission } from "../kernel/fs/permission.js";
import { isHugetlbFile } from "../kernel/mm/hugetlb/area.js";
import { address, fd, hex } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";

const RANGE_BYTES = 16;
/** nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted. */
const ANSWER_BYTES = 40;
const PAGE = 4096n;

/** Who may learn of other processes' reads and writes (can_do_cachestat): writers, and who might be one. */
function mayLook(file: OpenFile, call: SyscallCall): boolean {
  const actor = actorOf(call.task.credentials);
  return file.writable || ownerOrCapable(actor, file.node) || permission(actor, file.node, MAY_WRITE) === 0;
}

/*
 * cachestat(fd, range, answer, flags): range is bytes [off, off + len), to the end of the file where len is 0; whole
 * pages that it touches count
 *   EBADF   fd is not open
 *   EFAULT  range
 *   EPERM   the file is somebody else's and not writable
 *   EOPNOTSUPP  a file of huge pages
 *   EINVAL  flags
 *   EFAULT  answer
 * Files without a page cache have nothing in it. Nothing is ever under writeback between two calls.
 */
function cachestat(call: SyscallCall): number {
  const file = call.fileAt(call.fd(0));
  if (file === undefined) return -EBADF;
  const range = readView(call.user, call.word(1), RANGE_BYTES);
  if (typeof range === "number") return -EFAULT;
  if (!mayLook(file, call)) return -EPERM;
  if (isHugetlbFile(file)) return -EOPNOTSUPP;
  if (call.u32(3) !== 0) return -EINVAL;
  const offset = range.getBigUint64(0, true);
  const length = range.getBigUint64(8, true);
  const first = Number(offset / PAGE);
  const end = length === 0n ? Infinity : Number(BigInt.asUintN(64, offset + length - 1n) / PAGE) + 1;
  const { node } = file;
  const counts = node instanceof RegularInode ? node.pages.cacheCounts(first, end) : null;
  const dirty = node instanceof RegularInode && node.writesBack ? (counts?.dirty ?? 0) : 0;
  const answer = new DataView(new ArrayBuffer(ANSWER_BYTES));
  [counts?.resident ?? 0, dirty, 0, counts?.evicted ?? 0, counts?.evicted ?? 0].forEach((count, i) =>
    answer.setBigUint64(i * 8, BigInt(count), true),
  );
  return writeBytes(call.user, call.word(2), new Uint8Array(answer.buffer));
}

export const cachestatSyscalls: readonly Definition[] = [
  define({
    number: 451,
    name: "cachestat",
    args: [fd("fd"), address("cstat_range"), address("cstat"), hex("flags")],
    handler: cachestat,
  }),
];
