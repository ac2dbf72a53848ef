/**
 * Expressions as gdb's users write them: C's operators on whole numbers, `$rip`, symbols, constants, memory, members of
 * structures. Numbers are exact; `==` and `!=` compare 64 bits, so that -1 and 0xffffffffffffffff are the same.
 */

import type { Type } from "../dwarf/types.js";
import { CommandError } from "./command-error.js";
import { type Cell, type Expression, type TypeName, POINTER, pointed, ZERO } from "./parse-expression.js";

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
