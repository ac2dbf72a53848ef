/** Whose a System V object is and who may do what with it (ipc/util.c). */

import { CAP_SYS_ADMIN, contains } from "../capabilities.js";
import type { Credentials } from "../credentials.js";
import { EACCES, EPERM } from "../errno.js";

export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;

/** Commands that shmctl, semctl and msgctl share. */
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;

export const S_IRUGO = 0o444;
export const S_IWUGO = 0o222;
export const S_IXUGO = 0o111;

const CAP_IPC_OWNER = 15;
const INVALID_ID = 0xffff_ffff;

/** `struct kern_ipc_perm`. */
export interface IpcPermissions {
  readonly id: number;
  /** IPC_PRIVATE once nobody is to find it by its key any more. */
  key: number;
  uid: number;
  gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  /** Nine permission bits and what the kind of object adds. */
  mode: number;
  readonly sequence: number;
}

function holds(credentials: Credentials, capability: number): boolean {
  return contains(credentials.effective, capability);
}

/**
 * The permission bits of `wanted`, in whichever class they stand, are granted to this caller (ipcperms).
 * @returns 0 or -EACCES
 */
export function checkPermissions(object: IpcPermissions, wanted: number, who: Credentials): number {
  const requested = ((wanted >> 6) | (wanted >> 3) | wanted) & 7;
  let granted = object.mode;
  if (who.euid === object.creatorUid || who.euid === object.uid) granted >>= 6;
  else if (inGroup(who, object.creatorGid) || inGroup(who, object.gid)) granted >>= 3;
  return (requested & ~granted) !== 0 && !holds(who, CAP_IPC_OWNER) ? -EACCES : 0;
}

function inGroup(who: Credentials, gid: number): boolean {
  return who.egid === gid || who.groups.includes(gid);
}

/** May this caller change or remove it (ipcctl_obtain_check)? 0 or -EPERM. */
export function checkOwner(object: IpcPermissions, who: Credentials): number {
  const owns = who.euid === object.creatorUid || who.euid === object.uid;
  return owns || holds(who, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** IPC_SET's part of the permissions; false where an id is none (EINVAL). */
export function setPermissions(object: IpcPermissions, uid: number, gid: number, mode: number): boolean {
  if (uid === INVALID_ID || gid === INVALID_ID) return false;
  object.uid = uid;
  object.gid = gid;
  object.mode = (object.mode & ~0o777) | (mode & 0o777);
  return true;
}
