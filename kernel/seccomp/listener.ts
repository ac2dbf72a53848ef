/** SECCOMP_RET_USER_NOTIF: calls that another task answers (kernel/seccomp.c struct notification). */

import { ENOSYS, ENOENT } from "../errno.js";
import type { Task } from "../task.js";
import { WaitQueue } from "../wait-queue.js";
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import type { SeccompFilter } from "./filter.js";

/** SECCOMP_USER_NOTIF_FLAG_CONTINUE: the call is made after all. */
export const USER_NOTIF_CONTINUE = 1;

/** A call that waits for its answer (struct seccomp_knotif). */
export interface SeccompNotification {
  readonly id: number;
  readonly task: Task;
  readonly listener: SeccompListener;
  /** struct seccomp_data. */
  readonly data: Uint8Array;
  /** Nobody has been told of it; somebody has; it has been answered. */
  state: "new" | "sent" | "replied";
  error: number;
  value: bigint;
  flags: number;
  /** Its task sleeps here. */
  readonly queue: WaitQueue;
}

export class SeccompListener {
  /** Woken when a call comes, is taken or goes away. */
  readonly queue = new WaitQueue();
  /** The oldest first. */
  readonly notifications: SeccompNotification[] = [];
  private nextId = 1;

  constructor(
    readonly filter: SeccompFilter,
    /** Every task of the machine. */
    private readonly tasks: ReadonlyMap<number, Task>,
  ) {}

  ask(task: Task, data: Uint8Array): SeccompNotification {
    const notification: SeccompNotification = {
      id: this.nextId++,
      task,
      listener: this,
      data,
      state: "new",
      error: 0,
      value: 0n,
      flags: 0,
      queue: new WaitQueue(),
    };
    this.notifications.push(notification);
    this.queue.wake(POLLIN);
    return notification;
  }

  /** The oldest that nobody has been told of. */
  get pending(): SeccompNotification | null {
    return this.notifications.find(({ state }) => state === "new") ?? null;
  }

  find(id: bigint): SeccompNotification | null {
    return this.notifications.find((each) => BigInt(each.id) === id) ?? null;
  }

  reply(notification: SeccompNotification, error: number, value: bigint, flags: number): void {
    notification.state = "replied";
    notification.error = error;
    notification.value = value;
    notification.flags = flags;
    notification.queue.wake();
  }

  remove(notification: SeccompNotification): void {
    const at = this.notifications.indexOf(notification);
    if (at >= 0) this.notifications.splice(at, 1);
  }

  /** Nobody can come with a call any more: no living task has the filter. */
  get deserted(): boolean {
    for (const { seccomp, state } of this.tasks.values())
      if (state !== "dead" && seccomp?.mode === "filter" && seccomp.filter.includes(this.filter))
        return false;
    return true;
  }

  poll(): number {
    let events = 0;
    for (const { state } of this.notifications) {
      if (state === "new") events |= POLLIN | POLLRDNORM;
      if (state === "sent") events |= POLLOUT | POLLWRNORM;
    }
    return this.deserted ? events | POLLHUP : events;
  }

  /** The listener's last descriptor is gone: whoever waits hears ENOSYS, and so do those who come. */
  close(): void {
    this.filter.listener = null;
    for (const each of this.notifications) if (each.state !== "replied") this.reply(each, -ENOSYS, 0n, 0);
    this.queue.wake();
  }
}

/** A call's wait for its answer is over, or given up. */
export function leaveNotification(task: Task): void {
  const { notification } = task;
  if (notification === null) return;
  task.notification = null;
  notification.listener.remove(notification);
}

/** A task ends: who listens to its filters may be the last one there (POLLHUP). */
export function leaveSeccomp(task: Task): void {
  leaveNotification(task);
  if (task.seccomp?.mode !== "filter") return;
  for (const { listener } of task.seccomp.filter.chain()) listener?.queue.wake();
}

/** What reads of a listener that nobody can come to any more give. */
export const DESERTED = -ENOENT;
