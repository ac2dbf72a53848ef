/** What gdb asks for in vCont and Z packets, taken apart. */

import type { WatchKind } from "../../cpu/stop-points.js";
import type { Task } from "../../kernel/task.js";
import { BadPacket, hexNumber } from "./bytes.js";
import { linuxSignal } from "./signals.js";
import type { Action } from "./stops.js";
import { names, parseThreadId, type ThreadId } from "./thread-id.js";

const EVERYONE: ThreadId = { pid: -1, tid: -1 };

/** `;s:p1.1;c` as what each thread does: the first action that names it, else it is held. @throws BadPacket */
export function parseResume(text: string): (task: Task) => Action {
  const rules = text
    .split(";")
    .filter((part) => part !== "")
    .map((part) => {
      const [what, who] = part.split(":");
      return { action: parseAction(what!), id: who === undefined ? EVERYONE : parseThreadId(who) };
    });
  if (rules.length === 0) throw new BadPacket();
  return (task) => rules.find(({ id }) => names(id, task.pid, task.tid))?.action ?? { kind: "hold" };
}

function parseAction(text: string): Action {
  const rest = text.slice(1);
  const signal = text[0] === "C" || text[0] === "S" ? linuxSignal(hexNumber(rest)) : 0;
  switch (text[0]) {
    case "c":
    case "C":
      return { kind: "continue", signal };
    case "s":
    case "S":
      return { kind: "step", signal, start: 0, end: 0 };
    case "r": {
      const [start, end] = rest.split(",").map(hexNumber);
      if (start === undefined || end === undefined) throw new BadPacket();
      return { kind: "step", signal: 0, start, end };
    }
    case "t":
      return { kind: "hold" };
    default:
      throw new BadPacket();
  }
}

export type StopPoint =
  | { readonly kind: "software" | "hardware"; readonly address: number }
  | { readonly kind: "watch"; readonly watch: { start: number; end: number; kind: WatchKind } };

const WATCH_KINDS: readonly WatchKind[] = ["write", "read", "access"];

/** What follows Z or z: `TYPE,ADDR,KIND`. Null for a type that there is not. @throws BadPacket */
export function parseStopPoint(text: string): StopPoint | null {
  const [type, at, size] = text.split(/[,;]/);
  const address = hexNumber(at);
  if (type === "0") return { kind: "software", address };
  if (type === "1") return { kind: "hardware", address };
  const kind = WATCH_KINDS[Number(type) - 2];
  if (kind === undefined) return null;
  const bytes = hexNumber(size);
  if (bytes === 0 || address + bytes > 2 ** 47) throw new BadPacket();
  return { kind: "watch", watch: { start: address, end: address + bytes, kind } };
}
