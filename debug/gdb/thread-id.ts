/** Threads as packets name them: `pPID.TID` with the multiprocess extension, else `TID`; hexadecimal. */

import { BadPacket } from "./bytes.js";

export const ALL = -1;
const ANY = 0;

export interface ThreadId {
  /** A process's number, ALL or ANY. */
  readonly pid: number;
  /** A thread's number, ALL or ANY. */
  readonly tid: number;
}

const part = (text: string): number => (text === "-1" ? ALL : parseInt(text, 16));

/** @throws BadPacket */
export function parseThreadId(text: string): ThreadId {
  const match = /^(?:p(-1|[0-9a-f]+)(?:\.(-1|[0-9a-f]+))?|(-1|[0-9a-f]+))$/.exec(text);
  if (match === null) throw new BadPacket();
  const [, pid, tid, alone] = match;
  if (alone !== undefined) return { pid: ANY, tid: part(alone) };
  return { pid: part(pid!), tid: tid === undefined ? ALL : part(tid) };
}

export function formatThreadId(pid: number, tid: number, multiprocess: boolean): string {
  return multiprocess ? `p${pid.toString(16)}.${tid.toString(16)}` : tid.toString(16);
}

/** Whether a thread is among those that are named. */
export function names(id: ThreadId, pid: number, tid: number): boolean {
  return (id.pid <= 0 || id.pid === pid) && (id.tid <= 0 || id.tid === tid);
}
