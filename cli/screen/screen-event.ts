import type { PanelName } from "./layout.js";
import type { CodeMode, ProgramScreen, Row, ScreenState, Status } from "./state.js";

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

export const only = (state: ScreenState): Updated => ({ state, effects: [] });
export const doing = (state: ScreenState, effect: Effect): Updated => ({ state, effects: [effect] });
export const bad = (state: ScreenState, text: string): Updated =>
  only({ ...state, message: { text, bad: true } });
