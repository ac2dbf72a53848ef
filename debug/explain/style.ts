/** Marks parts of a text for a terminal; `PLAIN` leaves everything as it is. */
export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  refused(text: string): string;
  allowed(text: string): string;
  label(text: string): string;
}

const same = (text: string): string => text;

export const PLAIN: Style = { strong: same, faint: same, refused: same, allowed: same, label: same };

const escape =
  (code: string) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;

export const COLOURED: Style = {
  strong: escape("1"),
  faint: escape("2"),
  refused: escape("1;31"),
  allowed: escape("32"),
  label: escape("36"),
};

/** Breaks a text at spaces into lines of at most `columns` characters. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
