/** Who may send whom a signal (kernel/signal.c: check_kill_permission, kill_ok_by_cred). */

import { CAP_KILL } from "../capabilities.js";
import { hasCapability } from "../credentials.js";
import type { Task } from "../task.js";
import { SIGCONT } from "./numbers.js";

/** The sender's real or effective id is the target's real or saved one; or CAP_KILL; SIGCONT within the session. */
export function maySignal(sender: Task, target: Task, signal: number): boolean {
  if (sender.process === target.process) return true;
  const { uid, euid } = sender.credentials;
  const their = target.credentials;
  if (euid === their.suid || euid === their.uid || uid === their.suid || uid === their.uid) return true;
  if (hasCapability(sender.credentials, CAP_KILL)) return true;
  return signal === SIGCONT && sender.process.session === target.process.session;
}
