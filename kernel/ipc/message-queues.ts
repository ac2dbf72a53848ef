/** System V message queues (ipc/msg.c). */

import type { Credentials } from "../credentials.js";
import { E2BIG, EIDRM } from "../errno.js";
import type { Task } from "../task.js";
import type { QueueWait } from "../wait.js";
import { WaitQueue } from "../wait-queue.js";
import { IpcIds, type IpcObject } from "./ids.js";
import type { IpcPermissions } from "./permissions.js";
import type { IpcMachine } from "./shared-memory.js";

export const MSGMNI = 32000;
/** Bytes of one message. */
export const MSGMAX = 8192;
/** Bytes in a queue, unless set otherwise. */
export const MSGMNB = 16384;
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;

export interface Message {
  readonly type: bigint;
  readonly text: Uint8Array;
}

/** Which messages a receiver takes. */
export interface Selection {
  readonly type: bigint;
  /** MSG_EXCEPT: any other type. */
  readonly except: boolean;
}

/** A task in msgrcv. */
export interface PendingReceiver {
  readonly task: Task;
  readonly selection: Selection;
  /** Bytes it has room for; Infinity with MSG_NOERROR. */
  readonly room: number;
  readonly queue: WaitQueue;
  wait: QueueWait | null;
  /** What it got, or -errno; null as long as it waits. */
  result: Message | number | null;
}

function matches(message: Message, { type, except }: Selection): boolean {
  if (type === 0n) return true;
  if (type < 0n) return message.type <= -type;
  return except ? message.type !== type : message.type === type;
}

export class MessageQueue implements IpcObject {
  readonly messages: Message[] = [];
  /** Bytes in the queue, and how many there may be. */
  bytes = 0;
  maxBytes = MSGMNB;
  sentAt = 0;
  receivedAt = 0;
  changedAt: number;
  lastSender = 0;
  lastReceiver = 0;
  removed = false;
  /** Woken when there is room, or the queue is gone. */
  readonly senders = new WaitQueue();
  readonly receivers: PendingReceiver[] = [];

  constructor(
    private readonly machine: IpcMachine,
    readonly permissions: IpcPermissions,
  ) {
    this.changedAt = machine.time();
  }

  fits(bytes: number): boolean {
    return bytes + this.bytes <= this.maxBytes && 1 + this.messages.length <= this.maxBytes;
  }

  /** Puts a message that fits in the queue, or hands it to the first receiver that waits for one like it. */
  send(message: Message): void {
    this.lastSender = this.machine.pid();
    this.sentAt = this.machine.time();
    this.dropAbandoned();
    for (const receiver of [...this.receivers]) {
      if (!matches(message, receiver.selection)) continue;
      const tooLong = receiver.room < message.text.length;
      this.finish(receiver, tooLong ? -E2BIG : message);
      if (tooLong) continue;
      this.lastReceiver = receiver.task.process.pid;
      this.receivedAt = this.machine.time();
      return;
    }
    this.messages.push(message);
    this.bytes += message.text.length;
  }

  /** The message a receiver would get: the first that it takes, or of the lowest type (find_msg). */
  peek(selection: Selection): Message | null {
    let found: Message | null = null;
    for (const message of this.messages) {
      if (!matches(message, selection)) continue;
      if (selection.type >= 0n) return message;
      if (found === null || message.type < found.type) found = message;
    }
    return found;
  }

  /** Takes a message out. */
  take(message: Message): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.bytes -= message.text.length;
    this.receivedAt = this.machine.time();
    this.lastReceiver = this.machine.pid();
    this.senders.wake();
  }

  /** Makes a receiver wait. */
  await(task: Task, selection: Selection, room: number): PendingReceiver {
    const receiver: PendingReceiver = {
      task,
      selection,
      room,
      queue: new WaitQueue(),
      wait: null,
      result: null,
    };
    this.receivers.push(receiver);
    return receiver;
  }

  dropAbandoned(): void {
    for (const receiver of [...this.receivers])
      if (receiver.wait !== null && receiver.task.waiting !== receiver.wait) this.forget(receiver);
  }

  forget(receiver: PendingReceiver): void {
    const at = this.receivers.indexOf(receiver);
    if (at >= 0) this.receivers.splice(at, 1);
  }

  /** Permissions or limits have changed: everybody who waits looks again (msgctl_down). */
  changed(): void {
    this.changedAt = this.machine.time();
    for (const receiver of [...this.receivers]) this.finish(receiver, AGAIN);
    this.senders.wake();
  }

  destroyed(): void {
    this.removed = true;
    for (const receiver of [...this.receivers]) this.finish(receiver, -EIDRM);
    this.senders.wake();
    this.messages.length = 0;
    this.bytes = 0;
  }

  private finish(receiver: PendingReceiver, result: Message | number): void {
    receiver.result = result;
    if (receiver.wait !== null) receiver.wait.done = true;
    this.forget(receiver);
    receiver.queue.wake();
  }
}

/** A receiver's result that says: look again. */
export const AGAIN = 1;

export class MessageQueues {
  readonly ids = new IpcIds<MessageQueue>(MSGMNI);
  /** What tasks in msgrcv wait for, by tid. */
  readonly waits = new Map<number, PendingReceiver>();

  constructor(readonly machine: IpcMachine) {}

  /** msgget(2) */
  get(key: number, flags: number, who: Credentials): number {
    return this.ids.find(
      key,
      flags,
      who,
      () => 0,
      (place) => {
        const permissions = place();
        return typeof permissions === "number" ? permissions : new MessageQueue(this.machine, permissions);
      },
    );
  }

  remove(queue: MessageQueue): void {
    this.ids.remove(queue);
    queue.destroyed();
  }
}
