/**
 * Restartable sequences (kernel/rseq.c): a thread's record in its own memory says on which processor it runs, and
 * which critical section it is in; one that loses the processor or gets a signal there goes on at the section's
 * abort address. One processor, one node, one task at a time: all numbers in the record are 0.
 *
 * struct rseq: cpu_id_start, cpu_id (32 bits), rseq_cs (64), flags, node_id, mm_cid (32).
 * struct rseq_cs: version, flags (32 bits), start_ip, post_commit_offset, abort_ip (64).
 */

import { CLONE_VM } from "./clone-flags.js";
import type { Kernel } from "./kernel.js";
import { TASK_SIZE } from "./mm/layout.js";
import type { UserMemory } from "./mm/user-memory.js";
import { SIGSEGV } from "./signals/numbers.js";
import { forceSignal, kernelSignal } from "./signals/send.js";
import type { Task } from "./task.js";

/** AT_RSEQ_FEATURE_SIZE: bytes of the fields that there are. */
export const RSEQ_FEATURE_BYTES = 28;
/** AT_RSEQ_ALIGN, and the bytes of the first version's record. */
export const RSEQ_ALIGNMENT = 32;

const CS_POINTER = 8;
const FLAGS = 16;
const NODE_ID = 20;
const CS_BYTES = 32;
/** cpu_id of a record that the kernel does not look after. */
const UNINITIALIZED = 0xffff_ffff;

/** What a task has registered. */
export interface RestartableSequences {
  readonly address: number;
  /** Bytes, as given. */
  readonly length: number;
  /** The 32 bits that must stand before every abort address. */
  readonly signature: number;
  /** The task has lost the processor since it last ran. */
  preempted: boolean;
}

/** The task loses the processor, whether it wants to or not. */
export function rseqPreempted(task: Task): void {
  if (task.rseq !== null) task.rseq.preempted = true;
}

/** Before the task, whose registers are the processor's, runs on. A record that cannot be used is a SIGSEGV. */
export function rseqReturn(kernel: Kernel, task: Task): void {
  if (task.rseq?.preempted === true) update(kernel, task, 0);
}

/** Before a signal's frame is built: what was interrupted must not be gone on with. */
export function rseqSignal(kernel: Kernel, task: Task, signo: number): void {
  if (task.rseq === null) return;
  task.rseq.preempted = true;
  update(kernel, task, signo);
}

/** Before a signal is taken: what its delivery reads of the record and its section is there. */
export function awaitRseq({ rseq, user, mm }: Task): void {
  if (rseq === null || !mm.kernelWaits) return;
  const pointer = user.readU64(rseq.address + CS_POINTER);
  if (pointer === null || pointer === 0n || pointer >= BigInt(TASK_SIZE)) return;
  const abort = user.readU64(pointer + 24n);
  if (abort !== null && abort < BigInt(TASK_SIZE)) user.awaitReadable(abort - 4n, 4);
}

/** A process takes the registration over with the memory; a thread starts without. */
export function rseqFork(parent: Task, child: Task, flags: number): void {
  child.rseq = (flags & CLONE_VM) !== 0 || parent.rseq === null ? null : { ...parent.rseq };
}

export function rseqExec(task: Task): void {
  task.rseq = null;
}

/** A new registration: the record is filled in before the task runs on. */
export function registerRseq(kernel: Kernel, task: Task, rseq: RestartableSequences): void {
  task.rseq = rseq;
  update(kernel, task, 0);
}

/** Puts the record back to what says that nobody looks after it; false if it cannot be written. */
export function resetRseq(user: UserMemory, { address }: RestartableSequences): boolean {
  return (
    user.writeU32(address, 0) &&
    user.writeU32(address + 4, UNINITIALIZED) &&
    user.clear(address + NODE_ID, 8) === 8
  );
}

/** @param signo the signal being delivered, or 0 */
function update(kernel: Kernel, task: Task, signo: number): void {
  const { registers } = kernel.cpu;
  const { pkru } = registers;
  const open = kernel.pku && kernel.release.rules.rseqKeys === "open";
  if (open) registers.pkru = 0;
  let updated: boolean;
  try {
    updated = updateRecord(kernel, task, task.rseq!);
  } finally {
    if (open) registers.pkru = pkru;
  }
  // A handler for SIGSEGV cannot be helped by another SIGSEGV.
  if (!updated) forceSignal(task, kernelSignal(SIGSEGV), signo === SIGSEGV ? "fatal" : "signal");
}

function updateRecord(kernel: Kernel, task: Task, rseq: RestartableSequences): boolean {
  const { user } = task;
  const { address } = rseq;
  return (
    leaveSection(kernel, task, rseq) && user.clear(address, 8) === 8 && user.clear(address + NODE_ID, 8) === 8
  );
}

/**
 * Outside the section that the record names, the name is taken out; inside, if the task was interrupted, it goes on
 * at the abort address. False where record or section are not as they must be (rseq_ip_fixup).
 */
function leaveSection(kernel: Kernel, task: Task, rseq: RestartableSequences): boolean {
  const { user } = task;
  const { registers } = kernel.cpu;
  const pointer = user.readU64(rseq.address + CS_POINTER);
  if (pointer === null) return false;
  if (pointer === 0n) {
    settle(rseq);
    return true;
  }
  const section = readSection(user, pointer, rseq.signature);
  if (section === null) return false;
  const inside = BigInt.asUintN(64, registers.ripBig - section.start) < section.length;
  if (!inside) {
    settle(rseq);
    return user.writeU64(rseq.address + CS_POINTER, 0);
  }
  // The flags that once kept a section from being restarted are not supported any more.
  if (section.flags !== 0 || user.readU32(rseq.address + FLAGS) !== 0) return false;
  if (!settle(rseq)) return true;
  if (!user.writeU64(rseq.address + CS_POINTER, 0)) return false;
  registers.ripBig = section.abort;
  return true;
}

/** Whether the task was interrupted since this was last asked. */
function settle(rseq: RestartableSequences): boolean {
  const { preempted } = rseq;
  rseq.preempted = false;
  return preempted;
}

interface Section {
  readonly flags: number;
  readonly start: bigint;
  readonly length: bigint;
  readonly abort: bigint;
}

/** The section at an address, checked; null where it lies badly or lacks the signature before its abort address. */
function readSection(user: UserMemory, pointer: bigint, signature: number): Section | null {
  const top = BigInt(TASK_SIZE);
  if (pointer >= top) return null;
  const bytes = user.read(pointer, CS_BYTES);
  if (typeof bytes === "number") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = view.getBigUint64(8, true);
  const length = view.getBigUint64(16, true);
  const abort = view.getBigUint64(24, true);
  const end = BigInt.asUintN(64, start + length);
  if (view.getUint32(0, true) > 0 || start >= top || end >= top || abort >= top || end < start) return null;
  if (BigInt.asUintN(64, abort - start) < length) return null;
  if (user.readU32(abort - 4n) !== signature) return null;
  return { flags: view.getUint32(4, true), start, length, abort };
}
