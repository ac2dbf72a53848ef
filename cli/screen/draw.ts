import { Canvas, span, type Line } from "./canvas.js";
import { STYLES } from "./cell-style.js";
import { grouped } from "../../debug/explain/refusal-text.js";
import { helpRows } from "./help.js";
import { layout, TABS, type PanelName, type Placed, type Rectangle } from "./layout.js";
import { contentOf, firstShown, viewOf, type ScreenState } from "./state.js";
import { tabBar } from "./tab-bar.js";
import { textColumns } from "./text-width.js";

/** The whole screen as the state says. */
export function draw(state: ScreenState): Canvas {
  const canvas = new Canvas(state.columns, state.rows);
  if (state.mode === "program") drawProgram(canvas, state);
  else if (state.mode === "help") drawHelp(canvas, state);
  else for (const placed of layout(state)) drawPanel(canvas, state, placed);
  drawStatus(canvas, state);
  drawBottom(canvas, state);
  return canvas;
}

/** The bar at the top: the program and how it stands, and at the right which thread and when. */
function barOf({ status, running }: ScreenState): { name: string; what: string; right: string } {
  const { program, stop, thread, instructions, wantsInput } = status;
  const count = ` ${grouped(instructions)} instructions `;
  return {
    name: ` ${program.slice(program.lastIndexOf("/") + 1)}  `,
    what:
      running === null
        ? stop
        : `${wantsInput ? "waiting for input" : "running"} (${running}); Ctrl-C stops it`,
    right: [running === null ? thread : "", count].join(" "),
  };
}

function drawStatus(canvas: Canvas, state: ScreenState): void {
  const { status, running, columns } = state;
  const { name, what, right } = barOf(state);
  const start = Math.max(0, columns - textColumns(right));
  const refused = running === null && status.refused;
  canvas.fill({ column: 0, row: 0, columns, rows: 1 }, STYLES.bar);
  canvas.put(
    0,
    0,
    [span(name, STYLES.strongBar), span(what, refused ? STYLES.strongBar : STYLES.bar)],
    start,
  );
  canvas.put(start, 0, [span(right, STYLES.bar)]);
}

/** The bar has no room for all that is to be said of the stop. */
function isCut(state: ScreenState): boolean {
  const { name, what, right } = barOf(state);
  return textColumns(name + what + right) > state.columns;
}

const HINTS = "s step n next c continue S,C back b break r refusal i program : command ? help";

function drawBottom(canvas: Canvas, state: ScreenState): void {
  const row = state.rows - 1;
  const { prompt, message, mode, columns } = state;
  if (mode === "prompt") {
    // The end of a long line is seen: where one types.
    const skipped = Math.max(0, prompt.at - columns + 2);
    canvas.put(0, row, [span(":", STYLES.label), span(prompt.text.slice(skipped))]);
    if (message !== null) canvas.put(textColumns(prompt.text) + 4, row, [span(message.text, STYLES.faint)]);
    canvas.cursor = { column: 1 + textColumns(prompt.text.slice(skipped, prompt.at)), row };
    return;
  }
  if (message !== null) {
    canvas.put(0, row, [span(message.text, message.bad ? STYLES.refused : STYLES.strong)]);
    return;
  }
  if (mode === "program")
    canvas.put(0, row, [span("keys go to the program; Ctrl-] comes back", STYLES.faint)]);
  else if (mode === "help")
    canvas.put(0, row, [span("↑ ↓ PgUp PgDn scroll; any other key leaves", STYLES.faint)]);
  else if (state.status.wantsInput)
    canvas.put(0, row, [span("the program waits for input: i types to it", STYLES.changed)]);
  else if (state.running === null && isCut(state))
    canvas.put(0, row, [span(state.status.stop, STYLES.strong)]);
  else canvas.put(0, row, [span(HINTS, STYLES.faint)]);
}

function drawPanel(canvas: Canvas, state: ScreenState, { panel, area, tabbed }: Placed): void {
  const focused = state.focus === panel;
  drawTitle(canvas, state, panel, area, tabbed, focused);
  if (area.column > 0)
    for (let row = area.row + 1; row < area.row + area.rows; row++)
      canvas.set(area.column, row, "│", STYLES.border);
  const inner: Rectangle = {
    column: area.column + (area.column > 0 ? 1 : 0),
    row: area.row + 1,
    columns: area.columns - (area.column > 0 ? 1 : 0),
    rows: area.rows - 1,
  };
  if (panel === "output") drawOutput(canvas, state, inner);
  else drawRows(canvas, state, panel, inner, focused);
}

function drawTitle(
  canvas: Canvas,
  state: ScreenState,
  panel: PanelName,
  area: Rectangle,
  tabbed: boolean,
  focused: boolean,
): void {
  const right = area.column + area.columns;
  for (let column = area.column; column < right; column++) canvas.set(column, area.row, "─", STYLES.border);
  const { title } = contentOf(state, panel);
  if (tabbed) {
    const at = canvas.put(area.column, area.row, tabBar(panel, focused, area.columns), right);
    if (title !== "" && at + 2 < right) canvas.put(at, area.row, [span(`${title} `, STYLES.faint)], right);
    return;
  }
  const digit = TABS.includes(panel) ? `${(TABS.indexOf(panel) + 1) % 10}:` : "";
  const name: Line = [
    span(` ${digit}${panel} `, focused ? STYLES.focusedTitle : STYLES.strong),
    span(title === "" ? "" : ` ${title} `, STYLES.title),
  ];
  canvas.put(area.column + (area.column > 0 ? 1 : 0), area.row, name, right);
}

function drawRows(
  canvas: Canvas,
  state: ScreenState,
  panel: PanelName,
  area: Rectangle,
  focused: boolean,
): void {
  const content = contentOf(state, panel);
  const view = viewOf(state, panel);
  const top = firstShown(content, view, area.rows);
  for (let i = 0; i < area.rows; i++) {
    const row = content.rows[top + i];
    if (row === undefined) break;
    canvas.put(area.column, area.row + i, row.line, area.column + area.columns);
    if (focused && view.cursor === top + i)
      canvas.restyle(area.column, area.row + i, area.columns, (style) => ({
        ...style,
        inverse: !style.inverse,
      }));
  }
}

/** The rows of the program's terminal around its cursor. */
function drawOutput(canvas: Canvas, state: ScreenState, area: Rectangle): void {
  const { lines, cursor } = state.program;
  const used = Math.max(cursor === null ? 0 : cursor.row + 1, lastUsed(lines) + 1);
  const top = Math.max(0, used - area.rows);
  for (let i = 0; i < area.rows; i++) {
    const line = lines[top + i];
    if (line !== undefined) canvas.put(area.column, area.row + i, line, area.column + area.columns);
  }
}

function lastUsed(lines: readonly Line[]): number {
  for (let i = lines.length - 1; i >= 0; i--) if (lines[i]!.some(({ text }) => text.trim() !== "")) return i;
  return -1;
}

function drawProgram(canvas: Canvas, state: ScreenState): void {
  const { lines, cursor } = state.program;
  for (let row = 1; row < state.rows - 1; row++) {
    const line = lines[row - 1];
    if (line !== undefined) canvas.put(0, row, line);
  }
  if (cursor !== null)
    canvas.cursor = { column: Math.min(cursor.column, state.columns - 1), row: cursor.row + 1 };
}

function drawHelp(canvas: Canvas, state: ScreenState): void {
  const rows = helpRows(state.columns);
  for (let i = 0; i < state.rows - 2; i++) canvas.put(0, 1 + i, rows[state.helpTop + i] ?? []);
}
