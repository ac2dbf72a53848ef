import { STYLES } from "./cell-style.js";
import { lineColumns, span, type Line } from "./canvas.js";
import { TABS, type PanelName } from "./layout.js";

/** The lower panel's title: every panel that it can show, the shown one marked. */
export function tabBar(shown: PanelName, focused: boolean, columns: number): Line {
  return TABS.flatMap((panel, i) => {
    const style = panel !== shown ? STYLES.faint : focused ? STYLES.focusedTitle : STYLES.strong;
    return [span(label(panel, i, columns, panel === shown), style), span(" ", STYLES.plain)];
  });
}

/** The panel whose name stands at a column of the bar; null between them. */
export function tabAt(column: number, columns: number): PanelName | null {
  // All have the same width whether shown or not, or a click would hit another one.
  let at = 0;
  for (const [i, panel] of TABS.entries()) {
    const width = lineColumns([span(label(panel, i, columns, false))]);
    if (column >= at && column < at + width) return panel;
    at += width + 1;
  }
  return null;
}

/** Columns that the names in full take. */
const FULL_COLUMNS = TABS.reduce((sum, panel) => sum + panel.length + 3, 0);

function label(panel: PanelName, index: number, columns: number, shown: boolean): string {
  const digit = (index + 1) % 10;
  const name = columns >= FULL_COLUMNS ? panel : columns >= 60 ? panel.slice(0, 4) : panel.slice(0, 2);
  return shown ? `${digit}:${name}` : `${digit} ${name}`;
}
