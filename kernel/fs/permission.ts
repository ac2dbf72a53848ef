import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER } from "../capabilities.js";
import type { Credentials } from "../credentials.js";
import { hasCapability } from "../credentials.js";
import { EACCES } from "../errno.js";
import type { Inode } from "./inode.js";
import { MAY_EXECUTE, MAY_WRITE, S_ISVTX } from "./mode.js";

/** Whom files see: the file-system ids of a task, or its real ones for access(2). */
export interface Actor {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  capable(capability: number): boolean;
}

export function actorOf(credentials: Credentials): Actor {
  return {
    uid: credentials.fsuid,
    gid: credentials.fsgid,
    groups: credentials.groups,
    capable: (capability) => hasCapability(credentials, capability),
  };
}

/** As access(2) asks without AT_EACCESS: real ids, and capabilities only for real root (access_override_creds). */
export function realActorOf(credentials: Credentials): Actor {
  return {
    uid: credentials.uid,
    gid: credentials.gid,
    groups: credentials.groups,
    capable: (capability) =>
      credentials.uid === 0 && ((credentials.permitted >> BigInt(capability)) & 1n) !== 0n,
  };
}

export function inGroup(actor: Actor, gid: number): boolean {
  return actor.gid === gid || actor.groups.includes(gid);
}

/** 0 or -EACCES: may the actor do all of `wanted` (MAY_* bits)? fs/namei.c generic_permission */
export function permission(actor: Actor, inode: Inode, wanted: number): number {
  const refused = inode.check();
  if (refused < 0) return refused;
  const shift = actor.uid === inode.uid ? 6 : inGroup(actor, inode.gid) ? 3 : 0;
  if (((inode.mode >> shift) & wanted) === wanted) return 0;
  if (inode.isDirectory) {
    if ((wanted & MAY_WRITE) === 0 && actor.capable(CAP_DAC_READ_SEARCH)) return 0;
    return actor.capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (wanted === 4 && actor.capable(CAP_DAC_READ_SEARCH)) return 0;
  // Even root executes only what somebody may execute.
  if ((wanted & MAY_EXECUTE) === 0 || (inode.mode & 0o111) !== 0) {
    if (actor.capable(CAP_DAC_OVERRIDE)) return 0;
  }
  return -EACCES;
}

/** Owner of the file, or somebody who may act as one. */
export function ownerOrCapable(actor: Actor, inode: Inode): boolean {
  return actor.uid === inode.uid || actor.capable(CAP_FOWNER);
}

/** A thread that may learn which pages of the file are in memory, and send them away (can_do_mincore, can_do_pageout). */
export function mayProbe(credentials: Credentials, inode: Inode): boolean {
  const actor = actorOf(credentials);
  return ownerOrCapable(actor, inode) || permission(actor, inode, MAY_WRITE) === 0;
}

/** In a sticky directory only owners remove a name (fs/namei.c __check_sticky). */
export function stickyForbids(actor: Actor, directory: Inode, inode: Inode): boolean {
  if ((directory.mode & S_ISVTX) === 0) return false;
  return actor.uid !== inode.uid && actor.uid !== directory.uid && !actor.capable(CAP_FOWNER);
}
