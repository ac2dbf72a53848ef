/** seccomp(2), and prctl's way to it (kernel/seccomp.c). */

import { BPF_INSTRUCTION_BYTES, BPF_MAX_INSTRUCTIONS, decodeBpf } from "../kernel/bpf/instruction.js";
import { verifyBpf } from "../kernel/bpf/verify.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EACCES, EBUSY, EFAULT, EINVAL, EMFILE, ENOMEM, EOPNOTSUPP, ESRCH } from "../kernel/errno.js";
import { ACTION_NAMES } from "../kernel/seccomp/actions.js";
import { MAX_INSTRUCTIONS_PER_PATH, pathLength, SeccompFilter } from "../kernel/seccomp/filter.js";
import { SeccompListenerFile } from "../kernel/seccomp/listener-file.js";
import { SeccompListener } from "../kernel/seccomp/listener.js";
import type { Task } from "../kernel/task.js";
import { address, choice, hex, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";

const SECCOMP_SET_MODE_STRICT = 0;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_GET_ACTION_AVAIL = 2;
const SECCOMP_GET_NOTIF_SIZES = 3;
const OPERATIONS = names("SECCOMP_???", {
  SECCOMP_SET_MODE_STRICT,
  SECCOMP_SET_MODE_FILTER,
  SECCOMP_GET_ACTION_AVAIL,
  SECCOMP_GET_NOTIF_SIZES,
});

const FLAG_TSYNC = 1;
const FLAG_LOG = 2;
const FLAG_SPEC_ALLOW = 4;
const FLAG_NEW_LISTENER = 8;
const FLAG_TSYNC_ESRCH = 0x10;
const FLAG_WAIT_KILLABLE_RECV = 0x20;
const FLAGS =
  FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_NEW_LISTENER | FLAG_TSYNC_ESRCH | FLAG_WAIT_KILLABLE_RECV;

/** struct sock_fprog: a length in instructions, and a pointer at offset 8. */
const FPROG_BYTES = 16;
/** struct seccomp_data. */
const DATA_BYTES = 64;
/** Of struct seccomp_notif, seccomp_notif_resp and seccomp_data. */
const NOTIFICATION_SIZES = [80, 24, DATA_BYTES];

/** EINVAL for an operation that there is not; flags are 32 bits. */
function seccomp(call: SyscallCall): number {
  const flags = call.u32(1);
  switch (call.u32(0)) {
    case SECCOMP_SET_MODE_STRICT:
      return flags === 0 && call.u64(2) === 0n ? setStrict(call.task) : -EINVAL;
    case SECCOMP_SET_MODE_FILTER:
      return setFilter(call, flags, call.u64(2));
    case SECCOMP_GET_ACTION_AVAIL: {
      if (flags !== 0) return -EINVAL;
      const action = call.user.readU32(call.word(2));
      if (action === null) return -EFAULT;
      return ACTION_NAMES.some(([known]) => known === action) ? 0 : -EOPNOTSUPP;
    }
    case SECCOMP_GET_NOTIF_SIZES:
      if (flags !== 0) return -EINVAL;
      return writeBytes(call.user, call.word(2), new Uint8Array(Uint16Array.from(NOTIFICATION_SIZES).buffer));
    default:
      return -EINVAL;
  }
}

/** prctl(PR_SET_SECCOMP, mode, filter): EINVAL for other modes. */
export function setSeccompMode(call: SyscallCall): number {
  const mode = call.u64(1);
  if (mode === 1n) return setStrict(call.task);
  return mode === 2n ? setFilter(call, 0, call.u64(2)) : -EINVAL;
}

/** EINVAL with filters in force: a mode stays. */
function setStrict(task: Task): number {
  if (task.seccomp?.mode === "filter") return -EINVAL;
  task.seccomp = { mode: "strict" };
  return 0;
}

/**
 * Refuses, in this order (seccomp_set_mode_filter):
 *   EINVAL  unknown flags, or flags that do not go together
 *   EFAULT  the sock_fprog cannot be read
 *   EINVAL  no instructions, or more than 4096
 *   EACCES  without no_new_privs and CAP_SYS_ADMIN
 *   EINVAL  a null pointer; EFAULT the instructions cannot be read
 *   EINVAL  the program does not pass verifyBpf
 *   EMFILE  no descriptor for the listener
 *   EINVAL  strict mode is in force
 *   EBUSY   a filter has a listener, and another one is asked for
 *   ENOMEM  too many instructions with the filters before it
 *   a thread's number, or ESRCH with TSYNC_ESRCH: that thread has filters of its own
 */
function setFilter(call: SyscallCall, flags: number, at: bigint): number {
  const { task, kernel } = call;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if ((flags & ~FLAGS) !== 0) return -EINVAL;
  if (has(FLAG_TSYNC) && has(FLAG_NEW_LISTENER) && !has(FLAG_TSYNC_ESRCH)) return -EINVAL;
  if (has(FLAG_WAIT_KILLABLE_RECV) && !has(FLAG_NEW_LISTENER)) return -EINVAL;
  const program = readProgram(call, at);
  if (typeof program === "number") return program;
  if (has(FLAG_NEW_LISTENER) && task.files.firstFree() >= descriptorLimit(call)) return -EMFILE;
  if (task.seccomp?.mode === "strict") return -EINVAL;
  const below = task.seccomp?.filter ?? null;
  if (has(FLAG_NEW_LISTENER) && below !== null)
    for (const filter of below.chain()) if (filter.listener !== null) return -EBUSY;
  if (pathLength(program, below) > MAX_INSTRUCTIONS_PER_PATH) return -ENOMEM;
  if (has(FLAG_TSYNC)) {
    const other = task.process.tasks.find((each) => each !== task && !followsCaller(each, below));
    if (other !== undefined) return has(FLAG_TSYNC_ESRCH) ? -ESRCH : other.tid;
  }
  const by = kernel.provenance();
  const filter = new SeccompFilter(below, program, has(FLAG_LOG), has(FLAG_WAIT_KILLABLE_RECV), by);
  const count = (task.seccomp?.count ?? 0) + 1;
  task.seccomp = { mode: "filter", filter, count };
  if (has(FLAG_TSYNC)) for (const each of task.process.tasks) synchronise(task, each);
  if (!has(FLAG_NEW_LISTENER)) return 0;
  filter.listener = new SeccompListener(filter, kernel.tasks);
  const location = internalLocation(call, () => "anon_inode:seccomp notify", 0o600);
  const file = new SeccompListenerFile(location, filter.listener);
  return task.files.install(file, true, descriptorLimit(call));
}

/** It has no filters, or only such as the caller has too (seccomp_can_sync_threads). */
function followsCaller({ seccomp }: Task, callers: SeccompFilter | null): boolean {
  if (seccomp === null) return true;
  return seccomp.mode === "filter" && callers?.includes(seccomp.filter) === true;
}

/** Who may not gain privileges passes that on (seccomp_sync_threads). */
function synchronise(caller: Task, thread: Task): void {
  thread.seccomp = caller.seccomp;
  if (caller.noNewPrivileges) thread.noNewPrivileges = true;
}

function readProgram(call: SyscallCall, at: bigint) {
  const { task, user, mm } = call;
  const view = readView(user, at, FPROG_BYTES);
  if (typeof view === "number") return view;
  const length = view.getUint16(0, true);
  if (length === 0 || length > BPF_MAX_INSTRUCTIONS) return -EINVAL;
  if (!task.noNewPrivileges && !hasCapability(task.credentials, CAP_SYS_ADMIN)) return -EACCES;
  const from = view.getBigUint64(8, true);
  if (from === 0n) return -EINVAL;
  const bytes = user.read(from, length * BPF_INSTRUCTION_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const program = decodeBpf(bytes);
  const mistake = verifyBpf(program, DATA_BYTES);
  if (mistake === null) return program;
  return mm.refuse("seccomp.program", EINVAL, () => ({
    text: (mistake.at === null ? "" : `instruction ${mistake.at}: `) + mistake.text,
    source: "seccomp_check_filter",
  }));
}

export const seccompSyscalls: readonly Definition[] = [
  define({
    number: 317,
    name: "seccomp",
    args: [choice("operation", OPERATIONS), hex("flags"), address("args")],
    handler: seccomp,
  }),
];
