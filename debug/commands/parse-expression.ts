import { CommandError } from "./command-error.js";

/** Bytes that a value was read from, and how they count. */
export interface Cell {
  readonly size: number;
  readonly signed: boolean;
}

export type Expression =
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "register"; readonly name: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "address-of"; readonly of: Expression }
  | { readonly kind: "memory"; readonly address: Expression; readonly cell: Cell }
  /** `of[index]`, or `*of`: what a pointer points to, or an array consists of. */
  | { readonly kind: "element"; readonly of: Expression; readonly index: Expression }
  /** `of.name`, or `of->name`. */
  | { readonly kind: "member"; readonly of: Expression; readonly name: string; readonly arrow: boolean }
  | { readonly kind: "cast"; readonly value: Expression; readonly to: TypeName }
  | { readonly kind: "unary"; readonly operator: string; readonly value: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** A type as it is written in a cast. */
export interface TypeName {
  /** Without its stars. */
  readonly name: string;
  /** Of C's own types; null for the program's, which its debugging information tells. */
  readonly cell: Cell | null;
  readonly stars: number;
}

export const POINTER: Cell = { size: 8, signed: false };

/** C's types and those of Rust and the kernel, for casts. */
const TYPES: Readonly<Record<string, Cell>> = {
  char: { size: 1, signed: true },
  "unsigned char": { size: 1, signed: false },
  short: { size: 2, signed: true },
  "unsigned short": { size: 2, signed: false },
  int: { size: 4, signed: true },
  unsigned: { size: 4, signed: false },
  "unsigned int": { size: 4, signed: false },
  long: { size: 8, signed: true },
  "long long": { size: 8, signed: true },
  "unsigned long": POINTER,
  "unsigned long long": POINTER,
  size_t: POINTER,
  ssize_t: { size: 8, signed: true },
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap((bits) => [
      [`int${bits}_t`, { size: bits / 8, signed: true }],
      [`uint${bits}_t`, { size: bits / 8, signed: false }],
      [`i${bits}`, { size: bits / 8, signed: true }],
      [`u${bits}`, { size: bits / 8, signed: false }],
    ]),
  ),
};

const TOKEN =
  /\s*(?:(0x[0-9a-f]+|0b[01]+|\d+)(?![\w.])|('(?:\\.|[^\\'])')|(\$\w+)|((?:[A-Za-z_][\w.]*)(?:@[\w.]+)?(?:::[\w:~<>]+)?)|(\|\||&&|==|!=|<=|>=|<<|>>|->|[-+*/%&|^~!<>(){}[\].]))/iy;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, "0": 0 };

type Token =
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "register" | "name" | "operator"; readonly text: string };

const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== "") {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new CommandError(`${text.slice(at).trim()}: not part of an expression`);
    at = TOKEN.lastIndex;
    const [, number, character, register, name, operator] = match;
    if (number !== undefined) found.push({ kind: "number", value: BigInt(number.toLowerCase()) });
    else if (character !== undefined) found.push({ kind: "number", value: BigInt(codeOf(character)) });
    else if (register !== undefined) found.push({ kind: "register", text: register.slice(1) });
    else if (name !== undefined) found.push({ kind: "name", text: name });
    else found.push({ kind: "operator", text: operator! });
  }
  return found;
}

function codeOf(quoted: string): number {
  const inside = quoted.slice(1, -1);
  if (!inside.startsWith("\\")) return inside.charCodeAt(0);
  return ESCAPES[inside[1]!] ?? inside.charCodeAt(1);
}

/** @throws CommandError naming what was expected */
export function parseExpression(text: string): Expression {
  if (text.trim() === "") throw new CommandError("expected an expression, as $rsp+8, main or 0x401000");
  return new Parser(tokens(text), text).whole();
}

class Parser {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly text: string,
  ) {}

  whole(): Expression {
    const expression = this.binary(0);
    if (this.at < this.tokens.length) throw new CommandError(`${this.text}: more than one expression`);
    return expression;
  }

  private operator(...wanted: readonly string[]): string | null {
    const token = this.tokens[this.at];
    if (token?.kind !== "operator" || !wanted.includes(token.text)) return null;
    this.at++;
    return token.text;
  }

  private expect(operator: string): void {
    if (this.operator(operator) === null) throw new CommandError(`${this.text}: expected ${operator}`);
  }

  private binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = this.operator(...operators);
      if (operator === null) return left;
      left = { kind: "binary", operator, left, right: this.binary(level + 1) };
    }
  }

  private unary(): Expression {
    const operator = this.operator("-", "~", "!", "+");
    if (operator !== null) return { kind: "unary", operator, value: this.unary() };
    if (this.operator("*") !== null) return pointed(this.unary());
    if (this.operator("&") !== null) {
      const of = this.unary();
      if (!HAS_PLACE.has(of.kind)) throw new CommandError(`${this.text}: expected a symbol behind &`);
      return { kind: "address-of", of };
    }
    // gdb's {TYPE} ADDRESS.
    if (this.operator("{") !== null) {
      const type = this.type();
      if (type === null) throw new CommandError(`${this.text}: expected a type, as int or u64, in braces`);
      this.expect("}");
      const address = this.unary();
      if (type.cell !== null) return { kind: "memory", address, cell: type.stars > 0 ? POINTER : type.cell };
      return pointed({ kind: "cast", value: address, to: { ...type, stars: type.stars + 1 } });
    }
    const before = this.at;
    if (this.operator("(") !== null) {
      const type = this.type();
      if (type === null) {
        this.at = before;
        return this.postfix();
      }
      this.expect(")");
      return { kind: "cast", value: this.unary(), to: type };
    }
    return this.postfix();
  }

  /** A type's name with its stars; nothing is taken where there is none. */
  private type(): TypeName | null {
    const words: string[] = [];
    let ahead = this.at;
    for (let token = this.tokens[ahead]; token?.kind === "name"; token = this.tokens[++ahead])
      words.push(token.text);
    const meaningful = words.filter((word) => word !== "const" && word !== "volatile");
    const name = meaningful.join(" ");
    const cell = name === "void" ? { size: 1, signed: false } : (TYPES[name] ?? null);
    // The program's own: said by its first word, or by a star and nothing behind it.
    const isStar = (token: Token | undefined): boolean => token?.kind === "operator" && token.text === "*";
    let end = ahead;
    while (isStar(this.tokens[end])) end++;
    const closing = this.tokens[end];
    const closed = closing?.kind === "operator" && (closing.text === ")" || closing.text === "}");
    const own = meaningful.length === 2 && /^(struct|union|enum|class)$/.test(meaningful[0]!);
    const pointer = meaningful.length === 1 && end > ahead && closed;
    if (cell === null && !own && !pointer) return null;
    this.at = end;
    return { name, cell, stars: end - ahead };
  }

  /** `a[1]`, `a.b`, `a->b`, one behind the other. */
  private postfix(): Expression {
    let found = this.primary();
    for (;;) {
      if (this.operator("[") !== null) {
        const index = this.binary(0);
        this.expect("]");
        found = { kind: "element", of: found, index };
        continue;
      }
      const operator = this.operator(".", "->");
      if (operator === null) return found;
      const token = this.tokens[this.at++];
      if (token?.kind !== "name")
        throw new CommandError(`${this.text}: expected a member's name behind ${operator}`);
      // Symbols may have dots in their names, so that several members are one word here.
      token.text.split(".").forEach((name, i) => {
        found = { kind: "member", of: found, name, arrow: i === 0 && operator === "->" };
      });
    }
  }

  private primary(): Expression {
    const token = this.tokens[this.at++];
    if (token?.kind === "number") return { kind: "number", value: token.value };
    if (token?.kind === "register") return { kind: "register", name: token.text };
    if (token?.kind === "name") return { kind: "name", name: token.text };
    if (token?.kind === "operator" && token.text === "(") {
      const inside = this.binary(0);
      this.expect(")");
      return inside;
    }
    throw new CommandError(
      `${this.text}: expected a number, a symbol or a register${token ? ` at ${token.text}` : ""}`,
    );
  }
}

export const ZERO: Expression = { kind: "number", value: 0n };
/** What `&` may stand before. */
const HAS_PLACE: ReadonlySet<Expression["kind"]> = new Set(["name", "element", "member", "memory"]);

export function pointed(of: Expression): Expression {
  return { kind: "element", of, index: ZERO };
}
