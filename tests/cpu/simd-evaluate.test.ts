import { describe, expect, it } from "vitest";
import { opInfo, type OpInfo, type ValueType } from "../../cpu/ir/ops.js";
import { evaluateSimd } from "../../cpu/ir/simd-evaluate.js";
import { simdOperations } from "../../cpu/ir/simd-ops.js";
import { ByteWriter, encodeModule } from "../../cpu/wasm/encoder.js";
import { emitLoad, emitStore } from "../../cpu/wasm/expression.js";

/** Linear addresses: three arguments 16 bytes apart, then the result. */
const RESULT = 64;
const BYTES: Record<ValueType, 4 | 8 | 16> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };
const LANES: Record<string, number> = { i8x16: 16, i16x8: 8, i32x4: 4, i64x2: 2, f32x4: 4, f64x2: 2 };

/** A function of no parameters that applies the operation to memory: the host's WebAssembly is the judge. */
function compile(
  emit: (w: ByteWriter) => void,
  params: readonly ValueType[],
  result: ValueType,
): (args: readonly bigint[]) => bigint {
  const w = new ByteWriter();
  w.raw([0x41, 0]);
  params.forEach((type, i) => {
    w.raw([0x41, 0]);
    emitLoad(w, type, BYTES[type], false, 16 * i);
  });
  emit(w);
  emitStore(w, result, BYTES[result], RESULT);
  w.byte(0x0b);
  const bytes = encodeModule(
    [],
    [{ type: { params: [], results: [] }, locals: [], code: w.take(), exportAs: "f" }],
    1,
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } }).exports;
  const view = new DataView(memory.buffer);
  return (args) => {
    args.forEach((value, i) => {
      view.setBigUint64(16 * i, value & 0xffffffffffffffffn, true);
      view.setBigUint64(16 * i + 8, value >> 64n, true);
    });
    view.setBigUint64(RESULT, 0n, true);
    view.setBigUint64(RESULT + 8, 0n, true);
    (f as () => void)();
    return view.getBigUint64(RESULT, true) | (view.getBigUint64(RESULT + 8, true) << 64n);
  };
}

let seed = 12345;
function random32(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return (seed ^ (seed >>> 15)) >>> 0;
}

/** A value of the type: random bits, lanes of extremes, or floats of moderate size. */
function value(type: ValueType, shape: string): bigint {
  const view = new DataView(new ArrayBuffer(16));
  const style = random32() % 4;
  for (let at = 0; at < 16; at += 8) {
    if (style === 0) view.setFloat64(at, ((random32() % 4001) - 2000) / 4, true);
    else if (style === 1) {
      view.setFloat32(at, ((random32() % 4001) - 2000) / 4, true);
      view.setFloat32(at + 4, (random32() - 2 ** 31) * 4, true);
    } else
      for (let i = 0; i < 8; i++)
        view.setUint8(at + i, style === 2 ? random32() >>> 9 : [0, 0x7f, 0x80, 0xff][(random32() >>> 9) % 4]);
  }
  const bits = view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n);
  // The host may give a NaN any payload; x86's rules never rest on it.
  const clean = shape.startsWith("f") ? withoutNaN(bits, shape === "f64x2" ? 64 : 32) : bits;
  return clean & ((1n << BigInt(8 * BYTES[type])) - 1n);
}

function withoutNaN(v: bigint, bits: 32 | 64): bigint {
  const exponent = bits === 64 ? 0x7ff0000000000000n : 0x7f800000n;
  let clean = v;
  for (let at = 0n; at < 128n; at += BigInt(bits))
    if (((v >> at) & exponent) === exponent) clean &= ~(((1n << BigInt(bits)) - 1n) << at);
  return clean;
}

/** NaNs as one pattern. */
function canonical(v: bigint, shape: string): bigint {
  if (!shape.startsWith("f")) return v;
  const bits = shape === "f64x2" ? 64n : 32n;
  const lane = (1n << bits) - 1n;
  const infinity = bits === 64n ? 0x7ff0000000000000n : 0x7f800000n;
  let out = 0n;
  for (let at = 0n; at < 128n; at += bits) {
    const x = (v >> at) & lane;
    out |= ((x & (lane >> 1n)) > infinity ? lane : x) << at;
  }
  return out;
}

describe("the BigInt meaning of 128-bit operations is WebAssembly's", () => {
  const check = (info: OpInfo, lane: number | undefined): void => {
    const [shape = ""] = info.name.split(".");
    const from = /promote_low_f32x4|demote_f64x2/.exec(info.name)?.[0].replace(/.*_/, "") ?? shape;
    const f = compile(
      (w) => {
        w.raw(info.code);
        if (lane !== undefined) w.byte(lane);
      },
      info.params,
      info.result,
    );
    for (let n = 0; n < 60; n++) {
      const args = info.params.map((type) => value(type, from));
      const result = evaluateSimd(info.name, args, lane);
      const context = `${info.name}${lane === undefined ? "" : ` ${lane}`}(${args.map((a) => a.toString(16)).join()})`;
      expect(result, context).toBeDefined();
      const text = (v: bigint): string =>
        `${context} = ${canonical(v, info.result === "v128" ? shape : "").toString(16)}`;
      expect(text(result!)).toBe(text(f(args)));
    }
  };
  it.each(simdOperations)("%s", (name) => {
    const info = opInfo(name);
    if (!name.includes("_lane")) return check(info, undefined);
    for (let lane = 0; lane < LANES[name.split(".")[0]]; lane++) check(info, lane);
  });
  it("knows nothing else", () => {
    expect(evaluateSimd("i32.add", [1n, 2n])).toBeUndefined();
    expect(evaluateSimd("i8x16.reverse", [1n])).toBeUndefined();
  });
});
