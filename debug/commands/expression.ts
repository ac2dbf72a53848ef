/**
 * Expressions as gdb's users write them: C's operators on whole numbers, `$rip`, symbols, constants, memory, members of
 * structures. Numbers are exact; `==` and `!=` compare 64 bits, so that -1 and 0xffffffffffffffff are the same.
 */

import type { Type } from "../dwarf/types.js";
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

/** Where something is that has a type, if only a size. */
export interface Place {
  readonly address: bigint;
  readonly cell: Cell;
  /** Null where only the size is known. */
  readonly type: Type | null;
  /** Of a bit field: bits from the cell's lowest one. */
  readonly bits: { readonly first: number; readonly count: number } | null;
}

/** What the names in an expression stand for. */
export interface Scope {
  /** `$name`; undefined where there is none. */
  register(name: string): bigint | undefined;
  /** @throws CommandError for a name that is none, with those that are near */
  name(name: string): bigint;
  /** @throws CommandError */
  addressOf(name: string): bigint;
  /** Where a variable is whose type is known. */
  variable(name: string): { readonly address: bigint; readonly type: Type } | undefined;
  /** One of the program's types: `struct point`, or a typedef's name. */
  type(name: string): Type | undefined;
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

const ZERO: Expression = { kind: "number", value: 0n };
/** What `&` may stand before. */
const HAS_PLACE: ReadonlySet<Expression["kind"]> = new Set(["name", "element", "member", "memory"]);

function pointed(of: Expression): Expression {
  return { kind: "element", of, index: ZERO };
}

/** What is at an address, of a type of the program's. */
function placed(address: bigint, type: Type, bits: Place["bits"] = null): Place {
  return { address, cell: { size: type.size, signed: type.signed }, type, bits };
}

/**
 * What stands where a value can be stored; null for what cannot be, and for symbols of which nothing is known.
 * @throws CommandError
 */
export function placeOf(expression: Expression, scope: Scope): Place | null {
  switch (expression.kind) {
    case "memory": {
      const address = evaluate(expression.address, scope);
      return { address, cell: expression.cell, type: null, bits: null };
    }
    case "name":
      return variableOf(expression.name, scope);
    case "element":
      return elementOf(expression, scope);
    case "member":
      return memberOf(expression, scope);
    default:
      return null;
  }
}

/** A variable; where no symbol has dots in its name, those are members. */
function variableOf(name: string, scope: Scope): Place | null {
  const whole = scope.variable(name);
  if (whole !== undefined) return placed(whole.address, whole.type);
  const dot = name.lastIndexOf(".");
  if (dot < 1) return null;
  const outer = variableOf(name.slice(0, dot), scope);
  return outer === null ? null : memberAt(outer, name.slice(dot + 1), name.slice(0, dot));
}

function memberOf({ of, name, arrow }: Extract<Expression, { kind: "member" }>, scope: Scope): Place {
  const outer = placeOf(arrow ? pointed(of) : of, scope);
  if (outer === null) throw new CommandError(`.${name}: a member of what? its type is not known`);
  return memberAt(outer, name, textOf(of));
}

/** Also a member of a structure without a name in the outer one. @throws CommandError */
function memberAt(outer: Place, name: string, whole: string): Place {
  const { type } = outer;
  // As gdb has it, a dot looks through a pointer too.
  if (type?.kind !== "structure")
    throw new CommandError(`${whole}: ${type === null ? "its type is not known" : type.name}, no structure`);
  const found = findMember(type, name);
  if (found === undefined) {
    const names = memberNames(type);
    const known = names.length === 0 ? "its members are not told" : `there are ${names.join(", ")}`;
    throw new CommandError(`${type.name} has no member ${name}; ${known}`);
  }
  return placed(outer.address + BigInt(found.offset), found.member.type, found.member.bits);
}

type Member = Type["members"][number];

function findMember(type: Type, name: string, from = 0): { member: Member; offset: number } | undefined {
  for (const member of type.members) {
    const offset = from + member.offset;
    if (member.name === name) return { member, offset };
    const inside = member.name === "" ? findMember(member.type, name, offset) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function memberNames(type: Type): string[] {
  return type.members.flatMap(({ name, type: inner }) => (name === "" ? memberNames(inner) : [name]));
}

function elementOf({ of, index }: Extract<Expression, { kind: "element" }>, scope: Scope): Place {
  const at = evaluate(index, scope);
  const cast = of.kind === "cast" && of.to.stars > 0 ? of : null;
  if (cast !== null) {
    const target = castTarget(cast.to, scope);
    const address = evaluate(cast.value, scope);
    if (target.type !== null) return placed(address + at * BigInt(target.type.size), target.type);
    return { address: address + at * BigInt(target.cell.size), cell: target.cell, type: null, bits: null };
  }
  const base = placeOf(of, scope);
  const target = base?.type?.target;
  if (base !== null && target != null && target.size > 0) {
    const first = base.type!.kind === "array" ? base.address : scope.memory(base.address, POINTER);
    return placed(first + at * BigInt(target.size), target);
  }
  // Without a type: the word that its value points to.
  if (index === ZERO) return { address: evaluate(of, scope), cell: POINTER, type: null, bits: null };
  evaluate(of, scope);
  const text = textOf(of);
  throw new CommandError(`${text}[…]: of what type is it? *(char *) (${text} + N) says so`);
}

/** What a cast's pointer points to. @throws CommandError */
function castTarget({ name, cell, stars }: TypeName, scope: Scope): { type: Type | null; cell: Cell } {
  if (stars > 1) return { type: null, cell: POINTER };
  if (cell !== null) return { type: null, cell };
  const type = typeNamed(name, scope);
  return { type, cell: type };
}

/** @throws CommandError */
function typeNamed(name: string, scope: Scope): Type {
  const type = scope.type(name);
  if (type === undefined)
    throw new CommandError(`${name}: no such type in the program's debugging information`);
  return type;
}

/** As much of an expression as names it in a message. */
function textOf(expression: Expression): string {
  switch (expression.kind) {
    case "name":
      return expression.name;
    case "member":
      return `${textOf(expression.of)}${expression.arrow ? "->" : "."}${expression.name}`;
    case "register":
      return `$${expression.name}`;
    case "element":
      return expression.index === ZERO ? `*${textOf(expression.of)}` : `${textOf(expression.of)}[…]`;
    default:
      return "it";
  }
}

/** What is in a place as a number; a structure or an array stands for where it is, as in C. @throws CommandError */
export function valueAt({ address, cell, type, bits }: Place, scope: Scope): bigint {
  if (type?.kind === "structure" || type?.kind === "array" || type?.kind === "other") return address;
  if (type?.kind === "float")
    throw new CommandError(`a number of type ${type.name} can be printed, and no more`);
  if (bits === null) return scope.memory(address, cell);
  const unit = scope.memory(address, { size: cell.size, signed: false }) >> BigInt(bits.first);
  return cell.signed ? BigInt.asIntN(bits.count, unit) : BigInt.asUintN(bits.count, unit);
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
    case "name": {
      const place = variableOf(expression.name, scope);
      return place === null ? scope.name(expression.name) : nameAt(expression.name, place, scope);
    }
    case "address-of": {
      const { of } = expression;
      const place = placeOf(of, scope);
      if (place?.bits != null) throw new CommandError(`${textOf(of)}: a bit field has no address`);
      return place === null ? scope.addressOf(textOf(of)) : place.address;
    }
    case "memory":
      return scope.memory(evaluate(expression.address, scope), expression.cell);
    case "element":
      return valueAt(elementOf(expression, scope), scope);
    case "member":
      return valueAt(memberOf(expression, scope), scope);
    case "cast": {
      const { cell, name, stars } = expression.to;
      const to = stars > 0 ? POINTER : (cell ?? typeNamed(name, scope));
      return wrapped(evaluate(expression.value, scope), to);
    }
    case "unary":
      return unary(expression.operator, evaluate(expression.value, scope));
    case "binary":
      return binary(expression, scope);
  }
}

/** A name alone goes through the scope, which may know it as something else (a system call's argument). */
function nameAt(name: string, place: Place, scope: Scope): bigint {
  return scope.variable(name) === undefined || place.type?.kind === "float"
    ? valueAt(place, scope)
    : scope.name(name);
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
