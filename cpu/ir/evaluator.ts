import { JUMP_CACHE_BASE, JUMP_CACHE_ENTRIES, JUMP_CACHE_ENTRY_BYTES } from "../../mmu/layout.js";
import type { PhysicalMemory } from "../../mmu/physical-memory.js";
import { FAULTED, DONE } from "../callouts.js";
import type { Executor, ExecutorImports } from "../executor.js";
import {
  EXIT_AGAIN,
  EXIT_BUDGET,
  EXIT_DISPATCH,
  EXIT_EXCEPTION,
  EXIT_LINK_D,
  EXIT_LINK_E,
} from "../exit-codes.js";
import {
  CALLOUT_BIT,
  HEADER_COUNT,
  RECORD_A,
  RECORD_B,
  RECORD_BYTES,
  RECORD_C,
  RECORD_D,
  RECORD_E,
  RECORD_IMMEDIATE,
} from "../record.js";
import {
  ACCESS_ADDRESS,
  BOUNCE,
  EXIT_CODE,
  EXIT_ERROR,
  EXIT_RECORD,
  EXIT_VECTOR,
  FLAG_AUX,
  FLAG_RESULT,
  FUEL,
  JUMP_TAG,
  PKRU_WRITER_FUEL,
  PKRU_WRITER_RECORD,
  RIP,
} from "../state.js";
import { SLOW_STORE, SLOW_WRITE_INTENT } from "../slow-path.js";
import type { Expr, Slot, Stmt, Width } from "./nodes.js";
import type { ValueType } from "./ops.js";
import { microOps } from "./registry.js";
import { evaluateScalar } from "./scalar-evaluate.js";
import { evaluateSimd } from "./simd-evaluate.js";

const SLOTS: Record<Slot, number> = { a: RECORD_A, b: RECORD_B, c: RECORD_C, e: RECORD_E };
export const TYPE_BITS: Record<ValueType, number> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

/** How a statement list ended, other than by running off its end. */
type Left = { readonly exit: number } | { readonly enter: number };

/**
 * The reference tier: runs the same micro-ops as the interpreter, with every value a BigInt of its bit pattern.
 * Slow, and free of WebAssembly: what both agree on does not rest on the code generator.
 */
export class ReferenceEvaluator implements Executor {
  private readonly view: DataView;
  private pc = 0;
  private fuel = 0;
  private locals: bigint[] = [];

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly imports: ExecutorImports,
  ) {
    this.view = new DataView(memory.memory.buffer);
  }

  run(record: number): number {
    this.pc = record;
    this.fuel = this.view.getInt32(FUEL, true);
    const ops = microOps();
    for (;;) {
      const number = this.view.getUint16(this.pc, true);
      let left: Left | undefined;
      if (number >= CALLOUT_BIT) left = this.callout(number & ~CALLOUT_BIT);
      else {
        this.locals = [];
        left = this.body(ops[number].body);
      }
      if (left === undefined) this.pc += RECORD_BYTES;
      else if ("enter" in left) {
        this.pc = left.enter;
        this.fuel -= this.view.getInt32(this.pc - RECORD_BYTES + HEADER_COUNT, true);
        if (this.fuel < 0) return this.leave(EXIT_BUDGET);
      } else return this.leave(left.exit);
    }
  }

  private leave(code: number): number {
    this.view.setUint32(EXIT_RECORD, this.pc, true);
    this.view.setInt32(FUEL, this.fuel, true);
    return code;
  }

  private exitAsTold(): Left {
    return { exit: this.view.getUint32(EXIT_CODE, true) };
  }

  private callout(number: number): Left | undefined {
    this.view.setInt32(FUEL, this.fuel, true);
    const status = this.imports.callout(number, this.pc);
    return status === DONE ? undefined : status === FAULTED ? this.exitAsTold() : { exit: EXIT_AGAIN };
  }

  private field(offset: number): number {
    return this.view.getUint32(this.pc + offset, true);
  }

  private body(statements: readonly Stmt[]): Left | undefined {
    for (const s of statements) {
      const left = this.statement(s);
      if (left !== undefined) return left;
    }
    return undefined;
  }

  private statement(s: Stmt): Left | undefined {
    switch (s.kind) {
      case "let":
        this.locals[s.index] = this.value(s.value);
        return undefined;
      case "setOperand":
        return void this.put(this.field(SLOTS[s.slot]), s.width, this.value(s.value));
      case "setState":
        return void this.put(s.address, s.width, this.value(s.value));
      case "setFlags": {
        const result = this.value(s.result);
        const aux = this.value(s.aux);
        this.put(FLAG_RESULT, 8, result);
        return void this.put(FLAG_AUX, 4, aux);
      }
      case "if":
        return this.body(this.value(s.cond) !== 0n ? s.yes : s.no);
      case "load": {
        this.view.setBigUint64(ACCESS_ADDRESS, this.value(s.address), true);
        const at = this.imports.slow(s.width | (s.forWrite ? SLOW_WRITE_INTENT : 0));
        if (at === 0) return this.exitAsTold();
        this.locals[s.index] = this.take(at, s.width, s.type, s.signed);
        return undefined;
      }
      case "store":
        this.view.setBigUint64(ACCESS_ADDRESS, this.value(s.address), true);
        this.put(BOUNCE, s.width, this.value(s.value));
        return this.imports.slow(s.width | SLOW_STORE) === 0 ? this.exitAsTold() : undefined;
      case "notePkruWriter":
        this.view.setUint32(PKRU_WRITER_RECORD, this.pc, true);
        return void this.view.setInt32(PKRU_WRITER_FUEL, this.fuel, true);
      case "callout":
        return this.callout(this.field(RECORD_D));
      case "exit":
        return { exit: s.code };
      case "exception":
        this.view.setUint32(EXIT_VECTOR, s.vector, true);
        this.view.setUint32(EXIT_ERROR, s.error, true);
        return { exit: EXIT_EXCEPTION };
      case "goto": {
        const target = this.field(s.link === "d" ? RECORD_D : RECORD_E);
        return target === 0 ? { exit: s.link === "d" ? EXIT_LINK_D : EXIT_LINK_E } : { enter: target };
      }
      case "gotoComputed":
        return this.jump(this.value(s.address));
      case "enterRegion":
        throw new Error("the reference evaluator has no compiled regions");
    }
  }

  private jump(rip: bigint): Left {
    const low = Number(rip & 0xffffffffn);
    const entry =
      JUMP_CACHE_BASE + ((low ^ (low >>> 12)) & (JUMP_CACHE_ENTRIES - 1)) * JUMP_CACHE_ENTRY_BYTES;
    const { view } = this;
    const known = view.getUint32(entry + 12, true) === view.getUint32(JUMP_TAG, true);
    if (known && view.getBigUint64(entry, true) === rip)
      return { enter: this.view.getUint32(entry + 8, true) };
    this.view.setBigUint64(RIP, rip, true);
    return { exit: EXIT_DISPATCH };
  }

  private put(at: number, width: Width, value: bigint): void {
    for (let i = 0; i < width; i++) this.memory.u8[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  private take(at: number, width: Width, type: ValueType, signed: boolean): bigint {
    let value = 0n;
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory.u8[at + i]);
    return signed ? BigInt.asUintN(TYPE_BITS[type], BigInt.asIntN(8 * width, value)) : value;
  }

  private value(e: Expr): bigint {
    switch (e.kind) {
      case "const":
        return BigInt.asUintN(TYPE_BITS[e.type], e.value);
      case "local":
        return this.locals[e.index];
      case "operand":
        return this.take(this.field(SLOTS[e.slot]), e.width, e.type, e.signed);
      case "state":
        return this.take(e.address, e.width, e.type, e.signed);
      case "immediate":
        return this.take(this.pc + RECORD_IMMEDIATE, 8, "i64", false);
      case "small":
        return BigInt(this.field(RECORD_D));
      case "select": {
        const yes = this.value(e.yes);
        const no = this.value(e.no);
        return this.value(e.cond) !== 0n ? yes : no;
      }
      case "shuffle": {
        const both = this.value(e.args[0]) | (this.value(e.args[1]) << 128n);
        return e.lanes.reduce(
          (sum, from, i) => sum | (((both >> BigInt(8 * from)) & 0xffn) << BigInt(8 * i)),
          0n,
        );
      }
      case "op": {
        const args = e.args.map((a) => this.value(a));
        const result = evaluateScalar(e.info.name, args) ?? evaluateSimd(e.info.name, args, e.lane);
        if (result === undefined) throw new Error(`the reference evaluator does not know ${e.info.name}`);
        return result;
      }
    }
  }
}
