/** Columns that text takes on a terminal. */

/** Two columns each, as terminals agree: East Asian wide characters and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const COMBINING = /[\p{Mn}\p{Me}\p{Cf}]/u;
const CONTROL = /\p{Cc}/u;
/** All of it is one column a character. */
const SIMPLE = /^[\x20-\x7e\u2500-\u25ff]*$/;

/** Of one character (code point): 0, 1 or 2. */
export function characterColumns(character: string): 0 | 1 | 2 {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export function textColumns(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += characterColumns(character);
  return columns;
}

/** What can stand on a screen: a tab is spaces to the next column of eight, another control character a dot. */
export function printable(text: string): string {
  if (SIMPLE.test(text)) return text;
  let out = "";
  for (const character of text) {
    if (character === "\t") out += " ".repeat(8 - (textColumns(out) % 8));
    else out += CONTROL.test(character) ? "·" : COMBINING.test(character) ? "" : character;
  }
  return out;
}

/** The beginning that fits in so many columns; where something is left out, an ellipsis ends it. */
export function clipped(text: string, columns: number): string {
  if (textColumns(text) <= columns) return text;
  if (columns <= 0) return "";
  let out = "";
  let used = 0;
  for (const character of text) {
    const width = characterColumns(character);
    if (used + width > columns - 1) break;
    out += character;
    used += width;
  }
  return `${out}…`;
}
