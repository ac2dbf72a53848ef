/** System V message queues: msgget, msgsnd, msgrcv, msgctl (ipc/msg.c). */

import { CAP_SYS_RESOURCE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { E2BIG, EAGAIN, EFAULT, EIDRM, EINVAL, ENOMSG, ENOSYS, EPERM } from "../kernel/errno.js";
import {
  AGAIN,
  MSG_EXCEPT,
  MSG_NOERROR,
  MSGMAX,
  MSGMNB,
  MSGMNI,
  type Message,
  type MessageQueue,
  type Selection,
} from "../kernel/ipc/message-queues.js";
import {
  checkPermissions,
  IPC_INFO,
  IPC_NOWAIT,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  S_IRUGO,
  S_IWUGO,
} from "../kernel/ipc/permissions.js";
import { ERESTARTNOHAND } from "../kernel/restart.js";
import { address, choice, flags, int, length, long, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { blockOn } from "./files-common.js";
import { GET_FLAGS, putLong } from "./sysv-common.js";
import { answer, type Controlled, controlObject } from "./sysv-control.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const MSG_STAT = 11;
const MSG_INFO = 12;
const MSG_STAT_ANY = 13;
/** Looks at a message by its place: of CONFIG_CHECKPOINT_RESTORE, which this kernel is built without. */
const MSG_COPY = 0o40000;
const MSQID_BYTES = 120;
const MSGINFO_BYTES = 32;
/** MSGPOOL in KiB, MSGSSZ, MSGSEG. */
const POOL = (MSGMNI * MSGMNB) / 1024;
const SEGMENT_BYTES = 16;
const SEGMENTS = 0xffff;
const MINIMUM_TYPE = -(2n ** 63n);

const TRANSFER_FLAGS = names("MSG_???", { IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT, MSG_COPY });
const COMMANDS = names("IPC_???", {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  MSG_STAT,
  MSG_INFO,
  MSG_STAT_ANY,
});

/*
 * msgsnd(id, message, size, flags)
 *   EFAULT  the type; EINVAL size, id, type below 1; EFAULT the text; EINVAL no such id
 *   EACCES; EAGAIN with IPC_NOWAIT; EIDRM
 */
function msgsnd(call: SyscallCall): HandlerResult {
  const { user, task } = call;
  const { messageQueues } = call.kernel.ipc;
  const type = user.readI64(call.word(1));
  if (type === null) return -EFAULT;
  const size = call.n(2);
  const id = call.i32(0);
  if (size > MSGMAX || id < 0 || type < 1n) return -EINVAL;
  const text = user.read(Number(call.word(1)) + 8, size);
  if (typeof text === "number") return -EFAULT;
  const queue = messageQueues.ids.get(id);
  if (queue === undefined) return call.resumed === null ? -EINVAL : -EIDRM;
  const denied = checkPermissions(queue.permissions, S_IWUGO, task.credentials);
  if (denied !== 0) return denied;
  if (!queue.fits(size)) {
    if ((call.i32(3) & IPC_NOWAIT) !== 0) return -EAGAIN;
    return blockOn(call, [queue.senders], "message queue", null, ERESTARTNOHAND);
  }
  queue.send({ type, text });
  return 0;
}

/*
 * msgrcv(id, message, size, type, flags)
 *   EINVAL  id or size negative; no such id; ENOSYS MSG_COPY
 *   EACCES; E2BIG too long, without MSG_NOERROR; ENOMSG with IPC_NOWAIT; EIDRM
 *   EFAULT  the message is lost
 */
function msgrcv(call: SyscallCall): HandlerResult {
  const { messageQueues } = call.kernel.ipc;
  const { task } = call;
  const size = call.s(2);
  const id = call.i32(0);
  if (id < 0 || size < 0) return -EINVAL;
  const flagBits = call.i32(4);
  if ((flagBits & MSG_COPY) !== 0)
    return (flagBits & MSG_EXCEPT) !== 0 || (flagBits & IPC_NOWAIT) === 0 ? -EINVAL : -ENOSYS;

  const pending = call.resumed === null ? undefined : messageQueues.waits.get(task.tid);
  if (pending !== undefined) {
    const { result } = pending;
    if (result === null) return blockOn(call, [pending.queue], "message queue", null, ERESTARTNOHAND);
    messageQueues.waits.delete(task.tid);
    if (typeof result !== "number") return deliver(call, result, size);
    if (result !== AGAIN) return result;
    call.resumed = null;
  }

  const queue = messageQueues.ids.get(id);
  if (queue === undefined) return pending === undefined ? -EINVAL : -EIDRM;
  const denied = checkPermissions(queue.permissions, S_IRUGO, task.credentials);
  if (denied !== 0) return denied;
  const type = call.i64(3);
  const selection: Selection = {
    // The absolute value of the least number does not fit: it is as good as any.
    type: type === MINIMUM_TYPE ? type + 1n : type,
    except: (flagBits & MSG_EXCEPT) !== 0,
  };
  const room = (flagBits & MSG_NOERROR) !== 0 ? Infinity : size;
  const message = queue.peek(selection);
  if (message !== null) {
    if (room < message.text.length) return -E2BIG;
    queue.take(message);
    return deliver(call, message, size);
  }
  if ((flagBits & IPC_NOWAIT) !== 0) return -ENOMSG;
  const receiver = queue.await(task, selection, room);
  messageQueues.waits.set(task.tid, receiver);
  const blocked = blockOn(call, [receiver.queue], "message queue", null, ERESTARTNOHAND);
  if (task.waiting?.kind === "queue") receiver.wait = task.waiting;
  return blocked;
}

function deliver(call: SyscallCall, message: Message, size: number): number {
  const text = message.text.subarray(0, Math.min(size, message.text.length));
  const { user } = call;
  if (!user.writeU64(call.word(1), message.type)) return -EFAULT;
  return user.writeBytes(Number(call.word(1)) + 8, text) ? text.length : -EFAULT;
}

function control({ kernel, task }: SyscallCall): Controlled<MessageQueue> {
  const maxBytes = (settings: DataView): number => Number(settings.getBigUint64(88, true));
  return {
    objects: kernel.ipc.messageQueues,
    at: 2,
    bytes: MSQID_BYTES,
    put: putQueue,
    allows: (settings) =>
      maxBytes(settings) > MSGMNB && !hasCapability(task.credentials, CAP_SYS_RESOURCE) ? -EPERM : 0,
    set(queue, settings) {
      queue.maxBytes = maxBytes(settings);
      queue.changed();
    },
  };
}

function msgctl(call: SyscallCall): number {
  const id = call.i32(0);
  const command = call.i32(1);
  const { messageQueues } = call.kernel.ipc;
  if (id < 0 || command < 0) return -EINVAL;
  switch (command) {
    case IPC_INFO:
    case MSG_INFO: {
      const own = command === MSG_INFO;
      const queues = [...messageQueues.ids];
      const count = queues.reduce((sum, { messages }) => sum + messages.length, 0);
      const bytes = queues.reduce((sum, queue) => sum + queue.bytes, 0);
      const values = own ? [queues.length, count] : [POOL, MSGMNB];
      values.push(MSGMAX, MSGMNB, MSGMNI, SEGMENT_BYTES, own ? bytes : MSGMNB);
      return answer(
        call,
        2,
        MSGINFO_BYTES,
        (view) => {
          values.forEach((value, i) => view.setInt32(i * 4, value, true));
          view.setUint16(28, SEGMENTS, true);
        },
        messageQueues.ids.highest,
      );
    }
    default:
      return controlObject(call, control(call), command, MSG_STAT, MSG_STAT_ANY);
  }
}

/** struct msqid64_ds */
function putQueue(view: DataView, queue: MessageQueue): void {
  putLong(view, 48, queue.sentAt);
  putLong(view, 56, queue.receivedAt);
  putLong(view, 64, queue.changedAt);
  putLong(view, 72, queue.bytes);
  putLong(view, 80, queue.messages.length);
  putLong(view, 88, queue.maxBytes);
  view.setInt32(96, queue.lastSender, true);
  view.setInt32(100, queue.lastReceiver, true);
}

export const messageQueueSyscalls: readonly Definition[] = [
  define({
    number: 68,
    name: "msgget",
    args: [int("key"), flags("msgflg", GET_FLAGS)],
    handler: (call) => call.kernel.ipc.messageQueues.get(call.i32(0), call.i32(1), call.task.credentials),
  }),
  define({
    number: 69,
    name: "msgsnd",
    args: [int("msqid"), address("msgp"), length("msgsz"), flags("msgflg", TRANSFER_FLAGS)],
    handler: msgsnd,
  }),
  define({
    number: 70,
    name: "msgrcv",
    args: [int("msqid"), address("msgp"), length("msgsz"), long("msgtyp"), flags("msgflg", TRANSFER_FLAGS)],
    handler: msgrcv,
  }),
  define({
    number: 71,
    name: "msgctl",
    args: [int("msqid"), choice("cmd", COMMANDS), address("buf")],
    handler: msgctl,
  }),
];
