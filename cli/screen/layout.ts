/** Where the panels stand. */

export interface Rectangle {
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

/** In the order in which Tab goes through them. */
export const PANELS = [
  "code",
  "registers",
  "areas",
  "stack",
  "memory",
  "walk",
  "why",
  "trace",
  "threads",
  "files",
  "output",
  "log",
] as const;

export type PanelName = (typeof PANELS)[number];

/** What the digits 1 to 9 and 0 choose, and the bar of the lower panel shows. */
export const TABS: readonly PanelName[] = PANELS.slice(2);

export interface Placed {
  readonly panel: PanelName;
  /** The title's row included: the first one. */
  readonly area: Rectangle;
  /** Its title is the bar of all tabs. */
  readonly tabbed: boolean;
}

export interface LayoutWishes {
  readonly columns: number;
  readonly rows: number;
  readonly focus: PanelName;
  /** What the lower panel shows, where it is not on the screen anyway. */
  readonly tab: PanelName;
  /** The focused panel has the screen to itself. */
  readonly zoomed: boolean;
}

const WIDE_COLUMNS = 110;
const WIDE_ROWS = 32;
const NARROW_COLUMNS = 72;
const SMALLEST_COLUMNS = 34;
const SMALLEST_ROWS = 12;
/** Two registers of 12 digits, or of 16, side by side. */
const REGISTER_COLUMNS = 36;
const WIDE_REGISTER_COLUMNS = 44;
/** Title, 20 registers in pairs, PKRU and its keys. */
const REGISTER_ROWS = 13;

/** The panels that are shown: all but the first row of the screen, the status, and the last, keys and messages. */
export function layout({ columns, rows, focus, tab, zoomed }: LayoutWishes): readonly Placed[] {
  const inner: Rectangle = { column: 0, row: 1, columns, rows: Math.max(1, rows - 2) };
  if (zoomed || columns < SMALLEST_COLUMNS || rows < SMALLEST_ROWS)
    return [{ panel: focus, area: inner, tabbed: false }];
  if (columns < NARROW_COLUMNS) {
    const top = Math.ceil(inner.rows / 2);
    return [
      { panel: "code", area: { ...inner, rows: top }, tabbed: false },
      lower(inner, top, inner.rows - top, tab === "code" ? "registers" : tab),
    ];
  }
  if (columns < WIDE_COLUMNS || rows < WIDE_ROWS) {
    const top = Math.ceil(inner.rows * 0.54);
    return [
      ...upper(inner, top, REGISTER_COLUMNS),
      lower(inner, top, inner.rows - top, TABS.includes(tab) ? tab : "areas"),
    ];
  }
  return wide(inner, TABS.includes(tab) && tab !== "stack" && tab !== "output" ? tab : "areas");
}

function wide(inner: Rectangle, tab: PanelName): readonly Placed[] {
  const top = Math.ceil(inner.rows * 0.53);
  const output = Math.max(6, Math.floor(inner.rows * 0.21));
  const [code, registers] = upper(inner, top, WIDE_REGISTER_COLUMNS);
  const { area } = registers!;
  return [
    code!,
    { ...registers!, area: { ...area, rows: REGISTER_ROWS } },
    {
      panel: "stack",
      area: { ...area, row: area.row + REGISTER_ROWS, rows: area.rows - REGISTER_ROWS },
      tabbed: false,
    },
    lower(inner, top, inner.rows - top - output, tab),
    {
      panel: "output",
      area: { ...inner, row: inner.row + inner.rows - output, rows: output },
      tabbed: false,
    },
  ];
}

function upper(inner: Rectangle, rows: number, registers: number): readonly Placed[] {
  const split = inner.columns - registers;
  return [
    { panel: "code", area: { ...inner, columns: split, rows }, tabbed: false },
    { panel: "registers", area: { ...inner, column: split, columns: registers, rows }, tabbed: false },
  ];
}

function lower(inner: Rectangle, top: number, rows: number, panel: PanelName): Placed {
  return { panel, area: { ...inner, row: inner.row + top, rows }, tabbed: true };
}

/** What stands at a place of the screen. */
export function panelAt(placed: readonly Placed[], column: number, row: number): Placed | null {
  return (
    placed.find(
      ({ area }) =>
        column >= area.column &&
        column < area.column + area.columns &&
        row >= area.row &&
        row < area.row + area.rows,
    ) ?? null
  );
}
