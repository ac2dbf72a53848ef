import { entryOf, type KeyAction, type ScreenAction } from "./key-table.js";
import { panelAt, PANELS, TABS, type PanelName } from "./layout.js";
import { chosen, focused, layoutOf, panelHeight, scrolled, withView } from "./looking.js";
import { promptWith } from "./prompt.js";
import { bad, doing, only, type ScreenEvent, type Updated } from "./screen-event.js";
import {
  chosenRow,
  contentOf,
  firstShown,
  FOLLOWING,
  viewOf,
  type ScreenState,
  type Status,
} from "./state.js";
import { tabAt } from "./tab-bar.js";
import { completed, helped, typed } from "./update-prompt.js";

const WHEEL_ROWS = 3;

/** The screen after an event, and what is to be done. */
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
  const views = { ...state.views, code: FOLLOWING, stack: FOLLOWING, trace: FOLLOWING, log: FOLLOWING };
  return { ...state, mode, running: null, status, views };
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

/** Enter on a row. */
function opened(state: ScreenState): Updated {
  const row = chosenRow(state, state.focus);
  if (row === undefined) return only(state);
  if (row.instruction !== undefined) return doing(state, { kind: "line", line: `goto ${row.instruction}` });
  if (row.tid !== undefined) return doing(state, { kind: "thread", tid: row.tid });
  if (state.focus === "code") return toggled(state);
  return looked(state, state.focus === "memory" || state.focus === "areas" ? "walk" : "memory");
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
