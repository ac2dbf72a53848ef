import headless, { type IBufferCell, type Terminal } from "@xterm/headless";
import { span, type Line } from "./canvas.js";
import { STYLES, type CellStyle } from "./cell-style.js";
import type { ProgramScreen } from "./state.js";

interface Chunk {
  readonly instructions: number;
  readonly bytes: Uint8Array;
}

/** Bytes of output that are kept for going back in time. */
const KEPT_BYTES = 8 << 20;

/**
 * The terminal that the program writes to: as many rows and columns as it was told, in memory. It knows at which
 * instruction each byte was written, so it can be shown as it was at any earlier moment.
 */
export class ProgramTerminal {
  private terminal: Terminal;
  private readonly chunks: Chunk[] = [];
  private keptBytes = 0;
  /** Chunks that the terminal has been given. */
  private shown = 0;

  /**
   * @param answers what the terminal answers to the program's questions (where its cursor is, what it is)
   * @param changed called when the screen is another
   */
  constructor(
    private size: { readonly columns: number; readonly rows: number },
    private readonly answers: (bytes: Uint8Array) => void,
    private readonly changed: () => void,
  ) {
    this.terminal = this.open();
  }

  private open(): Terminal {
    const { columns, rows } = this.size;
    const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 0, allowProposedApi: true });
    terminal.onData((text) => this.answers(new TextEncoder().encode(text)));
    return terminal;
  }

  /** The program writes, so many instructions after its beginning. */
  write(bytes: Uint8Array, instructions: number): void {
    // What was written later is of a future that will not be.
    while (this.chunks.length > 0 && this.chunks.at(-1)!.instructions > instructions)
      this.keptBytes -= this.chunks.pop()!.bytes.length;
    const rewritten = this.shown > this.chunks.length;
    // A copy: the terminal reads it in its own time.
    const chunk = { instructions, bytes: bytes.slice() };
    this.chunks.push(chunk);
    this.keptBytes += bytes.length;
    if (rewritten) this.showUntil(instructions);
    else if (this.shown === this.chunks.length - 1) this.feed(chunk.bytes);
    while (this.keptBytes > KEPT_BYTES && this.chunks.length > 1) {
      this.keptBytes -= this.chunks.shift()!.bytes.length;
      this.shown = Math.max(0, this.shown - 1);
    }
  }

  /** Shows what had been written at that instruction, and nothing of what came later. */
  showUntil(instructions: number): void {
    const count = this.chunks.findLastIndex((chunk) => chunk.instructions <= instructions) + 1;
    if (count < this.shown) {
      this.terminal.dispose();
      this.terminal = this.open();
      this.shown = 0;
      this.changed();
    }
    while (this.shown < count) this.feed(this.chunks[this.shown]!.bytes);
  }

  resize(columns: number, rows: number): void {
    this.size = { columns, rows };
    this.terminal.resize(columns, rows);
    this.changed();
  }

  /** Cursor keys are to be sent in application mode. */
  get applicationKeys(): boolean {
    return this.terminal.modes.applicationCursorKeysMode;
  }

  private feed(bytes: Uint8Array): void {
    this.shown++;
    this.terminal.write(bytes, this.changed);
  }

  screen(): ProgramScreen {
    const buffer = this.terminal.buffer.active;
    const cell = buffer.getNullCell();
    const lines: Line[] = [];
    for (let row = 0; row < this.terminal.rows; row++) {
      const spans: { text: string; style: CellStyle }[] = [];
      const line = buffer.getLine(buffer.viewportY + row);
      for (let column = 0; line !== undefined && column < this.terminal.cols; column++) {
        const found = line.getCell(column, cell);
        if (found === undefined || found.getWidth() === 0) continue;
        const style = styleOf(found);
        const text = found.getChars() || " ";
        const last = spans.at(-1);
        if (last !== undefined && sameStyle(last.style, style)) last.text += text;
        else spans.push({ text, style });
      }
      lines.push(spans.map(({ text, style }) => span(text, style)));
    }
    return { lines, cursor: { column: buffer.cursorX, row: buffer.cursorY } };
  }
}

function styleOf(cell: IBufferCell): CellStyle {
  if (cell.isAttributeDefault()) return STYLES.plain;
  return {
    foreground: cell.isFgDefault() ? null : colour(cell.isFgRGB(), cell.getFgColor()),
    background: cell.isBgDefault() ? null : colour(cell.isBgRGB(), cell.getBgColor()),
    bold: cell.isBold() !== 0,
    faint: cell.isDim() !== 0,
    underline: cell.isUnderline() !== 0,
    inverse: cell.isInverse() !== 0,
  };
}

/** The palette's nearest of its colour cube, for one of 24 bits. */
function colour(rgb: boolean, value: number): number {
  if (!rgb) return value;
  const level = (shift: number): number => Math.round((((value >>> shift) & 0xff) / 255) * 5);
  return 16 + 36 * level(16) + 6 * level(8) + level(0);
}

function sameStyle(a: CellStyle, b: CellStyle): boolean {
  return (
    a === b ||
    (a.foreground === b.foreground &&
      a.background === b.background &&
      a.bold === b.bold &&
      a.faint === b.faint &&
      a.underline === b.underline &&
      a.inverse === b.inverse)
  );
}
