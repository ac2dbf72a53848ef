/**
 * Expressions as gdb's users write them: C's operators on whole numbers, `$rip`, symbols, constants, memory. Numbers
 * are exact; `==` and `!=` compare 64 bits, so that -1 and 0xffffffffffffffff are the same.
 */

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
  | { readonly kind: "address-of"; readonly name: string }
  | { readonly kind: "memory"; readonly address: Expression; readonly cell: Cell }
  /** `name[index]`, or `*name`: what a pointer points to, or an array consists of. */
  | { readonly kind: "element"; readonly name: string; readonly index: Expression }
  | { readonly kind: "cast"; readonly value: Expression; readonly cell: Cell }
  | { readonly kind: "unary"; readonly operator: string; readonly value: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** What the names in an expression stand for. */
export interface Scope {
  /** `$name`; undefined where there is none. */
  register(name: string): bigint | undefined;
  /** @throws CommandError for a name that is none, with those that are near */
  name(name: string): bigint;
  /** @throws CommandError */
  addressOf(name: string): bigint;
  /** Where the first element of an array is, or what a pointer points to, and the elements' type, where it is known. */
  element(name: string): { readonly address: bigint; readonly cell: Cell } | undefined;
  /** @throws CommandError where memory cannot be read */
  memory(address: bigint, cell: Cell): bigint;
}

const POINTER: Cell = { size: 8, signed: false };

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
  /\s*(?:(0x[0-9a-f]+|0b[01]+|\d+)(?![\w.])|('(?:\\.|[^\\'])')|(\$\w+)|((?:[A-Za-z_][\w.]*)(?:@[\w.]+)?(?:::[\w:~<>]+)?)|(\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%&|^~!<>(){}[\]]))/iy;
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
      const token = this.tokens[this.at++];
      if (token?.kind !== "name") throw new CommandError(`${this.text}: expected a symbol behind &`);
      return { kind: "address-of", name: token.text };
    }
    // gdb's {TYPE} ADDRESS.
    if (this.operator("{") !== null) {
      const type = this.type();
      if (type === null) throw new CommandError(`${this.text}: expected a type, as int or u64, in braces`);
      this.expect("}");
      return { kind: "memory", address: this.unary(), cell: type.cell };
    }
    if (this.tokens[this.at]?.kind === "operator" && this.operator("(") !== null) {
      const type = this.type();
      if (type === null) {
        const inside = this.binary(0);
        this.expect(")");
        return inside;
      }
      this.expect(")");
      const value = this.unary();
      if (type.stars === 0) return { kind: "cast", value, cell: type.cell };
      // A pointer's type is kept where it is looked through at once.
      return { kind: "cast", value, cell: type.stars === 1 ? { ...POINTER, ...to(type.cell) } : POINTER };
    }
    return this.primary();
  }

  /** A type's name with its stars; nothing is taken where there is none. */
  private type(): { cell: Cell; stars: number } | null {
    const words: string[] = [];
    let ahead = this.at;
    for (let token = this.tokens[ahead]; token?.kind === "name"; token = this.tokens[++ahead])
      words.push(token.text);
    const meaningful = words.filter((word) => word !== "const" && word !== "volatile" && word !== "struct");
    const named = meaningful.join(" ");
    const cell = named === "void" ? { size: 1, signed: false } : TYPES[named];
    if (cell === undefined) return null;
    this.at = ahead;
    let stars = 0;
    while (this.operator("*") !== null) stars++;
    return { cell, stars };
  }

  private primary(): Expression {
    const token = this.tokens[this.at++];
    if (token?.kind === "number") return { kind: "number", value: token.value };
    if (token?.kind === "register") return { kind: "register", name: token.text };
    if (token?.kind === "name") {
      if (this.operator("[") === null) return { kind: "name", name: token.text };
      const index = this.binary(0);
      this.expect("]");
      return { kind: "element", name: token.text, index };
    }
    throw new CommandError(
      `${this.text}: expected a number, a symbol or a register${token ? ` at ${token.text}` : ""}`,
    );
  }
}

const ZERO: Expression = { kind: "number", value: 0n };

interface PointerCell extends Cell {
  readonly to?: Cell;
}

function to(cell: Cell): { to: Cell } {
  return { to: cell };
}

function pointed(address: Expression): Expression {
  if (address.kind === "name") return { kind: "element", name: address.name, index: ZERO };
  const cell = address.kind === "cast" ? ((address.cell as PointerCell).to ?? POINTER) : POINTER;
  return { kind: "memory", address, cell };
}

/** What stands where a value can be stored: its address and size; null for what cannot be. */
export function placeOf(expression: Expression, scope: Scope): { address: bigint; cell: Cell } | null {
  if (expression.kind === "element") return elementOf(expression, scope);
  if (expression.kind !== "memory") return null;
  return { address: evaluate(expression.address, scope), cell: expression.cell };
}

function elementOf(
  { name, index }: Extract<Expression, { kind: "element" }>,
  scope: Scope,
): { address: bigint; cell: Cell } {
  const at = evaluate(index, scope);
  const found = scope.element(name);
  if (found !== undefined) return { address: found.address + at * BigInt(found.cell.size), cell: found.cell };
  // Without a type: the word that its value points to.
  if (index === ZERO) return { address: scope.name(name), cell: POINTER };
  scope.name(name);
  throw new CommandError(`${name}[…]: of what type is it? *(char *) (${name} + N) says so`);
}

/** @throws CommandError */
export function evaluate(expression: Expression, scope: Scope): bigint {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "register": {
      const value = scope.register(expression.name);
      if (value === undefined) throw new CommandError(`$${expression.name}: no such register`);
      return value;
    }
    case "name":
      return scope.name(expression.name);
    case "address-of":
      return scope.addressOf(expression.name);
    case "memory":
      return scope.memory(evaluate(expression.address, scope), expression.cell);
    case "element": {
      const { address, cell } = elementOf(expression, scope);
      return scope.memory(address, cell);
    }
    case "cast":
      return wrapped(evaluate(expression.value, scope), expression.cell);
    case "unary":
      return unary(expression.operator, evaluate(expression.value, scope));
    case "binary":
      return binary(expression, scope);
  }
}

export function wrapped(value: bigint, { size, signed }: Cell): bigint {
  return signed ? BigInt.asIntN(8 * size, value) : BigInt.asUintN(8 * size, value);
}

function unary(operator: string, value: bigint): bigint {
  if (operator === "-") return -value;
  if (operator === "~") return ~value;
  return operator === "!" ? truth(value === 0n) : value;
}

const truth = (value: boolean): bigint => (value ? 1n : 0n);
const same = (a: bigint, b: bigint): boolean => BigInt.asUintN(64, a) === BigInt.asUintN(64, b);

function binary({ operator, left, right }: Extract<Expression, { kind: "binary" }>, scope: Scope): bigint {
  const a = evaluate(left, scope);
  if (operator === "&&") return truth(a !== 0n && evaluate(right, scope) !== 0n);
  if (operator === "||") return truth(a !== 0n || evaluate(right, scope) !== 0n);
  const b = evaluate(right, scope);
  switch (operator) {
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    case "&":
      return a & b;
    case "==":
      return truth(same(a, b));
    case "!=":
      return truth(!same(a, b));
    case "<":
      return truth(a < b);
    case "<=":
      return truth(a <= b);
    case ">":
      return truth(a > b);
    case ">=":
      return truth(a >= b);
    case "<<":
    case ">>":
      if (b < 0n || b > 64n) throw new CommandError(`a shift by ${b}: expected 0 to 64`);
      return operator === "<<" ? a << b : a >> b;
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    default:
      if (b === 0n) throw new CommandError("division by 0");
      return operator === "/" ? a / b : a % b;
  }
}
