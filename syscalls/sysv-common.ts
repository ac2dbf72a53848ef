/** What the System V calls share: the permissions in user memory, and where the objects are. */

import { setPermissions, type IpcPermissions } from "../kernel/ipc/permissions.js";
import { EFAULT, EINVAL } from "../kernel/errno.js";
import { names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";

export const IPC_PERM_BYTES = 48;

export const GET_FLAGS = names("IPC_???", { IPC_CREAT: 0o1000, IPC_EXCL: 0o2000 });

/** Writes `struct ipc64_perm` at the start of a view. */
export function putPermissions(view: DataView, permissions: IpcPermissions): void {
  view.setInt32(0, permissions.key, true);
  view.setUint32(4, permissions.uid, true);
  view.setUint32(8, permissions.gid, true);
  view.setUint32(12, permissions.creatorUid, true);
  view.setUint32(16, permissions.creatorGid, true);
  view.setUint32(20, permissions.mode, true);
  view.setUint16(24, permissions.sequence, true);
}

/** IPC_SET: what the caller wants, read from a structure of `bytes` bytes that begins with ipc64_perm. */
export function readSettings(call: SyscallCall, at: number, bytes: number): DataView | number {
  return readView(call.user, call.word(at), bytes);
}

/** Takes over user, group and mode; 0 or -EINVAL. */
export function takePermissions(permissions: IpcPermissions, settings: DataView): number {
  const uid = settings.getUint32(4, true);
  const gid = settings.getUint32(8, true);
  return setPermissions(permissions, uid, gid, settings.getUint32(20, true)) ? 0 : -EINVAL;
}

/** Copies a structure of `bytes` zeroed bytes out after `fill`; `result` or -EFAULT. */
export function answer(
  call: SyscallCall,
  at: number,
  bytes: number,
  fill: (view: DataView) => void,
  result = 0,
): number {
  const structure = new Uint8Array(bytes);
  fill(new DataView(structure.buffer));
  return writeBytes(call.user, call.word(at), structure) === 0 ? result : -EFAULT;
}

export function putLong(view: DataView, offset: number, value: number | bigint): void {
  view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
}
