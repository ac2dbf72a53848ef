/** What prctl(2) does with capabilities and securebits (cap_task_prctl in security/commoncap.c). */

import { CAP_LAST, CAP_SETPCAP, contains } from "../kernel/capabilities.js";
import {
  commitCredentials,
  hasCapability,
  SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE,
} from "../kernel/credentials.js";
import { EINVAL, EPERM } from "../kernel/errno.js";
import type { SyscallCall } from "./call.js";
import type { HandlerResult } from "./table.js";

const PR_CAP_AMBIENT_IS_SET = 1;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_LOWER = 3;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const SECURE_SETTINGS = 0x555;
const SECURE_LOCKS = 0xaaa;
/** SECBIT_EXEC_*: what a program asks of interpreters; nobody needs a capability for them. */
const SECURE_UNPRIVILEGED = 0xf00;

/** PR_CAPBSET_READ */
export function readBounding(call: SyscallCall): number {
  const capability = call.n(1);
  if (capability > CAP_LAST) return -EINVAL;
  return contains(call.task.credentials.bounding, capability) ? 1 : 0;
}

/** PR_CAPBSET_DROP */
export function dropBounding(call: SyscallCall): number {
  const { credentials } = call.task;
  const capability = call.n(1);
  if (!hasCapability(credentials, CAP_SETPCAP)) return -EPERM;
  if (capability > CAP_LAST) return -EINVAL;
  const bounding = credentials.bounding & ~(1n << BigInt(capability));
  commitCredentials(call.task, { ...credentials, bounding });
  return 0;
}

/** PR_SET_KEEPCAPS */
export function setKeepCapabilities(call: SyscallCall): HandlerResult {
  const { task } = call;
  const wanted = call.n(1);
  const { securebits } = task.credentials;
  if (wanted > 1) return -EINVAL;
  if ((securebits & SECBIT_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
  const kept = wanted === 1 ? securebits | SECBIT_KEEP_CAPS : securebits & ~SECBIT_KEEP_CAPS;
  commitCredentials(task, { ...task.credentials, securebits: kept });
  return 0;
}

/** PR_SET_SECUREBITS. Bits come in pairs: the setting and, above it, its lock. A locked setting and a lock stay (cap_task_prctl). */
export function setSecurebits(call: SyscallCall): HandlerResult {
  const { task } = call;
  const wanted = call.n(1);
  const old = task.credentials.securebits;
  if (wanted > (SECURE_SETTINGS | SECURE_LOCKS)) return -EPERM;
  const bits = wanted | 0;
  if (((((old & SECURE_LOCKS) >> 1) & (old ^ bits)) | (old & SECURE_LOCKS & ~bits)) !== 0) return -EPERM;
  if ((bits & ~(SECURE_SETTINGS | SECURE_LOCKS)) !== 0) return -EPERM;
  // To set what is set already takes the capability too.
  const changed = old ^ bits;
  const privileged = changed === 0 || (changed & ~SECURE_UNPRIVILEGED) !== 0;
  if (privileged && !hasCapability(task.credentials, CAP_SETPCAP)) return -EPERM;
  commitCredentials(task, { ...task.credentials, securebits: bits });
  return 0;
}

/** PR_CAP_AMBIENT */
export function changeAmbient(call: SyscallCall): HandlerResult {
  const { task } = call;
  const old = task.credentials;
  const action = call.n(1);
  if (action === PR_CAP_AMBIENT_CLEAR_ALL) {
    if (!call.allZero(2, 3, 4)) return -EINVAL;
    commitCredentials(task, { ...old, ambient: 0n });
    return 0;
  }
  const capability = call.n(2);
  if (capability > CAP_LAST || !call.allZero(3, 4)) return -EINVAL;
  if (action === PR_CAP_AMBIENT_IS_SET) return contains(old.ambient, capability) ? 1 : 0;
  const bit = 1n << BigInt(capability);
  if (action === PR_CAP_AMBIENT_LOWER) {
    commitCredentials(task, { ...old, ambient: old.ambient & ~bit });
    return 0;
  }
  if (action !== PR_CAP_AMBIENT_RAISE) return -EINVAL;
  const held = contains(old.permitted, capability) && contains(old.inheritable, capability);
  if (!held || (old.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
  commitCredentials(task, { ...old, ambient: old.ambient | bit });
  return 0;
}
