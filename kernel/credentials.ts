/**
 * Whom a task acts as (credentials(7)). A record is never changed: a task that becomes somebody else gets another
 * one, so that threads and children may share one without seeing each other's changes.
 */

import { ALL_CAPABILITIES, contains, FILE_CAPABILITIES } from "./capabilities.js";
import type { Task } from "./task.js";

export interface Credentials {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  /** Supplementary groups, ascending. */
  readonly groups: readonly number[];
  /** Capability sets, 64 bits each. */
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  /** SECBIT_*. */
  readonly securebits: number;
}

export const SECBIT_NOROOT = 1;
const SECBIT_NO_SETUID_FIXUP = 4;
export const SECBIT_KEEP_CAPS = 16;
export const SECBIT_KEEP_CAPS_LOCKED = 32;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 64;

/** What set-user-ID programs leave behind: fs.suid_dumpable, as vanilla Linux has it. */
export const SUID_DUMPABLE = 0;

export function userCredentials(uid: number, gid: number, groups: readonly number[] = [gid]): Credentials {
  const capabilities = uid === 0 ? ALL_CAPABILITIES : 0n;
  return {
    uid,
    euid: uid,
    suid: uid,
    fsuid: uid,
    gid,
    egid: gid,
    sgid: gid,
    fsgid: gid,
    groups: sortedGroups(groups),
    permitted: capabilities,
    effective: capabilities,
    inheritable: 0n,
    bounding: ALL_CAPABILITIES,
    ambient: 0n,
    securebits: 0,
  };
}

/** As Linux keeps them (groups_sort): ascending, what is named twice stays twice. */
export function sortedGroups(groups: readonly number[]): number[] {
  return [...groups].sort((a, b) => a - b);
}

export function hasCapability(credentials: Credentials, capability: number): boolean {
  return contains(credentials.effective, capability);
}

/** The file-system group or a supplementary one (in_group_p). */
export function inFileGroup(credentials: Credentials, gid: number): boolean {
  return credentials.fsgid === gid || credentials.groups.includes(gid);
}

/** What a change of real, effective and saved user ids does to capabilities (cap_emulate_setxuid). */
export function withUserIds(old: Credentials, uid: number, euid: number, suid: number): Credentials {
  const ids = { ...old, uid, euid, suid, fsuid: euid };
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return ids;
  let { permitted, effective, ambient } = old;
  const wasRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  if (wasRoot && uid !== 0 && euid !== 0 && suid !== 0) {
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) permitted = effective = 0n;
    // Kept or not: a program from before ambient sets expects an exec to drop all.
    ambient = 0n;
  }
  if (old.euid === 0 && euid !== 0) effective = 0n;
  if (old.euid !== 0 && euid === 0) effective = permitted;
  return { ...ids, permitted, effective, ambient };
}

/** A change of the file-system user id alone (cap_task_fix_setuid, LSM_SETID_FS). */
export function withFileUserId(old: Credentials, fsuid: number): Credentials {
  let { effective } = old;
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) === 0) {
    if (old.fsuid === 0 && fsuid !== 0) effective &= ~FILE_CAPABILITIES;
    if (old.fsuid !== 0 && fsuid === 0) effective |= old.permitted & FILE_CAPABILITIES;
  }
  return { ...old, fsuid, effective };
}

/**
 * Gives a task new credentials (commit_creds). One that acts as somebody else, or may do more than before, is no
 * longer to be looked into, and forgets its parent-death signal.
 */
export function commitCredentials(task: Task, credentials: Credentials): void {
  const old = task.credentials;
  const changed =
    old.euid !== credentials.euid ||
    old.egid !== credentials.egid ||
    old.fsuid !== credentials.fsuid ||
    old.fsgid !== credentials.fsgid ||
    (credentials.permitted & ~old.permitted) !== 0n;
  if (changed) {
    task.process.dumpable = SUID_DUMPABLE;
    task.parentDeathSignal = 0;
  }
  task.credentials = credentials;
}
