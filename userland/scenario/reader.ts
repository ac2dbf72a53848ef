import { PAGE } from "./layout.js";
import { nearest, ScenarioMistake, type Place } from "./mistake.js";
import type { Expression, Names } from "./names.js";
import type { Statement } from "./syntax.js";
import type { Token } from "./tokens.js";
import { protection } from "./words.js";

/** Takes a statement's words one after the other; what does not fit is a mistake at its place. */
export class Reader {
  private at = 0;

  constructor(
    private readonly statement: Statement,
    private readonly names: Names,
    /** The statement's form, for what is missing. */
    private readonly form: string,
  ) {}

  get next(): Token | undefined {
    return this.statement.args[this.at];
  }

  get done(): boolean {
    return this.next === undefined;
  }

  private get place(): Place {
    return this.next ?? this.statement.end;
  }

  /** @throws ScenarioMistake where there are words left */
  finish(): void {
    if (this.next !== undefined)
      throw new ScenarioMistake(this.next, `unexpected ${this.next.text} (${this.form})`);
  }

  token(expected: string): Token {
    const token = this.next;
    if (token === undefined) throw new ScenarioMistake(this.place, `expected ${expected} (${this.form})`);
    this.at++;
    return token;
  }

  /** An address or a length: decimal numbers are pages, hexadecimal ones bytes. */
  address(expected = "an address, such as p+1"): Expression {
    return this.names.expression(this.token(expected), PAGE, expected);
  }

  length(expected = "a length in pages"): Expression {
    return this.address(expected);
  }

  value(expected = "a number"): Expression {
    return this.names.expression(this.token(expected), 1, expected);
  }

  optionalValue(fallback: bigint, expected = "a number"): Expression {
    return this.done ? { name: null, constant: fallback } : this.value(expected);
  }

  /** Whether the next word is that one, which is then taken. */
  take(word: string): boolean {
    if (this.next?.text !== word || this.next.kind !== "word") return false;
    this.at++;
    return true;
  }

  protection(): Expression {
    const token = this.token("a protection: none, or of r, w and x");
    const prot = protection(token.text);
    if (prot !== undefined) return { name: null, constant: BigInt(prot) };
    if (!/^0x/.test(token.text))
      throw new ScenarioMistake(token, `expected a protection: none, or of r, w and x, not ${token.text}`);
    return this.names.expression(token, 1, "a protection");
  }

  isProtection(): boolean {
    return this.next !== undefined && protection(this.next.text) !== undefined;
  }

  /** One word of a list; its number, or a number written out. */
  choice(words: Readonly<Record<string, number>>, what: string): Expression {
    const token = this.token(what);
    const number = words[token.text];
    if (number !== undefined) return { name: null, constant: BigInt(number) };
    if (/^(0x)?[0-9]/.test(token.text)) return this.names.expression(token, 1, what);
    throw new ScenarioMistake(
      token,
      `expected ${what}, not ${token.text}${nearest(token.text, Object.keys(words))}`,
    );
  }

  /** The rest of the words, each of the list; their numbers joined. */
  flags(words: Readonly<Record<string, number>>, what: string): bigint {
    let flags = 0n;
    while (!this.done) flags |= this.choice(words, what).constant;
    return flags;
  }

  text(expected: string): Token {
    const token = this.token(expected);
    if (token.kind !== "text")
      throw new ScenarioMistake(token, `expected ${expected} in quotes, not ${token.text}`);
    return token;
  }

  /** A mistake at the next word, or where it is missed. */
  wrong(message: string): ScenarioMistake {
    return new ScenarioMistake(this.place, `${message} (${this.form})`);
  }
}
