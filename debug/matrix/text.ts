import type { Style } from "../explain/style.js";
import { wrap } from "../explain/style.js";
import type { Comparison } from "./comparison.js";
import { MEMORIES, PROTECTIONS, STATES, type Memory, type Protection } from "./dimensions.js";
import type { Outcome } from "./outcome.js";

interface Row {
  readonly protections: readonly Protection[];
  /** Null: sealed or not is the same. */
  readonly sealed: boolean | null;
  /** A cell for each group of operations: the letters of each side. */
  readonly cells: readonly (readonly string[])[];
}

interface Column {
  readonly head: string;
  /** Characters, the space behind not counted. */
  readonly width: number;
  readonly differs: boolean;
}

/**
 * The matrix as a table to read, without repetition: a row for protections that are the same throughout, sealed and not
 * (one for both where that is the same), a column for operations that are, and in each cell a letter for each key.
 * @param columns to fill; wider tables come in parts
 */
export function matrixText(comparison: Comparison, columns: number, style: Style): string {
  const groups = comparison.groups();
  const blocks = memoryBlocks(
    comparison,
    groups.map(({ members }) => members[0]!),
  );
  const heads = groups.map(({ first, members }, i): Column => {
    const differs = blocks.some(({ rows }) => rows.some(({ cells }) => new Set(cells[i]).size > 1));
    const head = members.length > 1 ? `${first.short}+` : first.short;
    return { head, width: Math.max(head.length, differs ? 7 : 3), differs };
  });
  const lines = [...title(comparison, style), ""];
  const kinds = outcomeKinds(comparison);
  const labels = blocks.flatMap(({ rows }) =>
    rows.map(({ protections }) => protectionWords(protections).length),
  );
  const width = Math.max(...labels) + 12;
  for (const part of parts(heads, columns - width)) {
    lines.push(
      style.strong(
        `${" ".repeat(width)}${part.map((i) => heads[i]!.head.padEnd(heads[i]!.width)).join(" ")}`.trimEnd(),
      ),
    );
    for (const { memories, rows } of blocks) {
      lines.push(style.label(memories.join(", ")));
      for (const row of rows) {
        const label = `  ${row.sealed === true ? "" : protectionWords(row.protections)}`.padEnd(width - 9);
        const cells = part.map((i) => cellText(row.cells[i]!, heads[i]!, kinds, style)).join(" ");
        lines.push(`${label}${sealWord(row.sealed).padEnd(9)}${cells}`.trimEnd());
      }
    }
    lines.push("");
  }
  lines.push(...legend(comparison, columns, style));
  return `${lines.join("\n")}\n`;
}

function protectionWords(protections: readonly Protection[]): string {
  return protections.length === PROTECTIONS.length ? "any" : protections.join(" ");
}

function sealWord(sealed: boolean | null): string {
  return sealed === null ? "either" : sealed ? "sealed" : "unsealed";
}

function title(comparison: Comparison, style: Style): string[] {
  const { topic, sides } = comparison;
  const lines = [style.strong(`${topic.name}: ${topic.title}`)];
  for (const { name, standing } of sides) lines.push(`  Linux ${name}: ${standing}`);
  lines.push("  The three letters of a cell: with no key, an access-disabled one, a write-disabled one.");
  if (sides.length === 2) {
    const differing = STATES.reduce(
      (sum, state) => sum + topic.operations.filter((_, i) => comparison.differs(state, i)).length,
      0,
    );
    const all = STATES.length * topic.operations.length;
    lines.push(
      `  Where they part: ${sides[0]!.name}!${sides[1]!.name}. That is in ${String(differing)} of ${String(all)} cells.`,
    );
  }
  return lines;
}

/** Kinds of memory with the same rows throughout come together. */
function memoryBlocks(
  comparison: Comparison,
  operations: readonly number[],
): { readonly memories: Memory[]; readonly rows: readonly Row[] }[] {
  const blocks = new Map<string, { memories: Memory[]; rows: readonly Row[] }>();
  for (const memory of MEMORIES) {
    const rows = protectionsAlike(comparison, memory, operations).flatMap(
      ({ protections, open, sealed }): Row[] => {
        if (JSON.stringify(open) === JSON.stringify(sealed))
          return [{ protections, sealed: null, cells: open }];
        return [
          { protections, sealed: false, cells: open },
          { protections, sealed: true, cells: sealed },
        ];
      },
    );
    const key = JSON.stringify(rows);
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { memories: [memory], rows });
    else block.memories.push(memory);
  }
  return [...blocks.values()];
}

interface Alike {
  readonly protections: Protection[];
  readonly open: string[][];
  readonly sealed: string[][];
}

/** Protections with the same cells come together. */
function protectionsAlike(comparison: Comparison, memory: Memory, operations: readonly number[]): Alike[] {
  const alike = new Map<string, Alike>();
  for (const protection of PROTECTIONS) {
    const [open, sealed] = [false, true].map((seal) =>
      operations.map((operation) => comparison.letters(memory, protection, seal, operation)),
    ) as [string[][], string[][]];
    const key = JSON.stringify([open, sealed]);
    const same = alike.get(key);
    if (same === undefined) alike.set(key, { protections: [protection], open, sealed });
    else same.protections.push(protection);
  }
  return [...alike.values()];
}

/** Numbers of columns that fit next to each other. */
function parts(heads: readonly Column[], room: number): number[][] {
  const all: number[][] = [[]];
  let used = 0;
  heads.forEach(({ width }, i) => {
    if (used + width > room && all[all.length - 1]!.length > 0) {
      all.push([]);
      used = 0;
    }
    all[all.length - 1]!.push(i);
    used += width + 1;
  });
  return all;
}

type Kinds = ReadonlyMap<string, Outcome>;

function cellText(cell: readonly string[], column: Column, kinds: Kinds, style: Style): string {
  const [first, second] = cell as [string, string?];
  const same = second === undefined || first === second;
  const plain = same ? first : `${first}!${second}`;
  const coloured = same
    ? letters(first, kinds, style)
    : `${letters(first, kinds, style)}${style.strong("!")}${letters(second, kinds, style)}`;
  return coloured + " ".repeat(column.width - plain.length);
}

function letters(text: string, kinds: Kinds, style: Style): string {
  return [...text]
    .map((letter) => {
      const kind = kinds.get(letter)?.kind;
      if (kind === "refused" || kind === "fault") return style.refused(letter);
      return kind === "lost" ? style.allowed(letter) : style.faint(letter);
    })
    .join("");
}

/** Every letter of the table, with one of the outcomes it stands for. */
function outcomeKinds(comparison: Comparison): Map<string, Outcome> {
  const kinds = new Map<string, Outcome>();
  for (const state of STATES) {
    comparison.topic.operations.forEach((_, operation) => {
      for (const outcome of comparison.outcomes(state, operation)) {
        if (!kinds.has(outcome.letter)) kinds.set(outcome.letter, outcome);
      }
    });
  }
  return kinds;
}

function legend(comparison: Comparison, columns: number, style: Style): string[] {
  const lines: string[] = [];
  const put = (label: string, text: string): void => {
    wrap(text, columns - 11).forEach((line, i) => {
      lines.push(`  ${i === 0 ? style.strong(label.padEnd(9)) : " ".repeat(9)}${line}`);
    });
  };
  const outcomes = [...outcomeKinds(comparison).values()];
  for (const kind of ["done", "lost", "refused", "fault"] as const) {
    for (const outcome of outcomes) if (outcome.kind === kind) put(outcome.letter, outcome.text);
  }
  lines.push("");
  for (const { first, members } of comparison.groups()) {
    const more = members.slice(1).map((i) => comparison.topic.operations[i]!.name);
    const also = more.length > 0 ? `; the same: ${more.join(", ")}` : "";
    put(more.length > 0 ? `${first.short}+` : first.short, `${first.text}${also}`);
  }
  return lines;
}
