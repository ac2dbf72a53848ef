import { STYLES, type CellStyle } from "./cell-style.js";
import type { Rectangle } from "./layout.js";
import { characterColumns, clipped, printable, textColumns } from "./text-width.js";

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style: CellStyle;
}

export type Line = readonly Span[];

export const span = (text: string, style: CellStyle = STYLES.plain): Span => ({ text, style });

export interface Cell {
  /** One character; empty for the second column of a wide one. */
  readonly character: string;
  readonly style: CellStyle;
}

const BLANK: Cell = { character: " ", style: STYLES.plain };

/** A screen in memory: what the views draw on, and what a terminal, or a test, reads. */
export class Canvas {
  private readonly cells: Cell[];
  /** Where the cursor is shown; null: nowhere. */
  cursor: { readonly column: number; readonly row: number } | null = null;

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.cells = new Array<Cell>(columns * rows).fill(BLANK);
  }

  cell(column: number, row: number): Cell {
    return this.cells[row * this.columns + column] ?? BLANK;
  }

  set(column: number, row: number, character: string, style: CellStyle): void {
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return;
    this.cells[row * this.columns + column] = { character, style };
  }

  /**
   * Puts a line where it fits between two columns, the right one not included; control characters as dots.
   * @returns the column behind it
   */
  put(column: number, row: number, line: Line, right = this.columns): number {
    let at = column;
    for (const { text, style } of line) {
      for (const character of clipped(printable(text), right - at)) {
        const width = characterColumns(character);
        this.set(at, row, character, style);
        if (width === 2) this.set(at + 1, row, "", style);
        at += width;
      }
    }
    return at;
  }

  /** Gives a row of cells another look, what stands there staying. */
  restyle(column: number, row: number, count: number, change: (style: CellStyle) => CellStyle): void {
    for (let at = column; at < column + count; at++) {
      const { character, style } = this.cell(at, row);
      this.set(at, row, character, change(style));
    }
  }

  fill({ column, row, columns, rows }: Rectangle, style: CellStyle): void {
    for (let y = row; y < row + rows; y++)
      for (let x = column; x < column + columns; x++) this.set(x, y, " ", style);
  }

  /** The rows as text, without blanks at their ends. */
  text(): string {
    const lines: string[] = [];
    for (let row = 0; row < this.rows; row++) {
      let line = "";
      for (let column = 0; column < this.columns; column++) line += this.cell(column, row).character;
      lines.push(line.trimEnd());
    }
    return lines.join("\n");
  }
}

/** A line's text. */
export const lineText = (line: Line): string => line.map(({ text }) => text).join("");

export const lineColumns = (line: Line): number => line.reduce((sum, { text }) => sum + textColumns(text), 0);
