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
        if (!process.zombie && (group === null || cgroups.domainOf(process).isWithin(group)))
          yield candidate(process);
    },
    kill({ pid }) {
      const process = kernel.processes.get(pid);
      const task = process?.tasks[0];
      if (process === undefined || task === undefined) return;
      cgroups.domainOf(process).ownerOf("memory").count("oom_kill");
      sendSignal(task, kernelSignal(SIGKILL), true);
    },
    *companions({ pid }) {
      const process = kernel.processes.get(pid);
      const domain = group ?? cgroups.root;
      let whole: ControlGroup | null = null;
      if (process !== undefined)
        for (const at of cgroups.domainOf(process).ownerOf("memory").withAncestors())
          if (at.oomGroup && at.isWithin(domain)) whole = at;
      if (whole === null) return;
      whole.count("oom_group_kill");
      for (const each of kernel.processes.values())
        if (!each.zombie && cgroups.domainOf(each).isWithin(whole)) yield candidate(each);
      // The victim is killed, and counted, once more as one of the group (mem_cgroup_scan_tasks).
      cgroups.domainOf(process!).ownerOf("memory").count("oom_kill");
    },
    report: (kill) => kernel.events.emit("oom", kill),
  };
}
