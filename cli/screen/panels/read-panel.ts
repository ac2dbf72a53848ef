import type { PanelName } from "../layout.js";
import { EMPTY, type PanelContent } from "../state.js";
import { codePanel } from "./code.js";
import { logPanel, filesPanel, threadsPanel, tracePanel, whyPanel } from "./lists.js";
import { areasPanel, memoryPanel, stackPanel, walkPanel } from "./memory.js";
import type { PanelSource } from "./panel-source.js";
import { registersPanel } from "./registers.js";

/**
 * What a panel has to show.
 * @param columns that there is room for
 */
export function readPanel(panel: PanelName, source: PanelSource, columns: number): PanelContent {
  switch (panel) {
    case "code":
      return codePanel(source);
    case "registers":
      return registersPanel(source, columns);
    case "areas":
      return areasPanel(source, columns);
    case "stack":
      return stackPanel(source, columns);
    case "memory":
      return memoryPanel(source);
    case "walk":
      return walkPanel(source);
    case "why":
      return whyPanel(source, columns);
    case "trace":
      return tracePanel(source, columns);
    case "threads":
      return threadsPanel(source);
    case "files":
      return filesPanel(source);
    case "log":
      return logPanel(source);
    case "output":
      return EMPTY;
  }
}
