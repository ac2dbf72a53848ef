/** The pure operations that micro-op bodies are made of: WebAssembly's own, by their WebAssembly names. */

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export interface OpInfo {
  readonly name: string;
  /** Encoding without the lane immediate. */
  readonly code: readonly number[];
  readonly params: readonly ValueType[];
  readonly result: ValueType;
}

const table = new Map<string, OpInfo>();

/** Adds an operation; SIMD's are added by simd-ops.ts. */
export function addOp(
  name: string,
  code: readonly number[],
  params: readonly ValueType[],
  result: ValueType,
): void {
  table.set(name, { name, code, params, result });
}

/** @throws Error for a name that WebAssembly does not have: a mistake in a micro-op's definition. */
export function opInfo(name: string): OpInfo {
  const info = table.get(name);
  if (info === undefined) throw new Error(`no operation ${name}`);
  return info;
}

function addRun(first: number, type: ValueType, arity: 1 | 2, result: ValueType, names: string): void {
  const params: ValueType[] = arity === 1 ? [type] : [type, type];
  names.split(" ").forEach((name, i) => addOp(`${type}.${name}`, [first + i], params, result));
}

const INT_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const INT_BINARY = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_COMPARE = "eq ne lt gt le ge";
const FLOAT_UNARY = "abs neg ceil floor trunc nearest sqrt";
const FLOAT_BINARY = "add sub mul div min max copysign";

addRun(0x45, "i32", 1, "i32", "eqz");
addRun(0x46, "i32", 2, "i32", INT_COMPARE);
addRun(0x50, "i64", 1, "i32", "eqz");
addRun(0x51, "i64", 2, "i32", INT_COMPARE);
addRun(0x5b, "f32", 2, "i32", FLOAT_COMPARE);
addRun(0x61, "f64", 2, "i32", FLOAT_COMPARE);
addRun(0x67, "i32", 1, "i32", "clz ctz popcnt");
addRun(0x6a, "i32", 2, "i32", INT_BINARY);
addRun(0x79, "i64", 1, "i64", "clz ctz popcnt");
addRun(0x7c, "i64", 2, "i64", INT_BINARY);
addRun(0x8b, "f32", 1, "f32", FLOAT_UNARY);
addRun(0x92, "f32", 2, "f32", FLOAT_BINARY);
addRun(0x99, "f64", 1, "f64", FLOAT_UNARY);
addRun(0xa0, "f64", 2, "f64", FLOAT_BINARY);
addOp("i32.wrap_i64", [0xa7], ["i64"], "i32");
addOp("i64.extend_i32_s", [0xac], ["i32"], "i64");
addOp("i64.extend_i32_u", [0xad], ["i32"], "i64");
addOp("f32.convert_i32_s", [0xb2], ["i32"], "f32");
addOp("f32.convert_i64_s", [0xb4], ["i64"], "f32");
addOp("f32.demote_f64", [0xb6], ["f64"], "f32");
addOp("f64.convert_i32_s", [0xb7], ["i32"], "f64");
addOp("f64.convert_i64_s", [0xb9], ["i64"], "f64");
addOp("f64.promote_f32", [0xbb], ["f32"], "f64");
addOp("i32.reinterpret_f32", [0xbc], ["f32"], "i32");
addOp("i64.reinterpret_f64", [0xbd], ["f64"], "i64");
addOp("f32.reinterpret_i32", [0xbe], ["i32"], "f32");
addOp("f64.reinterpret_i64", [0xbf], ["i64"], "f64");
addOp("i32.extend8_s", [0xc0], ["i32"], "i32");
addOp("i32.extend16_s", [0xc1], ["i32"], "i32");
addOp("i64.extend8_s", [0xc2], ["i64"], "i64");
addOp("i64.extend16_s", [0xc3], ["i64"], "i64");
addOp("i64.extend32_s", [0xc4], ["i64"], "i64");
addOp("i32.trunc_sat_f32_s", [0xfc, 0], ["f32"], "i32");
addOp("i32.trunc_sat_f64_s", [0xfc, 2], ["f64"], "i32");
addOp("i64.trunc_sat_f32_s", [0xfc, 4], ["f32"], "i64");
addOp("i64.trunc_sat_f64_s", [0xfc, 6], ["f64"], "i64");
