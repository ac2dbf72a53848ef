import { describe, expect, test } from "vitest";
import { span } from "../../../cli/screen/canvas.js";
import { draw } from "../../../cli/screen/draw.js";
import { layout, PANELS, panelAt, type LayoutWishes } from "../../../cli/screen/layout.js";
import { initialState, type PanelContent, type ScreenState } from "../../../cli/screen/state.js";
import type { Effect, ScreenEvent } from "../../../cli/screen/screen-event.js";
import { update } from "../../../cli/screen/update.js";

const rows = (count: number, from = 0x1000): PanelContent => ({
  title: "",
  rows: Array.from({ length: count }, (_, i) => ({
    line: [span(`row ${i}`)],
    address: from + i,
  })),
  anchor: 5,
});

/** A screen of 80x24 with 100 rows of code, of which the program stands at the sixth. */
const begin: ScreenState = {
  ...initialState(80, 24, "prog"),
  contents: { code: rows(100), areas: rows(50, 0x8000) },
  status: {
    program: "prog",
    stop: "step",
    refused: false,
    instructions: 7,
    thread: "",
    wantsInput: false,
    over: false,
    subject: null,
  },
};

function after(state: ScreenState, ...events: readonly (ScreenEvent | string)[]): [ScreenState, Effect[]] {
  const effects: Effect[] = [];
  for (const event of events) {
    const result = update(state, typeof event === "string" ? { kind: "key", key: event } : event);
    state = result.state;
    effects.push(...result.effects);
  }
  return [state, effects];
}

const hex = (value: number | undefined): string => `0x${value?.toString(16)}`;

/** What is to be done, as text. */
const lines = (...events: readonly (ScreenEvent | string)[]): string[] =>
  after(begin, ...events)[1].map((effect) => {
    if (effect.kind === "line") return effect.line;
    if (effect.kind === "toggle") return `toggle ${hex(effect.row.address)}`;
    return effect.kind === "look" ? `${effect.panel} ${hex(effect.address)}` : effect.kind;
  });

describe("layout", () => {
  test("at every size and with every panel focused, panels cover the screen once", () => {
    const wrong: string[] = [];
    for (const columns of [1, 20, 40, 71, 72, 80, 109, 110, 120, 250])
      for (const height of [3, 11, 12, 24, 31, 32, 40, 90])
        for (const focus of PANELS)
          for (const zoomed of [false, true]) {
            const wishes: LayoutWishes = { columns, rows: height, focus, tab: focus, zoomed };
            const placed = layout(wishes);
            const covered = new Uint8Array(columns * Math.max(1, height - 2));
            for (const { area } of placed)
              for (let row = area.row; row < area.row + area.rows; row++)
                for (let column = area.column; column < area.column + area.columns; column++)
                  covered[(row - 1) * columns + column]!++;
            const sum = placed.reduce((all, { area }) => all + area.columns * area.rows, 0);
            const whole = sum === covered.length && covered.every((count) => count === 1);
            if (!whole || !placed.some(({ panel }) => panel === focus) || panelAt(placed, 0, 1) === null)
              wrong.push(JSON.stringify(wishes));
          }
    expect(wrong).toEqual([]);
  });
});

describe("keys", () => {
  test("a verb on the chosen row: the one where the program stands unless another one is chosen", () => {
    expect(lines("b")).toEqual(["toggle 0x1005"]);
    expect(lines("DOWN", "DOWN", "b", "u")).toEqual(["toggle 0x1007", "advance *0x1007"]);
    expect(lines("1", "UP", "m")).toEqual(["memory 0x8004"]);
  });

  test("a question of the key offers the line to be completed", () => {
    const [state, effects] = after(begin, "G", "4", "2", "ENTER");
    expect(effects).toEqual([{ kind: "line", line: "goto 42" }]);
    expect(state.history).toEqual(["goto 42"]);
    expect(state.mode).toBe("debugger");
  });

  test("while the program runs, verbs wait; Ctrl-C, scrolling and help do not", () => {
    const running: ScreenEvent = { kind: "running", verb: "continue", instructions: 8 };
    const long: ScreenEvent = { kind: "runs-long" };
    const [state, effects] = after(begin, running, long, "s", "DOWN", "CTRL_C", "?", "q");
    expect(effects).toEqual([{ kind: "interrupt" }]);
    expect(state.views.code?.cursor).toBe(6);
    expect(after(begin, running, long, "s")[0].message?.text).toMatch(/the program runs/);
    expect(lines(running, "s", "s", "b", "u")).toEqual(["stepi", "stepi"]);
  });

  test("q asks first, unless the program has ended", () => {
    expect(lines("q")).toEqual([]);
    expect(lines("q", "s", "q")).toEqual(["stepi"]);
    expect(lines("q", "q")).toEqual(["quit"]);
    const over: ScreenEvent = { kind: "stopped", status: { ...begin.status, over: true } };
    expect(lines(over, "q")).toEqual(["quit"]);
  });

  test("Tab goes through the panels on the screen, and back", () => {
    const focuses = (...keys: string[]): string => after(begin, ...keys)[0].focus;
    expect(focuses("TAB")).toBe("registers");
    expect(focuses("TAB", "TAB")).toBe("areas");
    expect(focuses("TAB", "TAB", "TAB")).toBe("code");
    expect(focuses("SHIFT_TAB")).toBe("areas");
    expect(focuses("0")).toBe("log");
  });

  test("a new stop brings the code back to where the program stands", () => {
    const [state] = after(begin, "END", { kind: "stopped", status: begin.status });
    expect(state.views.code?.cursor).toBeNull();
  });
});

describe("mouse", () => {
  const press = (column: number, row: number): ScreenEvent => ({
    kind: "mouse",
    action: "press",
    column,
    row,
  });

  test("a click on an instruction toggles its breakpoint", () => {
    // The row below the title is the first one.
    expect(lines(press(3, 2))).toEqual(["toggle 0x1000"]);
    expect(lines(press(3, 4))).toEqual(["toggle 0x1002"]);
  });

  test("a click on a tab's name shows it, on a panel chooses its row", () => {
    const canvas = draw(begin);
    const bar = canvas
      .text()
      .split("\n")
      .findIndex((line) => line.includes("walk"));
    const column = canvas.text().split("\n")[bar]!.indexOf("walk");
    expect(after(begin, press(column, bar))[0]).toMatchObject({ focus: "walk", tab: "walk" });
    const [state, effects] = after(begin, press(3, bar + 2));
    expect(state.focus).toBe("areas");
    expect(effects).toEqual([]);
  });

  test("the wheel scrolls the panel under it", () => {
    const wheel: ScreenEvent = { kind: "mouse", action: "wheel-down", column: 3, row: 4 };
    const [state] = after(begin, wheel, wheel);
    expect(state.views.code?.top).toBe(6);
    expect(state.focus).toBe("code");
    expect(draw(state).text().split("\n")[2]).toMatch(/^row 6 /);
  });
});

describe("drawing", () => {
  test("every row has the screen's width and the help says each verb", () => {
    const [help] = after(begin, "?");
    let text = "";
    for (let state = help, i = 0; i < 10; i++, [state] = after(state, "PAGE_DOWN"))
      text += draw(state).text();
    for (const word of ["Back in time", "breakpoint", "walk", "refusal", "Ctrl-]", "Shift-Tab"])
      expect(text).toContain(word);
  });

  test("at any size, whatever the state", () => {
    for (const [columns, height] of [
      [1, 1],
      [10, 3],
      [40, 12],
      [80, 24],
      [200, 60],
    ] as const)
      for (const keys of [[], ["?"], [":", "x"], ["i"], ["z"], ["z", "9"]]) {
        const [state] = after(begin, ...keys, { kind: "resized", columns, rows: height });
        const text = draw(state).text().split("\n");
        expect(text).toHaveLength(height);
        for (const line of text) expect(line.length).toBeLessThanOrEqual(columns);
      }
  });
});
