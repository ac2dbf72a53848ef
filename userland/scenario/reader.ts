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

  /** A number written out: no name, whose value is not known yet. */
  number(expected: string, least: bigint, most: bigint): bigint {
    const token = this.next;
    const { name, constant } = this.value(expected);
    if (name !== null || constant < least || constant > most)
      throw new ScenarioMistake(token!, `expected ${expected}, not ${token!.text}`);
    return constant;
  }

  /** Flags that have no word: a number written out. */
  flagNumber(): bigint {
    return this.number("flags as a number", -(1n << 63n), (1n << 64n) - 1n);
  }

  /** The value that a byte shall have. */
  byte(expected: string): Expression {
    const token = this.next;
    const value = this.value(expected);
    mustFit(token, value, 1);
    return value;
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
    if (/^(0x)?[0-9]/.test(token.text)) {
      const written = this.names.expression(token, 1, what);
      if (written.name === null) return written;
    }
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

  /** Whether the next word begins with a name that has been given. */
  isName(): boolean {
    return this.names.all.has(/^[^+-]*/.exec(this.next?.text ?? "")![0]);
  }

  /** A mistake: the next word is not what may stand there. */
  unexpected(expected: string): ScenarioMistake {
    return new ScenarioMistake(this.place, `expected ${expected}, not ${this.next?.text ?? ""}`);
  }

  /** A mistake at the next word, or where it is missed. */
  wrong(message: string): ScenarioMistake {
    return new ScenarioMistake(this.place, `${message} (${this.form})`);
  }
}

/** A value is written with a sign or without. @throws ScenarioMistake where so many bytes do not hold it */
export function mustFit(
  token: Token | undefined,
  { name, constant: value }: Expression,
  bytes: number,
): void {
  const bits = BigInt(8 * bytes);
  if (token === undefined || name !== null || (value < 1n << bits && value >= -(1n << (bits - 1n)))) return;
  const room = bytes === 1 ? "a byte" : `${bytes} bytes`;
  throw new ScenarioMistake(token, `${token.text} does not fit into ${room}`);
}
