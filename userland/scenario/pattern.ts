import { ERRNO } from "../linux.js";
import { PAGE } from "./layout.js";
import { nearest, ScenarioMistake, type Place } from "./mistake.js";
import type { Expression, Names } from "./names.js";
import { PAGE_WORDS, POOL_WORDS } from "./pages.js";
import type { AnswerKind } from "./step.js";
import type { Token } from "./tokens.js";
import { FAULT_CODES, MORE_ERRNO, RIGHTS, SIGNALS } from "./words.js";

/** What an answer is to be. */
export type Pattern =
  | { readonly kind: "any" }
  /** What the companion has. */
  | { readonly kind: "recorded" }
  /** Nothing refused it. */
  | { readonly kind: "ok" }
  /** An address outside all that has a name. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "errno"; readonly name: string }
  | { readonly kind: "value"; readonly value: Expression }
  | {
      readonly kind: "fault";
      readonly signal: string;
      /** Null: whatever code. */
      readonly code: string | null;
      readonly key: Expression | null;
      readonly address: Expression | null;
      readonly error: Expression | null;
    }
  /** The answer's own words. */
  | { readonly kind: "words"; readonly text: string }
  | { readonly kind: "areas"; readonly areas: readonly AreaPattern[] };

export interface AreaPattern {
  /** `rw-p`, or `hole`. */
  readonly kind: string;
  readonly pages: number;
  readonly attributes: readonly string[];
  readonly key: Expression | null;
}

const ERRNO_NAMES: ReadonlySet<string> = new Set([...Object.values(ERRNO), ...Object.values(MORE_ERRNO)]);

/** Words that may stand behind an area's pages, in the order in which answers have them. */
export const ATTRIBUTES: Readonly<Record<string, string>> = {
  sl: "sealed",
  gd: "growsdown",
  lo: "locked",
  dc: "dontfork",
  wf: "wipeonfork",
  dd: "dontdump",
  nr: "noreserve",
  hg: "hugepage",
  nh: "nohugepage",
  mg: "mergeable",
  sr: "sequential",
  rr: "random",
  gu: "guard",
};

/** Reads what is behind an arrow. @throws ScenarioMistake */
export function readPattern(tokens: readonly Token[], answer: AnswerKind, names: Names): Pattern {
  const [first, second] = tokens;
  const only = (pattern: Pattern, length = 1): Pattern => {
    const extra = tokens[length];
    if (extra !== undefined) throw new ScenarioMistake(extra, `unexpected ${extra.text} in what is expected`);
    return pattern;
  };
  const word = first!.text;
  if (word === "any") return only({ kind: "any" });
  if (word === "?") return only({ kind: "recorded" });
  if (word === "died") return only({ kind: "words", text: "died" });
  if (ERRNO_NAMES.has(word)) return only({ kind: "errno", name: word });
  if (/^E[A-Z0-9]{2,}$/.test(word))
    throw new ScenarioMistake(first!, `${word} is no errno${nearest(word, ERRNO_NAMES)}`);
  if (word in SIGNALS && answer.kind !== "status") return faultPattern(tokens, names);
  switch (answer.kind) {
    case "outcome":
    case "block":
    case "exec":
      if (word === "ok") return only({ kind: "ok" });
      throw new ScenarioMistake(first!, `expected ok, an errno such as EPERM, ? or any, not ${word}`);
    case "rights":
      if (word in RIGHTS) return only({ kind: "words", text: word });
      throw new ScenarioMistake(first!, `expected rights: rw, wd, ad or ad+wd, not ${word}`);
    case "status":
      return only(statusPattern(first!, second), 2);
    case "resident":
      if (tokens.every((token) => /^[01]$/.test(token.text)))
        return { kind: "words", text: tokens.map((token) => token.text).join(" ") };
      throw new ScenarioMistake(first!, "expected 1 (in memory) or 0 for each page: 1 0 1");
    case "maps":
      return { kind: "areas", areas: areas(tokens, names) };
    case "pages":
      return { kind: "words", text: runs(tokens) };
    case "pool":
      return { kind: "words", text: figures(tokens) };
    case "smaps":
      return { kind: "words", text: tokens.map((token) => token.text).join(" ") };
    case "address":
      if (word === "ok" || word === "elsewhere") return only({ kind: word });
      return only({
        kind: "value",
        value: names.expression(first!, PAGE, "ok, elsewhere, an errno or an address such as p+1"),
      });
    default:
      if (word === "ok") return only({ kind: "ok" });
      return only({
        kind: "value",
        value: names.expression(first!, 1, "a number, ok, an errno or a signal"),
      });
  }
}

/** `512 present exclusive, 3 none` */
function runs(tokens: readonly Token[]): string {
  let begins = true;
  for (const token of tokens) {
    if (token.kind === "comma") begins = true;
    else if (begins) {
      if (!/^[1-9]\d*$/.test(token.text))
        throw new ScenarioMistake(token, `expected a number of pages, not ${token.text}`);
      begins = false;
    } else if (!PAGE_WORDS.has(token.text))
      throw new ScenarioMistake(
        token,
        `${token.text} is nothing of a page${nearest(token.text, PAGE_WORDS)}`,
      );
  }
  return tokens
    .map(({ text }) => text)
    .join(" ")
    .replaceAll(" ,", ",");
}

/** `same`, or `free -1 rsvd +1` */
function figures(tokens: readonly Token[]): string {
  if (tokens.length === 1 && tokens[0]!.text === "same") return "same";
  tokens.forEach((token, i) => {
    if (i % 2 === 0 && !POOL_WORDS.includes(token.text))
      throw new ScenarioMistake(
        token,
        `expected same, or one of ${POOL_WORDS.join(", ")}, not ${token.text}${nearest(token.text, POOL_WORDS)}`,
      );
    if (i % 2 === 1 && !/^[+-]\d+$/.test(token.text))
      throw new ScenarioMistake(token, `expected by how many, such as -1, not ${token.text}`);
  });
  return tokens.map(({ text }) => text).join(" ");
}

function statusPattern(first: Token, second: Token | undefined): Pattern {
  if (first.text === "exited" && /^\d+$/.test(second?.text ?? ""))
    return { kind: "words", text: `exited ${second!.text}` };
  if (first.text === "killed" && (second?.text ?? "") in SIGNALS)
    return { kind: "words", text: `killed ${second!.text}` };
  throw new ScenarioMistake(first, "expected how it ended: exited 0, or killed SIGSEGV");
}

function faultPattern(tokens: readonly Token[], names: Names): Pattern {
  const signal = tokens[0]!.text;
  const codes = FAULT_CODES[signal];
  let at = 1;
  let code: string | null = null;
  let key: Expression | null = null;
  let address: Expression | null = null;
  let error: Expression | null = null;
  const word = (): Token | undefined => tokens[at];
  if (codes !== undefined && word() !== undefined && word()!.text in codes) code = tokens[at++]!.text;
  if (code === "pkuerr" && word() !== undefined && !/^(at|error)$/.test(word()!.text))
    key = names.expression(tokens[at++]!, 1, "the key");
  while (word() !== undefined) {
    const which = tokens[at++]!;
    const value = tokens[at++];
    const after: Place = value ?? which;
    if (which.text === "at" && value !== undefined)
      address = names.expression(value, PAGE, "an address, such as p+1");
    else if (which.text === "error" && value !== undefined)
      error = names.expression(value, 1, "an error code");
    else {
      const known = codes === undefined ? "" : ` (of ${signal}: ${Object.keys(codes).join(", ")})`;
      throw new ScenarioMistake(
        which.text === "at" || which.text === "error" ? after : which,
        `expected a code${known}, at ADDRESS or error NUMBER, not ${which.text}`,
      );
    }
  }
  return { kind: "fault", signal, code, key, address, error };
}

function areas(tokens: readonly Token[], names: Names): AreaPattern[] {
  const found: AreaPattern[] = [];
  const words = new Set(Object.values(ATTRIBUTES));
  let at = 0;
  while (at < tokens.length) {
    const kind = tokens[at++]!;
    if (kind.text !== "hole" && !/^[r-][w-][x-][ps]$/.test(kind.text))
      throw new ScenarioMistake(kind, `expected an area such as rw-p 4, or hole 2, not ${kind.text}`);
    const pages = tokens[at++];
    if (pages === undefined || !/^\d+$/.test(pages.text))
      throw new ScenarioMistake(pages ?? kind, `expected ${kind.text}'s number of pages`);
    const attributes: string[] = [];
    let key: Expression | null = null;
    for (; tokens[at] !== undefined && tokens[at]!.kind !== "comma"; at++) {
      const token = tokens[at]!;
      if (token.text === "key") {
        // `key=k` is three words to the tokenizer.
        if (tokens[at + 1]?.kind !== "equals" || tokens[at + 2] === undefined)
          throw new ScenarioMistake(token, "expected the key's number or name: key=k");
        at += 2;
        key = names.expression(tokens[at]!, 1, "the key");
      } else if (words.has(token.text) || token.text.startsWith("[")) attributes.push(token.text);
      else
        throw new ScenarioMistake(token, `${token.text} is nothing of an area${nearest(token.text, words)}`);
    }
    at++;
    found.push({ kind: kind.text, pages: Number(pages.text), attributes, key });
  }
  return found;
}
