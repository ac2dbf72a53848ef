import { readFileSync } from "node:fs";
import headless from "@xterm/headless";
import type { IPty } from "@lydell/node-pty";
import { PATIENCE_MS } from "../../patience.js";

/** node-pty, or null where it has no binary for this system. */
export const pty = await import("@lydell/node-pty").then(
  (module) => module,
  () => null,
);

const KEYS: Readonly<Record<string, string>> = {
  enter: "\r",
  escape: "\x1b",
  tab: "\t",
  "shift-tab": "\x1b[Z",
  up: "\x1b[A",
  down: "\x1b[B",
  home: "\x1b[H",
  end: "\x1b[F",
  "page-up": "\x1b[5~",
  "page-down": "\x1b[6~",
  "ctrl-c": "\x03",
  "ctrl-z": "\x1a",
  "ctrl-]": "\x1d",
};

/** Milliseconds without output, after which a screen is whole. */
const QUIET = 250;

/**
 * A user at a terminal: a pty of the host, and a terminal emulator in memory that shows what is written to it. The
 * program is started by a shell, which says how it ended and whether the terminal's settings are as before.
 */
export class User {
  private readonly terminal: headless.Terminal;
  private readonly pty: IPty;
  private written = "";
  private heard = (): void => {};

  constructor(argv: readonly string[], columns = 80, rows = 24, env: NodeJS.ProcessEnv = {}) {
    if (pty === null) throw new Error("no pty");
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
    // The shell stays: where its end is heard of before its last words, node-pty closes the terminal on them.
    const script =
      'before=$(stty -g); "$@"; echo "ended $?"; test "$before" = "$(stty -g)" && echo settings kept || echo settings differ; exec cat >/dev/null';
    const inherited = { ...process.env };
    delete inherited["NO_COLOR"];
    this.pty = pty.spawn("/bin/sh", ["-c", script, "sh", ...argv], {
      name: "xterm-256color",
      cols: columns,
      rows,
      env: { ...inherited, TERM: "xterm-256color", ...env },
    });
    this.pty.onData((text) => {
      this.written += text;
      this.terminal.write(text, () => this.heard());
    });
  }

  /** The screen as text, without blanks at the ends of lines. */
  screen(): string {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, row) => this.line(active.viewportY + row)).join(
      "\n",
    );
  }

  private line(row: number): string {
    return (
      this.terminal.buffer.active.getLine(row)?.translateToString(true, 0, this.terminal.cols).trimEnd() ?? ""
    );
  }

  /** Everything that was written to the terminal. */
  get output(): string {
    return this.written;
  }

  /** The screen that was there before is shown again, and the mouse is the terminal's own. */
  get isPutRight(): boolean {
    const { buffer, modes } = this.terminal;
    return buffer.active.type === "normal" && modes.mouseTrackingMode === "none" && !this.cursorHidden;
  }

  get cursorHidden(): boolean {
    return this.written.lastIndexOf("\x1b[?25l") > this.written.lastIndexOf("\x1b[?25h");
  }

  /** Presses keys, one after the other: names as `enter`, otherwise text as it is. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.pty.write(KEYS[key] ?? key);
  }

  /** Columns and rows from 1, as terminals count. */
  click(column: number, row: number): void {
    this.pty.write(`\x1b[<0;${column};${row}M\x1b[<0;${column};${row}m`);
  }

  wheel(direction: "up" | "down", column: number, row: number): void {
    this.pty.write(`\x1b[<${direction === "up" ? 64 : 65};${column};${row}M`);
  }

  /** Clicks where a text stands on the screen. */
  clickOn(text: string): void {
    const lines = this.screen().split("\n");
    const row = lines.findIndex((line) => line.includes(text));
    if (row < 0) throw new Error(`no ${text} on the screen:\n${this.screen()}`);
    this.click(lines[row]!.indexOf(text) + 1, row + 1);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  /** Sends a signal to the program that the shell has started. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.child, signal);
  }

  private get child(): number {
    const { pid } = this.pty;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
  }

  /** Waits until the program is stopped, as by Ctrl-Z. */
  async stops(): Promise<void> {
    const state = (): string | undefined =>
      / ([A-Z]) /.exec(readFileSync(`/proc/${this.child}/stat`, "latin1").replace(/^.*\)/s, ""))?.[1];
    const end = Date.now() + PATIENCE_MS;
    while (state() !== "T") {
      if (Date.now() > end) throw new Error("the program did not stop");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // What it wrote before is shown by now.
    await new Promise((resolve) => setTimeout(resolve, QUIET));
  }

  /** Waits until the screen shows a text. @throws Error with the screen as it is when it never does */
  async sees(text: string | RegExp): Promise<string> {
    const shows = (): boolean => {
      const screen = this.screen();
      return typeof text === "string" ? screen.includes(text) : text.test(screen);
    };
    await this.until(shows, `the screen never showed ${String(text)}`);
    return this.screen();
  }

  /** Waits until a text is seen and nothing has been written for a moment: the whole screen is drawn. */
  async settles(text: string | RegExp): Promise<string> {
    for (;;) {
      await this.sees(text);
      const { length } = this.written;
      await new Promise((resolve) => setTimeout(resolve, QUIET));
      const drawing = this.written.lastIndexOf("\x1b[?2026h") > this.written.lastIndexOf("\x1b[?2026l");
      if (this.written.length === length && !drawing) return this.sees(text);
    }
  }

  /** Waits until it has ended. @returns what the shell said of it */
  async end(): Promise<string> {
    const said = /ended (\d+)\r\n(settings \w+)\r\n/;
    await this.until(() => said.test(this.written), "the program did not end");
    await new Promise<void>((resolve) => this.terminal.write("", resolve));
    const [, status, settings] = said.exec(this.written)!;
    return `${status}, ${settings}`;
  }

  close(): void {
    this.pty.kill("SIGKILL");
    this.terminal.dispose();
  }

  private async until(condition: () => boolean, otherwise: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!condition()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${otherwise}; it shows\n${this.screen()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
