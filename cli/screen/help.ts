import { lineColumns, span, type Line } from "./canvas.js";
import { STYLES } from "./cell-style.js";
import { KEY_GROUPS, keyText, type KeyEntry } from "./key-table.js";

const KEY_COLUMNS = 12;
const COLUMN_WIDTH = 60;

/** The keys and what they do, in as many columns as there is room for. */
export function helpRows(columns: number): readonly Line[] {
  const groups = KEY_GROUPS.map(({ title, entries }) => [
    [span(title, STYLES.strong)],
    ...entries.map(entryLine),
    [],
  ]);
  if (columns < 2 * COLUMN_WIDTH - 2) return [...groups.flat(), ...MOUSE];
  const left = groups.slice(0, 2).flat();
  const right = [...groups.slice(2).flat()];
  left.push(...MOUSE);
  const rows: Line[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const first = left[i] ?? [];
    const gap = span(" ".repeat(Math.max(1, COLUMN_WIDTH - lineColumns(first))));
    rows.push([...first, gap, ...(right[i] ?? [])]);
  }
  return rows;
}

function entryLine({ keys, help }: KeyEntry): Line {
  const names = keys.map(keyText).join(" ");
  return [span(`  ${names}`.padEnd(KEY_COLUMNS), STYLES.label), span(" "), span(help)];
}

const MOUSE: readonly Line[] = [
  [span("Mouse", STYLES.strong)],
  [span("  click a panel or its name to choose it, a row to choose the row,")],
  [span("  an instruction to set or delete a breakpoint; the wheel scrolls")],
];
