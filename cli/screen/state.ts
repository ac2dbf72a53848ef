import type { Line } from "./canvas.js";
import type { PanelName } from "./layout.js";

/** What the code panel shows: instructions with the source lines that they come from, or the source. */
export type CodeMode = "instructions" | "source";

/** A row of a panel, and what it is about: what Enter, a click and the verbs on the row's address take. */
export interface Row {
  readonly line: Line;
  /** The guest's address that the row shows. */
  readonly address?: number;
  /** The source line that the row is. */
  readonly source?: { readonly file: string; readonly line: number };
  /** The instruction count at which it happened. */
  readonly instruction?: number;
  readonly tid?: number;
}

/** What a panel shows: all its rows, of which the screen has room for some. */
export interface PanelContent {
  /** Behind the panel's name. */
  readonly title: string;
  readonly rows: readonly Row[];
  /** The row to be seen while the user looks nowhere else: where the program stands, the last call. */
  readonly anchor: number | null;
  /** Where there is no anchor: the first row to be seen; where fewer follow than there is room for, the last ones are. */
  readonly from?: number;
}

export const EMPTY: PanelContent = { title: "", rows: [], anchor: null };

/** Where a panel is looked at: indices of rows. */
export interface PanelView {
  readonly top: number;
  /** The chosen row; null: the anchor. */
  readonly cursor: number | null;
}

export const FOLLOWING: PanelView = { top: 0, cursor: null };

/** What the program has on its terminal, as cells. */
export interface ProgramScreen {
  readonly lines: readonly Line[];
  readonly cursor: { readonly column: number; readonly row: number } | null;
}

/** A line being typed. */
export interface Prompt {
  readonly text: string;
  /** Characters before the cursor. */
  readonly at: number;
  /** Which line of the history it is; the history's length: a new one. */
  readonly recalled: number;
  /** What had been typed before the history was looked into. */
  readonly draft: string;
}

export interface Message {
  readonly text: string;
  readonly bad: boolean;
}

/** How the machine stands, for the bar at the top. */
export interface Status {
  readonly program: string;
  /** `stopped: breakpoint 1 at main`, `exited with 0`. */
  readonly stop: string;
  readonly refused: boolean;
  readonly instructions: number;
  /** `thread 1001 of 3`. */
  readonly thread: string;
  /** The program waits for keys. */
  readonly wantsInput: boolean;
  /** The program has ended. */
  readonly over: boolean;
  /** The address that the stop is about: refused, faulting, written; null: none. */
  readonly subject: number | null;
}

/** All that the screen is made from: `update` gives the next one, `draw` draws it. */
export interface ScreenState {
  readonly columns: number;
  readonly rows: number;
  readonly focus: PanelName;
  /** What the lower panel shows. */
  readonly tab: PanelName;
  readonly zoomed: boolean;
  /** Who the keys are for. */
  readonly mode: "debugger" | "program" | "prompt" | "help";
  readonly prompt: Prompt;
  readonly history: readonly string[];
  /** First row of the help that is shown. */
  readonly helpTop: number;
  readonly contents: Readonly<Partial<Record<PanelName, PanelContent>>>;
  readonly views: Readonly<Partial<Record<PanelName, PanelView>>>;
  readonly program: ProgramScreen;
  readonly status: Status;
  /** What the code panel shows, where it can: steps are of the same. */
  readonly codeMode: CodeMode;
  /** The verb that runs; null while the machine stands still. */
  readonly running: string | null;
  /** It has run for so long that verbs typed now were not meant for when it stops. */
  readonly runsLong: boolean;
  readonly message: Message | null;
  /** The user was warned: q leaves. */
  readonly quitAsked: boolean;
}

export const NO_PROMPT: Prompt = { text: "", at: 0, recalled: 0, draft: "" };

export function initialState(columns: number, rows: number, program: string): ScreenState {
  return {
    columns,
    rows,
    focus: "code",
    tab: "areas",
    zoomed: false,
    mode: "debugger",
    prompt: NO_PROMPT,
    history: [],
    helpTop: 0,
    contents: {},
    views: {},
    program: { lines: [], cursor: null },
    status: {
      program,
      stop: "",
      refused: false,
      instructions: 0,
      thread: "",
      wantsInput: false,
      over: false,
      subject: null,
    },
    codeMode: "source",
    running: null,
    runsLong: false,
    message: null,
    quitAsked: false,
  };
}

export const contentOf = (state: ScreenState, panel: PanelName): PanelContent =>
  state.contents[panel] ?? EMPTY;

export const viewOf = (state: ScreenState, panel: PanelName): PanelView => state.views[panel] ?? FOLLOWING;

/** The row that verbs are about; undefined where there is none. */
export function chosenRow(state: ScreenState, panel: PanelName): Row | undefined {
  const content = contentOf(state, panel);
  const index = viewOf(state, panel).cursor ?? content.anchor;
  return index === null ? undefined : content.rows[Math.min(index, content.rows.length - 1)];
}

/**
 * The first row of a panel that is shown.
 * @param height rows that there is room for
 */
export function firstShown(content: PanelContent, view: PanelView, height: number): number {
  const last = Math.max(0, content.rows.length - height);
  const wanted = view.cursor ?? content.anchor;
  if (wanted === null) return Math.min(content.from ?? view.top, last);
  // The anchor is kept off the edges; what the user chose moves the rows no more than it must.
  const margin = view.cursor === null ? Math.floor(height / 3) : 0;
  const lowest = wanted + 1 + margin - height;
  const highest = wanted - margin;
  return Math.max(0, Math.min(last, Math.max(Math.min(view.top, highest), lowest)));
}
