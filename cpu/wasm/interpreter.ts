import type { MicroOp } from "../ir/nodes.js";
import type { ValueType } from "../ir/ops.js";
import { CALLOUT_BIT, RECORD_BYTES } from "../record.js";
import { EXIT_RECORD, FUEL } from "../state.js";
import { ByteWriter, encodeModule, type FunctionType } from "./encoder.js";
import { emitLoad, emitStore } from "./expression.js";

import { BodyEmitter, CODE, FIXED_LOCALS, FUEL_LEFT, I32, PC, RARE, type Way } from "./body-emitter.js";

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

/**
 * The cold tier: one WebAssembly function that reads records and jumps through a br_table, and a second one for
 * the rare micro-ops. Exports `run(record) -> exit code`, and the table of compiled regions.
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
    "regions",
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
