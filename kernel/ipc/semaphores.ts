/** System V semaphores (ipc/sem.c). */

import type { Credentials } from "../credentials.js";
import { EAGAIN, EIDRM, EINVAL, ENOSPC, ERANGE } from "../errno.js";
import type { Process, Task } from "../task.js";
import type { QueueWait } from "../wait.js";
import { WaitQueue } from "../wait-queue.js";
import { IpcIds, type IpcObject } from "./ids.js";
import { IPC_NOWAIT, type IpcPermissions } from "./permissions.js";
import type { IpcMachine } from "./shared-memory.js";

export const SEMMNI = 32000;
/** Semaphores in a set. */
export const SEMMSL = 32000;
export const SEMMNS = SEMMNI * SEMMSL;
export const SEMOPM = 500;
export const SEMVMX = 32767;
export const SEM_UNDO = 0x1000;

export interface SemaphoreOperation {
  readonly index: number;
  /** Added to the value; 0 waits for zero. */
  readonly change: number;
  readonly flags: number;
}

/** Operations that wait until all of them can be done. */
export interface PendingOperations {
  readonly operations: readonly SemaphoreOperation[];
  readonly task: Task;
  /** Woken when `result` is there. */
  readonly queue: WaitQueue;
  /** The task's wait: when it has another or none, it has given up. */
  wait: QueueWait | null;
  /** The operation that cannot be done yet, for GETNCNT and GETZCNT. */
  blocking: SemaphoreOperation | null;
  /** What semop returns; null as long as it waits. */
  result: number | null;
}

export class SemaphoreSet implements IpcObject {
  readonly values: Int32Array;
  /** The process that last changed or waited successfully, for each. */
  readonly pids: Int32Array;
  /** By process: what its end adds to each value (SEM_UNDO). */
  readonly undo = new Map<Process, Int32Array>();
  readonly pending: PendingOperations[] = [];
  operatedAt = 0;
  changedAt: number;

  constructor(
    private readonly machine: IpcMachine,
    readonly permissions: IpcPermissions,
    count: number,
  ) {
    this.values = new Int32Array(count);
    this.pids = new Int32Array(count);
    this.changedAt = machine.time();
  }

  get count(): number {
    return this.values.length;
  }

  /**
   * Does all operations or none (perform_atomic_semop).
   * @returns 0; -EAGAIN or -ERANGE; or the operation that has to wait
   */
  attempt(operations: readonly SemaphoreOperation[], process: Process): number | SemaphoreOperation {
    const { values } = this;
    const before = values.slice();
    const undo = operations.some(({ flags }) => (flags & SEM_UNDO) !== 0) ? this.undoOf(process) : null;
    const undoBefore = undo?.slice();
    const fail = <R>(result: R): R => {
      values.set(before);
      if (undo !== null && undoBefore !== undefined) undo.set(undoBefore);
      return result;
    };
    for (const operation of operations) {
      const { index, change, flags } = operation;
      const result = values[index] + change;
      if ((change === 0 && values[index] !== 0) || result < 0)
        return fail((flags & IPC_NOWAIT) !== 0 ? -EAGAIN : operation);
      if (result > SEMVMX) return fail(-ERANGE);
      if (undo !== null && (flags & SEM_UNDO) !== 0) {
        const left = undo[index] - change;
        if (left < -SEMVMX - 1 || left > SEMVMX) return fail(-ERANGE);
        undo[index] = left;
      }
      values[index] = result;
    }
    for (const { index } of operations) this.pids[index] = process.pid;
    this.operatedAt = this.machine.time();
    return 0;
  }

  private undoOf(process: Process): Int32Array {
    let undo = this.undo.get(process);
    if (undo === undefined) this.undo.set(process, (undo = new Int32Array(this.count)));
    return undo;
  }

  /** Values have changed: does, in the order in which they came, what waited and can be done now (do_smart_update). */
  update(): void {
    for (let again = true; again;) {
      again = false;
      this.dropAbandoned();
      for (const pending of [...this.pending]) {
        const result = this.attempt(pending.operations, pending.task.process);
        if (typeof result !== "number") {
          pending.blocking = result;
          continue;
        }
        this.finish(pending, result);
        // What is done may let earlier ones go on.
        again ||= result === 0 && pending.operations.some(({ change }) => change !== 0);
        if (again) break;
      }
    }
  }

  /** Tasks that a signal or their end took away do not wait any more. */
  dropAbandoned(): void {
    for (const pending of [...this.pending])
      if (pending.wait !== null && pending.task.waiting !== pending.wait) this.forget(pending);
  }

  forget(pending: PendingOperations): void {
    const at = this.pending.indexOf(pending);
    if (at >= 0) this.pending.splice(at, 1);
  }

  private finish(pending: PendingOperations, result: number): void {
    pending.result = result;
    if (pending.wait !== null) pending.wait.done = true;
    this.forget(pending);
    pending.queue.wake();
  }

  /** How many wait for this semaphore to grow, or to be zero (count_semcnt). */
  waiting(index: number, forZero: boolean): number {
    this.dropAbandoned();
    return this.pending.filter(
      ({ blocking }) => blocking !== null && blocking.index === index && (blocking.change === 0) === forZero,
    ).length;
  }

  /** SETVAL and SETALL: nobody undoes anything there any more. */
  setValue(index: number, value: number): void {
    for (const undo of this.undo.values()) undo[index] = 0;
    this.values[index] = value;
    this.changedAt = this.machine.time();
  }

  /** The set is gone: everybody who waits learns of it. */
  destroyed(): void {
    for (const pending of [...this.pending]) this.finish(pending, -EIDRM);
  }
}

export class Semaphores {
  readonly ids = new IpcIds<SemaphoreSet>(SEMMNI);
  /** Semaphores of all sets. */
  total = 0;
  /** What tasks wait for, by tid. */
  readonly waits = new Map<number, PendingOperations>();

  constructor(readonly machine: IpcMachine) {}

  /** The process itself if an end of it would undo something, else null. */
  undoing(process: Process): Process | null {
    for (const set of this.ids) if (set.undo.has(process)) return process;
    return null;
  }

  /** semget(2) */
  get(key: number, count: number, flags: number, who: Credentials): number {
    if (count < 0 || count > SEMMSL) return -EINVAL;
    return this.ids.find(
      key,
      flags,
      who,
      (set) => (count > set.count ? -EINVAL : 0),
      (place) => {
        if (count === 0) return -EINVAL;
        if (this.total + count > SEMMNS) return -ENOSPC;
        const permissions = place();
        if (typeof permissions === "number") return permissions;
        this.total += count;
        return new SemaphoreSet(this.machine, permissions, count);
      },
    );
  }

  remove(set: SemaphoreSet): void {
    this.ids.remove(set);
    this.total -= set.count;
    set.destroyed();
  }

  /**
   * Begins semop(2) on a set whose permissions have been checked.
   * @returns its result, or what the task has to wait for
   */
  operate(
    set: SemaphoreSet,
    operations: readonly SemaphoreOperation[],
    task: Task,
  ): number | PendingOperations {
    const result = set.attempt(operations, task.process);
    if (result === 0) set.update();
    if (typeof result === "number") return result;
    const pending: PendingOperations = {
      operations,
      task,
      queue: new WaitQueue(),
      wait: null,
      blocking: result,
      result: null,
    };
    set.pending.push(pending);
    return pending;
  }

  /** A process has ended: what it did with SEM_UNDO is undone (exit_sem). */
  exit(process: Process): void {
    for (const set of this.ids) {
      const undo = set.undo.get(process);
      if (undo === undefined) continue;
      set.undo.delete(process);
      undo.forEach((change, index) => {
        if (change === 0) return;
        set.values[index] = Math.min(SEMVMX, Math.max(0, set.values[index] + change));
        set.pids[index] = process.pid;
      });
      set.update();
    }
  }
}
