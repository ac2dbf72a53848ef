import { keyRows } from "../../../debug/views/keys.js";
import { registerRows } from "../../../debug/views/registers.js";
import { vectorRows } from "../../../debug/views/vectors.js";
import type { RegisterRow } from "../../../debug/views/rows.js";
import { span, type Line } from "../canvas.js";
import { STYLES } from "../cell-style.js";
import type { PanelContent, Row } from "../state.js";
import type { PanelSource } from "./panel-source.js";

/** Beside each other, so that all are seen in few rows. */
const PAIRS = [
  ["rax", "r8"],
  ["rbx", "r9"],
  ["rcx", "r10"],
  ["rdx", "r11"],
  ["rsi", "r12"],
  ["rdi", "r13"],
  ["rbp", "r14"],
  ["rsp", "r15"],
] as const;

const NAME_COLUMNS = 4;
/** With so many columns, each register has a row with what its value may mean. */
const ROW_EACH_COLUMNS = 76;

/**
 * RIP and flags, the general registers, PKRU and what it says of each allocated key; below them x87 and SSE.
 * @param columns of the panel
 */
export function registersPanel(source: PanelSource, columns: number): PanelContent {
  const { view, before } = source;
  const found = registerRows(view, before ?? undefined);
  const byName = new Map(found.map((row) => [row.name, row]));
  const rows: Row[] = [];
  if (columns >= ROW_EACH_COLUMNS) rows.push(...found.map(wholeRow));
  else {
    const rip = byName.get("rip")!;
    rows.push({ line: pair(rip, 16, undefined, 0), address: Number(rip.value) });
    rows.push({ line: flagsLine(byName.get("rflags")!) });
    const width = Math.floor((columns - 1) / 2) - NAME_COLUMNS;
    for (const [left, right] of PAIRS)
      rows.push({ line: pair(byName.get(left)!, width, byName.get(right), width) });
    const pkru = byName.get("pkru");
    if (pkru !== undefined) rows.push({ line: pkruLine(pkru) });
    rows.push({ line: pair(byName.get("fs_base")!, width, byName.get("gs_base"), width) });
  }
  for (const { key, rights, allocated, areas } of keyRows(view)) {
    if (!allocated && areas === 0) continue;
    const style = rights === "none" ? STYLES.refused : rights === "read" ? STYLES.changed : STYLES.allowed;
    rows.push({
      line: [span(`key ${String(key).padEnd(3)}`), span(rights, style), span(areasText(areas), STYLES.faint)],
    });
  }
  for (const { text } of vectorRows(view)) rows.push({ line: [span(text, STYLES.faint)] });
  return { title: "", rows, anchor: null };
}

const areasText = (areas: number): string => (areas === 0 ? "" : `  ${areas} area${areas === 1 ? "" : "s"}`);

function wholeRow({ name, value, changed, meaning }: RegisterRow): Row {
  const style = changed ? STYLES.changed : STYLES.plain;
  return {
    address: Number(value),
    line: [
      span(`${changed ? "*" : " "}${name.padEnd(8)}`, STYLES.label),
      span(`0x${value.toString(16)}`.padEnd(19), style),
      span(meaning, STYLES.symbol),
    ],
  };
}

function pkruLine({ value, meaning, changed }: RegisterRow): Line {
  return [
    span("pkru", STYLES.label),
    span(
      `${changed ? "*" : " "}${value.toString(16).padStart(8, "0")}`,
      changed ? STYLES.changed : STYLES.plain,
    ),
    span(` ${meaning}`, STYLES.faint),
  ];
}

function flagsLine({ meaning, changed }: RegisterRow): Line {
  const style = changed ? STYLES.changed : STYLES.plain;
  return [span("flags", STYLES.label), span(`${changed ? "*" : " "}${meaning}`, style)];
}

function pair(
  left: RegisterRow,
  leftColumns: number,
  right: RegisterRow | undefined,
  rightColumns: number,
): Line {
  return [
    ...one(left, leftColumns),
    ...(right === undefined ? [] : [span(" "), ...one(right, rightColumns)]),
  ];
}

/** `rax *7ffe12345678`: the star where the value is another than before. */
function one({ name, value, changed }: RegisterRow, columns: number): Line {
  const shown = name === "fs_base" ? "fs" : name === "gs_base" ? "gs" : name;
  const hex = value.toString(16);
  // A small negative number as such: it is what most values are that do not fit.
  const negative = -BigInt.asIntN(64, value);
  const short =
    hex.length <= columns - 1 || negative <= 0n || negative > 0xffffn ? hex : `-${negative.toString(16)}`;
  const room = columns - 1;
  const text = short.length <= room ? short : `…${short.slice(1 - room)}`;
  return [
    span(shown.padEnd(NAME_COLUMNS), STYLES.label),
    span(`${changed ? "*" : " "}${text}`.padEnd(columns), changed ? STYLES.changed : STYLES.plain),
  ];
}
