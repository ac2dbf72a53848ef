/** ioctl(2) on loop devices and /dev/loop-control (drivers/block/loop.c). */

import type { BlockFile } from "../kernel/block/block-file.js";
import { blockDevices } from "../kernel/block/block-devices.js";
import { NO_STATUS, type LoopDevice, type LoopStatus } from "../kernel/block/loop-device.js";
import { LO_NAME_SIZE } from "../kernel/block/loop-uapi.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EBADF, EINVAL, ENOSYS, ENXIO, EOVERFLOW, EPERM } from "../kernel/errno.js";
import { byteString, bytesOf } from "../kernel/fs/bytes.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import type { SyscallCall } from "./call.js";
import { fileOf } from "./files-common.js";
import { deviceCode } from "./files-status.js";
import { readView, writeBytes } from "./structs.js";

export const LOOP_REQUESTS = {
  LOOP_SET_FD: 0x4c00,
  LOOP_CLR_FD: 0x4c01,
  LOOP_SET_STATUS: 0x4c02,
  LOOP_GET_STATUS: 0x4c03,
  LOOP_SET_STATUS64: 0x4c04,
  LOOP_GET_STATUS64: 0x4c05,
  LOOP_CHANGE_FD: 0x4c06,
  LOOP_SET_CAPACITY: 0x4c07,
  LOOP_SET_DIRECT_IO: 0x4c08,
  LOOP_SET_BLOCK_SIZE: 0x4c09,
  LOOP_CONFIGURE: 0x4c0a,
  LOOP_CTL_ADD: 0x4c80,
  LOOP_CTL_REMOVE: 0x4c81,
  LOOP_CTL_GET_FREE: 0x4c82,
} as const;

const R = LOOP_REQUESTS;

export function loopIoctl(call: SyscallCall, file: BlockFile, device: LoopDevice, request: number): number {
  switch (request) {
    case R.LOOP_SET_FD: {
      const backing = fileArgument(call, call.fd(2));
      return typeof backing === "number"
        ? backing
        : device.configure(backing, file, file.writable, NO_STATUS, 0);
    }
    case R.LOOP_CONFIGURE:
      return configure(call, file, device);
    case R.LOOP_CHANGE_FD: {
      const backing = fileArgument(call, call.fd(2));
      return typeof backing === "number" ? backing : device.changeFile(backing);
    }
    case R.LOOP_CLR_FD:
      return device.clear();
    case R.LOOP_GET_STATUS64:
      return device.bound ? writeBytes(call.user, call.word(2), encode64(device)) : -ENXIO;
    case R.LOOP_GET_STATUS:
      return getOld(call, device);
  }
  const known =
    request === R.LOOP_SET_STATUS ||
    request === R.LOOP_SET_STATUS64 ||
    request === R.LOOP_SET_CAPACITY ||
    request === R.LOOP_SET_DIRECT_IO ||
    request === R.LOOP_SET_BLOCK_SIZE;
  if (!known) return -EINVAL;
  if (!file.writable && !hasCapability(call.task.credentials, CAP_SYS_ADMIN)) return -EPERM;
  switch (request) {
    case R.LOOP_SET_CAPACITY:
      return device.setCapacity();
    case R.LOOP_SET_BLOCK_SIZE:
      return device.setBlockSize(call.n(2));
    case R.LOOP_SET_DIRECT_IO:
      if (!device.bound) return -ENXIO;
      // What lies below is a page cache, always.
      return call.n(2) === 0 ? 0 : -EINVAL;
    default:
      return setStatus(call, device, request === R.LOOP_SET_STATUS);
  }
}

/** The file of a descriptor that a request names. */
function fileArgument(call: SyscallCall, fd: number): OpenFile | number {
  const file = fileOf(call, fd);
  return typeof file === "number" ? -EBADF : file;
}

/** Byte offsets in struct loop_info64. */
const INFO64 = {
  device: 0,
  inode: 8,
  rdevice: 16,
  offset: 24,
  sizeLimit: 32,
  number: 40,
  encryptType: 44,
  flags: 52,
  fileName: 56,
};
const INFO64_BYTES = 232;
/** Of struct loop_info, with the old numbers of devices. */
const INFO = {
  number: 0,
  device: 4,
  inode: 8,
  rdevice: 16,
  offset: 20,
  encryptType: 24,
  flags: 32,
  fileName: 36,
};
const INFO_BYTES = 168;
/** struct loop_config: { u32 fd, u32 block_size, struct loop_info64, u64 reserved[8] } */
const CONFIG_INFO = 8;
const CONFIG_BYTES = CONFIG_INFO + INFO64_BYTES + 64;

function nameAt(view: DataView, at: number): string {
  const text = byteString(new Uint8Array(view.buffer, view.byteOffset + at, LO_NAME_SIZE - 1));
  return text.replace(/\0.*$/s, "");
}

/** struct loop_info64 as a status; -EINVAL for encryption, -EOVERFLOW for positions below 0. */
function decode64(view: DataView, base: number): LoopStatus | number {
  if (view.getUint32(base + INFO64.encryptType, true) !== 0) return -EINVAL;
  const offset = view.getBigInt64(base + INFO64.offset, true);
  const sizeLimit = view.getBigInt64(base + INFO64.sizeLimit, true);
  if (offset < 0n || sizeLimit < 0n) return -EOVERFLOW;
  return {
    offset: Number(offset),
    sizeLimit: Number(sizeLimit),
    flags: view.getUint32(base + INFO64.flags, true),
    fileName: nameAt(view, base + INFO64.fileName),
  };
}

function encode64(device: LoopDevice): Uint8Array {
  const { backing, loopStatus: status } = device;
  const view = new DataView(new ArrayBuffer(INFO64_BYTES));
  const node = backing!.node;
  view.setBigUint64(INFO64.device, deviceCode(node.fileSystem.device), true);
  view.setBigUint64(INFO64.inode, BigInt(node.number), true);
  view.setBigUint64(INFO64.rdevice, deviceCode(node.deviceNumber), true);
  view.setBigUint64(INFO64.offset, BigInt(status.offset), true);
  view.setBigUint64(INFO64.sizeLimit, BigInt(status.sizeLimit), true);
  view.setUint32(INFO64.number, device.minor, true);
  view.setUint32(INFO64.flags, status.flags, true);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(bytesOf(status.fileName), INFO64.fileName);
  return bytes;
}

function configure(call: SyscallCall, file: BlockFile, device: LoopDevice): number {
  const view = readView(call.user, call.word(2), CONFIG_BYTES);
  if (typeof view === "number") return view;
  const backing = fileArgument(call, view.getInt32(0, true));
  if (typeof backing === "number") return backing;
  const status = decode64(view, CONFIG_INFO);
  if (typeof status === "number") return status;
  return device.configure(backing, file, file.writable, status, view.getUint32(4, true));
}

function setStatus(call: SyscallCall, device: LoopDevice, old: boolean): number {
  const view = readView(call.user, call.word(2), old ? INFO_BYTES : INFO64_BYTES);
  if (typeof view === "number") return view;
  if (!device.bound) return -ENXIO;
  const status = old ? decodeOld(view) : decode64(view, 0);
  return typeof status === "number" ? status : device.setStatus(status);
}

function decodeOld(view: DataView): LoopStatus | number {
  if (view.getInt32(INFO.encryptType, true) !== 0) return -EINVAL;
  const offset = view.getInt32(INFO.offset, true);
  if (offset < 0) return -EOVERFLOW;
  const flags = view.getInt32(INFO.flags, true);
  return { offset, sizeLimit: 0, flags, fileName: nameAt(view, INFO.fileName) };
}

/** EOVERFLOW where the old structure has no room for a number. */
function getOld(call: SyscallCall, device: LoopDevice): number {
  if (!device.bound) return -ENXIO;
  const { backing, loopStatus: status } = device;
  const { node } = backing!;
  if (status.offset > 0x7fff_ffff) return -EOVERFLOW;
  const view = new DataView(new ArrayBuffer(INFO_BYTES));
  view.setInt32(INFO.number, device.minor, true);
  view.setUint16(INFO.device, Number(deviceCode(node.fileSystem.device) & 0xffffn), true);
  view.setBigUint64(INFO.inode, BigInt(node.number), true);
  view.setUint16(INFO.rdevice, Number(deviceCode(node.deviceNumber) & 0xffffn), true);
  view.setInt32(INFO.offset, status.offset, true);
  view.setInt32(INFO.flags, status.flags, true);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(bytesOf(status.fileName), INFO.fileName);
  return writeBytes(call.user, call.word(2), bytes);
}

export function loopControlIoctl(call: SyscallCall, request: number): number {
  const devices = blockDevices(call.task.fs.namespace);
  switch (request) {
    case R.LOOP_CTL_ADD:
      return devices.addLoop(call.i32(2));
    case R.LOOP_CTL_REMOVE:
      return devices.removeLoop(call.i32(2));
    case R.LOOP_CTL_GET_FREE:
      return devices.freeLoop();
    default:
      return -ENOSYS;
  }
}
