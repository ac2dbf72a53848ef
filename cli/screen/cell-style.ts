/** How a cell of the screen looks. Colours are the terminal's palette, 0 to 255; null is its own default. */
export interface CellStyle {
  readonly foreground: number | null;
  readonly background: number | null;
  readonly bold: boolean;
  readonly faint: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
}

const plain: CellStyle = {
  foreground: null,
  background: null,
  bold: false,
  faint: false,
  underline: false,
  inverse: false,
};

const RED = 1;
const GREEN = 2;
const YELLOW = 3;
const BLUE = 4;
const MAGENTA = 5;
const CYAN = 6;

/** The screen's own styles, by what they mean. None tells what the text does not tell too: there may be no colour. */
export const STYLES = {
  plain,
  strong: { ...plain, bold: true },
  faint: { ...plain, faint: true },
  label: { ...plain, foreground: CYAN },
  /** Refused, faulting, failed. */
  refused: { ...plain, foreground: RED, bold: true },
  allowed: { ...plain, foreground: GREEN },
  /** Sealed. */
  sealed: { ...plain, foreground: MAGENTA, bold: true },
  /** Other than at the stop before. */
  changed: { ...plain, foreground: YELLOW, bold: true },
  breakpoint: { ...plain, foreground: RED, bold: true },
  /** Where the program stands. */
  current: { ...plain, foreground: GREEN, bold: true },
  symbol: { ...plain, foreground: YELLOW },
  border: { ...plain, foreground: BLUE },
  title: plain,
  focusedTitle: { ...plain, inverse: true, bold: true },
  bar: { ...plain, inverse: true },
  strongBar: { ...plain, inverse: true, bold: true },
} as const satisfies Record<string, CellStyle>;

export type StyleName = keyof typeof STYLES;

/** Without colour, as NO_COLOR asks; what is not colour stays. */
export function uncoloured(style: CellStyle): CellStyle {
  return style.foreground === null && style.background === null
    ? style
    : { ...style, foreground: null, background: null };
}
