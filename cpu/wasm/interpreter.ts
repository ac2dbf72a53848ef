import { JUMP_CACHE_BASE, JUMP_CACHE_ENTRIES } from "../../mmu/layout.js";
import {
  EXIT_AGAIN,
  EXIT_BUDGET,
  EXIT_DISPATCH,
  EXIT_EXCEPTION,
  EXIT_LINK_D,
  EXIT_LINK_E,
} from "../exit-codes.js";
import type { Expr, MicroOp, Slot, Stmt } from "../ir/nodes.js";
import type { ValueType } from "../ir/ops.js";
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
  RIP,
  TLB_BANK,
} from "../state.js";
import { ByteWriter, encodeModule, type FunctionType } from "./encoder.js";
import { emitExpression, emitLoad, emitStore, type Leaves } from "./expression.js";

/** Bits of the slow path's argument above the access's size in bytes. */
export const SLOW_WRITE_INTENT = 0x100;
export const SLOW_STORE = 0x200;

const SLOT_OFFSET: Record<Slot, number> = { a: RECORD_A, b: RECORD_B, c: RECORD_C, e: RECORD_E };
const I32: ValueType = "i32";

/** Functions of the module, by index: two imports, then the hot loop and the rare micro-ops. */
const SLOW = 0;
const CALLOUT = 1;
const RARE = 3;

// Fixed locals of both functions; `run` and `rare` have the record as parameter 0.
const PC = 0;
const FUEL_LEFT = 1;
const CODE = 2;
const HOST = 3;
const ENTRY = 4;
const ADDRESS = 5;
const DISTANCE = 6;
const FIXED_LOCALS: ValueType[] = [I32, I32, I32, I32, "i64", "i64"];

/** How a body leaves its function: `depth` counts the wasm blocks opened inside the micro-op's own code. */
interface Way {
  exit(w: ByteWriter, depth: number): void;
  next(w: ByteWriter, depth: number): void;
}

/** Places the micro-ops' locals in one pool a type, shared by all. */
class LocalPool {
  private readonly counts: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };
  constructor(ops: readonly MicroOp[]) {
    for (const op of ops) {
      const own: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };
      for (const type of op.locals) own[type]++;
      for (const type of Object.keys(own) as ValueType[])
        this.counts[type] = Math.max(this.counts[type], own[type]);
    }
  }
  get types(): ValueType[] {
    return (Object.keys(this.counts) as ValueType[]).flatMap((t) => Array<ValueType>(this.counts[t]).fill(t));
  }
  /** Local indices of one micro-op's locals. */
  place(op: MicroOp): number[] {
    const next = {} as Record<ValueType, number>;
    let at = 1 + FIXED_LOCALS.length;
    for (const type of Object.keys(this.counts) as ValueType[]) {
      next[type] = at;
      at += this.counts[type];
    }
    return op.locals.map((type) => next[type]++);
  }
}

/** Emits one micro-op's body with its operands read from the record at PC. */
class BodyEmitter implements Leaves {
  constructor(
    private readonly w: ByteWriter,
    private readonly locals: readonly number[],
    private readonly way: Way,
  ) {}

  operand(slot: Slot, width: 1 | 2 | 4 | 8 | 16, type: ValueType, signed: boolean): void {
    this.recordField(SLOT_OFFSET[slot]);
    emitLoad(this.w, type, width, signed, 0);
  }
  state(address: number, width: 1 | 2 | 4 | 8 | 16, type: ValueType, signed: boolean): void {
    this.constant(0);
    emitLoad(this.w, type, width, signed, address);
  }
  immediate(): void {
    this.get(PC);
    emitLoad(this.w, "i64", 8, false, RECORD_IMMEDIATE);
  }
  small(): void {
    this.recordField(RECORD_D);
  }
  local(index: number): number {
    return this.locals[index];
  }

  private recordField(offset: number): void {
    this.get(PC);
    emitLoad(this.w, "i32", 4, false, offset);
  }
  private get(local: number): void {
    this.w.byte(0x20);
    this.w.u32(local);
  }
  private setLocal(local: number): void {
    this.w.byte(0x21);
    this.w.u32(local);
  }
  private constant(value: number): void {
    this.w.byte(0x41);
    this.w.s32(value);
  }
  private expression(e: Expr): void {
    emitExpression(this.w, this, e);
  }
  private exitWith(code: number, depth: number): void {
    this.constant(code);
    this.setLocal(CODE);
    this.way.exit(this.w, depth);
  }
  /** Leaves with the code that a slow path or a callout has put into the state. */
  private exitAsTold(depth: number): void {
    this.constant(0);
    emitLoad(this.w, "i32", 4, false, EXIT_CODE);
    this.setLocal(CODE);
    this.way.exit(this.w, depth);
  }

  body(statements: readonly Stmt[], depth: number): void {
    for (const s of statements) this.statement(s, depth);
  }

  private statement(s: Stmt, depth: number): void {
    const { w } = this;
    switch (s.kind) {
      case "let":
        this.expression(s.value);
        return this.setLocal(this.locals[s.index]);
      case "setOperand":
        this.recordField(SLOT_OFFSET[s.slot]);
        this.expression(s.value);
        return emitStore(w, s.value.type, s.width, 0);
      case "setState":
        this.constant(0);
        this.expression(s.value);
        return emitStore(w, s.value.type, s.width, s.address);
      case "setFlags":
        // Both values are computed before either is stored: they may read the flags themselves.
        this.constant(0);
        this.expression(s.result);
        this.constant(0);
        this.expression(s.aux);
        emitStore(w, "i32", 4, FLAG_AUX);
        return emitStore(w, "i64", 8, FLAG_RESULT);
      case "if":
        this.expression(s.cond);
        w.raw([0x04, 0x40]);
        this.body(s.yes, depth + 1);
        if (s.no.length > 0) {
          w.byte(0x05);
          this.body(s.no, depth + 1);
        }
        return w.byte(0x0b);
      case "load": {
        this.translate(s.address, s.width, s.forWrite, depth, () => {
          this.constant(s.width | (s.forWrite ? SLOW_WRITE_INTENT : 0));
        });
        this.get(HOST);
        emitLoad(w, s.type, s.width, s.signed, 0);
        return this.setLocal(this.locals[s.index]);
      }
      case "store": {
        w.raw([0x02, 0x40]); // block: done
        this.probe(s.address, s.width, true);
        w.raw([0x04, 0x40]); // if the TLB misses
        this.constant(0);
        this.expression(s.value);
        emitStore(w, s.value.type, s.width, BOUNCE);
        this.slowCall(() => this.constant(s.width | SLOW_STORE));
        w.byte(0x45); // i32.eqz
        w.raw([0x04, 0x40]);
        this.exitAsTold(depth + 3);
        w.byte(0x0b);
        w.raw([0x0c, 1]); // br done
        w.byte(0x0b);
        this.hostFromEntry();
        this.get(HOST);
        this.expression(s.value);
        emitStore(w, s.value.type, s.width, 0);
        return w.byte(0x0b);
      }
      case "callout":
        this.recordField(RECORD_D);
        return this.calloutCall(depth);
      case "exit":
        return this.exitWith(s.code, depth);
      case "exception":
        this.constant(0);
        this.constant(s.vector);
        emitStore(w, "i32", 4, EXIT_VECTOR);
        this.constant(0);
        this.constant(s.error);
        emitStore(w, "i32", 4, EXIT_ERROR);
        return this.exitWith(EXIT_EXCEPTION, depth);
      case "goto":
        this.recordField(s.link === "d" ? RECORD_D : RECORD_E);
        w.raw([0x22, HOST, 0x45]); // local.tee, i32.eqz
        w.raw([0x04, 0x40]);
        this.exitWith(s.link === "d" ? EXIT_LINK_D : EXIT_LINK_E, depth + 1);
        w.byte(0x0b);
        return this.enterBlock(depth);
      case "gotoComputed":
        this.expression(s.address);
        w.raw([0x22, ADDRESS, 0xa7, 0x22, HOST]); // tee, wrap, tee
        this.get(HOST);
        this.constant(12);
        w.raw([0x76, 0x73]); // shr_u, xor
        this.constant(JUMP_CACHE_ENTRIES - 1);
        w.byte(0x71);
        this.constant(4);
        w.byte(0x74);
        w.raw([0x22, ENTRY]);
        emitLoad(w, "i64", 8, false, JUMP_CACHE_BASE);
        this.get(ADDRESS);
        this.constant(0);
        emitLoad(w, "i64", 8, false, JUMP_TAG);
        w.raw([0x84, 0x52]); // i64.or, i64.ne
        w.raw([0x04, 0x40]);
        this.constant(0);
        this.get(ADDRESS);
        emitStore(w, "i64", 8, RIP);
        this.exitWith(EXIT_DISPATCH, depth + 1);
        w.byte(0x0b);
        this.get(ENTRY);
        emitLoad(w, "i32", 4, false, JUMP_CACHE_BASE + 8);
        this.setLocal(HOST);
        return this.enterBlock(depth);
    }
  }

  /** PC = HOST, the first record of a block; pays its instructions in advance. */
  private enterBlock(depth: number): void {
    const { w } = this;
    this.get(HOST);
    this.setLocal(PC);
    this.get(FUEL_LEFT);
    this.get(HOST);
    this.constant(RECORD_BYTES - HEADER_COUNT);
    w.byte(0x6b);
    emitLoad(w, "i32", 4, false, 0);
    w.byte(0x6b);
    w.raw([0x22, FUEL_LEFT]);
    this.constant(0);
    w.byte(0x48); // i32.lt_s
    w.raw([0x04, 0x40]);
    this.exitWith(EXIT_BUDGET, depth + 1);
    w.byte(0x0b);
    this.way.next(w, depth);
  }

  /** ADDRESS, ENTRY, DISTANCE of an access; leaves "misses" on the stack. */
  private probe(address: Expr, width: number, write: boolean): void {
    const { w } = this;
    this.expression(address);
    w.raw([0x22, ADDRESS]); // tee
    this.get(ADDRESS);
    w.byte(0xa7); // wrap
    this.constant(7);
    w.byte(0x76);
    this.constant(0x7fe0);
    w.byte(0x71);
    this.constant(0);
    emitLoad(w, "i32", 4, false, TLB_BANK);
    w.byte(0x6a);
    w.raw([0x22, ENTRY]);
    emitLoad(w, "i64", 8, false, write ? 8 : 0);
    w.byte(0x7d); // i64.sub
    w.raw([0x22, DISTANCE]);
    w.byte(0x42);
    w.s64(BigInt(4096 - width));
    w.byte(0x56); // i64.gt_u
  }

  private hostFromEntry(): void {
    this.get(DISTANCE);
    this.w.byte(0xa7);
    this.get(ENTRY);
    emitLoad(this.w, "i32", 4, false, 16);
    this.w.byte(0x6a);
    this.setLocal(HOST);
  }

  private slowCall(argument: () => void): void {
    this.constant(0);
    this.get(ADDRESS);
    emitStore(this.w, "i64", 8, ACCESS_ADDRESS);
    argument();
    this.w.raw([0x10, SLOW]);
  }

  /** HOST = where the access's bytes lie, or an exit. */
  private translate(address: Expr, width: number, write: boolean, depth: number, argument: () => void): void {
    const { w } = this;
    this.probe(address, width, write);
    w.raw([0x04, 0x40]);
    this.slowCall(argument);
    w.raw([0x22, HOST, 0x45]);
    w.raw([0x04, 0x40]);
    this.exitAsTold(depth + 2);
    w.byte(0x0b);
    w.byte(0x05);
    this.hostFromEntry();
    w.byte(0x0b);
  }

  /** Calls the callout whose number is on the stack. */
  calloutCall(depth: number): void {
    const { w } = this;
    this.get(PC);
    w.raw([0x10, CALLOUT]);
    w.raw([0x22, HOST]);
    w.raw([0x04, 0x40]);
    this.get(HOST);
    this.constant(1);
    w.byte(0x46); // FAULTED
    w.raw([0x04, 0x40]);
    this.exitAsTold(depth + 2);
    w.byte(0x0b);
    this.exitWith(EXIT_AGAIN, depth + 1);
    w.byte(0x0b);
  }
}

/**
 * The cold tier: one WebAssembly function that reads records and jumps through a br_table, and a second one for
 * the rare micro-ops. Exports `run(record) -> exit code`.
 */
export function generateInterpreter(ops: readonly MicroOp[], memoryPages: number): Uint8Array {
  const hot = ops.filter((op) => !op.rare);
  const rare = ops.filter((op) => op.rare);
  const hotType: FunctionType = { params: [I32], results: [I32] };
  const hotPool = new LocalPool(hot);
  const rarePool = new LocalPool(rare);
  return encodeModule(
    [
      { name: "slow", type: { params: [I32], results: [I32] } },
      { name: "callout", type: { params: [I32, I32], results: [I32] } },
    ],
    [
      {
        type: hotType,
        locals: [...FIXED_LOCALS, ...hotPool.types],
        code: hotLoop(ops, hot, hotPool),
        exportAs: "run",
      },
      { type: hotType, locals: [...FIXED_LOCALS, ...rarePool.types], code: rareTable(ops, rare, rarePool) },
    ],
    memoryPages,
  );
}

function dispatch(
  w: ByteWriter,
  ops: readonly MicroOp[],
  labelOf: (op: MicroOp) => number,
  other: number,
): void {
  w.raw([0x20, PC]);
  w.raw([0x2f, 0, 0]); // i32.load16_u
  w.byte(0x0e);
  w.u32(ops.length);
  for (const op of ops) w.u32(labelOf(op));
  w.u32(other);
}

function hotLoop(ops: readonly MicroOp[], hot: readonly MicroOp[], pool: LocalPool): Uint8Array {
  const w = new ByteWriter();
  const n = hot.length;
  const position = new Map(hot.map((op, i) => [op, i]));
  w.raw([0x41, 0]);
  emitLoad(w, "i32", 4, false, FUEL);
  w.raw([0x21, FUEL_LEFT]);
  w.raw([0x02, 0x40]); // block exit
  w.raw([0x03, 0x40]); // loop dispatch
  w.raw([0x02, 0x40]); // block callout
  w.raw([0x02, 0x40]); // block rare
  for (let i = 0; i < n; i++) w.raw([0x02, 0x40]);
  // Inside all blocks: label i is the end of the block behind which hot[i] stands.
  dispatch(w, ops, (op) => position.get(op) ?? n, n + 1);
  hot.forEach((op, i) => {
    w.byte(0x0b);
    const outer = n - 1 - i; // hot blocks still open
    const way: Way = {
      next: (out, depth) => branchTo(out, depth + outer + 2),
      exit: (out, depth) => branchTo(out, depth + outer + 3),
    };
    new BodyEmitter(w, pool.place(op), way).body(op.body, 0);
    if (!op.terminator) {
      advance(w);
      way.next(w, 0);
    } else w.byte(0x00); // unreachable: every path has left
  });
  const saveFuel = (): void => {
    w.raw([0x41, 0, 0x20, FUEL_LEFT]);
    emitStore(w, "i32", 4, FUEL);
  };
  // rare: a call, then on or out.
  w.byte(0x0b);
  saveFuel();
  w.raw([0x20, PC, 0x10, RARE, 0x22, CODE]);
  w.raw([0x04, 0x40]);
  w.raw([0x20, CODE, 0x41, 1, 0x6b, 0x21, CODE]);
  branchTo(w, 3);
  w.byte(0x0b);
  advance(w);
  branchTo(w, 1);
  // callout
  w.byte(0x0b);
  saveFuel();
  w.raw([0x20, PC]);
  w.raw([0x2f, 0, 0]);
  w.byte(0x41);
  w.s32(CALLOUT_BIT - 1);
  w.byte(0x71);
  new BodyEmitter(w, [], { next: (o, d) => branchTo(o, d), exit: (o, d) => branchTo(o, d + 1) }).calloutCall(
    0,
  );
  advance(w);
  branchTo(w, 0);
  w.raw([0x0b, 0x0b]); // loop, exit
  w.raw([0x41, 0, 0x20, PC]);
  emitStore(w, "i32", 4, EXIT_RECORD);
  saveFuel();
  w.raw([0x20, CODE, 0x0b]);
  return w.take();
}

function rareTable(ops: readonly MicroOp[], rare: readonly MicroOp[], pool: LocalPool): Uint8Array {
  const w = new ByteWriter();
  const n = rare.length;
  const position = new Map(rare.map((op, i) => [op, i]));
  w.raw([0x02, 0x40]); // block exit
  for (let i = 0; i < n; i++) w.raw([0x02, 0x40]);
  dispatch(w, ops, (op) => position.get(op) ?? n, n);
  rare.forEach((op, i) => {
    w.byte(0x0b);
    const outer = n - 1 - i;
    const way: Way = {
      next: (out) => out.raw([0x41, 0, 0x0f]),
      exit: (out, depth) => branchTo(out, depth + outer),
    };
    new BodyEmitter(w, pool.place(op), way).body(op.body, 0);
    way.next(w, 0);
  });
  w.byte(0x0b);
  w.raw([0x20, CODE, 0x41, 1, 0x6a, 0x0b]);
  return w.take();
}

function branchTo(w: ByteWriter, label: number): void {
  w.byte(0x0c);
  w.u32(label);
}
function advance(w: ByteWriter): void {
  w.raw([0x20, PC]);
  w.byte(0x41);
  w.s32(RECORD_BYTES);
  w.raw([0x6a, 0x21, PC]);
}
