/** What a debugger's user changes in a machine: records, so that a run that is gone through again has them again. */

import type { Kernel } from "../../kernel/kernel.js";
import { UserMemory } from "../../kernel/mm/user-memory.js";
import { RAX } from "../../kernel/processor.js";
import { withRegisters } from "../../kernel/ptrace/registers.js";
import { ERESTART_RESTARTBLOCK, ERESTARTSYS } from "../../kernel/restart.js";
import { SIGKILL } from "../../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../../kernel/signals/send.js";
import type { Task } from "../../kernel/task.js";
import { RegisterFile } from "../gdb/register-file.js";
import type { StopEngine } from "../stops/stop-engine.js";

export type Edit =
  /** By the numbers of gdb's target description. */
  | { readonly kind: "registers"; readonly tid: number; readonly values: ReadonlyMap<number, Uint8Array> }
  | { readonly kind: "memory"; readonly tid: number; readonly address: number; readonly bytes: Uint8Array }
  /** At a call's entry: another call; the number -1 makes none, and RAX is what it returns. */
  | { readonly kind: "call"; readonly tid: number; readonly number: number }
  /** What a call that was entered will return. */
  | { readonly kind: "force"; readonly tid: number; readonly result: bigint }
  /** The signal that is about to be delivered is another one; 0: none. */
  | { readonly kind: "signal"; readonly tid: number; readonly signal: number }
  /** A signal out of nowhere. */
  | { readonly kind: "inject"; readonly tid: number; readonly signal: number }
  /** Threads that do not run from here on; the others do. */
  | { readonly kind: "hold"; readonly threads: readonly number[] }
  | { readonly kind: "kill"; readonly pid: number };

/** Makes the change. False: it could not be made (memory ends, no such thread, a value that is not allowed). */
export function applyEdit(kernel: Kernel, engine: StopEngine, edit: Edit): boolean {
  if (edit.kind === "hold") {
    engine.hold(edit.threads);
    return true;
  }
  if (edit.kind === "kill") {
    const task = kernel.processes.get(edit.pid)?.tasks[0];
    if (task !== undefined) sendSignal(task, kernelSignal(SIGKILL), true);
    return task !== undefined;
  }
  const task = kernel.tasks.get(edit.tid);
  if (task === undefined || task.state === "dead") return false;
  switch (edit.kind) {
    case "registers": {
      const done = new RegisterFile(kernel).write(task, edit.values);
      restartCall(kernel, task);
      return done;
    }
    case "memory": {
      const memory = new UserMemory(task.mm, { foreign: true, force: true });
      return memory.copyOut(edit.address, edit.bytes) === edit.bytes.length;
    }
    case "call":
      task.originalRaxLow = edit.number | 0;
      task.originalRaxHigh = edit.number < 0 ? -1 : 0;
      return true;
    case "force":
      engine.forced.set(task.tid, edit.result);
      return true;
    case "signal":
      if (task.injected?.signo !== edit.signal)
        task.injected = edit.signal === 0 ? null : kernelSignal(edit.signal);
      return true;
    case "inject":
      if (task.injected !== null) return false;
      kernel.interruptWait(task);
      task.injected = kernelSignal(edit.signal);
      return true;
  }
}

/** A call that was interrupted is made again where the registers, which may have been restored, still say so. */
function restartCall(kernel: Kernel, task: Task): void {
  if (task.noSyscall) return;
  const result = withRegisters(kernel, task, () => BigInt.asIntN(64, kernel.cpu.registers.get(RAX)));
  const code = -Number(result);
  if (code >= ERESTARTSYS && code <= ERESTART_RESTARTBLOCK) task.interruptedBy = code;
}
