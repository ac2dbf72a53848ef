import { areaRows } from "../../../debug/views/areas.js";
import { memoryRows, stackRows } from "../../../debug/views/memory.js";
import { accessRows, walkRows } from "../../../debug/views/walk.js";
import { usesOf } from "../../../debug/views/instructions.js";
import { shortened } from "../../../debug/views/meaning.js";
import { areaName } from "../../../kernel/mm/proc-maps.js";
import type { AreaRow } from "../../../debug/views/rows.js";
import { span, type Line, type Span } from "../canvas.js";
import { STYLES } from "../cell-style.js";
import type { PanelContent, Row } from "../state.js";
import type { PanelSource } from "./panel-source.js";

const STACK_WORDS = 128;
const OFFSET_COLUMNS = 60;
/** With fewer columns, of a file's path the last component only is shown. */
const PATH_COLUMNS = 100;
/** Bytes before and behind the place that can be scrolled to. */
const MEMORY_AROUND = 4096;
const ROW_BYTES = 16;

const hex = (value: number | bigint): string => value.toString(16);

/** The areas; the marks say what the next instruction executes (x), reads (r) and writes (w), and what the stop is about (!). */
export function areasPanel({ view, subject }: PanelSource, columns: number): PanelContent {
  const areas = areaRows(view, subject);
  const executed = areas.findIndex(({ marks }) => marks.includes("faulting"));
  const anchor = executed >= 0 ? executed : areas.findIndex(({ marks }) => marks.includes("executed"));
  return {
    title: "",
    rows: areas.map((area): Row => ({ line: areaLine(area, columns), address: area.start })),
    anchor: anchor >= 0 ? anchor : null,
  };
}

function areaLine(
  { marks, start, end, permissions, key, seal, name, sealedBy }: AreaRow,
  columns: number,
): Line {
  const mark = (has: boolean, letter: string, style = STYLES.current as Span["style"]): Span =>
    span(has ? letter : " ", style);
  const parts: Span[] = [
    mark(marks.includes("executed"), "x"),
    mark(marks.includes("read"), "r"),
    mark(marks.includes("written"), "w"),
    mark(marks.includes("faulting"), "!", STYLES.refused),
    span(
      ` ${hex(start).padStart(12)}-${hex(end).padEnd(12)} `,
      marks.length > 0 ? STYLES.strong : STYLES.plain,
    ),
    span(`${permissions} `),
    span(key === 0 ? "       " : `key ${String(key).padEnd(3)}`, STYLES.changed),
  ];
  if (seal !== "") parts.push(span(`${seal} `, STYLES.sealed));
  parts.push(span(columns < PATH_COLUMNS ? shortened(name) : name));
  if (sealedBy !== "") parts.push(span(`  ${sealedBy}`, STYLES.faint));
  return parts;
}

/** @param columns of the panel: with few of them, addresses stand without their distance from RSP */
export function stackPanel({ view }: PanelSource, columns: number): PanelContent {
  const wide = columns >= OFFSET_COLUMNS;
  const rows = stackRows(view, STACK_WORDS).map(({ address, value, registers, meaning }, i): Row => ({
    address,
    line: [
      span(`${hex(address)} `, STYLES.faint),
      span(wide ? `+${hex(8 * i).padEnd(4)}` : "", STYLES.faint),
      span(hex(value).padStart(wide ? 16 : 12)),
      span(registers.length === 0 ? " " : ` ${registers.join(" ")} `, STYLES.label),
      span(meaning, STYLES.symbol),
    ],
  }));
  return { title: rows.length === 0 ? "RSP points to no memory" : "", rows, anchor: null };
}

export function memoryPanel({ view, memoryAddress }: PanelSource): PanelContent {
  const address = memoryAddress ?? Number(view.registers.rsp);
  const start = Math.max(0, address - (address % ROW_BYTES) - MEMORY_AROUND);
  const middle = address - (address % ROW_BYTES);
  const found = [
    ...readableBefore(start, middle).flatMap((from) => memoryRows(view, from, ROW_BYTES)),
    ...memoryRows(view, middle, MEMORY_AROUND),
  ];
  const rows = found.map(({ address: at, bytes, text }): Row => ({
    address: at,
    line: [
      span(`${hex(at)} `, at === middle ? STYLES.current : STYLES.faint),
      span(`${hexBytes(bytes, 0)}  ${hexBytes(bytes, 8)}  `),
      span(text.slice(text.indexOf("|") + 1, -1), STYLES.symbol),
    ],
  }));
  const anchor = found.findIndex((row) => row.address === middle);
  const area = view.task.mm.findArea(address);
  const name = area === null ? "no area here" : areaName(view.task.mm, area);
  const symbol = view.nameAt(address);
  return {
    title: `0x${hex(address)} ${symbol === undefined ? name : `<${symbol}> ${name}`}`.trimEnd(),
    rows,
    anchor: anchor >= 0 ? anchor : null,
  };
}

function readableBefore(start: number, end: number): number[] {
  const addresses: number[] = [];
  for (let at = start; at < end; at += ROW_BYTES) addresses.push(at);
  return addresses;
}

/** Eight of the row's bytes; blanks where memory ends. */
function hexBytes(bytes: Uint8Array, from: number): string {
  return Array.from({ length: 8 }, (_, i) => bytes[from + i]?.toString(16).padStart(2, "0") ?? "  ").join(
    " ",
  );
}

/** What the walk panel is about, unless the user says: the fault, what the next instruction touches, or its own bytes. */
function walkedAddress({ view, walkAddress, subject }: PanelSource): number {
  if (walkAddress !== null) return walkAddress;
  return subject ?? usesOf(view)[0]?.address ?? view.rip;
}

/** Names of bits that the processor leaves to the kernel. */
const SOFTWARE = /^[a-z]/;

const bitSpans = (bits: readonly { readonly name: string; readonly set: boolean }[]): Span[] =>
  bits.map(({ name, set }) =>
    span(`${set ? name : "-".repeat(name.length)} `, set ? STYLES.allowed : STYLES.faint),
  );

export function walkPanel(source: PanelSource): PanelContent {
  const { view } = source;
  const address = walkedAddress(source);
  const rows: Row[] = walkRows(view, address).map(({ table, hex: entry, bits, frame, key, text, level }) => {
    const present = bits.find(({ name }) => name === "P")?.set === true;
    const line: Span[] = [span(table.padEnd(10), STYLES.label), span(`${entry} `, STYLES.strong)];
    if (!present) line.push(span(text.slice(text.lastIndexOf("not present")), STYLES.refused));
    else {
      line.push(span(`${level === 1 ? "page " : "table"} 0x${hex(frame * 4096)}`.padEnd(15)));
      const [software, processor] = [true, false].map((is) =>
        bits.filter(({ name }) => SOFTWARE.test(name) === is),
      );
      line.push(...bitSpans(processor!));
      if (key !== undefined) line.push(span(`key ${key} `, key === 0 ? STYLES.plain : STYLES.changed));
      line.push(...bitSpans(software!));
    }
    return { line, address };
  });
  for (const { name, allowed, why } of accessRows(view, address))
    rows.push({
      address,
      line: [
        span(name.padEnd(10), STYLES.label),
        span(allowed ? "permitted" : "refused  ", allowed ? STYLES.allowed : STYLES.refused),
        span(why === "" ? "" : `  ${why}`),
      ],
    });
  const symbol = view.nameAt(address);
  return { title: `0x${hex(address)}${symbol === undefined ? "" : ` <${symbol}>`}`, rows, anchor: null };
}
