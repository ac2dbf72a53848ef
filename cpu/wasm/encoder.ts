import type { ValueType } from "../ir/ops.js";

/** Bytes of a WebAssembly module, written by hand: the binary format's few pieces that the tiers need. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }
  raw(values: ArrayLike<number>): void {
    const { length } = this;
    if (length + values.length > this.bytes.length) this.grow(values.length);
    for (let i = 0; i < values.length; i++) this.bytes[length + i] = values[i]!;
    this.length = length + values.length;
  }
  private grow(more: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
  /** Unsigned LEB128 of a number below 2^32. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    if (BigInt.asIntN(32, rest) === rest) return this.s32(Number(rest));
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }
  // The commonest instructions.
  get(local: number): void {
    this.byte(0x20);
    this.u32(local);
  }
  set(local: number): void {
    this.byte(0x21);
    this.u32(local);
  }
  tee(local: number): void {
    this.byte(0x22);
    this.u32(local);
  }
  i32(value: number): void {
    this.byte(0x41);
    this.s32(value);
  }
  i64(value: bigint): void {
    this.byte(0x42);
    this.s64(value);
  }
  text(value: string): void {
    this.u32(value.length);
    for (const c of value) this.byte(c.charCodeAt(0));
  }
  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

export const TYPE_BYTE: Record<ValueType, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}
export interface ImportedFunction {
  readonly name: string;
  readonly type: FunctionType;
}
export interface DefinedFunction {
  readonly type: FunctionType;
  /** Locals beyond the parameters. */
  readonly locals: readonly ValueType[];
  /** Instructions, with the closing `end`. */
  readonly code: Uint8Array;
  readonly exportAs?: string;
}

/**
 * A module that imports memory `m.memory` of exactly `pages` 64 KiB pages or more, and functions of module `m`.
 * @param tableAs exports a table of functions under this name, empty at first
 */
export function encodeModule(
  imports: readonly ImportedFunction[],
  functions: readonly DefinedFunction[],
  pages: number,
  tableAs?: string,
): Uint8Array {
  const out = new ByteWriter();
  out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, write: (w: ByteWriter) => void): void => {
    const w = new ByteWriter();
    write(w);
    out.byte(id);
    out.u32(w.length);
    out.raw(w.take());
  };
  const types = [...imports.map((f) => f.type), ...functions.map((f) => f.type)];
  section(1, (w) => {
    w.u32(types.length);
    for (const type of types) {
      w.byte(0x60);
      for (const list of [type.params, type.results]) {
        w.u32(list.length);
        for (const t of list) w.byte(TYPE_BYTE[t]);
      }
    }
  });
  section(2, (w) => {
    w.u32(imports.length + 1);
    w.text("m");
    w.text("memory");
    w.raw([2, 0]);
    w.u32(pages);
    imports.forEach((f, i) => {
      w.text("m");
      w.text(f.name);
      w.byte(0);
      w.u32(i);
    });
  });
  section(3, (w) => {
    w.u32(functions.length);
    functions.forEach((_, i) => w.u32(imports.length + i));
  });
  if (tableAs !== undefined) section(4, (w) => w.raw([1, 0x70, 0, 0]));
  section(7, (w) => {
    const exported = functions.flatMap((f, i) =>
      f.exportAs === undefined ? [] : [[f.exportAs, i] as const],
    );
    w.u32(exported.length + (tableAs === undefined ? 0 : 1));
    if (tableAs !== undefined) {
      w.text(tableAs);
      w.raw([1, 0]);
    }
    for (const [name, i] of exported) {
      w.text(name);
      w.byte(0);
      w.u32(imports.length + i);
    }
  });
  section(10, (w) => {
    w.u32(functions.length);
    for (const f of functions) {
      const body = new ByteWriter();
      body.u32(f.locals.length);
      for (const t of f.locals) body.raw([1, TYPE_BYTE[t]]);
      body.raw(f.code);
      w.u32(body.length);
      w.raw(body.take());
    }
  });
  return out.take();
}
