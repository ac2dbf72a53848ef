/** Who may look into whom (kernel/ptrace.c: __ptrace_may_access; ptrace(2), "Ptrace access mode checking"). */

import { CAP_SYS_PTRACE } from "./capabilities.js";
import { hasCapability } from "./credentials.js";
import type { Task } from "./task.js";

/** "file-system": /proc's checks, by the file-system ids and effective capabilities; "real": those of system calls. */
export type AccessIds = "file-system" | "real";

/**
 * Without CAP_SYS_PTRACE: the caller's user and group are all three of the target's, the target is dumpable, and
 * has no capability that the caller lacks. A process may always look into itself.
 */
export function mayAccess(caller: Task, target: Task, ids: AccessIds): boolean {
  if (caller.process === target.process) return true;
  const own = caller.credentials;
  if (hasCapability(own, CAP_SYS_PTRACE)) return true;
  const uid = ids === "real" ? own.uid : own.fsuid;
  const gid = ids === "real" ? own.gid : own.fsgid;
  const their = target.credentials;
  const sameUser = uid === their.euid && uid === their.suid && uid === their.uid;
  const sameGroup = gid === their.egid && gid === their.sgid && gid === their.gid;
  if (!sameUser || !sameGroup || target.process.dumpable !== 1) return false;
  const capabilities = ids === "real" ? own.permitted : own.effective;
  return (their.permitted & ~capabilities) === 0n;
}
