import { writeSync } from "node:fs";
import { EventEmitter } from "node:events";
import termkit from "terminal-kit";
import type { Canvas } from "./canvas.js";
import { uncoloured, type CellStyle } from "./cell-style.js";
import { keysForProgram, keysIn, unfinishedBytes, withoutBrokenCharacters } from "./key-bytes.js";

export interface TerminalListener {
  /** As terminal-kit names keys: `a`, `CTRL_C`, `PAGE_UP`. */
  key(key: string): void;
  /** Columns and rows from 0. */
  mouse(action: "press" | "wheel-up" | "wheel-down", column: number, row: number): void;
  /** Keys for the program, as its terminal would send them. */
  typed(bytes: Uint8Array): void;
  /** The user comes back from the program. */
  left(): void;
  resized(columns: number, rows: number): void;
  /** It was stopped as a shell's job, and goes on. */
  resumed(): void;
  /** There will be no more keys. */
  gone(): void;
}

const ESCAPE_MS = 30;
/** Ctrl-]: back from the program. */
const BACK = 0x1d;
/** What ends a process, before which the terminal is put right. */
const ENDINGS = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"] as const;
/** Terminals that know them show what is between at once (synchronized output); others pass over them. */
const FRAME_BEGINS = "\x1b[?2026h";
const FRAME_ENDS = "\x1b[?2026l";
/** Mouse off, attributes off, cursor shown, keypad normal, the screen that was before. */
const RESTORE =
  "\x1b[?2026l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[0m\x1b[?25h\x1b[?1l\x1b>\x1b[?1049l";

/**
 * The user's terminal, taken over whole: terminal-kit draws what has changed and names the keys. What was on it before
 * is there again after `close`, and also when the process is ended by a signal or by an exception.
 */
export class UserTerminal {
  /** Keys are the program's. */
  forProgram = false;
  /** The program wants cursor keys in application mode. */
  applicationKeys = false;
  private readonly keys = new KeySource();
  private readonly terminal: ReturnType<typeof termkit.createTerminal>;
  private buffer: termkit.ScreenBuffer;
  private held: Uint8Array = new Uint8Array(0);
  private holding: NodeJS.Timeout | undefined;
  private isOpen = false;
  private whole = true;

  /** @param coloured false: no colour (NO_COLOR) */
  constructor(
    private readonly listener: TerminalListener,
    private readonly coloured: boolean,
  ) {
    // The types ask for all options; terminal-kit has a default for each.
    const options: Partial<Parameters<typeof termkit.createTerminal>[0]> = {
      stdin: this.keys as unknown as NodeJS.ReadStream,
      generic: termNamed(process.env["TERM"] ?? "", process.env["COLORTERM"] ?? ""),
    };
    this.terminal = termkit.createTerminal(options as Parameters<typeof termkit.createTerminal>[0]);
    this.buffer = this.newBuffer();
    this.terminal.on("key", (key: string) => listener.key(key));
    this.terminal.on("mouse", (name: string, { x, y }: { x: number; y: number }) =>
      this.moused(name, x - 1, y - 1),
    );
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  open(): void {
    this.takeOver();
    process.stdin.on("data", this.received);
    process.stdin.on("end", this.listener.gone);
    process.stdout.on("resize", this.resized);
    process.on("exit", this.restore);
    process.on("uncaughtExceptionMonitor", this.restore);
    if (process.platform === "win32") return;
    process.on("SIGCONT", this.continued);
    process.on("SIGTSTP", this.suspended);
    for (const signal of ENDINGS) process.on(signal, this.ended);
  }

  /** As it was before; for good. */
  close(): void {
    this.restore();
    clearTimeout(this.holding);
    process.stdin.off("data", this.received).off("end", this.listener.gone).pause();
    process.stdout.off("resize", this.resized);
    process.off("exit", this.restore);
    process.off("uncaughtExceptionMonitor", this.restore);
    process.off("SIGCONT", this.continued);
    process.off("SIGTSTP", this.suspended);
    for (const signal of ENDINGS) process.off(signal, this.ended);
  }

  /** Draws what is another than before; all of it after {@link redraw}. */
  show(canvas: Canvas): void {
    if (!this.isOpen) return;
    if (this.buffer.width !== canvas.columns || this.buffer.height !== canvas.rows) this.redraw();
    for (let row = 0; row < canvas.rows; row++) {
      for (let column = 0; column < canvas.columns;) {
        const { style } = canvas.cell(column, row);
        let text = "";
        let end = column;
        // A run ends behind a wide character: what is next has its column whatever width terminal-kit gives that.
        while (end < canvas.columns && canvas.cell(end, row).style === style) {
          const { character } = canvas.cell(end++, row);
          text += character;
          if (character === "") break;
        }
        this.buffer.put({ x: column, y: row, attr: this.attributes(style), wrap: false, dx: 1, dy: 0 }, text);
        column = end;
      }
    }
    process.stdout.write(FRAME_BEGINS);
    this.terminal.hideCursor();
    this.buffer.draw({ delta: !this.whole });
    this.whole = false;
    if (canvas.cursor !== null) {
      this.terminal.moveTo(canvas.cursor.column + 1, canvas.cursor.row + 1);
      this.terminal.hideCursor(false);
    }
    process.stdout.write(FRAME_ENDS);
  }

  /** The next `show` draws everything: something else may have written on the screen. */
  redraw(): void {
    this.buffer = this.newBuffer();
    this.whole = true;
  }

  /** Gives the shell its terminal, and stops as its job. */
  readonly suspended = (): void => {
    if (process.platform === "win32") return;
    this.restore();
    process.kill(process.pid, "SIGSTOP");
  };

  private newBuffer(): termkit.ScreenBuffer {
    return new termkit.ScreenBuffer({
      dst: this.terminal,
      width: this.columns,
      height: this.rows,
      x: 1,
      y: 1,
    });
  }

  private attributes(style: CellStyle): termkit.ScreenBuffer.Attributes {
    const { foreground, background, bold, faint, underline, inverse } = this.coloured
      ? style
      : uncoloured(style);
    return {
      ...(foreground === null ? { defaultColor: true } : { color: foreground }),
      ...(background === null ? { bgDefaultColor: true } : { bgColor: background }),
      bold,
      dim: faint,
      underline,
      inverse,
    };
  }

  private takeOver(): void {
    this.isOpen = true;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    this.terminal.fullscreen(true);
    this.terminal.grabInput({ mouse: "button" });
    this.redraw();
  }

  private readonly restore = (): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      process.stdin.setRawMode(false);
      writeSync(1, RESTORE);
    } catch {
      // The terminal has gone: there is nothing to restore.
    }
  };

  private readonly ended = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal);
  };

  private readonly continued = (): void => {
    this.takeOver();
    this.listener.resumed();
  };

  private readonly resized = (): void => {
    this.redraw();
    this.listener.resized(this.columns, this.rows);
  };

  private readonly received = (chunk: Uint8Array): void => {
    clearTimeout(this.holding);
    const bytes = Uint8Array.from([...this.held, ...chunk]);
    const rest = unfinishedBytes(bytes);
    this.held = bytes.subarray(bytes.length - rest);
    this.deliver(bytes.subarray(0, bytes.length - rest));
    // What is not finished in a moment was meant so: the Escape key.
    if (rest > 0) this.holding = setTimeout(() => this.release(), ESCAPE_MS);
  };

  private release(): void {
    const { held } = this;
    this.held = new Uint8Array(0);
    this.deliver(held);
  }

  /** Key by key: one of them may have the next ones go elsewhere. What is typed to the program goes there at once. */
  private deliver(bytes: Uint8Array): void {
    let typed: number[] = [];
    const hand = (): void => {
      if (typed.length > 0) this.listener.typed(Uint8Array.from(typed));
      typed = [];
    };
    for (const key of keysIn(bytes)) {
      if (this.forProgram && key[0] !== BACK) {
        typed.push(...keysForProgram(key, this.applicationKeys));
        continue;
      }
      hand();
      if (this.forProgram) this.listener.left();
      else this.keys.emit("data", Buffer.from(withoutBrokenCharacters(key)));
    }
    hand();
  }

  private moused(name: string, column: number, row: number): void {
    if (name === "MOUSE_LEFT_BUTTON_PRESSED") this.listener.mouse("press", column, row);
    else if (name === "MOUSE_WHEEL_UP") this.listener.mouse("wheel-up", column, row);
    else if (name === "MOUSE_WHEEL_DOWN") this.listener.mouse("wheel-down", column, row);
  }
}

/** What terminal-kit takes for the terminal's input: keys come to it when we have looked at them. */
class KeySource extends EventEmitter {
  pause(): void {}
  resume(): void {}
  setRawMode(): void {}
}

/** terminal-kit's name for what a terminal says it is. */
function termNamed(term: string, colours: string): string {
  if (term === "linux") return "linux";
  if (term.startsWith("rxvt")) return term.includes("256") ? "rxvt-256color" : "rxvt";
  return /256|direct|kitty|alacritty/.test(term) || colours !== "" ? "xterm-256color" : "xterm";
}
