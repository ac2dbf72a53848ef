import { refusalLines } from "../../../debug/explain/refusal-text.js";
import type { Style } from "../../../debug/explain/style.js";
import { fileRows } from "../../../debug/views/files.js";
import { threadRows } from "../../../debug/views/threads.js";
import { traceRows } from "../../../debug/views/traces.js";
import { span, type Line } from "../canvas.js";
import { STYLES, type StyleName } from "../cell-style.js";
import type { PanelContent, Row } from "../state.js";
import { clipped, textColumns } from "../text-width.js";
import type { PanelSource } from "./panel-source.js";

const nothing = (title: string): PanelContent => ({ title, rows: [], anchor: null });

/** The explanation of the last refusal before now. */
export function whyPanel({ session, view }: PanelSource, columns: number): PanelContent {
  const { refusal } = session;
  if (refusal === null) return nothing("nothing has been refused yet");
  const lines = refusalLines(refusal, {
    columns,
    style: MARKING,
    symbolAt: (address) => view.nameAt(address),
  });
  const about = refusal.address === undefined ? {} : { address: refusal.address };
  return {
    title: refusal.rule,
    rows: lines.map((line): Row => ({ line: marked(line), ...about })),
    anchor: null,
  };
}

/** Marks of styled text: the style's name between two characters that no text has, the text, and an end. */
const BEGIN = "\u0001";
const MIDDLE = "\u0002";
const END = "\u0003";
const mark =
  (style: StyleName) =>
  (text: string): string =>
    `${BEGIN}${style}${MIDDLE}${text}${END}`;

const MARKING: Style = {
  strong: mark("strong"),
  faint: mark("faint"),
  refused: mark("refused"),
  allowed: mark("allowed"),
  label: mark("label"),
};

function marked(text: string): Line {
  return text.split(BEGIN).flatMap((part, i) => {
    if (i === 0) return [span(part)];
    const [style, rest = ""] = part.split(MIDDLE) as [StyleName, string];
    const [styled = "", after = ""] = rest.split(END);
    return [span(styled, STYLES[style]), span(after)];
  });
}

/** System calls, signals and ends, with the instruction count to go back to. */
export function tracePanel({ session }: PanelSource, columns: number): PanelContent {
  const rows = traceRows(session.trace()).map(({ instruction, failed, text, tid }): Row => ({
    instruction,
    tid,
    line: [span(traceText(text, columns), failed ? STYLES.refused : STYLES.plain)],
  }));
  return {
    title: rows.length === 0 ? "no system call yet" : "",
    rows,
    anchor: rows.length === 0 ? null : rows.length - 1,
  };
}

/** Where a call does not fit, its arguments are cut, not its result. */
function traceText(text: string, columns: number): string {
  const [, call, result] = /^(.*\))\s+= (.*?)$/s.exec(text) ?? [];
  if (call === undefined || result === undefined) return text;
  return `${clipped(call, Math.max(20, columns - textColumns(result) - 3))} = ${result}`;
}

export function threadsPanel({ view }: PanelSource): PanelContent {
  const rows = threadRows(view);
  const anchor = rows.findIndex(({ chosen }) => chosen);
  return {
    title: `${rows.length} alive`,
    rows: rows.map(({ tid, text, chosen }): Row => ({
      tid,
      line: [span(text, chosen ? STYLES.current : STYLES.plain)],
    })),
    anchor: anchor < 0 ? null : anchor,
  };
}

export function filesPanel({ view }: PanelSource): PanelContent {
  return { title: "", rows: fileRows(view).map(({ text }): Row => ({ line: [span(text)] })), anchor: null };
}

/** The last answer from its beginning on, where it is long. */
export function logPanel({ log: lines }: PanelSource): PanelContent {
  const asked = lines.findLastIndex(([first]) => first?.style === STYLES.label);
  return {
    title: lines.length === 0 ? ": types a command" : "",
    rows: lines.map((line): Row => ({ line })),
    anchor: null,
    from: Math.max(0, asked),
  };
}
