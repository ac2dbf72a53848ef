/** ioctl(2) on /proc/PID/pagemap and /proc/PID/maps (linux/fs.h; fs/proc/task_mmu.c). */

import { E2BIG, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTTY, ESRCH } from "../kernel/errno.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { bytesOf } from "../kernel/fs/bytes.js";
import { MapsFile } from "../kernel/fs/procfs/maps-file.js";
import { PageMapFile } from "../kernel/fs/procfs/page-map-file.js";
import type { AddressSpace } from "../kernel/mm/address-space.js";
import type { Area } from "../kernel/mm/area.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import {
  knownCategories,
  PM_SCAN_CHECK_WPASYNC,
  PM_SCAN_WP_MATCHING,
  scanPages,
} from "../kernel/mm/page-scan.js";
import { areaName } from "../kernel/mm/proc-maps.js";
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from "../kernel/mm/vm-flags.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";

const PAGEMAP_SCAN = 0xc060_6610;
const PROCMAP_QUERY = 0xc068_6611;

/** Byte offsets in struct pm_scan_arg; every field has 64 bits. */
const SCAN = {
  size: 0,
  flags: 8,
  start: 16,
  end: 24,
  walkEnd: 32,
  vector: 40,
  vectorLength: 48,
  maxPages: 56,
  inverted: 64,
  required: 72,
  anyOf: 80,
  told: 88,
};
const SCAN_BYTES = 96;
/** struct page_region. */
const RANGE_BYTES = 24;

/** The answer, or null where the file is neither of the two. */
export function procIoctl(call: SyscallCall, file: OpenFile, request: number): number | null {
  if (file instanceof PageMapFile) return request === PAGEMAP_SCAN ? pageMapScan(call, file.mm) : -EINVAL;
  if (!(file instanceof MapsFile)) return null;
  return request === PROCMAP_QUERY && file.mm.env.release.mapsQuery ? mapsQuery(call, file.mm) : -ENOTTY;
}

/*
 * ioctl(fd, PAGEMAP_SCAN, struct pm_scan_arg *)
 *   EFAULT  the structure
 *   EINVAL  its size, flags, categories; start not page aligned
 *   EFAULT  the range does not lie in user space
 *   EINVAL  a length without a vector
 *   EFAULT  the vector
 *   EPERM   PM_SCAN_CHECK_WPASYNC and an area not registered with userfaultfd for it
 * The number of ranges is the result; walk_end is written also when the walk fails.
 */
function pageMapScan(call: SyscallCall, mm: AddressSpace): number {
  const at = call.word(2);
  const view = readView(call.user, at, SCAN_BYTES);
  if (typeof view === "number") return view;
  const field = (offset: number): bigint => view.getBigUint64(offset, true);
  if (field(SCAN.size) !== BigInt(SCAN_BYTES)) return -EINVAL;
  const flags = field(SCAN.flags);
  if ((flags & ~BigInt(PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC)) !== 0n) return -EINVAL;
  const [inverted, required, anyOf, told] = [SCAN.inverted, SCAN.required, SCAN.anyOf, SCAN.told].map(field);
  if (((inverted! | required! | anyOf! | told!) & ~BigInt(knownCategories(mm))) !== 0n) return -EINVAL;
  const start = field(SCAN.start);
  const end = field(SCAN.end);
  if (start % 4096n !== 0n) return -EINVAL;
  if (end < start || end > BigInt(TASK_SIZE)) return -EFAULT;
  const vector = field(SCAN.vector);
  const vectorLength = field(SCAN.vectorLength);
  if (vector === 0n && vectorLength !== 0n) return -EINVAL;
  if (vector + vectorLength * BigInt(RANGE_BYTES) > BigInt(TASK_SIZE)) return -EFAULT;
  const result = scanPages(mm, {
    start: Number(start),
    end: Math.ceil(Number(end) / 4096) * 4096,
    flags: Number(flags),
    inverted: Number(inverted),
    required: Number(required),
    anyOf: Number(anyOf),
    told: Number(told),
    mostRanges: Number(vectorLength),
    mostPages: Number(field(SCAN.maxPages)) || Infinity,
  });
  const bytes = new DataView(new ArrayBuffer(result.ranges.length * RANGE_BYTES));
  result.ranges.forEach((range, i) => {
    bytes.setBigUint64(i * RANGE_BYTES, BigInt(range.start), true);
    bytes.setBigUint64(i * RANGE_BYTES + 8, BigInt(range.end), true);
    bytes.setBigUint64(i * RANGE_BYTES + 16, BigInt(range.categories), true);
  });
  const copied = writeBytes(call.user, Number(vector), new Uint8Array(bytes.buffer));
  const walkEnd = new DataView(new ArrayBuffer(8));
  walkEnd.setBigUint64(0, BigInt(result.walkEnd), true);
  const written = writeBytes(call.user, Number(at) + SCAN.walkEnd, new Uint8Array(walkEnd.buffer));
  if (written < 0 || copied < 0) return -EFAULT;
  return result.error === 0 ? result.ranges.length : result.error;
}

const QUERY_READABLE = 1;
const QUERY_WRITABLE = 2;
const QUERY_EXECUTABLE = 4;
const QUERY_SHARED = 8;
const QUERY_COVERING_OR_NEXT = 0x10;
const QUERY_FILE_BACKED = 0x20;
const QUERY_FLAGS = 0x3f;

/** Byte offsets in struct procmap_query. */
const QUERY = {
  size: 0,
  flags: 8,
  address: 16,
  start: 24,
  end: 32,
  areaFlags: 40,
  pageSize: 48,
  offset: 56,
  inode: 64,
  major: 72,
  minor: 76,
  nameSize: 80,
  buildIdSize: 84,
  name: 88,
  buildId: 96,
};
const QUERY_BYTES = 104;
const PATH_MAX = 4096;

/*
 * ioctl(fd, PROCMAP_QUERY, struct procmap_query *)
 *   EFAULT  the structure
 *   E2BIG   a size beyond a page; bytes beyond the fields known here that are not 0
 *   EINVAL  too small for the question; unknown flags; a buffer without a size or a size without a buffer
 *   ESRCH   the memory is gone
 *   ENOENT  no such area
 *   ENAMETOOLONG  the name does not fit
 * No file has a build ID here: its size becomes 0, as for a file without one.
 */
function mapsQuery(call: SyscallCall, mm: AddressSpace): number {
  const at = call.word(2);
  const { user } = call;
  const size = user.read(at, 8);
  if (typeof size === "number") return -EFAULT;
  const given = Number(new DataView(size.buffer, size.byteOffset, 8).getBigUint64(0, true));
  if (given > 4096) return -E2BIG;
  if (given < QUERY.start) return -EINVAL;
  const bytes = user.read(at, given);
  if (typeof bytes === "number") return -EFAULT;
  if (bytes.subarray(QUERY_BYTES).some((byte) => byte !== 0)) return -E2BIG;
  const record = new Uint8Array(QUERY_BYTES);
  record.set(bytes.subarray(0, QUERY_BYTES));
  const view = new DataView(record.buffer);
  const flags = view.getBigUint64(QUERY.flags, true);
  if ((flags & ~BigInt(QUERY_FLAGS)) !== 0n) return -EINVAL;
  const nameSize = view.getUint32(QUERY.nameSize, true);
  const nameAt = view.getBigUint64(QUERY.name, true);
  const buildIdSize = view.getUint32(QUERY.buildIdSize, true);
  if ((nameSize !== 0) !== (nameAt !== 0n)) return -EINVAL;
  if ((buildIdSize !== 0) !== (view.getBigUint64(QUERY.buildId, true) !== 0n)) return -EINVAL;
  if (mm.released) return -ESRCH;
  const area = matchingArea(mm, Number(view.getBigUint64(QUERY.address, true)), Number(flags));
  if (area === null) return -ENOENT;

  const put = (offset: number, value: number): void => view.setBigUint64(offset, BigInt(value), true);
  const { file } = area;
  put(QUERY.start, area.start);
  put(QUERY.end, area.end);
  put(
    QUERY.areaFlags,
    (area.flags & (VM_READ | VM_WRITE | VM_EXEC)) | ((area.flags & VM_MAYSHARE) !== 0 ? 8 : 0),
  );
  put(QUERY.pageSize, 4096);
  put(QUERY.offset, file === null ? 0 : area.pageOffset * 4096);
  put(QUERY.inode, file?.inode ?? 0);
  view.setUint32(QUERY.major, file?.device.major ?? 0, true);
  view.setUint32(QUERY.minor, file?.device.minor ?? 0, true);
  view.setUint32(QUERY.buildIdSize, 0, true);
  if (nameSize !== 0) {
    const name = file !== null && area.anonName === null ? file.mapName : areaName(mm, area);
    const text = name === "" ? new Uint8Array() : bytesOf(`${name}\0`);
    if (text.length > Math.min(nameSize, PATH_MAX)) return -ENAMETOOLONG;
    view.setUint32(QUERY.nameSize, text.length, true);
    if (writeBytes(user, Number(nameAt), text) < 0) return -EFAULT;
  }
  return writeBytes(user, at, record.subarray(0, Math.min(given, QUERY_BYTES)));
}

/** The area at an address, or with COVERING_OR_NEXT the first from there on, that is as asked (query_matching_vma). */
function matchingArea(mm: AddressSpace, address: number, flags: number): Area | null {
  const needed =
    ((flags & QUERY_READABLE) !== 0 ? VM_READ : 0) |
    ((flags & QUERY_WRITABLE) !== 0 ? VM_WRITE : 0) |
    ((flags & QUERY_EXECUTABLE) !== 0 ? VM_EXEC : 0) |
    ((flags & QUERY_SHARED) !== 0 ? VM_MAYSHARE : 0);
  const next = (flags & QUERY_COVERING_OR_NEXT) !== 0;
  for (let area = mm.tree.findFirst(address); area !== null; area = area.next) {
    const fits =
      ((flags & QUERY_FILE_BACKED) === 0 || area.file !== null) && (area.flags & needed) === needed;
    if (fits && (next || area.start <= address)) return area;
    if (!next) return null;
  }
  return null;
}
