import { instructionRows, above } from "../../../debug/views/instructions.js";
import { placeName, sourceRows } from "../../../debug/views/sources.js";
import type { InstructionRow } from "../../../debug/views/rows.js";
import { span, type Line } from "../canvas.js";
import { STYLES } from "../cell-style.js";
import type { PanelContent, Row } from "../state.js";
import type { PanelSource } from "./panel-source.js";

/** Rows above and below the place that can be scrolled to. */
const ROWS_ABOVE = 120;
const ROWS = 400;
const SOURCE_LINES = 4000;

/** Source or instructions, around where the program stands or the user looks. */
export function codePanel(source: PanelSource): PanelContent {
  const { view, codeMode } = source;
  const address = view.rip;
  if (codeMode === "source") {
    const content = sourceContent(source, address);
    if (content !== null) return content;
  }
  return instructionContent(source, address);
}

/** Why there is no source to show; null where there is. */
export function sourceTrouble({ view }: PanelSource): string | null {
  const line = view.modules.lineAt(view.place, view.task.mm);
  if (line === undefined) return "this code has no source lines";
  if (view.modules.source(line.file) !== null) return null;
  return `${line.file} is not to be had; sealab debug -d DIR says where it is`;
}

/** Null where the code at the address has no source that can be read. */
function sourceContent({ session, view }: PanelSource, address: number): PanelContent | null {
  const here = view.modules.lineAt(address, view.task.mm);
  if (here === undefined) return null;
  const { file } = here;
  const breaks = new Set<number>();
  for (const at of breakAddresses(session)) {
    const line = view.modules.lineAt(at, view.task.mm);
    if (line?.file === file) breaks.add(line.line);
  }
  const lines = sourceRows(view, { file, around: here.line, count: SOURCE_LINES, breaks });
  if (lines.length === 0) return null;
  const width = String(lines.at(-1)!.line).length;
  const rows = lines.map(({ line, code, current, breakpoint }): Row => ({
    source: { file, line },
    line: [
      ...marks(current, breakpoint),
      span(`${String(line).padStart(width)} `, STYLES.faint),
      span(code, current ? STYLES.current : STYLES.plain),
    ],
  }));
  return {
    title: placeName(here),
    rows,
    anchor: lines.findIndex(({ line }) => line === here.line),
  };
}

function instructionContent({ session, view }: PanelSource, address: number): PanelContent {
  const breaks = new Set(breakAddresses(session));
  const from = above(view, address, ROWS_ABOVE);
  const instructions = instructionRows(view, { from, count: ROWS, breaks });
  const width = Math.max(0, ...instructions.map((each) => each.address.toString(16).length));
  const rows: Row[] = [];
  let anchor: number | null = null;
  for (const row of instructions) {
    if (row.label !== undefined)
      rows.push({ line: [span(`${row.label}:`, STYLES.symbol)], address: row.address });
    const text = row.source === undefined ? undefined : sourceText(view, row.source);
    if (row.source !== undefined && text !== undefined)
      rows.push({
        line: [
          span(`${" ".repeat(width + 3)}${placeName(row.source)} `, STYLES.faint),
          span(text.trim(), STYLES.label),
        ],
        address: row.address,
      });
    if (row.address === address) anchor = rows.length;
    rows.push({ line: instructionLine(row, width), address: row.address });
  }
  const symbol = view.nameAt(address);
  if (rows.length === 0) return { title: `nothing can be read at 0x${address.toString(16)}`, rows, anchor };
  const line = view.modules.lineAt(address, view.task.mm);
  const title = [symbol, line === undefined ? undefined : placeName(line)]
    .filter((part) => part !== undefined)
    .join(" ");
  return { title, rows, anchor };
}

function sourceText(
  view: PanelSource["view"],
  { file, line }: { file: string; line: number },
): string | undefined {
  return view.modules.source(file)?.[line - 1];
}

function instructionLine(
  { address, instruction, note, current, breakpoint }: InstructionRow,
  width: number,
): Line {
  const [, name, operands] = /^((?:(?:lock|rep|repe|repne) )?\S+) ?(.*)$/.exec(instruction) ?? [
    "",
    instruction,
    "",
  ];
  return [
    ...marks(current, breakpoint),
    span(`${address.toString(16).padStart(width)} `, STYLES.faint),
    span(`${name!.padEnd(6)} `, current ? STYLES.current : STYLES.label),
    span(operands!, current ? STYLES.current : STYLES.plain),
    ...(note === undefined ? [] : [span(`  ${note}`, STYLES.symbol)]),
  ];
}

function marks(current: boolean, breakpoint: boolean): Line {
  return [span(breakpoint ? "●" : " ", STYLES.breakpoint), span(current ? "►" : " ", STYLES.current)];
}

/** Addresses of enabled breaks. */
function breakAddresses(session: PanelSource["session"]): number[] {
  return session
    .breaks()
    .flatMap(({ what, enabled }) => (enabled && what.kind === "address" ? [what.address] : []));
}
