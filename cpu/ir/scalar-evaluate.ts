const view = new DataView(new ArrayBuffer(8));

/** A float's value from its bit pattern, and back. */
function fromBits(bits: 32 | 64, pattern: bigint): number {
  if (bits === 32) {
    view.setUint32(0, Number(pattern));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, pattern);
  return view.getFloat64(0);
}
function toBits(bits: 32 | 64, value: number): bigint {
  if (bits === 32) {
    view.setFloat32(0, value);
    return BigInt(view.getUint32(0));
  }
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

type Integer = (x: bigint, y: bigint, bits: number) => bigint;
const signed = (x: bigint, bits: number): bigint => BigInt.asIntN(bits, x);
const flag = (value: boolean): bigint => (value ? 1n : 0n);

const INTEGER: Record<string, Integer> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div_s: (x, y, n) => signed(x, n) / signed(y, n),
  div_u: (x, y) => x / y,
  rem_s: (x, y, n) => signed(x, n) % signed(y, n),
  rem_u: (x, y) => x % y,
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y, n) => x << (y % BigInt(n)),
  shr_u: (x, y, n) => x >> (y % BigInt(n)),
  shr_s: (x, y, n) => signed(x, n) >> (y % BigInt(n)),
  rotl: (x, y, n) => (x << (y % BigInt(n))) | (x >> (BigInt(n) - (y % BigInt(n)))),
  rotr: (x, y, n) => (x >> (y % BigInt(n))) | (x << (BigInt(n) - (y % BigInt(n)))),
};
const COMPARE: Record<string, (x: bigint, y: bigint, bits: number) => boolean> = {
  eqz: (x) => x === 0n,
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt_u: (x, y) => x < y,
  gt_u: (x, y) => x > y,
  le_u: (x, y) => x <= y,
  ge_u: (x, y) => x >= y,
  lt_s: (x, y, n) => signed(x, n) < signed(y, n),
  gt_s: (x, y, n) => signed(x, n) > signed(y, n),
  le_s: (x, y, n) => signed(x, n) <= signed(y, n),
  ge_s: (x, y, n) => signed(x, n) >= signed(y, n),
};
const COUNT: Record<string, (x: bigint, bits: number) => number> = {
  clz: (x, n) => n - x.toString(2).length + (x === 0n ? 1 : 0),
  ctz: (x, n) => (x === 0n ? n : (x & -x).toString(2).length - 1),
  popcnt: (x) => x.toString(2).replaceAll("0", "").length,
};
const EXTEND: Record<string, number> = { extend8_s: 8, extend16_s: 16, extend32_s: 32 };

function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const result = floor + (up ? 1 : 0);
  return result === 0 && (x < 0 || Object.is(x, -0)) ? -0 : result;
}
const FLOAT: Record<string, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  sqrt: (x) => Math.sqrt(x),
  ceil: (x) => Math.ceil(x),
  floor: (x) => Math.floor(x),
  trunc: (x) => Math.trunc(x),
  nearest: (x) => nearest(x),
  min: (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? NaN : Math.min(x, y)),
  max: (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? NaN : Math.max(x, y)),
};
const FLOAT_COMPARE: Record<string, (x: number, y: number) => boolean> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  gt: (x, y) => x > y,
  le: (x, y) => x <= y,
  ge: (x, y) => x >= y,
};

/** A scalar WebAssembly operation on bit patterns; undefined for a name that is not scalar. */
export function evaluateScalar(name: string, args: readonly bigint[]): bigint | undefined {
  const dot = name.indexOf(".");
  const type = name.slice(0, dot);
  const op = name.slice(dot + 1);
  const [x, y = 0n] = args;
  if (type === "i32" || type === "i64") {
    const bits = type === "i32" ? 32 : 64;
    if (op in INTEGER) return BigInt.asUintN(bits, INTEGER[op](x, y, bits));
    if (op in COMPARE) return flag(COMPARE[op](x, y, bits));
    if (op in COUNT) return BigInt(COUNT[op](x, bits));
    if (op in EXTEND) return BigInt.asUintN(bits, BigInt.asIntN(EXTEND[op], x));
    if (op === "wrap_i64") return BigInt.asUintN(32, x);
    if (op === "extend_i32_u" || op.startsWith("reinterpret")) return x;
    if (op === "extend_i32_s") return BigInt.asUintN(64, BigInt.asIntN(32, x));
    const truncation = /^trunc_sat_f(32|64)_s$/.exec(op);
    if (truncation !== null) {
      const value = Math.trunc(fromBits(Number(truncation[1]) as 32 | 64, x));
      const limit = 1n << BigInt(bits - 1);
      if (Number.isNaN(value)) return 0n;
      const exact =
        value >= 2 ** (bits - 1) ? limit - 1n : value < -(2 ** (bits - 1)) ? -limit : BigInt(value);
      return BigInt.asUintN(bits, exact);
    }
    return undefined;
  }
  if (type !== "f32" && type !== "f64") return undefined;
  const bits = type === "f32" ? 32 : 64;
  const sign = 1n << BigInt(bits - 1);
  if (op === "neg") return x ^ sign;
  if (op === "abs") return x & ~sign;
  if (op === "copysign") return (x & ~sign) | (y & sign);
  if (op.startsWith("reinterpret")) return x;
  if (op === "demote_f64") return toBits(32, fromBits(64, x));
  if (op === "promote_f32") return toBits(64, fromBits(32, x));
  const conversion = /^convert_i(32|64)_s$/.exec(op);
  if (conversion !== null) {
    const integer = BigInt.asIntN(Number(conversion[1]), x);
    return toBits(bits, bits === 32 ? integerToFloat32(integer) : Number(integer));
  }
  if (op in FLOAT_COMPARE) return flag(FLOAT_COMPARE[op](fromBits(bits, x), fromBits(bits, y)));
  if (op in FLOAT) return toBits(bits, FLOAT[op](fromBits(bits, x), fromBits(bits, y)));
  return undefined;
}

/** Rounds once: through a double, a 64-bit integer would be rounded twice. */
function integerToFloat32(value: bigint): number {
  const negative = value < 0n;
  let magnitude = negative ? -value : value;
  const extra = magnitude.toString(2).length - 24;
  if (extra > 0) {
    const unit = 1n << BigInt(extra);
    const rest = magnitude % unit;
    magnitude -= rest;
    if (rest * 2n > unit || (rest * 2n === unit && (magnitude / unit) % 2n === 1n)) magnitude += unit;
  }
  return negative ? -Number(magnitude) : Number(magnitude);
}
