import { JUMP_CACHE_BASE, JUMP_CACHE_ENTRIES } from "../../mmu/layout.js";
import {
  EXIT_AGAIN,
  EXIT_BUDGET,
  EXIT_DISPATCH,
  EXIT_EXCEPTION,
  EXIT_LINK_D,
  EXIT_LINK_E,
  EXIT_REGION,
} from "../exit-codes.js";
import { LEAVE_COMPUTED, LEAVE_ENTER, LEAVE_LINK_D, LEAVE_LINK_E, LEAVE_MASK } from "../compiler/leave.js";
import type { Expr, Slot, Stmt } from "../ir/nodes.js";
import type { ValueType } from "../ir/ops.js";
import {
  HEADER_COUNT,
  HEADER_KEY,
  HEADER_KEY_MASK,
  HEADER_REGION,
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
  EXIT_VECTOR,
  FLAG_AUX,
  FLAG_RESULT,
  JUMP_TAG,
  FUEL,
  PKRU_WRITER_FUEL,
  PKRU_WRITER_RECORD,
  RIP,
  TLB_BANK,
} from "../state.js";
import type { ByteWriter } from "./encoder.js";
import { SLOW_STORE, SLOW_WRITE_INTENT } from "../slow-path.js";
import { emitHost, emitProbe } from "./access.js";
import { emitExpression, emitLoad, emitStore, type Leaves } from "./expression.js";

const SLOT_OFFSET: Record<Slot, number> = { a: RECORD_A, b: RECORD_B, c: RECORD_C, e: RECORD_E };
export const I32: ValueType = "i32";

/** The type of compiled regions, in the interpreter's module: that of its first import. */
const REGION_TYPE = 0;
/** Functions of the module, by index: two imports, then the hot loop and the rare micro-ops. */
export const SLOW = 0;
export const CALLOUT = 1;
export const RARE = 3;

// Fixed locals of both functions; `run` and `rare` have the record as parameter 0.
export const PC = 0;
export const FUEL_LEFT = 1;
export const CODE = 2;
export const HOST = 3;
export const ENTRY = 4;
export const ADDRESS = 5;
export const DISTANCE = 6;
export const FIXED_LOCALS: ValueType[] = [I32, I32, I32, I32, "i64", "i64"];
const ACCESS = { address: ADDRESS, entry: ENTRY, distance: DISTANCE };

/** How a body leaves its function: `depth` counts the wasm blocks opened inside the micro-op's own code. */
export interface Way {
  exit(w: ByteWriter, depth: number): void;
  next(w: ByteWriter, depth: number): void;
}

/** Emits one micro-op's body with its operands read from the record at PC. */
export class BodyEmitter implements Leaves {
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
    this.w.i32(0);
    emitLoad(this.w, type, width, signed, address);
  }
  immediate(): void {
    this.w.get(PC);
    emitLoad(this.w, "i64", 8, false, RECORD_IMMEDIATE);
  }
  small(): void {
    this.recordField(RECORD_D);
  }
  local(index: number): number {
    return this.locals[index];
  }

  private recordField(offset: number): void {
    this.w.get(PC);
    emitLoad(this.w, "i32", 4, false, offset);
  }
  private expression(e: Expr): void {
    emitExpression(this.w, this, e);
  }
  private exitWith(code: number, depth: number): void {
    this.w.i32(code);
    this.w.set(CODE);
    this.way.exit(this.w, depth);
  }
  /** Leaves with the code that a slow path or a callout has put into the state. */
  private exitAsTold(depth: number): void {
    this.w.i32(0);
    emitLoad(this.w, "i32", 4, false, EXIT_CODE);
    this.w.set(CODE);
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
        return this.w.set(this.locals[s.index]);
      case "setOperand":
        this.recordField(SLOT_OFFSET[s.slot]);
        this.expression(s.value);
        return emitStore(w, s.value.type, s.width, 0);
      case "setState":
        this.w.i32(0);
        this.expression(s.value);
        return emitStore(w, s.value.type, s.width, s.address);
      case "setFlags":
        // Both values are computed before either is stored: they may read the flags themselves.
        this.w.i32(0);
        this.expression(s.result);
        this.w.i32(0);
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
          this.w.i32(s.width | (s.forWrite ? SLOW_WRITE_INTENT : 0));
        });
        this.w.get(HOST);
        emitLoad(w, s.type, s.width, s.signed, 0);
        return this.w.set(this.locals[s.index]);
      }
      case "store": {
        w.raw([0x02, 0x40]); // block: done
        this.probe(s.address, s.width, true);
        w.raw([0x04, 0x40]); // if the TLB misses
        this.w.i32(0);
        this.expression(s.value);
        emitStore(w, s.value.type, s.width, BOUNCE);
        this.slowCall(() => this.w.i32(s.width | SLOW_STORE));
        w.byte(0x45); // i32.eqz
        w.raw([0x04, 0x40]);
        this.exitAsTold(depth + 3);
        w.byte(0x0b);
        w.raw([0x0c, 1]); // br done
        w.byte(0x0b);
        this.hostFromEntry();
        this.w.get(HOST);
        this.expression(s.value);
        emitStore(w, s.value.type, s.width, 0);
        return w.byte(0x0b);
      }
      case "notePkruWriter":
        this.w.i32(0);
        this.w.get(PC);
        emitStore(w, "i32", 4, PKRU_WRITER_RECORD);
        this.w.i32(0);
        this.w.get(FUEL_LEFT);
        return emitStore(w, "i32", 4, PKRU_WRITER_FUEL);
      case "callout":
        this.recordField(RECORD_D);
        return this.calloutCall(depth);
      case "exit":
        return this.exitWith(s.code, depth);
      case "exception":
        this.w.i32(0);
        this.w.i32(s.vector);
        emitStore(w, "i32", 4, EXIT_VECTOR);
        this.w.i32(0);
        this.w.i32(s.error);
        emitStore(w, "i32", 4, EXIT_ERROR);
        return this.exitWith(EXIT_EXCEPTION, depth);
      case "goto":
        this.recordField(s.link === "d" ? RECORD_D : RECORD_E);
        w.raw([0x22, HOST, 0x45]); // local.tee, i32.eqz
        w.raw([0x04, 0x40]);
        this.exitWith(s.link === "d" ? EXIT_LINK_D : EXIT_LINK_E, depth + 1);
        w.byte(0x0b);
        return this.enterBlock(depth);
      case "enterRegion":
        return this.enterRegion(depth);
      case "gotoComputed":
        this.expression(s.address);
        w.raw([0x22, ADDRESS, 0xa7, 0x22, HOST]); // tee, wrap, tee
        this.w.get(HOST);
        this.w.i32(12);
        w.raw([0x76, 0x73]); // shr_u, xor
        this.w.i32(JUMP_CACHE_ENTRIES - 1);
        w.byte(0x71);
        this.w.i32(4);
        w.byte(0x74);
        w.raw([0x22, ENTRY]);
        emitLoad(w, "i64", 8, false, JUMP_CACHE_BASE);
        this.w.get(ADDRESS);
        w.byte(0x52); // i64.ne
        this.w.get(ENTRY);
        emitLoad(w, "i32", 4, false, JUMP_CACHE_BASE + 12);
        this.w.i32(0);
        emitLoad(w, "i32", 4, false, JUMP_TAG);
        w.raw([0x47, 0x72]); // i32.ne, i32.or
        w.raw([0x04, 0x40]);
        this.w.i32(0);
        this.w.get(ADDRESS);
        emitStore(w, "i64", 8, RIP);
        this.exitWith(EXIT_DISPATCH, depth + 1);
        w.byte(0x0b);
        this.w.get(ENTRY);
        emitLoad(w, "i32", 4, false, JUMP_CACHE_BASE + 8);
        this.w.set(HOST);
        return this.enterBlock(depth);
    }
  }

  /**
   * Runs the region whose entry PC is, if what it takes for granted holds in this address space, and goes on as it
   * says: see cpu/compiler/leave.ts.
   */
  private enterRegion(depth: number): void {
    const { w } = this;
    const header = (field: number): void => {
      this.w.get(HOST);
      emitLoad(w, "i32", 4, false, field);
    };
    this.w.get(PC);
    this.w.i32(RECORD_BYTES);
    w.byte(0x6b);
    this.w.set(HOST);
    header(HEADER_KEY);
    this.w.i32(0);
    emitLoad(w, "i32", 4, false, JUMP_TAG);
    w.byte(0x73); // i32.xor
    header(HEADER_KEY_MASK);
    w.raw([0x71, 0x04, 0x40]); // and, if
    this.exitWith(EXIT_REGION, depth + 1);
    w.byte(0x0b);
    this.w.i32(0);
    this.w.get(FUEL_LEFT);
    emitStore(w, "i32", 4, FUEL);
    this.w.get(FUEL_LEFT);
    header(HEADER_REGION);
    w.raw([0x11, REGION_TYPE, 0]); // call_indirect
    w.byte(0x22);
    w.u32(HOST);
    this.w.i32(LEAVE_MASK);
    w.byte(0x71);
    this.w.set(CODE);
    this.w.get(HOST);
    this.w.i32(~LEAVE_MASK);
    w.byte(0x71);
    this.w.set(PC);
    this.w.i32(0);
    emitLoad(w, "i32", 4, false, FUEL);
    this.w.set(FUEL_LEFT);
    const when = (how: number, then: () => void): void => {
      this.w.get(CODE);
      this.w.i32(how);
      w.raw([0x46, 0x04, 0x40]); // eq, if
      then();
      w.byte(0x0b);
    };
    when(LEAVE_LINK_D, () => this.statement({ kind: "goto", link: "d" }, depth + 1));
    when(LEAVE_LINK_E, () => this.statement({ kind: "goto", link: "e" }, depth + 1));
    when(LEAVE_COMPUTED, () =>
      this.statement(
        {
          kind: "gotoComputed",
          address: { kind: "state", type: "i64", address: RIP, width: 8, signed: false },
        },
        depth + 1,
      ),
    );
    when(LEAVE_ENTER, () => {
      this.w.get(PC);
      this.w.set(HOST);
      this.enterBlock(depth + 1);
    });
    this.way.next(w, depth);
  }

  /** PC = HOST, the first record of a block; pays its instructions in advance. */
  private enterBlock(depth: number): void {
    const { w } = this;
    this.w.get(HOST);
    this.w.set(PC);
    this.w.get(FUEL_LEFT);
    this.w.get(HOST);
    this.w.i32(RECORD_BYTES - HEADER_COUNT);
    w.byte(0x6b);
    emitLoad(w, "i32", 4, false, 0);
    w.byte(0x6b);
    w.raw([0x22, FUEL_LEFT]);
    this.w.i32(0);
    w.byte(0x48); // i32.lt_s
    w.raw([0x04, 0x40]);
    this.exitWith(EXIT_BUDGET, depth + 1);
    w.byte(0x0b);
    this.way.next(w, depth);
  }

  /** ADDRESS, ENTRY, DISTANCE of an access; leaves "misses" on the stack. */
  private probe(address: Expr, width: number, write: boolean): void {
    this.expression(address);
    const bank = (): void => {
      this.w.i32(0);
      emitLoad(this.w, "i32", 4, false, TLB_BANK);
    };
    emitProbe(this.w, ACCESS, bank, width, write);
  }

  private hostFromEntry(): void {
    emitHost(this.w, ACCESS);
    this.w.set(HOST);
  }

  private slowCall(argument: () => void): void {
    this.w.i32(0);
    this.w.get(ADDRESS);
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
    // A callout may ask how many instructions have been retired.
    this.w.i32(0);
    this.w.get(FUEL_LEFT);
    emitStore(w, "i32", 4, FUEL);
    this.w.get(PC);
    w.raw([0x10, CALLOUT]);
    w.raw([0x22, HOST]);
    w.raw([0x04, 0x40]);
    this.w.get(HOST);
    this.w.i32(1);
    w.byte(0x46); // FAULTED
    w.raw([0x04, 0x40]);
    this.exitAsTold(depth + 2);
    w.byte(0x0b);
    this.exitWith(EXIT_AGAIN, depth + 1);
    w.byte(0x0b);
  }
}
