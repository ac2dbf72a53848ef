/** /proc/sysvipc/{shm,sem,msg} (sysvipc_*_proc_show). */

import type { Ipc } from "./ipc.js";
import type { IpcPermissions } from "./permissions.js";

/** A column: its head, its width, and whether it is octal. */
function row(values: readonly (readonly [value: number | string, width: number])[]): string {
  return `${values.map(([value, width]) => `${value}`.padStart(width)).join(" ")}\n`;
}

const octal = ({ mode }: IpcPermissions): string => mode.toString(8);

export function formatSharedMemory({ sharedMemory }: Ipc): string {
  let text =
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";
  for (const segment of sharedMemory.ids) {
    const { permissions: p } = segment;
    text += row([
      [p.key, 10],
      [p.id, 10],
      [octal(p), 5],
      [segment.size, 21],
      [segment.creatorPid, 5],
      [segment.lastPid, 5],
      [segment.attachments, 6],
      [p.uid, 5],
      [p.gid, 5],
      [p.creatorUid, 5],
      [p.creatorGid, 5],
      [segment.attachedAt, 10],
      [segment.detachedAt, 10],
      [segment.changedAt, 10],
      [segment.pages.resident * 4096, 21],
      [segment.pages.swappedCount * 4096, 21],
    ]);
  }
  return text;
}

export function formatSemaphores({ semaphores }: Ipc): string {
  let text = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
  for (const set of semaphores.ids) {
    const { permissions: p } = set;
    text += row([
      [p.key, 10],
      [p.id, 10],
      [octal(p), 5],
      [set.count, 10],
      [p.uid, 5],
      [p.gid, 5],
      [p.creatorUid, 5],
      [p.creatorGid, 5],
      [set.operatedAt, 10],
      [set.changedAt, 10],
    ]);
  }
  return text;
}

export function formatMessageQueues({ messageQueues }: Ipc): string {
  let text =
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n";
  for (const queue of messageQueues.ids) {
    const { permissions: p } = queue;
    text += row([
      [p.key, 10],
      [p.id, 10],
      [octal(p), 5],
      [queue.bytes, 11],
      [queue.messages.length, 10],
      [queue.lastSender, 5],
      [queue.lastReceiver, 5],
      [p.uid, 5],
      [p.gid, 5],
      [p.creatorUid, 5],
      [p.creatorGid, 5],
      [queue.sentAt, 10],
      [queue.receivedAt, 10],
      [queue.changedAt, 10],
    ]);
  }
  return text;
}
