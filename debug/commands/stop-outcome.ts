import type { StopReport } from "../session/stop-report.js";
import type { Context } from "./context.js";
import { codeLines, reasonLines, whereText } from "./stop-text.js";
import { lines, type Outcome } from "./verb.js";

/** What is printed where a motion has ended: why, where, and the code there. */
export function stopOutcome(context: Context, report: StopReport): Outcome {
  const { session } = context;
  const view = context.thread();
  context.stopped(view);
  context.listed = null;
  const out = reasonLines(session, report);
  if (report.reason === "ended") {
    context.told = null;
    return lines(...out);
  }
  const symbol = view.modules.symbolAt(view.rip, view.task.mm)?.name ?? "";
  const file = view.modules.lineAt(view.rip, view.task.mm)?.file ?? "";
  const { told } = context;
  const plain = report.reason === "step" && out.length === 0;
  const threads = session.machine.kernel.livingTasks;
  if (!plain || told === null || told.symbol !== symbol || told.file !== file)
    out.push(whereText(view, report.moment, threads));
  context.told = { symbol, file };
  out.push(...codeLines(view, false));
  return lines(...out);
}
