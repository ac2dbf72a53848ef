import type { Mistake, Place } from "./mistake.js";

export interface Token extends Place {
  readonly kind: "word" | "text" | "open" | "close" | "arrow" | "equals" | "comma" | "end";
  /** As written; of a text what is between the quotes. */
  readonly text: string;
}

const PUNCTUATION: readonly (readonly [string, Token["kind"]])[] = [
  ["->", "arrow"],
  [">=", "word"],
  ["<=", "word"],
  ["{", "open"],
  ["}", "close"],
  ["=", "equals"],
  [",", "comma"],
  [";", "end"],
];

const WORD = /[^\s{}=,;#"<>]+|[<>]/y;

/** A scenario's words. An `end` stands at each line's end and at each `;`. */
export function tokenize(source: string, mistakes: Mistake[]): Token[] {
  const tokens: Token[] = [];
  source.split(/\r\n|\n|\r/).forEach((line, number) => tokenizeLine(line, number + 1, tokens, mistakes));
  return tokens;
}

function tokenizeLine(line: string, number: number, tokens: Token[], mistakes: Mistake[]): void {
  let at = 0;
  while (at < line.length) {
    const place = { line: number, column: at + 1 };
    const rest = line.slice(at);
    if (/^\s/.test(rest)) {
      at++;
      continue;
    }
    if (rest.startsWith("#")) break;
    if (rest.startsWith('"')) {
      const close = line.indexOf('"', at + 1);
      if (close < 0) {
        mistakes.push({ ...place, message: 'this text has no end: expected another "' });
        break;
      }
      tokens.push({ ...place, kind: "text", text: line.slice(at + 1, close) });
      at = close + 1;
      continue;
    }
    const mark = PUNCTUATION.find(([text]) => rest.startsWith(text));
    if (mark !== undefined) {
      tokens.push({ ...place, kind: mark[1], text: mark[0] });
      at += mark[0].length;
      continue;
    }
    WORD.lastIndex = at;
    let word = WORD.exec(line)![0];
    const arrow = word.indexOf("->");
    if (arrow > 0) word = word.slice(0, arrow);
    tokens.push({ ...place, kind: "word", text: word });
    at += word.length;
  }
  tokens.push({ line: number, column: line.length + 1, kind: "end", text: "" });
}
