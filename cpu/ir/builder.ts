import type { Expr, MicroOp, Slot, Stmt, Width } from "./nodes.js";
import { opInfo, type ValueType } from "./ops.js";

/** Writes a micro-op's body. Expressions are values; the other methods append statements in program order. */
export class Builder {
  private statements: Stmt[] = [];
  private readonly locals: ValueType[] = [];

  // --- values
  i32(value: number): Expr {
    return { kind: "const", type: "i32", value: BigInt(value | 0) };
  }
  i64(value: bigint | number): Expr {
    return { kind: "const", type: "i64", value: BigInt.asIntN(64, BigInt(value)) };
  }
  /** A 128-bit constant, lane 0 in its low bits. */
  v128(value: bigint): Expr {
    return { kind: "const", type: "v128", value };
  }
  /** Any WebAssembly operation by its name; `lane` for extract_lane and replace_lane. */
  op(name: string, args: readonly Expr[], lane?: number): Expr {
    const info = opInfo(name);
    if (args.length !== info.params.length || args.some((a, i) => a.type !== info.params[i]))
      throw new Error(`${name} takes (${info.params.join()}), not (${args.map((a) => a.type).join()})`);
    return { kind: "op", type: info.result, info, args, ...(lane === undefined ? {} : { lane }) };
  }
  shuffle(x: Expr, y: Expr, lanes: readonly number[]): Expr {
    return { kind: "shuffle", type: "v128", lanes, args: [x, y] };
  }
  select(cond: Expr, yes: Expr, no: Expr): Expr {
    return { kind: "select", type: yes.type, cond, yes, no };
  }
  private same(name: string, x: Expr, y: Expr): Expr {
    return this.op(`${x.type}.${name}`, [x, y]);
  }
  add = (x: Expr, y: Expr): Expr => this.same("add", x, y);
  sub = (x: Expr, y: Expr): Expr => this.same("sub", x, y);
  mul = (x: Expr, y: Expr): Expr => this.same("mul", x, y);
  and = (x: Expr, y: Expr): Expr => this.same("and", x, y);
  or = (x: Expr, y: Expr): Expr => this.same("or", x, y);
  xor = (x: Expr, y: Expr): Expr => this.same("xor", x, y);
  shl = (x: Expr, y: Expr): Expr => this.same("shl", x, y);
  shrU = (x: Expr, y: Expr): Expr => this.same("shr_u", x, y);
  shrS = (x: Expr, y: Expr): Expr => this.same("shr_s", x, y);
  eq = (x: Expr, y: Expr): Expr => this.same("eq", x, y);
  ne = (x: Expr, y: Expr): Expr => this.same("ne", x, y);
  ltU = (x: Expr, y: Expr): Expr => this.same("lt_u", x, y);
  ltS = (x: Expr, y: Expr): Expr => this.same("lt_s", x, y);
  eqz = (x: Expr): Expr => this.op(`${x.type}.eqz`, [x]);
  wrap = (x: Expr): Expr => this.op("i32.wrap_i64", [x]);
  /** The low 32 bits of an i32 or i64. */
  wrapTo32 = (x: Expr): Expr => (x.type === "i64" ? this.wrap(x) : x);
  extU = (x: Expr): Expr => this.op("i64.extend_i32_u", [x]);
  extS = (x: Expr): Expr => this.op("i64.extend_i32_s", [x]);
  /** A constant of the same type as `like`. */
  lit = (like: ValueType, value: number): Expr => (like === "i64" ? this.i64(value) : this.i32(value));
  not = (x: Expr): Expr => this.xor(x, this.lit(x.type, -1));

  /** The operand in a slot. 8- and 16-bit ones are zero-extended unless `signed`. */
  get(slot: Slot, width: Width, type: ValueType = natural(width), signed = false): Expr {
    return { kind: "operand", type, slot, width, signed };
  }
  state(address: number, width: Width, type: ValueType = natural(width), signed = false): Expr {
    return { kind: "state", type, address, width, signed };
  }
  immediate: Expr = { kind: "immediate", type: "i64" };
  small: Expr = { kind: "small", type: "i32" };

  // --- statements
  let(value: Expr): Expr {
    const index = this.local(value.type);
    this.statements.push({ kind: "let", index, type: value.type, value });
    return { kind: "local", type: value.type, index };
  }
  /** A local that is assigned more than once, with `assign`. */
  variable(initial: Expr): Expr & { readonly kind: "local" } {
    return this.let(initial) as Expr & { readonly kind: "local" };
  }
  assign(variable: Expr & { readonly kind: "local" }, value: Expr): void {
    this.statements.push({ kind: "let", index: variable.index, type: variable.type, value });
  }
  set(slot: Slot, width: Width, value: Expr): void {
    this.statements.push({ kind: "setOperand", slot, width, value });
  }
  /** Writes a general register of 4 or 8 bytes: a 32-bit result clears the upper half. */
  setRegister(slot: Slot, width: Width, value: Expr): void {
    if (width === 4) this.set(slot, 8, value.type === "i32" ? this.extU(value) : value);
    else this.set(slot, width, value);
  }
  setState(address: number, width: Width, value: Expr): void {
    this.statements.push({ kind: "setState", address, width, value });
  }
  /** Lazy flags; see cpu/flags.ts for what `result` (i64) and `aux` (i32) hold. */
  setFlags(result: Expr, aux: Expr): void {
    this.statements.push({ kind: "setFlags", result, aux });
  }
  if(cond: Expr, yes: () => void, no?: () => void): void {
    const outer = this.statements;
    const yesBody: Stmt[] = (this.statements = []);
    yes();
    const noBody: Stmt[] = (this.statements = []);
    no?.();
    this.statements = outer;
    outer.push({ kind: "if", cond, yes: yesBody, no: noBody });
  }
  load(
    address: Expr,
    width: Width,
    type: ValueType = natural(width),
    options: { forWrite?: boolean; signed?: boolean } = {},
  ): Expr {
    const index = this.local(type);
    const { forWrite = false, signed = false } = options;
    this.statements.push({ kind: "load", index, type, address, width, forWrite, signed });
    return { kind: "local", type, index };
  }
  store(address: Expr, width: Width, value: Expr): void {
    this.statements.push({ kind: "store", address, width, value });
  }
  notePkruWriter(): void {
    this.statements.push({ kind: "notePkruWriter" });
  }
  callout(): void {
    this.statements.push({ kind: "callout" });
  }
  exit(code: number): void {
    this.statements.push({ kind: "exit", code });
  }
  /** Raises an exception at this instruction; nothing of it may have been committed before. */
  exception(vector: number, error = 0): void {
    this.statements.push({ kind: "exception", vector, error });
  }
  goto(link: "d" | "e"): void {
    this.statements.push({ kind: "goto", link });
  }
  enterRegion(): void {
    this.statements.push({ kind: "enterRegion" });
  }
  gotoComputed(address: Expr): void {
    this.statements.push({ kind: "gotoComputed", address });
  }

  private local(type: ValueType): number {
    this.locals.push(type);
    return this.locals.length - 1;
  }
  finish(name: string, rare: boolean, terminator: boolean): MicroOp {
    return { name, body: this.statements, locals: this.locals, rare, terminator };
  }
}

/** The type in which an operand of this width is computed with. */
export function natural(width: Width): ValueType {
  return width === 16 ? "v128" : width === 8 ? "i64" : "i32";
}
