/** ioctl(2) on disks (block/ioctl.c), but what a loop device alone has. */

import { BlockFile } from "../kernel/block/block-file.js";
import { SECTOR_BYTES } from "../kernel/block/block-device.js";
import { LoopDevice } from "../kernel/block/loop-device.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EACCES, EBADF, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP, EPERM } from "../kernel/errno.js";
import type { SyscallCall } from "./call.js";
import { loopIoctl } from "./loop-ioctl.js";
import { readView, writeBytes } from "./structs.js";

export const BLOCK_REQUESTS = {
  HDIO_GETGEO: 0x301,
  BLKROSET: 0x125d,
  BLKROGET: 0x125e,
  BLKRRPART: 0x125f,
  BLKGETSIZE: 0x1260,
  BLKFLSBUF: 0x1261,
  BLKRASET: 0x1262,
  BLKRAGET: 0x1263,
  BLKSECTGET: 0x1267,
  BLKSSZGET: 0x1268,
  BLKDISCARD: 0x1277,
  BLKIOMIN: 0x1278,
  BLKIOOPT: 0x1279,
  BLKALIGNOFF: 0x127a,
  BLKPBSZGET: 0x127b,
  BLKDISCARDZEROES: 0x127c,
  BLKSECDISCARD: 0x127d,
  BLKROTATIONAL: 0x127e,
  BLKZEROOUT: 0x127f,
  BLKBSZGET: 0x8008_1270,
  BLKBSZSET: 0x4008_1271,
  BLKGETSIZE64: 0x8008_1272,
  BLKGETDISKSEQ: 0x8008_1280,
  BLKGETZONESZ: 0x8004_1284,
  BLKGETNRZONES: 0x8004_1285,
} as const;

/** The most sectors in one request to a loop device (queue/max_sectors_kb is 1280). */
const MAX_SECTORS = 2560;

export function blockIoctl(call: SyscallCall, file: BlockFile, request: number): number {
  const { disk } = file;
  const R = BLOCK_REQUESTS;
  switch (request) {
    case R.BLKGETSIZE:
      return give(call, 8, disk.size / SECTOR_BYTES);
    case R.BLKGETSIZE64:
      return give(call, 8, disk.size);
    case R.BLKGETDISKSEQ:
      return give(call, 8, disk.sequence);
    case R.BLKRAGET:
      return give(call, 8, disk.readAhead);
    case R.BLKBSZGET:
      return give(call, 4, disk.blockSize);
    case R.BLKSSZGET:
    case R.BLKPBSZGET:
    case R.BLKIOMIN:
      return give(call, 4, disk.sectorSize);
    case R.BLKROGET:
      return give(call, 4, disk.readOnly ? 1 : 0);
    case R.BLKIOOPT:
    case R.BLKALIGNOFF:
    case R.BLKDISCARDZEROES:
    case R.BLKGETZONESZ:
    case R.BLKGETNRZONES:
      return give(call, 4, 0);
    case R.BLKROTATIONAL:
      return give(call, 2, 0);
    case R.BLKSECTGET:
      return give(call, 2, MAX_SECTORS);
    case R.BLKFLSBUF:
      return administers(call) ? disk.flush() : -EACCES;
    case R.BLKRASET:
      if (!administers(call)) return -EACCES;
      disk.readAhead = call.n(2);
      return 0;
    case R.BLKROSET:
      return setReadOnly(call, file);
    case R.BLKBSZSET:
      return setBlockSize(call, file);
    case R.BLKDISCARD:
    case R.BLKZEROOUT:
      return clearRange(call, file, request === R.BLKDISCARD);
    case R.BLKSECDISCARD:
      return file.writable ? -EOPNOTSUPP : -EBADF;
    case R.HDIO_GETGEO:
      return -ENOTTY;
    case R.BLKRRPART:
      return administers(call) ? -EINVAL : -EACCES;
  }
  return disk instanceof LoopDevice ? loopIoctl(call, file, disk, request) : -ENOTTY;
}

function administers(call: SyscallCall): boolean {
  return hasCapability(call.task.credentials, CAP_SYS_ADMIN);
}

/** Writes an unsigned number of 2, 4 or 8 bytes to where the argument points. */
function give(call: SyscallCall, bytes: 2 | 4 | 8, value: number): number {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 8) view.setBigUint64(0, BigInt(value), true);
  else if (bytes === 4) view.setUint32(0, value, true);
  else view.setUint16(0, value, true);
  return writeBytes(call.user, call.word(2), new Uint8Array(view.buffer));
}

function setReadOnly(call: SyscallCall, { disk }: BlockFile): number {
  if (!administers(call)) return -EACCES;
  const value = call.user.readI32(call.word(2));
  if (value === null) return -EFAULT;
  disk.protectedByUser = value !== 0;
  return 0;
}

/** Between a sector and a page, a power of 2 (bdev_validate_blocksize). */
function setBlockSize(call: SyscallCall, { disk }: BlockFile): number {
  if (!administers(call)) return -EACCES;
  const value = call.user.readI32(call.word(2));
  if (value === null) return -EFAULT;
  if (value < disk.sectorSize || value > 4096 || (value & (value - 1)) !== 0) return -EINVAL;
  disk.blockSize = value;
  return 0;
}

/** BLKDISCARD, BLKZEROOUT: { u64 start, u64 length } in bytes, whole sectors. */
function clearRange(call: SyscallCall, file: BlockFile, discard: boolean): number {
  const { disk } = file;
  if (!file.writable) return -EBADF;
  if (discard && !disk.discards) return -EOPNOTSUPP;
  if (disk.readOnly) return -EPERM;
  const view = readView(call.user, call.word(2), 16);
  if (typeof view === "number") return view;
  const start = Number(view.getBigUint64(0, true));
  const length = Number(view.getBigUint64(8, true));
  const unit = discard ? disk.sectorSize : SECTOR_BYTES;
  if (start % unit !== 0 || length % unit !== 0 || length === 0) return -EINVAL;
  if (start + length > disk.size) return -EINVAL;
  if (disk.discards) return disk.discard(start, length);
  const zeroes = new Uint8Array(Math.min(length, 1 << 20));
  for (let at = start; at < start + length; at += zeroes.length) {
    const result = disk.write(at, zeroes.subarray(0, start + length - at));
    if (result < 0) return result;
  }
  return 0;
}
