/** The machine's side of the OOM killer (mm/oom.ts): processes, SIGKILL, and the line that says so. */

import type { Kernel } from "./kernel.js";
import type { AddressSpace } from "./mm/address-space.js";
import { outOfMemory, type OomMachine, type OomProcess } from "./mm/oom.js";
import { SIGKILL } from "./signals/numbers.js";
import { kernelSignal, sendSignal } from "./signals/send.js";
import type { Process } from "./task.js";

/** A process as the OOM killer sees it. */
function candidate(process: Process): OomProcess {
  const task = process.tasks[0];
  const killed =
    process.pending.set.has(SIGKILL) || process.tasks.some(({ signals }) => signals.pending.set.has(SIGKILL));
  return {
    pid: process.pid,
    name: process.leader.comm,
    uid: process.leader.credentials.uid,
    mm: task === undefined || task.mm.released ? null : task.mm,
    oomScoreAdj: process.oomScoreAdj,
    dying: process.exit !== null || killed,
  };
}

/**
 * No frame is left for an access to this address space: kills whom `outOfMemory` chooses.
 * @returns true when the access can be repeated
 */
export function killForMemory(kernel: Kernel, mm: AddressSpace): boolean {
  const machine: OomMachine = {
    *processes() {
      for (const process of kernel.processes.values()) if (!process.zombie) yield candidate(process);
    },
    kill({ pid }) {
      const process = kernel.processes.get(pid);
      const task = process?.tasks[0];
      if (task !== undefined) sendSignal(task, kernelSignal(SIGKILL), true);
    },
    report: (kill) => kernel.events.emit("oom", kill),
  };
  return outOfMemory(machine, mm);
}
