import type { Width } from "../ir/nodes.js";
import { opInfo, type ValueType } from "../ir/ops.js";
import { FLAG_AUX, FLAG_RESULT, GPR, TEMP, TEMPS, TLB_BANK, XMM, XTEMP, XTEMPS } from "../state.js";
import type { ByteWriter } from "../wasm/encoder.js";
import { emitLoad, emitStore } from "../wasm/expression.js";

/** A piece of the CPU state that a region keeps in a WebAssembly local. */
interface Cell {
  readonly address: number;
  readonly type: "i32" | "i64" | "v128";
  readonly bytes: 4 | 8 | 16;
  readonly local: number;
  written: boolean;
}

/** An access to a cell, from its first byte. */
interface Part {
  readonly cell: Cell;
  readonly offset: number;
}

/** SIMD shapes by the bytes of a lane. */
const INTEGER_LANES: Record<1 | 2 | 4 | 8, string> = { 1: "i8x16", 2: "i16x8", 4: "i32x4", 8: "i64x2" };

/**
 * General and vector registers, scratch registers and lazy flags as locals of one function: loaded where it begins,
 * stored where it ends. Everything else of the CPU state stays in memory, where it is always current.
 */
export class Cells {
  private readonly cells = new Map<number, Cell>();

  /** @param newLocal gives the index of a further local of the function */
  constructor(
    private readonly w: ByteWriter,
    private readonly newLocal: (type: ValueType) => number,
  ) {}

  /** The cell that bytes [address, address + width) lie in; undefined for state that stays in memory. */
  private part(address: number, width: Width): Part | undefined {
    const found = baseOf(address);
    if (found === undefined) return undefined;
    const [base, type, bytes] = found;
    if (address + width > base + bytes) throw new Uncompilable(`${width} bytes at ${address}`);
    let cell = this.cells.get(base);
    if (cell === undefined) {
      cell = { address: base, type, bytes, local: this.newLocal(type), written: false };
      this.cells.set(base, cell);
    }
    return { cell, offset: address - base };
  }

  /** Leaves what lies at an address of the CPU state on the stack. */
  read(address: number, width: Width, type: ValueType, signed: boolean): void {
    const part = this.part(address, width);
    if (part === undefined) {
      this.w.i32(0);
      return emitLoad(this.w, type, width, signed, address);
    }
    if (part.cell.type === "v128") return this.readVector(part, width, type, signed);
    this.w.get(part.cell.local);
    if (part.cell.type === "i32") return this.fromI32(part, width, type, signed);
    this.fromI64(part.offset, width, type, signed);
  }

  /** Writes the value that `value` leaves on the stack. */
  write(address: number, width: Width, type: ValueType, value: () => void): void {
    const part = this.part(address, width);
    if (part === undefined) {
      this.w.i32(0);
      value();
      return emitStore(this.w, type, width, address);
    }
    const { cell, offset } = part;
    cell.written = true;
    if (cell.type === "v128") this.intoVector(part, width, type, value);
    else if (cell.type === "i32") {
      value();
      if (type === "i64") this.op("i32.wrap_i64");
      else if (type !== "i32" || width !== 4) throw new Uncompilable(`${type} of ${width} bytes into flags`);
    } else this.intoI64(cell.local, offset, width, type, value);
    this.w.set(cell.local);
  }

  /** Code that takes every cell from memory. */
  load(into: ByteWriter): void {
    for (const cell of this.cells.values()) {
      into.raw([0x41, 0]);
      emitLoad(into, cell.type, cell.bytes, false, cell.address);
      into.byte(0x21);
      into.u32(cell.local);
    }
  }

  /** Code that puts every cell that is ever written back into memory. */
  store(into: ByteWriter): void {
    for (const cell of this.cells.values()) {
      if (!cell.written) continue;
      into.raw([0x41, 0, 0x20]);
      into.u32(cell.local);
      emitStore(into, cell.type, cell.bytes, cell.address);
    }
  }

  private fromI32({ offset }: Part, width: Width, type: ValueType, signed: boolean): void {
    if (offset !== 0 || width !== 4) throw new Uncompilable(`${width} bytes of flags`);
    if (type === "i64") this.op(signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
    else if (type !== "i32") throw new Uncompilable(`flags as ${type}`);
  }

  /** The register is on the stack. */
  private fromI64(offset: number, width: Width, type: ValueType, signed: boolean): void {
    if (type === "v128") {
      // Narrower vector loads fill the low bytes and clear the rest.
      const zero = (): void => this.w.raw([0xfd, 0x0c, ...new Uint8Array(16)]);
      this.shiftDown(offset);
      const scratch = this.newLocal("i64");
      this.w.set(scratch);
      zero();
      this.w.get(scratch);
      if (width === 8) return this.lane("i64x2.replace_lane", 0);
      if (width !== 4) throw new Uncompilable(`a vector from ${width} bytes`);
      this.op("i32.wrap_i64");
      return this.lane("i32x4.replace_lane", 0);
    }
    if (width === 8) {
      if (type === "f64") this.op("f64.reinterpret_i64");
      else if (type !== "i64") throw new Uncompilable(`8 bytes as ${type}`);
      return;
    }
    this.shiftDown(offset);
    if (type === "i64") {
      if (signed) this.op(`i64.extend${width * 8}_s`);
      else {
        this.w.i64(2n ** BigInt(8 * width) - 1n);
        this.op("i64.and");
      }
      return;
    }
    this.op("i32.wrap_i64");
    if (width === 4) {
      if (type === "f32") this.op("f32.reinterpret_i32");
      else if (type !== "i32") throw new Uncompilable(`4 bytes as ${type}`);
    } else if (signed) this.op(`i32.extend${width * 8}_s`);
    else {
      this.w.i32(width === 1 ? 0xff : 0xffff);
      this.op("i32.and");
    }
  }

  private intoI64(local: number, offset: number, width: Width, type: ValueType, value: () => void): void {
    const low = (): void => {
      value();
      if (type === "f64") this.op("i64.reinterpret_f64");
      else if (type === "f32") {
        this.op("i32.reinterpret_f32");
        this.op("i64.extend_i32_u");
      } else if (type === "i32") this.op("i64.extend_i32_u");
      else if (type === "v128") this.lane("i64x2.extract_lane", 0);
    };
    if (width === 8) return low();
    const mask = 2n ** BigInt(8 * width) - 1n;
    this.w.get(local);
    this.w.i64(~(mask << BigInt(8 * offset)));
    this.op("i64.and");
    low();
    if (!(width === 4 && (type === "i32" || type === "f32"))) {
      this.w.i64(mask);
      this.op("i64.and");
    }
    if (offset !== 0) {
      this.w.i64(BigInt(8 * offset));
      this.op("i64.shl");
    }
    this.op("i64.or");
  }

  private readVector({ cell, offset }: Part, width: Width, type: ValueType, signed: boolean): void {
    if (width === 16) {
      if (type !== "v128") throw new Uncompilable(`16 bytes as ${type}`);
      return this.w.get(cell.local);
    }
    const lane = laneOf(offset, width);
    if (type === "v128") {
      this.w.raw([0xfd, 0x0c, ...new Uint8Array(16)]);
      this.w.get(cell.local);
      this.lane(`${INTEGER_LANES[width]}.extract_lane`, lane);
      return this.lane(`${INTEGER_LANES[width]}.replace_lane`, 0);
    }
    this.w.get(cell.local);
    if (type === "f64" && width === 8) return this.lane("f64x2.extract_lane", lane);
    if (type === "f32" && width === 4) return this.lane("f32x4.extract_lane", lane);
    const shape = INTEGER_LANES[width];
    this.lane(`${shape}.extract_lane${width < 4 ? (signed ? "_s" : "_u") : ""}`, lane);
    if (width === 8 ? type !== "i64" : type !== "i32" && type !== "i64")
      throw new Uncompilable(`${width} bytes of a vector as ${type}`);
    if (width < 8 && type === "i64") this.op(signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
  }

  private intoVector({ cell, offset }: Part, width: Width, type: ValueType, value: () => void): void {
    if (width === 16) {
      if (type !== "v128") throw new Uncompilable(`16 bytes of ${type}`);
      return value();
    }
    const lane = laneOf(offset, width);
    this.w.get(cell.local);
    value();
    if (type === "v128") this.lane(`${INTEGER_LANES[width]}.extract_lane`, 0);
    if (type === "f64") return this.lane("f64x2.replace_lane", lane);
    if (type === "f32") return this.lane("f32x4.replace_lane", lane);
    if (type === "i64" && width < 8) this.op("i32.wrap_i64");
    this.lane(`${INTEGER_LANES[width]}.replace_lane`, lane);
  }

  private shiftDown(offset: number): void {
    if (offset === 0) return;
    this.w.i64(BigInt(8 * offset));
    this.op("i64.shr_u");
  }
  private op(name: string): void {
    this.w.raw(opInfo(name).code);
  }
  private lane(name: string, lane: number): void {
    this.op(name);
    this.w.byte(lane);
  }
}

/** A micro-op reaches the state in a way that no cell has: its block stays the interpreter's. */
export class Uncompilable extends Error {}

function laneOf(offset: number, width: 1 | 2 | 4 | 8): number {
  if (offset % width !== 0) throw new Uncompilable(`${width} bytes at ${offset} of a vector`);
  return offset / width;
}

function baseOf(address: number): readonly [number, Cell["type"], Cell["bytes"]] | undefined {
  if ((address >= GPR && address < GPR + 128) || (address >= TEMP && address < TEMP + 8 * TEMPS))
    return [address - (address % 8), "i64", 8];
  if ((address >= XMM && address < XMM + 256) || (address >= XTEMP && address < XTEMP + 16 * XTEMPS))
    return [address - (address % 16), "v128", 16];
  if (address >= FLAG_RESULT && address < FLAG_RESULT + 8) return [FLAG_RESULT, "i64", 8];
  if (address === FLAG_AUX) return [FLAG_AUX, "i32", 4];
  if (address === TLB_BANK) return [TLB_BANK, "i32", 4];
  return undefined;
}
