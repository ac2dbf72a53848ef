/**
 * Who a task is in the program that it executes (security/commoncap.c cap_bprm_creds_from_file, fs/exec.c
 * bprm_fill_uid). Capabilities of files (security.capability) are not there, as on a file system without xattrs.
 */

import { CAP_SETUID } from "../capabilities.js";
import {
  commitCredentials,
  hasCapability,
  inFileGroup,
  SECBIT_KEEP_CAPS,
  SECBIT_NOROOT,
  SUID_DUMPABLE,
  type Credentials,
} from "../credentials.js";
import { actorOf, permission } from "../fs/permission.js";
import type { Inode } from "../fs/inode.js";
import { MAY_READ, S_ISGID, S_ISUID } from "../fs/mode.js";
import type { Kernel } from "../kernel.js";
import { RLIMIT_STACK } from "../limits.js";
import type { Task } from "../task.js";

const S_IXGRP = 0o010;
/** ADDR_NO_RANDOMIZE, MMAP_PAGE_ZERO, ADDR_COMPAT_LAYOUT, READ_IMPLIES_EXEC (PER_CLEAR_ON_SETID). */
const DANGEROUS_PERSONALITY = 0x4_0000 | 0x10_0000 | 0x20_0000 | 0x40_0000;
/** _STK_LIM in bytes. */
const SECURE_STACK = 8 << 20;

export interface NewIdentity {
  readonly credentials: Credentials;
  /** AT_SECURE: the program has rights that its caller has not. */
  readonly secure: boolean;
  readonly dumpable: number;
  /** Bits that the personality loses. */
  readonly clearedPersonality: number;
}

/** What is to become of the task with this program file; nothing is changed. `noSuid`: its mount lends no rights. */
export function newIdentity(kernel: Kernel, task: Task, file: Inode, noSuid: boolean): NewIdentity {
  const old = task.credentials;
  let { euid, egid, ambient } = old;
  let cleared = 0;
  if (!task.noNewPrivileges && !noSuid) {
    const asUser = (file.mode & S_ISUID) !== 0;
    // Set-group-ID without the group's execute bit once meant mandatory locking.
    const asGroup = (file.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
    if (asUser) euid = file.uid;
    if (asGroup) egid = file.gid;
    if (asUser || asGroup) cleared = DANGEROUS_PERSONALITY;
  }
  const rootCounts = (old.securebits & SECBIT_NOROOT) === 0;
  let permitted = rootCounts && (euid === 0 || old.uid === 0) ? old.bounding | old.inheritable : 0n;
  const effective = rootCounts && euid === 0;
  const gained = (permitted & ~old.permitted) !== 0n;
  if (gained) cleared = DANGEROUS_PERSONALITY;
  // A group that the caller's file accesses do not go by counts as a change, though it be its effective one.
  const changed = euid !== old.euid || !inFileGroup(old, egid);
  const unsafe = task.noNewPrivileges || sharesPlace(kernel, task);
  if ((changed || gained) && unsafe) {
    if (!hasCapability(old, CAP_SETUID) || task.noNewPrivileges) {
      euid = old.uid;
      egid = old.gid;
    }
    permitted &= old.permitted;
  }
  if (changed) ambient = 0n;
  permitted |= ambient;
  const credentials: Credentials = {
    ...old,
    euid,
    suid: euid,
    fsuid: euid,
    egid,
    sgid: egid,
    fsgid: egid,
    permitted,
    effective: effective ? permitted : ambient,
    ambient,
    securebits: old.securebits & ~SECBIT_KEEP_CAPS,
  };
  const grew = (permitted & ~ambient) !== 0n;
  const secure = changed || euid !== old.uid || egid !== old.gid || (old.uid !== 0 && (effective || grew));
  const unreadable = permission(actorOf(old), file, MAY_READ) < 0;
  const asSomebodyElse = old.euid !== old.uid || old.egid !== old.gid;
  return {
    credentials,
    secure,
    dumpable: unreadable || asSomebodyElse ? SUID_DUMPABLE : 1,
    clearedPersonality: cleared,
  };
}

/** Makes the task what `newIdentity` found; past the point of no return, before the new address space is made. */
export function takeIdentity(task: Task, identity: NewIdentity): void {
  task.personality &= ~identity.clearedPersonality;
  task.process.dumpable = identity.dumpable;
  if (identity.secure) {
    task.parentDeathSignal = 0;
    const stack = task.limits.get(RLIMIT_STACK);
    stack.soft = Math.min(stack.soft, SECURE_STACK);
  }
  commitCredentials(task, identity.credentials);
}

/** Its root and working directory are somebody else's too (LSM_UNSAFE_SHARE). */
function sharesPlace(kernel: Kernel, task: Task): boolean {
  for (const other of kernel.tasks.values())
    if (other.process !== task.process && other.state !== "dead" && other.fs === task.fs) return true;
  return false;
}
