import type { Machine } from "../machine.js";
import { returnOf } from "../views/frames.js";
import { View } from "../views/view.js";
import type { LineSource } from "../session/debug-session.js";

/** The source lines that a session steps by. */
export function lineSource(machine: Machine): LineSource {
  const { modules } = machine;
  return {
    lineAt(task, address) {
      const range = modules.lineAt(address, task.mm);
      return range === undefined
        ? null
        : { file: range.file, line: range.line, start: range.start, end: range.end };
    },
    bodyOf(task, address) {
      const symbol = modules.symbolAt(address, task.mm);
      return symbol === undefined ? null : modules.bodyOf(symbol);
    },
    callerOf: (task) => returnOf(new View(machine, task)),
  };
}
