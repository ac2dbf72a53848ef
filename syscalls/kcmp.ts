/** kcmp(2): whether two processes share something (kernel/kcmp.c). */

import { EBADF, EFAULT, EINVAL, ENOENT, EPERM, ESRCH } from "../kernel/errno.js";
import { EpollFile } from "../kernel/fs/epoll-file.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import type { Task } from "../kernel/task.js";
import { choice, int, names, pid } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView } from "./structs.js";
import { define, type Definition } from "./table.js";

const KCMP_FILE = 0;
const KCMP_VM = 1;
const KCMP_FILES = 2;
const KCMP_FS = 3;
const KCMP_SIGHAND = 4;
const KCMP_IO = 5;
const KCMP_SYSVSEM = 6;
const KCMP_EPOLL_TFD = 7;
const TYPES = names("KCMP_???", {
  KCMP_FILE,
  KCMP_VM,
  KCMP_FILES,
  KCMP_FS,
  KCMP_SIGHAND,
  KCMP_IO,
  KCMP_SYSVSEM,
  KCMP_EPOLL_TFD,
});

/** struct kcmp_epoll_slot { efd, tfd, toff }. */
const SLOT_BYTES = 12;

/** ESRCH, EPERM, EINVAL, EBADF; 0: the same, 1 and 2: the first one comes before or after in some fixed order. */
function kcmp(call: SyscallCall): number {
  const { kernel, task } = call;
  const one = kernel.tasks.get(call.i32(0));
  const two = kernel.tasks.get(call.i32(1));
  if (one === undefined || two === undefined) return -ESRCH;
  if (!mayAccess(task, one, "real") || !mayAccess(task, two, "real")) return -EPERM;
  switch (call.i32(2)) {
    case KCMP_FILE: {
      const a = one.files.get(Number(call.u64(3)));
      const b = two.files.get(Number(call.u64(4)));
      return a === undefined || b === undefined ? -EBADF : order(a.identity, b.identity);
    }
    case KCMP_VM:
      return compare(call, one, two, (each) => each.mm);
    case KCMP_FILES:
      return order(one.files.identity, two.files.identity);
    case KCMP_FS:
      return compare(call, one, two, (each) => each.fs);
    case KCMP_SIGHAND:
      return compare(call, one, two, (each) => each.process.handlers);
    case KCMP_IO:
      // Nobody has an I/O context of its own.
      return 0;
    case KCMP_SYSVSEM:
      return compare(call, one, two, (each) => kernel.ipc.semaphores.undoing(each.process));
    case KCMP_EPOLL_TFD:
      return compareWatched(call, one, two);
    default:
      return -EINVAL;
  }
}

const order = (a: number, b: number): number => (a === b ? 0 : a < b ? 1 : 2);

/** Objects without a number of their own stand in the order of the first tasks that have them. */
function compare(call: SyscallCall, one: Task, two: Task, part: (task: Task) => object | null): number {
  const [a, b] = [part(one), part(two)];
  if (a === b) return 0;
  for (const each of call.kernel.tasks.values()) {
    const found = part(each);
    if (found === a) return 1;
    if (found === b) return 2;
  }
  return 1;
}

/** KCMP_EPOLL_TFD: a file against the one that an epoll descriptor of the other process watches under a number. */
function compareWatched(call: SyscallCall, one: Task, two: Task): number {
  const view = readView(call.user, call.word(4), SLOT_BYTES);
  if (typeof view === "number") return -EFAULT;
  const file = one.files.get(Number(call.u64(3)));
  if (file === undefined) return -EBADF;
  const epoll = two.files.get(view.getUint32(0, true));
  if (epoll === undefined) return -EBADF;
  if (!(epoll instanceof EpollFile)) return -EINVAL;
  const watched = [...epoll.items()].filter(({ fd }) => fd === view.getUint32(4, true));
  const found = watched[view.getUint32(8, true)];
  return found === undefined ? -ENOENT : order(file.identity, found.file.identity);
}

export const kcmpSyscalls: readonly Definition[] = [
  define({
    number: 312,
    name: "kcmp",
    args: [pid("pid1"), pid("pid2"), choice("type", TYPES), int("idx1"), int("idx2")],
    handler: kcmp,
  }),
];
