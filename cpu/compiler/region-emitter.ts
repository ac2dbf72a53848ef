import type { PhysicalMemory } from "../../mmu/physical-memory.js";
import { RECORDS_BASE } from "../../mmu/layout.js";
import type { Expr, MicroOp, Slot, Stmt, Width } from "../ir/nodes.js";
import type { ValueType } from "../ir/ops.js";
import { microOps } from "../ir/registry.js";
import {
  RECORD_A,
  RECORD_B,
  RECORD_BYTES,
  RECORD_C,
  RECORD_D,
  RECORD_E,
  RECORD_IMMEDIATE,
} from "../record.js";
import {
  FLAG_AUX,
  FLAG_RESULT,
  FUEL,
  PKRU_WRITER_FUEL,
  PKRU_WRITER_RECORD,
  RIP,
  TLB_BANK,
  ZERO,
} from "../state.js";
import { ACCESS_LOCALS, emitHost, emitProbe, type AccessLocals } from "../wasm/access.js";
import { ByteWriter, encodeModule } from "../wasm/encoder.js";
import { emitExpression, emitLoad, emitStore, type Leaves } from "../wasm/expression.js";
import { Cells } from "./cells.js";
import { Flow } from "./flow.js";
import { LEAVE_COMPUTED, LEAVE_ENTER, LEAVE_LINK_D, LEAVE_LINK_E, LEAVE_RESUME } from "./leave.js";
import type { PlanNode } from "./plan.js";

const SLOT_OFFSET: Record<Slot, number> = { a: RECORD_A, b: RECORD_B, c: RECORD_C, e: RECORD_E };

/** A WebAssembly block that is open where code is emitted. */
interface Open {
  readonly kind: "loop" | "before" | "exit" | "other";
  readonly node: number;
}

const FUEL_LEFT = 0;

/**
 * Emits a region as one WebAssembly function `(fuel) -> record and how to go on`: registers in locals, branches
 * structured, no calls. Whatever is not plain, it leaves to the interpreter at the record.
 */
export class RegionEmitter implements Leaves {
  private readonly w = new ByteWriter();
  private readonly locals: ValueType[] = [];
  private readonly pools: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  private readonly cells: Cells;
  private readonly access: AccessLocals;
  private readonly how: number;
  private readonly open: Open[] = [];
  private readonly counts: number[];
  private readonly flow: Flow;
  private readonly longest: number[];
  /** Where the micro-op's locals are, and the record that it is emitted from. */
  private placed: number[] = [];
  private record = 0;
  private node = 0;

  /** @param nodes of the region; node 0 is where it begins, and its instructions are paid by whoever enters */
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly nodes: readonly PlanNode[],
    private readonly memoryPages: number,
  ) {
    this.cells = new Cells(this.w, (type) => this.newLocal(type));
    const [address, entry, distance] = ACCESS_LOCALS.map((type) => this.newLocal(type));
    this.access = { address: address!, entry: entry!, distance: distance! };
    this.how = this.newLocal("i32");
    this.counts = nodes.map(({ block }) => block.rips.length - 1);
    this.flow = new Flow(nodes.map(({ known, guessed }) => [...known, ...guessed].map(({ to }) => to)));
    this.longest = this.flow.longest(this.counts);
  }

  /** The blocks that the function holds. */
  get reached(): readonly PlanNode[] {
    return this.flow.order.map((node) => this.nodes[node]!);
  }
  /** Whether it ever comes back to a block: what does not is hardly worth the way in and out. */
  get hasLoops(): boolean {
    return this.flow.loops.size > 0;
  }

  /** @throws Uncompilable with `op` in `failedAt` */
  generate(): Uint8Array {
    this.open.push({ kind: "exit", node: -1 });
    this.tree(0);
    this.open.pop();
    const out = new ByteWriter();
    // Fewer instructions are left than a way through may take: the interpreter goes on.
    out.raw([0x20, FUEL_LEFT, 0x41]);
    out.s32(this.longest[0]! - this.counts[0]!);
    out.raw([0x48, 0x04, 0x40, 0x41]);
    out.s32(this.nodes[0]!.records | LEAVE_RESUME);
    out.raw([0x0f, 0x0b]);
    this.cells.load(out);
    out.raw([0x02, 0x7f]);
    out.raw(this.w.take());
    out.raw([0x00, 0x0b, 0x21]);
    out.u32(this.how);
    this.cells.store(out);
    out.raw([0x41, 0, 0x20, FUEL_LEFT]);
    emitStore(out, "i32", 4, FUEL);
    out.byte(0x20);
    out.u32(this.how);
    out.byte(0x0b);
    const code = out.take();
    const type = { params: ["i32" as const], results: ["i32" as const] };
    return encodeModule([], [{ type, locals: this.locals, code, exportAs: "run" }], this.memoryPages);
  }

  /** Number of the micro-op whose emission threw. */
  get failedAt(): number {
    return this.memory.u16[this.record >>> 1]!;
  }

  private newLocal(type: ValueType): number {
    return this.locals.push(type);
  }

  // --- structure

  private tree(node: number): void {
    const isLoop = this.flow.loops.has(node);
    if (isLoop) this.begin(0x03, { kind: "loop", node });
    this.within(node, this.flow.mergesBelow(node));
    if (isLoop) this.end();
  }

  private within(node: number, [merge, ...rest]: readonly number[]): void {
    if (merge === undefined) return this.block(node);
    this.begin(0x02, { kind: "before", node: merge });
    this.within(node, rest);
    this.end();
    this.tree(merge);
  }

  private begin(code: 0x02 | 0x03 | 0x04, open: Open): void {
    this.w.raw([code, 0x40]);
    this.open.push(open);
  }
  private end(): void {
    this.w.byte(0x0b);
    this.open.pop();
  }
  private depthOf(kind: Open["kind"], node: number): number {
    for (let i = this.open.length - 1; i >= 0; i--)
      if (this.open[i]!.kind === kind && this.open[i]!.node === node) return this.open.length - 1 - i;
    throw new Error(`no open ${kind} of ${node}`);
  }
  private branch(code: 0x0c | 0x0d, depth: number): void {
    this.w.byte(code);
    this.w.u32(depth);
  }
  private leave(record: number, how: number): void {
    this.w.i32(record | how);
    this.branch(0x0c, this.depthOf("exit", -1));
  }

  private block(node: number): void {
    const { records, compiled, block } = this.nodes[node]!;
    for (let i = 0; i < compiled; i++) {
      const record = records + i * RECORD_BYTES;
      const op = microOps()[this.memory.u16[record >>> 1]!]!;
      this.node = node;
      this.record = record;
      this.placed = this.place(op);
      this.body(op.body);
    }
    if (compiled < block.recordInstruction.length)
      this.leave(records + compiled * RECORD_BYTES, LEAVE_RESUME);
    this.w.byte(0x00); // unreachable: every path has left
  }

  private place(op: MicroOp): number[] {
    const used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };
    return op.locals.map((type) => (this.pools[type][used[type]++] ??= this.newLocal(type)));
  }

  /** From the end of the node that is emitted to another. */
  private edge(to: number): void {
    const { flow, node, record, placed } = this;
    const back = flow.isBack(node, to);
    if (back) {
      this.w.get(FUEL_LEFT);
      this.w.i32(this.longest[to]!);
      this.w.byte(0x48);
      this.begin(0x04, { kind: "other", node: -1 });
      this.leave(this.nodes[to]!.block.record, LEAVE_ENTER);
      this.end();
    }
    this.w.get(FUEL_LEFT);
    this.w.i32(this.counts[to]!);
    this.w.byte(0x6b);
    this.w.set(FUEL_LEFT);
    if (back) this.branch(0x0c, this.depthOf("loop", to));
    else if (flow.isMerge(to)) this.branch(0x0c, this.depthOf("before", to));
    else {
      this.tree(to);
      this.node = node;
      this.record = record;
      this.placed = placed;
    }
  }

  // --- what the leaves of expressions are

  operand(slot: Slot, width: Width, type: ValueType, signed: boolean): void {
    this.readState(this.field(SLOT_OFFSET[slot]), width, type, signed);
  }
  state(address: number, width: Width, type: ValueType, signed: boolean): void {
    this.readState(address, width, type, signed);
  }
  immediate(): void {
    this.w.i64(this.immediateAt(this.record + RECORD_IMMEDIATE, 8, true));
  }
  small(): void {
    this.w.i32(this.field(RECORD_D));
  }
  local(index: number): number {
    return this.placed[index]!;
  }

  private field(offset: number): number {
    return this.memory.u32[(this.record + offset) >>> 2]!;
  }

  private readState(address: number, width: Width, type: ValueType, signed: boolean): void {
    const constant = address >= RECORDS_BASE || address === ZERO;
    if (!constant || (type !== "i32" && type !== "i64")) return this.cells.read(address, width, type, signed);
    const value = address === ZERO ? 0n : this.immediateAt(address, width, signed);
    if (type === "i64") this.w.i64(value);
    else this.w.i32(Number(BigInt.asIntN(32, value)));
  }

  private immediateAt(address: number, width: Width, signed: boolean): bigint {
    const { u32 } = this.memory;
    const whole = BigInt(u32[address >>> 2]!) | (BigInt(u32[(address >>> 2) + 1]!) << 32n);
    return signed ? BigInt.asIntN(8 * width, whole) : BigInt.asUintN(8 * width, whole);
  }

  // --- statements

  private expression(e: Expr): void {
    emitExpression(this.w, this, e);
  }

  private body(statements: readonly Stmt[]): void {
    for (const s of statements) this.statement(s);
  }

  private statement(s: Stmt): void {
    const { w } = this;
    switch (s.kind) {
      case "let":
        this.expression(s.value);
        return this.w.set(this.placed[s.index]!);
      case "setOperand":
        return this.cells.write(this.field(SLOT_OFFSET[s.slot]), s.width, s.value.type, () =>
          this.expression(s.value),
        );
      case "setState":
        return this.cells.write(s.address, s.width, s.value.type, () => this.expression(s.value));
      case "setFlags":
        return this.setFlags(s.result, s.aux);
      case "if":
        this.expression(s.cond);
        this.begin(0x04, { kind: "other", node: -1 });
        this.body(s.yes);
        if (s.no.length > 0) {
          w.byte(0x05);
          this.body(s.no);
        }
        return this.end();
      case "load":
        this.probe(s.address, s.width, s.forWrite);
        emitHost(w, this.access);
        emitLoad(w, s.type, s.width, s.signed, 0);
        return this.w.set(this.placed[s.index]!);
      case "store":
        this.probe(s.address, s.width, true);
        emitHost(w, this.access);
        this.expression(s.value);
        return emitStore(w, s.value.type, s.width, 0);
      case "notePkruWriter":
        this.w.i32(0);
        this.w.i32(this.record);
        emitStore(w, "i32", 4, PKRU_WRITER_RECORD);
        this.w.i32(0);
        this.w.get(FUEL_LEFT);
        return emitStore(w, "i32", 4, PKRU_WRITER_FUEL);
      case "callout":
      case "exit":
      case "exception":
      case "enterRegion":
        return this.leave(this.record, LEAVE_RESUME);
      case "goto": {
        const edge = this.nodes[this.node]!.known.find(({ slot }) => slot === s.link);
        if (edge !== undefined && this.flow.has(this.node, edge.to)) return this.edge(edge.to);
        return this.leave(this.record, s.link === "d" ? LEAVE_LINK_D : LEAVE_LINK_E);
      }
      case "gotoComputed":
        return this.jump(s.address);
    }
  }

  /** Both values are computed before either is set: they may read the flags themselves. */
  private setFlags(result: Expr, aux: Expr): void {
    const both = (): void => {
      this.expression(result);
      this.expression(aux);
    };
    this.cells.write(FLAG_AUX, 4, "i32", both);
    this.cells.write(FLAG_RESULT, 8, "i64", () => {});
  }

  private jump(address: Expr): void {
    const { w, node, record } = this;
    const { address: target } = this.access;
    this.expression(address);
    this.w.set(target);
    for (const { rip, to } of this.nodes[node]!.guessed) {
      if (!this.flow.has(node, to)) continue;
      this.w.get(target);
      this.w.i64(BigInt(rip));
      w.byte(0x51);
      this.begin(0x04, { kind: "other", node: -1 });
      this.edge(to);
      this.end();
    }
    this.w.i32(0);
    this.w.get(target);
    emitStore(w, "i64", 8, RIP);
    this.leave(record, LEAVE_COMPUTED);
  }

  /** Looks an access up; leaves the region at this record, of which nothing is done yet, where the TLB misses. */
  private probe(address: Expr, width: Width, write: boolean): void {
    this.w.i32(this.record | LEAVE_RESUME);
    this.expression(address);
    emitProbe(this.w, this.access, () => this.cells.read(TLB_BANK, 4, "i32", false), width, write);
    this.branch(0x0d, this.depthOf("exit", -1));
    this.w.byte(0x1a);
  }
}
