/** What each key does. The help is made from this table. */

export type ScreenAction =
  | "help"
  | "quit"
  | "prompt"
  | "program"
  | "next-panel"
  | "previous-panel"
  | "zoom"
  | "up"
  | "down"
  | "page-up"
  | "page-down"
  | "first"
  | "last"
  | "follow"
  | "open"
  | "toggle"
  | "memory"
  | "walk"
  | "next-thread"
  | "code-mode"
  | "interrupt"
  | "redraw"
  | "suspend";

export type KeyAction =
  /**
   * A command line. `{address}` and `{place}` stand for what the chosen row shows: an address, or as a place for a
   * breakpoint.
   */
  | {
      readonly kind: "line";
      readonly line: string;
      /** Instead of it, where the code panel shows the source. */
      readonly inSource?: string;
    }
  /** The line is offered for the user to complete. */
  | { readonly kind: "ask"; readonly line: string }
  | { readonly kind: "screen"; readonly action: ScreenAction };

export interface KeyEntry {
  /** As the terminal names them; the help shows the first ones. */
  readonly keys: readonly string[];
  readonly action: KeyAction;
  readonly help: string;
}

export interface KeyGroup {
  readonly title: string;
  readonly entries: readonly KeyEntry[];
}

const line = (text: string, inSource?: string): KeyAction => ({
  kind: "line",
  line: text,
  ...(inSource === undefined ? {} : { inSource }),
});
const ask = (text: string): KeyAction => ({ kind: "ask", line: text });
const screen = (action: ScreenAction): KeyAction => ({ kind: "screen", action });

export const KEY_GROUPS: readonly KeyGroup[] = [
  {
    title: "Forward",
    entries: [
      {
        keys: ["s", "F11"],
        action: line("stepi", "step"),
        help: "step: an instruction; a line in the source",
      },
      { keys: ["n", "F10"], action: line("nexti", "next"), help: "the same, a called function as one" },
      { keys: ["f", "SHIFT_F11"], action: line("finish"), help: "out of the function" },
      { keys: ["c", "F5"], action: line("continue"), help: "to the next stop" },
      { keys: ["u"], action: line("advance {place}"), help: "to the chosen row" },
      { keys: ["y"], action: line("to syscall"), help: "to the next entry or exit of a system call" },
      { keys: ["r"], action: line("to refusal"), help: "to the next refusal" },
      { keys: ["x"], action: line("to fault"), help: "to the next fault" },
      { keys: ["g"], action: line("to signal"), help: "to the next signal" },
      { keys: ["a"], action: line("to area"), help: "to the next change of an area" },
      { keys: ["e"], action: line("to entry"), help: "to the next change of a page-table entry" },
      { keys: ["k"], action: line("to pkru"), help: "to the next change of PKRU" },
    ],
  },
  {
    title: "Back in time",
    entries: [
      { keys: ["S"], action: line("reverse-stepi", "reverse-step"), help: "step back" },
      {
        keys: ["N"],
        action: line("reverse-nexti", "reverse-next"),
        help: "the same, a called function as one",
      },
      { keys: ["F"], action: line("reverse-finish"), help: "back to the call of the function" },
      { keys: ["C"], action: line("reverse-continue"), help: "back to the last stop" },
      { keys: ["Y"], action: line("back syscall"), help: "back to the last system call" },
      { keys: ["R"], action: line("back refusal"), help: "back to the last refusal" },
      { keys: ["w"], action: line("who-wrote {address}"), help: "who last wrote the chosen row's bytes" },
      { keys: ["W"], action: line("who-sealed {address}"), help: "who sealed them" },
      { keys: ["E"], action: line("when-entry {address}"), help: "when their page-table entry changed" },
      { keys: ["o"], action: line("goto"), help: "go there: where the last answer pointed" },
      { keys: ["G"], action: ask("goto "), help: "to an instruction count" },
    ],
  },
  {
    title: "Stops and views",
    entries: [
      { keys: ["b", "F9"], action: screen("toggle"), help: "a breakpoint on the chosen row, or none" },
      { keys: ["B"], action: ask("break "), help: "break at a symbol, FILE:LINE, system call, …" },
      { keys: ["d"], action: line("changes"), help: "at a call's exit: what it changed" },
      { keys: ["m"], action: screen("memory"), help: "the memory at the chosen row's address" },
      { keys: ["M"], action: ask("memory "), help: "the memory at an address, a symbol, a register" },
      { keys: ["l"], action: screen("walk"), help: "the page-table walk of the chosen row's address" },
      { keys: ["L"], action: ask("walk "), help: "the walk of an address, a symbol, a register" },
      { keys: ["t"], action: screen("next-thread"), help: "the next thread" },
      { keys: ["v"], action: screen("code-mode"), help: "source, or instructions" },
      { keys: ["ENTER"], action: screen("open"), help: "look into the row; of the trace: go there in time" },
    ],
  },
  {
    title: "Screen",
    entries: [
      {
        keys: ["TAB"],
        action: screen("next-panel"),
        help: "the next panel; 1 to 9, 0: the one of that number",
      },
      { keys: ["SHIFT_TAB"], action: screen("previous-panel"), help: "the panel before" },
      { keys: ["z"], action: screen("zoom"), help: "the panel alone, or all" },
      { keys: ["UP", "K"], action: screen("up"), help: "choose the row above" },
      { keys: ["DOWN", "J"], action: screen("down"), help: "choose the row below" },
      { keys: ["PAGE_UP", "CTRL_B"], action: screen("page-up"), help: "a page up" },
      { keys: ["PAGE_DOWN", "CTRL_F"], action: screen("page-down"), help: "a page down" },
      { keys: ["HOME"], action: screen("first"), help: "the first row" },
      { keys: ["END"], action: screen("last"), help: "the last row" },
      { keys: ["ESCAPE"], action: screen("follow"), help: "choose nothing: follow the program" },
      { keys: ["i", "F2"], action: screen("program"), help: "keys go to the program; Ctrl-] comes back" },
      { keys: [":"], action: screen("prompt"), help: "a command line; :help lists the commands" },
      { keys: ["?", "F1"], action: screen("help"), help: "this" },
      { keys: ["CTRL_C"], action: screen("interrupt"), help: "stop the running program" },
      { keys: ["CTRL_L"], action: screen("redraw"), help: "draw the screen again" },
      { keys: ["CTRL_Z"], action: screen("suspend"), help: "back to the shell; fg returns" },
      { keys: ["q"], action: screen("quit"), help: "quit" },
    ],
  },
];

const BY_KEY = new Map(
  KEY_GROUPS.flatMap(({ entries }) =>
    entries.flatMap((entry) => entry.keys.map((key) => [key, entry] as const)),
  ),
);

export const entryOf = (key: string): KeyEntry | undefined => BY_KEY.get(key);

const SHOWN: Readonly<Record<string, string>> = {
  UP: "↑",
  DOWN: "↓",
  PAGE_UP: "PgUp",
  PAGE_DOWN: "PgDn",
  HOME: "Home",
  END: "End",
  ENTER: "Enter",
  ESCAPE: "Esc",
  TAB: "Tab",
};

/** `Ctrl-C`, `Shift-F11`, `PgUp`. */
export function keyText(key: string): string {
  const [, modifier, rest] = /^(CTRL|SHIFT)_(.+)$/.exec(key) ?? [];
  if (modifier === undefined) return SHOWN[key] ?? key;
  return `${modifier === "CTRL" ? "Ctrl" : "Shift"}-${SHOWN[rest!] ?? rest!}`;
}
