/** Which panel, and which rows of it, the user looks at. */

import { layout, type PanelName, type Placed } from "./layout.js";
import {
  contentOf,
  firstShown,
  viewOf,
  type PanelContent,
  type PanelView,
  type ScreenState,
} from "./state.js";

export const layoutOf = (state: ScreenState): readonly Placed[] => layout(state);

/** Rows of a panel that there is room for. */
export function panelHeight(state: ScreenState, panel: PanelName): number {
  const placed = layoutOf(state).find((each) => each.panel === panel);
  return placed === undefined ? 1 : Math.max(1, placed.area.rows - 1);
}

export function focused(state: ScreenState, panel: PanelName): ScreenState {
  return { ...state, focus: panel, tab: panel === "code" || panel === "registers" ? state.tab : panel };
}

/** Another row of a panel, so many further down. */
export function chosen(state: ScreenState, panel: PanelName, by: number): ScreenState {
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
export function scrolled(state: ScreenState, panel: PanelName, by: number): ScreenState {
  const content: PanelContent = contentOf(state, panel);
  const height = panelHeight(state, panel);
  const view = viewOf(state, panel);
  const last = Math.max(0, content.rows.length - height);
  const top = Math.max(0, Math.min(last, firstShown(content, view, height) + by));
  const from = view.cursor ?? content.anchor ?? top;
  return withView(state, panel, { top, cursor: Math.max(top, Math.min(top + height - 1, from)) });
}

export const withView = (state: ScreenState, panel: PanelName, view: PanelView): ScreenState => ({
  ...state,
  views: { ...state.views, [panel]: view },
});
