/**
 * The meaning of WebAssembly's 128-bit operations in BigInts, lane by lane: what the reference evaluator runs
 * instead of the host's WebAssembly.
 */

/** Bits of a lane, by shape. */
const LANE_BITS: Record<string, number> = { i8x16: 8, i16x8: 16, i32x4: 32, i64x2: 64, f32x4: 32, f64x2: 64 };
const VECTOR_BITS = 128;

const view = new DataView(new ArrayBuffer(8));

function toFloat(bits: number, value: bigint): number {
  if (bits === 64) {
    view.setBigUint64(0, value);
    return view.getFloat64(0);
  }
  view.setUint32(0, Number(value));
  return view.getFloat32(0);
}

function fromFloat(bits: number, value: number): bigint {
  if (bits === 64) {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  }
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
const lanesOf = (bits: number): number => VECTOR_BITS / bits;
const laneAt = (v: bigint, bits: number, i: number): bigint => (v >> BigInt(bits * i)) & mask(bits);

/** A vector of lanes of `bits` bits; each value is truncated to its lane. */
function build(bits: number, count: number, lane: (i: number) => bigint): bigint {
  let v = 0n;
  for (let i = 0; i < count; i++) v |= (lane(i) & mask(bits)) << BigInt(bits * i);
  return v;
}

const map = (bits: number, v: bigint, f: (x: bigint) => bigint): bigint =>
  build(bits, lanesOf(bits), (i) => f(laneAt(v, bits, i)));

const zip = (bits: number, v: bigint, w: bigint, f: (x: bigint, y: bigint) => bigint): bigint =>
  build(bits, lanesOf(bits), (i) => f(laneAt(v, bits, i), laneAt(w, bits, i)));

function clamp(value: bigint, bits: number, signed: boolean): bigint {
  const low = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const high = signed ? (1n << BigInt(bits - 1)) - 1n : mask(bits);
  return value < low ? low : value > high ? high : value;
}

/** Ties to even. */
function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const magic = x < 0 || Object.is(x, -0) ? -(2 ** 52) : 2 ** 52;
  const rounded = x + magic - magic;
  return rounded === 0 ? (magic < 0 ? -0 : 0) : rounded;
}

const ROUND: Record<string, (x: number) => number> = {
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  nearest,
  sqrt: Math.sqrt,
};

function truncSat(bits: number, x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (!Number.isFinite(x)) return x > 0 ? mask(bits - 1) : -(1n << BigInt(bits - 1));
  return clamp(BigInt(Math.trunc(x)), bits, true);
}

function compare<T>(name: string, x: T, y: T): boolean | undefined {
  switch (name) {
    case "eq":
      return x === y;
    case "ne":
      return x !== y;
    case "lt":
      return x < y;
    case "gt":
      return x > y;
    case "le":
      return x <= y;
    case "ge":
      return x >= y;
    default:
      return undefined;
  }
}

function floatOperation(name: string, bits: number, [v = 0n, w = 0n]: readonly bigint[]): bigint | undefined {
  const sign = 1n << BigInt(bits - 1);
  if (name === "abs") return map(bits, v, (x) => x & ~sign);
  if (name === "neg") return map(bits, v, (x) => x ^ sign);
  const round = ROUND[name];
  if (round !== undefined) return map(bits, v, (x) => fromFloat(bits, round(toFloat(bits, x))));
  const arithmetic = (f: (x: number, y: number) => number): bigint =>
    zip(bits, v, w, (x, y) => fromFloat(bits, f(toFloat(bits, x), toFloat(bits, y))));
  switch (name) {
    case "add":
      return arithmetic((x, y) => x + y);
    case "sub":
      return arithmetic((x, y) => x - y);
    case "mul":
      return arithmetic((x, y) => x * y);
    case "div":
      return arithmetic((x, y) => x / y);
    case "min":
      return arithmetic(Math.min);
    case "max":
      return arithmetic(Math.max);
    case "pmin":
      return zip(bits, v, w, (x, y) => (toFloat(bits, y) < toFloat(bits, x) ? y : x));
    case "pmax":
      return zip(bits, v, w, (x, y) => (toFloat(bits, x) < toFloat(bits, y) ? y : x));
    case "demote_f64x2_zero":
      return build(32, 2, (i) => fromFloat(32, toFloat(64, laneAt(v, 64, i))));
    case "promote_low_f32x4":
      return build(64, 2, (i) => fromFloat(64, toFloat(32, laneAt(v, 32, i))));
    case "convert_i32x4_s":
      return map(32, v, (x) => fromFloat(32, Number(BigInt.asIntN(32, x))));
    case "convert_low_i32x4_s":
      return build(64, 2, (i) => fromFloat(64, Number(BigInt.asIntN(32, laneAt(v, 32, i)))));
  }
  if (compare(name, 0, 0) === undefined) return undefined;
  return zip(bits, v, w, (x, y) => (compare(name, toFloat(bits, x), toFloat(bits, y)) ? mask(bits) : 0n));
}

/** Operations whose result depends on the signedness that their name ends in. */
function signedOperation(
  base: string,
  bits: number,
  signed: boolean,
  [v = 0n, w = 0n]: readonly bigint[],
): bigint | undefined {
  const value = (x: bigint, width = bits): bigint => (signed ? BigInt.asIntN(width, x) : x);
  const each = (f: (x: bigint, y: bigint) => bigint): bigint =>
    zip(bits, v, w, (x, y) => f(value(x), value(y)));
  const half = bits / 2;
  const wide = (vector: bigint, i: number): bigint => value(laneAt(vector, half, i), half);
  const [kind = "", part = ""] = base.split("_");
  const offset = part === "high" ? lanesOf(bits) : 0;
  switch (kind) {
    case "min":
      return each((x, y) => (x < y ? x : y));
    case "max":
      return each((x, y) => (x > y ? x : y));
    case "shr":
      return map(bits, v, (x) => value(x) >> (w % BigInt(bits)));
    case "add":
      return each((x, y) => clamp(x + y, bits, signed));
    case "sub":
      return each((x, y) => clamp(x - y, bits, signed));
    case "avgr":
      return each((x, y) => (x + y + 1n) >> 1n);
    case "narrow": {
      // The source lanes are signed in both forms.
      const lane = (vector: bigint, i: number): bigint =>
        clamp(BigInt.asIntN(bits * 2, laneAt(vector, bits * 2, i)), bits, signed);
      const n = lanesOf(bits * 2);
      return build(bits, lanesOf(bits), (i) => (i < n ? lane(v, i) : lane(w, i - n)));
    }
    case "extend":
      return build(bits, lanesOf(bits), (i) => wide(v, i + offset));
    case "extmul":
      return build(bits, lanesOf(bits), (i) => wide(v, i + offset) * wide(w, i + offset));
    case "extadd":
      return build(bits, lanesOf(bits), (i) => wide(v, 2 * i) + wide(v, 2 * i + 1));
    case "dot":
      return build(
        bits,
        lanesOf(bits),
        (i) => wide(v, 2 * i) * wide(w, 2 * i) + wide(v, 2 * i + 1) * wide(w, 2 * i + 1),
      );
    case "q15mulr":
      return each((x, y) => clamp((x * y + 0x4000n) >> 15n, bits, true));
    case "trunc": {
      const from = base.includes("f64x2") ? 64 : 32;
      return build(bits, lanesOf(from), (i) => truncSat(bits, toFloat(from, laneAt(v, from, i))));
    }
    default:
      if (compare(kind, 0n, 0n) === undefined) return undefined;
      return each((x, y) => (compare(kind, x, y) ? -1n : 0n));
  }
}

function integerOperation(name: string, bits: number, args: readonly bigint[]): bigint | undefined {
  const [v = 0n, w = 0n] = args;
  const n = lanesOf(bits);
  switch (name) {
    case "swizzle":
      return build(8, 16, (i) => {
        const from = Number(laneAt(w, 8, i));
        return from < 16 ? laneAt(v, 8, from) : 0n;
      });
    case "all_true":
      for (let i = 0; i < n; i++) if (laneAt(v, bits, i) === 0n) return 0n;
      return 1n;
    case "bitmask":
      return build(1, n, (i) => laneAt(v, bits, i) >> BigInt(bits - 1));
    case "abs":
      return map(bits, v, (x) => (x >> BigInt(bits - 1) === 1n ? -x : x));
    case "neg":
      return map(bits, v, (x) => -x);
    case "shl":
      return map(bits, v, (x) => x << (w % BigInt(bits)));
    case "add":
      return zip(bits, v, w, (x, y) => x + y);
    case "sub":
      return zip(bits, v, w, (x, y) => x - y);
    case "mul":
      return zip(bits, v, w, (x, y) => x * y);
    case "eq":
    case "ne":
      return zip(bits, v, w, (x, y) => ((x === y) === (name === "eq") ? -1n : 0n));
  }
  const match = /^(.+)_([su])(_zero)?$/.exec(name);
  return match === null ? undefined : signedOperation(match[1]!, bits, match[2] === "s", args);
}

function logical(name: string, [v = 0n, w = 0n, c = 0n]: readonly bigint[]): bigint | undefined {
  const all = mask(VECTOR_BITS);
  switch (name) {
    case "not":
      return v ^ all;
    case "and":
      return v & w;
    case "andnot":
      return v & (w ^ all);
    case "or":
      return v | w;
    case "xor":
      return v ^ w;
    case "bitselect":
      return (v & c) | (w & (c ^ all));
    case "any_true":
      return v === 0n ? 0n : 1n;
    default:
      return undefined;
  }
}

/**
 * Evaluates one operation of simd-ops.ts. A v128 is an unsigned 128-bit number with lane 0 in its low bits;
 * integers are unsigned, floats are bit patterns.
 * @returns undefined for a name that is not a 128-bit operation
 */
export function evaluateSimd(name: string, args: readonly bigint[], lane = 0): bigint | undefined {
  const [shape = "", operation = ""] = name.split(".");
  if (shape === "v128") return logical(operation, args);
  const bits = LANE_BITS[shape];
  if (bits === undefined) return undefined;
  const [v = 0n, w = 0n] = args;
  switch (operation) {
    case "splat":
      return build(bits, lanesOf(bits), () => v);
    case "extract_lane":
    case "extract_lane_u":
      return laneAt(v, bits, lane);
    case "extract_lane_s":
      return BigInt.asUintN(32, BigInt.asIntN(bits, laneAt(v, bits, lane)));
    case "replace_lane":
      return build(bits, lanesOf(bits), (i) => (i === lane ? w : laneAt(v, bits, i)));
    default:
      return shape.startsWith("f")
        ? floatOperation(operation, bits, args)
        : integerOperation(operation, bits, args);
  }
}
