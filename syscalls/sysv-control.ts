/** What shmctl, semctl and msgctl have in common (ipc/util.c): the structure of an object out, its settings in, its end. */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import type { IpcIds, IpcObject } from "../kernel/ipc/ids.js";
import {
  checkOwner,
  checkPermissions,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  setPermissions,
  S_IRUGO,
  type IpcPermissions,
} from "../kernel/ipc/permissions.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";

/** A kind of System V object, as its control call sees it. */
export interface Controlled<T extends IpcObject> {
  readonly objects: { readonly ids: IpcIds<T>; remove(object: T): void };
  /** The argument that is the address of its structure. */
  readonly at: number;
  /** Bytes of its structure (shmid64_ds, semid64_ds, msqid64_ds), which begins with ipc64_perm. */
  readonly bytes: number;
  /** Fills the structure in behind the permissions. */
  put(view: DataView, object: T): void;
  /** IPC_SET: 0 or -errno for what the caller wants beside user, group and mode. */
  allows?(settings: DataView): number;
  /** IPC_SET has been done. */
  set(object: T, settings: DataView): void;
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

/**
 * The commands that the three calls share.
 * @param stat SHM_STAT or its like, `statAny` SHM_STAT_ANY
 * @returns -EINVAL for a command that is none of them
 */
export function controlObject<T extends IpcObject>(
  call: SyscallCall,
  kind: Controlled<T>,
  command: number,
  stat: number,
  statAny: number,
): number {
  switch (command) {
    case IPC_STAT:
      return status(call, kind, "id");
    case stat:
      return status(call, kind, "index");
    case statAny:
      return status(call, kind, "any");
    case IPC_SET:
    case IPC_RMID:
      return change(call, kind, command);
    default:
      return -EINVAL;
  }
}

/**
 * IPC_STAT (by id, 0 on success), SHM_STAT and its like (by index, the id on success), SHM_STAT_ANY and its like
 * (the same for anybody).
 * Errors: -EINVAL for no object, -EACCES, -EFAULT.
 */
function status<T extends IpcObject>(
  call: SyscallCall,
  { objects: { ids }, at, bytes, put }: Controlled<T>,
  how: "id" | "index" | "any",
): number {
  const number = call.i32(0);
  const object = how === "id" ? ids.get(number) : ids.at(number);
  if (object === undefined) return -EINVAL;
  if (how !== "any") {
    const denied = checkPermissions(object.permissions, S_IRUGO, call.task.credentials);
    if (denied !== 0) return denied;
  }
  const fill = (view: DataView): void => {
    putPermissions(view, object.permissions);
    put(view, object);
  };
  return answer(call, at, bytes, fill, how === "id" ? 0 : object.permissions.id);
}

/** IPC_SET and IPC_RMID: -EFAULT, -EINVAL or -EIDRM for no object, -EPERM, -EINVAL for an impossible user. */
function change<T extends IpcObject>(call: SyscallCall, kind: Controlled<T>, command: number): number {
  const { objects, at, bytes } = kind;
  const settings = command === IPC_RMID ? null : readView(call.user, call.word(at), bytes);
  if (typeof settings === "number") return settings;
  const object = objects.ids.obtain(call.i32(0));
  if (typeof object === "number") return object;
  const denied = checkOwner(object.permissions, call.task.credentials);
  if (denied !== 0) return denied;
  if (settings === null) {
    objects.remove(object);
    return 0;
  }
  const refused = kind.allows?.(settings) ?? 0;
  if (refused !== 0) return refused;
  const error = takePermissions(object.permissions, settings);
  if (error === 0) kind.set(object, settings);
  return error;
}

/** Takes over user, group and mode; 0 or -EINVAL. */
function takePermissions(permissions: IpcPermissions, settings: DataView): number {
  const uid = settings.getUint32(4, true);
  const gid = settings.getUint32(8, true);
  return setPermissions(permissions, uid, gid, settings.getUint32(20, true)) ? 0 : -EINVAL;
}

/** Writes `struct ipc64_perm` at the start of a view. */
function putPermissions(view: DataView, permissions: IpcPermissions): void {
  view.setInt32(0, permissions.key, true);
  view.setUint32(4, permissions.uid, true);
  view.setUint32(8, permissions.gid, true);
  view.setUint32(12, permissions.creatorUid, true);
  view.setUint32(16, permissions.creatorGid, true);
  view.setUint32(20, permissions.mode, true);
  view.setUint16(24, permissions.sequence, true);
}
