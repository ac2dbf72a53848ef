import { MAX_SLOTS, PAGE } from "./layout.js";
import { nearest, ScenarioMistake } from "./mistake.js";
import { RESERVED } from "./words.js";
import type { Token } from "./tokens.js";

/** A value that a scenario has given a name. */
export interface Name {
  readonly name: string;
  readonly slot: number;
  /** Of a mapping or a room: its pages, where they are known; null for a number. */
  pages: number | null;
}

/** A child or a thread. */
export interface Actor {
  readonly name: string;
  readonly mailbox: number;
  readonly kind: "child" | "thread";
  /** Slot of a child's process number. */
  readonly slot: number;
  ended: boolean;
}

/** A name's value plus a number, as the scenario says it. */
export interface Expression {
  /** Null for a bare number. */
  readonly name: Name | null;
  readonly constant: bigint;
}

/** Slot of the name `stack`: the page of the stack pointer that the program began with. */
export const STACK_SLOT = 2;

/** All names of a scenario, with the order in which they came. */
export class Names {
  readonly all = new Map<string, Name>([["stack", { name: "stack", slot: STACK_SLOT, pages: null }]]);
  private next = STACK_SLOT + 1;

  /** Whether that may be a name. */
  allows(text: string): boolean {
    return /^[A-Za-z_][\w.]*$/.test(text) && !RESERVED.has(text);
  }

  /** The name, made where it is new. */
  define(token: Token, pages: number | null): Name {
    if (!this.allows(token.text)) {
      const why = RESERVED.has(token.text) ? "it is a word of the language" : "expected letters and digits";
      throw new ScenarioMistake(token, `${token.text} cannot be a name: ${why}; such as p or key2 can`);
    }
    const known = this.all.get(token.text);
    if (known !== undefined) {
      known.pages = pages;
      return known;
    }
    const name = { name: token.text, slot: this.anonymous(token), pages };
    this.all.set(token.text, name);
    return name;
  }

  /** A slot without a name. */
  anonymous(place: Token): number {
    if (this.next >= MAX_SLOTS) throw new ScenarioMistake(place, `more than ${MAX_SLOTS - 3} names`);
    return this.next++;
  }

  /**
   * Reads `p+1-0x10`: a name and numbers.
   * @param unit what a decimal number counts, in bytes: 4096 for addresses and lengths, 1 for values. Hexadecimal
   * numbers are always bytes.
   */
  expression(token: Token, unit: 1 | typeof PAGE, expected: string): Expression {
    const terms = [...token.text.matchAll(/([+-]?)([^+-]+)/g)];
    if (token.kind !== "word" || terms.map((term) => term[0]).join("") !== token.text)
      throw new ScenarioMistake(token, `expected ${expected}, not ${token.text}`);
    let name: Name | null = null;
    let sum = 0n;
    for (const [, sign, word] of terms) {
      const value = number(word!, unit);
      if (value !== null && value > MAX)
        throw new ScenarioMistake(
          token,
          `expected ${expected}: ${word!}${unit === 1 || word!.startsWith("0x") ? "" : " pages"} is more than 2^64-1`,
        );
      if (value !== null) sum += sign === "-" ? -value : value;
      else {
        const known = this.all.get(word!);
        if (!/^[A-Za-z_]/.test(word!))
          throw new ScenarioMistake(token, `expected ${expected}, not ${token.text}`);
        if (known === undefined)
          throw new ScenarioMistake(
            token,
            `expected ${expected}: nothing is called ${word!} so far${nearest(word!, this.all.keys())}`,
          );
        if (name !== null || sign === "-")
          throw new ScenarioMistake(token, `expected ${expected}: only numbers can be added to a name`);
        name = known;
      }
    }
    return { name, constant: sum };
  }
}

/** What a register holds at most. */
const MAX = 0xffff_ffff_ffff_ffffn;

function number(word: string, unit: number): bigint | null {
  if (word === "max") return MAX;
  if (/^0x[0-9a-fA-F_]+$/.test(word)) return BigInt(word.replaceAll("_", ""));
  if (/^\d[\d_]*$/.test(word)) return BigInt(word.replaceAll("_", "")) * BigInt(unit);
  return null;
}
