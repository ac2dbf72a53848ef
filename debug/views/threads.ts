import { withRegisters } from "../../kernel/ptrace/registers.js";
import { waitReasons } from "../../kernel/wait-reason.js";
import type { ThreadRow } from "./rows.js";
import { hex, type View } from "./view.js";

/** Every living thread of the machine, by number. */
export function threadRows(view: View): ThreadRow[] {
  const { kernel, modules } = view.machine;
  const reasons = new Map(waitReasons(kernel).map(({ tid, text }) => [tid, text]));
  const tasks = [...kernel.tasks.values()]
    .filter((task) => task.state !== "dead")
    .sort((a, b) => a.tid - b.tid);
  return tasks.map((task) => {
    const { pid, tid, comm: name } = task;
    const rip = withRegisters(kernel, task, () => kernel.cpu.registers.rip);
    const symbol = modules.nameAt(rip, task.mm);
    const reason = reasons.get(tid) ?? "";
    const waits = reason !== "" && reason !== "ready to run";
    const state = waits ? reason : task === kernel.current ? "running" : "ready";
    const chosen = task === view.task;
    const where = `${hex(rip)}${symbol === undefined ? "" : ` <${symbol}>`}`;
    const who = `${pid}/${tid}`.padEnd(11);
    return {
      pid,
      tid,
      name,
      rip,
      symbol,
      state,
      chosen,
      text: `${chosen ? "*" : " "} ${who} ${name.padEnd(15)} ${where}  ${state}`,
    };
  });
}
