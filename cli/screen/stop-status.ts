import { reasonLines } from "../../debug/commands/stop-text.js";
import type { DebugSession } from "../../debug/session/debug-session.js";
import type { StopReport } from "../../debug/session/stop-report.js";
import { shortened } from "../../debug/views/meaning.js";
import { placeName } from "../../debug/views/sources.js";
import type { View } from "../../debug/views/view.js";
import { areaName } from "../../kernel/mm/proc-maps.js";
import type { PanelName } from "./layout.js";
import type { Status } from "./state.js";

/** A stop as the bar at the top tells it. */
export function statusOf(session: DebugSession, view: View, program: string): Status {
  const report = session.last;
  const living = [...session.machine.kernel.tasks.values()].filter(({ state }) => state !== "dead");
  const over = report.reason === "ended";
  const [reason = "at"] = reasonLines(session, report);
  return {
    program,
    stop: over ? reason : `${reason} ${placeOf(view)}`,
    refused: isRefusal(report),
    instructions: session.now.instructions,
    thread: living.length > 1 ? `thread ${session.task.tid} of ${living.length}` : "",
    wantsInput: false,
    over,
    subject: subjectOf(report) ?? null,
  };
}

/** `main+0x8 keeper.c:66`; of code without symbols `0x7ffff7fe4b70 in ld-linux-x86-64.so.2`. */
function placeOf(view: View): string {
  const { task, rip, modules, frame } = view;
  const chosen = frame === null ? "" : `, frame ${frame.level}`;
  const line = modules.lineAt(view.place, task.mm);
  const symbol = view.nameAt(rip);
  if (symbol !== undefined) return `${symbol}${line === undefined ? "" : ` ${placeName(line)}`}${chosen}`;
  const area = task.mm.findArea(rip);
  const name = area === null ? "" : shortened(areaName(task.mm, area));
  return `0x${rip.toString(16)}${name === "" ? "" : ` in ${name}`}${chosen}`;
}

/** The address that a stop is about: refused, faulting, written. */
export function subjectOf({ happenings }: StopReport): number | undefined {
  for (const happening of happenings) {
    const refusal = "refusal" in happening ? happening.refusal : undefined;
    const address = refusal?.address ?? ("address" in happening ? happening.address : undefined);
    if (address !== undefined && happening.kind !== "address") return address;
    if (happening.kind === "area") return happening.change.start;
  }
  return undefined;
}

/** The panel that shows what a stop is about, where one was looked for or something was refused; null: none. */
export function panelAbout(report: StopReport): PanelName | null {
  if (isRefusal(report)) return "why";
  if (report.reason !== "found") return null;
  const kinds = report.happenings.map(({ kind }) => kind);
  return kinds.includes("entry") ? "walk" : kinds.includes("area") ? "areas" : null;
}

/** The kernel has said no here, or the processor. */
function isRefusal({ happenings }: StopReport): boolean {
  return happenings.some(
    (happening) =>
      happening.kind === "refusal" || ("refusal" in happening && happening.refusal !== undefined),
  );
}
