/** Keys while a line is typed, or the help is read. */

import { helpRows } from "./help.js";
import { completePrompt, editPrompt } from "./prompt.js";
import { bad, doing, only, type Updated } from "./screen-event.js";
import { NO_PROMPT, type ScreenState } from "./state.js";

export function typed(state: ScreenState, key: string): Updated {
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

export function completed(state: ScreenState, names: readonly string[]): ScreenState {
  if (state.mode !== "prompt" || names.length === 0) return state;
  const prompt = completePrompt(state.prompt, names, state.history);
  const text = names.length > 1 ? names.join("  ") : "";
  return { ...state, prompt, message: text === "" ? null : { text, bad: false } };
}

export function helped(state: ScreenState, key: string): Updated {
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
