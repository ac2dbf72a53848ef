import { entryOf, type KeyAction, type ScreenAction } from "./key-table.js";
import { layout, panelAt, PANELS, TABS, type PanelName, type Placed } from "./layout.js";
import { completePrompt, editPrompt, promptWith } from "./prompt.js";
import {
  chosenRow,
  contentOf,
  firstShown,
  FOLLOWING,
  NO_PROMPT,
  viewOf,
  type CodeMode,
  type PanelContent,
  type PanelView,
  type ProgramScreen,
  type Row,
  type ScreenState,
  type Status,
} from "./state.js";
import { tabAt } from "./tab-bar.js";
import { helpRows } from "./help.js";

/** What comes from the keyboard and the mouse, and from the machine. */
export type ScreenEvent =
  | { readonly kind: "key"; readonly key: string }
  | {
      readonly kind: "mouse";
      readonly action: "press" | "wheel-up" | "wheel-down";
      readonly column: number;
      readonly row: number;
    }
  | { readonly kind: "resized"; readonly columns: number; readonly rows: number }
  | { readonly kind: "contents"; readonly contents: ScreenState["contents"] }
  | { readonly kind: "program"; readonly program: ProgramScreen }
  /** A verb has begun. */
  | { readonly kind: "running"; readonly verb: string; readonly instructions: number }
  /** It has been running for a while. */
  | { readonly kind: "runs-long" }
  /** The machine stands still. */
  | { readonly kind: "stopped"; readonly status: Status }
  | { readonly kind: "said"; readonly text: string; readonly bad: boolean }
  /** A panel is to be seen: what was asked for is in it. */
  | { readonly kind: "show"; readonly panel: PanelName; readonly focus: boolean }
  /** The code panel shows this from now on. */
  | { readonly kind: "code-mode"; readonly mode: CodeMode }
  /** The names that the last word of the line being typed may become. */
  | { readonly kind: "completed"; readonly names: readonly string[] }
  /** The user comes back from the program. */
  | { readonly kind: "left" };

/** What is to be done beside drawing. */
export type Effect =
  | { readonly kind: "line"; readonly line: string }
  /** The thread that registers, memory and steps are about. */
  | { readonly kind: "thread"; readonly tid: number }
  /** A breakpoint on the row, or none. */
  | { readonly kind: "toggle"; readonly row: Row }
  /** The panel shows what is at the address. */
  | { readonly kind: "look"; readonly panel: "memory" | "walk"; readonly address: number }
  /** The panel shows what it does unless told. */
  | { readonly kind: "look-away"; readonly panel: "memory" | "walk" }
  /** What may the line being typed become? A `completed` event answers. */
  | { readonly kind: "complete"; readonly text: string }
  | { readonly kind: "interrupt" | "quit" | "redraw" | "suspend" | "next-thread" | "code-mode" };

export interface Updated {
  readonly state: ScreenState;
  readonly effects: readonly Effect[];
}

const WHEEL_ROWS = 3;

const only = (state: ScreenState): Updated => ({ state, effects: [] });
const doing = (state: ScreenState, effect: Effect): Updated => ({ state, effects: [effect] });
const bad = (state: ScreenState, text: string): Updated => only({ ...state, message: { text, bad: true } });

export function update(state: ScreenState, event: ScreenEvent): Updated {
  switch (event.kind) {
    case "key":
      return pressed({ ...state, message: null }, event.key);
    case "mouse":
      return clicked(state, event);
    case "resized":
      return only({ ...state, columns: event.columns, rows: event.rows });
    case "contents":
      return only({ ...state, contents: { ...state.contents, ...event.contents } });
    case "program":
      return only({ ...state, program: event.program });
    case "running":
      return only({
        ...state,
        running: event.verb,
        runsLong: false,
        quitAsked: false,
        status: { ...state.status, instructions: event.instructions },
      });
    case "runs-long":
      return only({ ...state, runsLong: true });
    case "stopped":
      return only(stopped(state, event.status));
    case "said":
      return only({ ...state, message: { text: event.text, bad: event.bad } });
    case "show": {
      const views = { ...state.views, [event.panel]: FOLLOWING };
      const shown = { ...state, views, tab: event.panel };
      return only(event.focus ? focused(shown, event.panel) : shown);
    }
    case "code-mode":
      return only({ ...state, codeMode: event.mode, views: { ...state.views, code: FOLLOWING } });
    case "completed":
      return only(completed(state, event.names));
    case "left":
      return only({ ...state, mode: state.mode === "program" ? "debugger" : state.mode });
  }
}

/** The program is elsewhere: the panels that are about the place follow it again. */
function stopped(state: ScreenState, status: Status): ScreenState {
  const mode = state.mode === "program" ? "debugger" : state.mode;
  const views = { ...state.views, code: FOLLOWING, stack: FOLLOWING, trace: FOLLOWING };
  return { ...state, mode, running: null, status, views };
}

export const layoutOf = (state: ScreenState): readonly Placed[] => layout(state);

/** Rows of a panel that there is room for. */
export function panelHeight(state: ScreenState, panel: PanelName): number {
  const placed = layoutOf(state).find((each) => each.panel === panel);
  return placed === undefined ? 1 : Math.max(1, placed.area.rows - 1);
}

export function focused(state: ScreenState, panel: PanelName): ScreenState {
  return { ...state, focus: panel, tab: panel === "code" || panel === "registers" ? state.tab : panel };
}

function pressed(state: ScreenState, key: string): Updated {
  if (state.mode === "prompt") return typed(state, key);
  if (state.mode === "help") return helped(state, key);
  const { quitAsked } = state;
  const next = quitAsked ? { ...state, quitAsked: false } : state;
  const tab = /^\d$/.test(key) ? TABS[(Number(key) + 9) % 10] : undefined;
  if (tab !== undefined) return only(focused(next, tab));
  const entry = entryOf(key);
  if (entry === undefined) return bad(next, `no verb on this key; ? lists them`);
  if (state.running !== null && !alwaysPossible(entry.action) && !mayWait(state, entry.action))
    return bad(next, `the program runs (${state.running}); Ctrl-C stops it`);
  return acted(next, entry.action, quitAsked);
}

const STANDING: ReadonlySet<ScreenAction> = new Set([
  "open",
  "toggle",
  "memory",
  "walk",
  "next-thread",
  "code-mode",
]);

/** Whether something may be done while the machine runs. */
const alwaysPossible = (action: KeyAction): boolean =>
  action.kind === "screen" && !STANDING.has(action.action);

/** A verb typed ahead is carried out at the stop, as in a shell; but not one on a row, which will be another. */
const mayWait = (state: ScreenState, action: KeyAction): boolean =>
  !state.runsLong && action.kind === "line" && !action.line.includes("{");

const NO_ADDRESS = "the chosen row shows no address; choose one with Tab and the arrows, or a click";

function acted(state: ScreenState, action: KeyAction, quitAsked: boolean): Updated {
  if (action.kind === "screen") return screenAction(state, action.action, quitAsked);
  if (action.kind === "ask")
    return only({ ...state, mode: "prompt", prompt: promptWith(action.line, state.history) });
  const line = filled(state, showsSource(state) ? (action.inSource ?? action.line) : action.line);
  return line === null ? bad(state, NO_ADDRESS) : doing(state, { kind: "line", line });
}

/** The code panel shows source: not every program has some. */
const showsSource = (state: ScreenState): boolean =>
  contentOf(state, "code").rows.some(({ source, address }) => source !== undefined && address === undefined);

/** A verb's line with what the chosen row shows; null where it shows no such thing. */
function filled(state: ScreenState, line: string): string | null {
  const address = chosenAddress(state);
  const row = chosenRow(state, state.focus);
  const place =
    row?.source !== undefined
      ? `${row.source.file}:${row.source.line}`
      : row?.address === undefined
        ? undefined
        : `*0x${row.address.toString(16)}`;
  const values: Readonly<Record<string, string | undefined>> = {
    address: address === undefined ? undefined : `0x${address.toString(16)}`,
    place,
  };
  let missing = false;
  const text = line.replace(/\{(\w+)\}/g, (_, name: string) => {
    missing ||= values[name] === undefined;
    return values[name] ?? "";
  });
  return missing ? null : text;
}

/**
 * The address that questions are about: the chosen row's; where none is chosen in the code, what the stop is about, as
 * the page that was refused. Undefined where the row shows none.
 */
function chosenAddress(state: ScreenState): number | undefined {
  const { subject } = state.status;
  if (subject !== null && state.focus === "code" && viewOf(state, "code").cursor === null) return subject;
  return chosenRow(state, state.focus)?.address;
}

function looked(state: ScreenState, panel: "memory" | "walk"): Updated {
  const address = chosenAddress(state);
  return address === undefined ? bad(state, NO_ADDRESS) : doing(state, { kind: "look", panel, address });
}

function toggled(state: ScreenState): Updated {
  const row = chosenRow(state, state.focus);
  if (row?.address === undefined && row?.source === undefined) return bad(state, NO_ADDRESS);
  return doing(state, { kind: "toggle", row });
}

function screenAction(state: ScreenState, action: ScreenAction, quitAsked: boolean): Updated {
  switch (action) {
    case "help":
      return only({ ...state, mode: "help", helpTop: 0 });
    case "quit":
      if (quitAsked || state.status.over) return doing(state, { kind: "quit" });
      return only({
        ...state,
        quitAsked: true,
        message: { text: "the program has not ended; q again leaves it", bad: false },
      });
    case "prompt":
      return only({ ...state, mode: "prompt", prompt: promptWith("", state.history) });
    case "program":
      return only({ ...state, mode: "program" });
    case "next-panel":
      return only(focused(state, neighbour(state, 1)));
    case "previous-panel":
      return only(focused(state, neighbour(state, -1)));
    case "zoom":
      return only({ ...state, zoomed: !state.zoomed });
    case "up":
      return only(chosen(state, state.focus, -1));
    case "down":
      return only(chosen(state, state.focus, 1));
    case "page-up":
      return only(chosen(state, state.focus, -panelHeight(state, state.focus)));
    case "page-down":
      return only(chosen(state, state.focus, panelHeight(state, state.focus)));
    case "first":
      return only(chosen(state, state.focus, -Infinity));
    case "last":
      return only(chosen(state, state.focus, Infinity));
    case "follow":
      return followed(state);
    case "open":
      return opened(state);
    case "interrupt":
      if (state.running !== null) return doing(state, { kind: "interrupt" });
      return bad(state, "the program stands still; q quits");
    case "toggle":
      return toggled(state);
    case "memory":
    case "walk":
      return looked(state, action);
    case "redraw":
    case "suspend":
    case "next-thread":
    case "code-mode":
      return doing(state, { kind: action });
  }
}

function followed(state: ScreenState): Updated {
  const { focus } = state;
  const next = { ...state, zoomed: false, views: { ...state.views, [focus]: FOLLOWING } };
  return focus === "memory" || focus === "walk"
    ? doing(next, { kind: "look-away", panel: focus })
    : only(next);
}

/** The panel behind or before the focused one, of those on the screen. */
function neighbour(state: ScreenState, direction: 1 | -1): PanelName {
  const shown = new Set(layoutOf({ ...state, zoomed: false }).map(({ panel }) => panel));
  const order = PANELS.filter((panel) => shown.has(panel));
  if (order.length < 2)
    return PANELS[(PANELS.indexOf(state.focus) + direction + PANELS.length) % PANELS.length]!;
  const at = order.indexOf(state.focus);
  return order[(Math.max(0, at) + direction + order.length) % order.length]!;
}

/** Another row of a panel, so many further down. */
function chosen(state: ScreenState, panel: PanelName, by: number): ScreenState {
  const content = contentOf(state, panel);
  const { length } = content.rows;
  if (length === 0) return state;
  const view = viewOf(state, panel);
  const height = panelHeight(state, panel);
  const top = firstShown(content, view, height);
  const from = view.cursor ?? content.anchor ?? top;
  const cursor = Math.max(0, Math.min(length - 1, from + by));
  return withView(state, panel, { top, cursor });
}

/** Scrolls a panel without choosing another row; a row that would leave the screen is left. */
function scrolled(state: ScreenState, panel: PanelName, by: number): ScreenState {
  const content: PanelContent = contentOf(state, panel);
  const height = panelHeight(state, panel);
  const view = viewOf(state, panel);
  const last = Math.max(0, content.rows.length - height);
  const top = Math.max(0, Math.min(last, firstShown(content, view, height) + by));
  const from = view.cursor ?? content.anchor ?? top;
  return withView(state, panel, { top, cursor: Math.max(top, Math.min(top + height - 1, from)) });
}

const withView = (state: ScreenState, panel: PanelName, view: PanelView): ScreenState => ({
  ...state,
  views: { ...state.views, [panel]: view },
});

/** Enter on a row. */
function opened(state: ScreenState): Updated {
  const row = chosenRow(state, state.focus);
  if (row === undefined) return only(state);
  if (row.instruction !== undefined) return doing(state, { kind: "line", line: `goto ${row.instruction}` });
  if (row.tid !== undefined) return doing(state, { kind: "thread", tid: row.tid });
  if (state.focus === "code") return toggled(state);
  return looked(state, state.focus === "memory" || state.focus === "areas" ? "walk" : "memory");
}

function typed(state: ScreenState, key: string): Updated {
  const leave = { ...state, mode: "debugger", prompt: NO_PROMPT } as const;
  switch (key) {
    case "ENTER":
    case "CTRL_J": {
      const line = state.prompt.text.trim();
      if (line === "") return only(leave);
      if (state.running !== null) return bad(leave, `the program runs (${state.running}); Ctrl-C stops it`);
      const history = [...state.history.filter((each) => each !== line), line];
      return doing({ ...leave, history }, { kind: "line", line });
    }
    case "ESCAPE":
    case "CTRL_C":
    case "CTRL_G":
      return only(leave);
    case "TAB":
      return doing(state, { kind: "complete", text: state.prompt.text.slice(0, state.prompt.at) });
    case "BACKSPACE":
      if (state.prompt.text === "") return only(leave);
  }
  const prompt = editPrompt(state.prompt, key, state.history);
  return only(prompt === null ? state : { ...state, prompt });
}

function completed(state: ScreenState, names: readonly string[]): ScreenState {
  if (state.mode !== "prompt" || names.length === 0) return state;
  const prompt = completePrompt(state.prompt, names, state.history);
  const text = names.length > 1 ? names.join("  ") : "";
  return { ...state, prompt, message: text === "" ? null : { text, bad: false } };
}

function helped(state: ScreenState, key: string): Updated {
  const page = Math.max(1, state.rows - 3);
  const last = Math.max(0, helpRows(state.columns).length - page);
  const moves: Record<string, number> = {
    UP: -1,
    DOWN: 1,
    PAGE_UP: -page,
    PAGE_DOWN: page,
    " ": page,
    HOME: -Infinity,
    END: Infinity,
  };
  const by = moves[key];
  if (by === undefined) return only({ ...state, mode: "debugger" });
  return only({ ...state, helpTop: Math.max(0, Math.min(last, state.helpTop + by)) });
}

function clicked(state: ScreenState, event: ScreenEvent & { kind: "mouse" }): Updated {
  if (state.mode === "program") return only(state);
  if (state.mode === "help") {
    if (event.action === "press") return only({ ...state, mode: "debugger" });
    return helped(state, event.action === "wheel-up" ? "UP" : "DOWN");
  }
  const placed = panelAt(layoutOf(state), event.column, event.row);
  if (placed === null) return only(state);
  const { panel, area } = placed;
  if (event.action !== "press")
    return only(scrolled(state, panel, event.action === "wheel-up" ? -WHEEL_ROWS : WHEEL_ROWS));
  if (event.row === area.row) {
    const tab = placed.tabbed ? tabAt(event.column - area.column, area.columns) : null;
    return only(focused(state, tab ?? panel));
  }
  const content = contentOf(state, panel);
  const top = firstShown(content, viewOf(state, panel), panelHeight(state, panel));
  const cursor = top + event.row - area.row - 1;
  const row = content.rows[cursor];
  const next = focused(state, panel);
  if (row === undefined) return only(next);
  const withCursor = withView(next, panel, { top, cursor });
  // A click on an instruction toggles its breakpoint, as in an editor's margin.
  if (panel === "code" && state.running === null) return toggled(withCursor);
  return only(withCursor);
}
