import type { Task } from "../task.js";

/** struct ucred: who sent a message, or who is at the other end. */
export interface SenderCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a message shows that nobody signed: no process, and the overflow ids. */
export const NOBODY: SenderCredentials = { pid: 0, uid: 65534, gid: 65534 };

/** As SO_PEERCRED is noted: effective ids (cred_to_ucred). */
export function peerCredentialsOf(task: Task): SenderCredentials {
  return { pid: task.pid, uid: task.credentials.euid, gid: task.credentials.egid };
}

/** As a message is signed: real ids (scm_set_cred of the current ids). */
export function senderCredentialsOf(task: Task): SenderCredentials {
  return { pid: task.pid, uid: task.credentials.uid, gid: task.credentials.gid };
}

export function sameCredentials(a: SenderCredentials | null, b: SenderCredentials | null): boolean {
  return a === b || (a !== null && b !== null && a.pid === b.pid && a.uid === b.uid && a.gid === b.gid);
}

/** struct ucred as bytes. */
export function credentialBytes(credentials: SenderCredentials): Uint8Array {
  return new Uint8Array(Int32Array.of(credentials.pid, credentials.uid, credentials.gid).buffer);
}
