/** Whom the OOM killer (mm/oom.ts) may choose from: processes, SIGKILL, and the line that says so. */

import type { ControlGroup } from "./cgroup/control-group.js";
import type { Kernel } from "./kernel.js";
import type { OomMachine, OomProcess } from "./mm/oom.js";
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

/** The processes of a control group, or all of the machine, as the OOM killer has them. */
export function oomMachine(kernel: Kernel, group: ControlGroup | null): OomMachine {
  const { cgroups } = kernel;
  return {
    inGroup: group !== null,
    *processes() {
      for (const process of kernel.processes.values())
        if (!process.zombie && (group === null || cgroups.groupOf(process).isWithin(group)))
          yield candidate(process);
    },
    kill({ pid }) {
      const process = kernel.processes.get(pid);
      const task = process?.tasks[0];
      if (process === undefined || task === undefined) return;
      cgroups.groupOf(process).owner("memory").count("oom_kill");
      sendSignal(task, kernelSignal(SIGKILL), true);
    },
    report: (kill) => kernel.events.emit("oom", kill),
  };
}
