/** System V semaphores: semget, semop, semtimedop, semctl (ipc/sem.c). */

import { E2BIG, EAGAIN, EFAULT, EFBIG, EINTR, EINVAL, ERANGE } from "../kernel/errno.js";
import {
  checkPermissions,
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  S_IRUGO,
  S_IWUGO,
} from "../kernel/ipc/permissions.js";
import {
  SEMMNI,
  SEMMNS,
  SEMMSL,
  SEMOPM,
  SEMVMX,
  type SemaphoreOperation,
  type SemaphoreSet,
} from "../kernel/ipc/semaphores.js";
import { isZero } from "../kernel/mm/word.js";
import { address, choice, flags, hex, int, names, structIn, uint } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { blockOn } from "./files-common.js";
import { readTimespec, readView, writeBytes } from "./structs.js";
import { GET_FLAGS, putLong } from "./sysv-common.js";
import { answer, type Controlled, controlObject } from "./sysv-control.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const GETPID = 11;
const GETVAL = 12;
const GETALL = 13;
const GETNCNT = 14;
const GETZCNT = 15;
const SETVAL = 16;
const SETALL = 17;
const SEM_STAT = 18;
const SEM_INFO = 19;
const SEM_STAT_ANY = 20;
const SEMID_BYTES = 104;
const SEMINFO_BYTES = 40;
const SEMBUF_BYTES = 6;
/** sizeof(struct sem_undo) as SEMUSZ has it. */
const SEMUSZ = 20;

const COMMANDS = names("IPC_???", {
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  IPC_INFO,
  GETPID,
  GETVAL,
  GETALL,
  GETNCNT,
  GETZCNT,
  SETVAL,
  SETALL,
  SEM_STAT,
  SEM_INFO,
  SEM_STAT_ANY,
});

/*
 * semtimedop(id, operations, count, timeout)
 *   EFAULT, EINVAL  the timeout
 *   E2BIG   more than 500 operations; EINVAL none; EFAULT; EINVAL negative id
 *   EINVAL  a time that is none; no such id
 *   EFBIG   no such semaphore
 *   EACCES  no permission to read (write, where a value would change)
 *   ERANGE, EAGAIN (IPC_NOWAIT, or the time is over), EIDRM, EINTR
 */
function semtimedop(call: SyscallCall, timeoutAt: number | null): HandlerResult {
  const { semaphores } = call.kernel.ipc;
  const { task, resumed } = call;
  if (resumed !== null) return goOn(call);
  const timed = timeoutAt !== null && !isZero(call.word(timeoutAt));
  const timeout = timed ? readTimespec(call.user, call.word(timeoutAt)) : null;
  if (timeout === -EFAULT) return -EFAULT;
  const count = call.u32(2);
  if (count > SEMOPM) return -E2BIG;
  if (count < 1) return -EINVAL;
  const view = readView(call.user, call.word(1), count * SEMBUF_BYTES);
  if (typeof view === "number") return view;
  const id = call.i32(0);
  if (id < 0 || typeof timeout === "number") return -EINVAL;
  const operations: SemaphoreOperation[] = Array.from({ length: count }, (_, i) => ({
    index: view.getUint16(i * SEMBUF_BYTES, true),
    change: view.getInt16(i * SEMBUF_BYTES + 2, true),
    flags: view.getInt16(i * SEMBUF_BYTES + 4, true),
  }));
  const set = semaphores.ids.obtain(id);
  if (typeof set === "number") return set;
  if (operations.some(({ index }) => index >= set.count)) return -EFBIG;
  const alters = operations.some(({ change }) => change !== 0);
  const denied = checkPermissions(set.permissions, alters ? S_IWUGO : S_IRUGO, task.credentials);
  if (denied !== 0) return denied;
  const begun = semaphores.operate(set, operations, task);
  if (typeof begun === "number") return begun;
  semaphores.waits.set(task.tid, begun);
  const deadline = timeout === null ? null : call.kernel.clock.monotonic() + timeout.nanoseconds;
  const blocked = blockOn(call, [begun.queue], "semaphore", deadline, EINTR);
  if (task.waiting?.kind === "queue") begun.wait = task.waiting;
  return blocked;
}

/** The task was woken: it is done, the time is over, or it was for nothing. */
function goOn(call: SyscallCall): HandlerResult {
  const { semaphores } = call.kernel.ipc;
  const { task, resumed } = call;
  const pending = semaphores.waits.get(task.tid);
  if (pending === undefined) return -EINTR;
  if (pending.result === null && resumed?.timedOut !== true)
    return blockOn(call, [pending.queue], "semaphore", resumed?.deadline ?? null, EINTR);
  semaphores.waits.delete(task.tid);
  if (pending.result !== null) return pending.result;
  for (const set of semaphores.ids) set.forget(pending);
  return -EAGAIN;
}

function control({ kernel }: SyscallCall): Controlled<SemaphoreSet> {
  const { semaphores } = kernel.ipc;
  const set = (set: SemaphoreSet): void => void (set.changedAt = semaphores.machine.time());
  return { objects: semaphores, at: 3, bytes: SEMID_BYTES, put: putSet, set };
}

function semctl(call: SyscallCall): number {
  const id = call.i32(0);
  const index = call.i32(1);
  const command = call.i32(2);
  const { semaphores } = call.kernel.ipc;
  const { credentials } = call.task;
  if (id < 0) return -EINVAL;
  switch (command) {
    case IPC_INFO:
    case SEM_INFO: {
      const own = command === SEM_INFO;
      const values = [SEMMNS, SEMMNI, SEMMNS, SEMMNS, SEMMSL, SEMOPM, SEMOPM];
      values.push(own ? semaphores.ids.count : SEMUSZ, SEMVMX, own ? semaphores.total : SEMVMX);
      return answer(
        call,
        3,
        SEMINFO_BYTES,
        (view) => values.forEach((value, i) => view.setInt32(i * 4, value, true)),
        semaphores.ids.highest,
      );
    }
    case SETVAL:
      return setOne(call, id, index, call.i32(3));
    case GETALL:
    case SETALL:
    case GETPID:
    case GETVAL:
    case GETNCNT:
    case GETZCNT: {
      const set = semaphores.ids.obtain(id);
      if (typeof set === "number") return set;
      const wanted = command === SETALL ? S_IWUGO : S_IRUGO;
      const denied = checkPermissions(set.permissions, wanted, credentials);
      if (denied !== 0) return denied;
      if (command === SETALL) return setAll(call, set);
      if (command === GETALL)
        return writeBytes(call.user, call.word(3), new Uint8Array(Uint16Array.from(set.values).buffer));
      if (index < 0 || index >= set.count) return -EINVAL;
      if (command === GETPID) return set.pids[index]!;
      if (command === GETVAL) return set.values[index]!;
      return set.waiting(index, command === GETZCNT);
    }
    default:
      return controlObject(call, control(call), command, SEM_STAT, SEM_STAT_ANY);
  }
}

function setOne(call: SyscallCall, id: number, index: number, value: number): number {
  if (value < 0 || value > SEMVMX) return -ERANGE;
  const set = call.kernel.ipc.semaphores.ids.obtain(id);
  if (typeof set === "number") return set;
  if (index < 0 || index >= set.count) return -EINVAL;
  const denied = checkPermissions(set.permissions, S_IWUGO, call.task.credentials);
  if (denied !== 0) return denied;
  set.setValue(index, value);
  set.pids[index] = call.task.pid;
  set.update();
  return 0;
}

function setAll(call: SyscallCall, set: SemaphoreSet): number {
  const view = readView(call.user, call.word(3), set.count * 2);
  if (typeof view === "number") return view;
  const values = Array.from({ length: set.count }, (_, i) => view.getUint16(i * 2, true));
  if (values.some((value) => value > SEMVMX)) return -ERANGE;
  values.forEach((value, i) => {
    set.setValue(i, value);
    set.pids[i] = call.task.pid;
  });
  set.update();
  return 0;
}

/** struct semid64_ds */
function putSet(view: DataView, set: SemaphoreSet): void {
  putLong(view, 48, set.operatedAt);
  putLong(view, 64, set.changedAt);
  putLong(view, 80, set.count);
}

export const semaphoreSyscalls: readonly Definition[] = [
  define({
    number: 64,
    name: "semget",
    args: [int("key"), int("nsems"), flags("semflg", GET_FLAGS)],
    handler: (call) =>
      call.kernel.ipc.semaphores.get(call.i32(0), call.i32(1), call.i32(2), call.task.credentials),
  }),
  define({
    number: 65,
    name: "semop",
    args: [int("semid"), address("sops"), uint("nsops")],
    handler: (call) => semtimedop(call, null),
  }),
  define({
    number: 66,
    name: "semctl",
    args: [int("semid"), int("semnum"), choice("cmd", COMMANDS), hex("arg")],
    handler: semctl,
  }),
  define({
    number: 220,
    name: "semtimedop",
    args: [int("semid"), address("sops"), uint("nsops"), structIn("timeout", "timespec")],
    handler: (call) => semtimedop(call, 3),
  }),
];
