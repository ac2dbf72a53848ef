import { addOp, type ValueType } from "./ops.js";

/** WebAssembly's 128-bit operations, by their WebAssembly names. Importing this module adds them. */

/** Prefix byte and the operation's number as LEB128. */
function code(number: number): number[] {
  return number < 0x80 ? [0xfd, number] : [0xfd, (number & 0x7f) | 0x80, number >> 7];
}

const V: ValueType = "v128";

/** Names of all operations added here. */
export const simdOperations: string[] = [];

/** Operations with consecutive numbers; "-" skips one that WebAssembly leaves out or that is added elsewhere. */
function run(
  first: number,
  shape: string,
  params: readonly ValueType[],
  result: ValueType,
  names: string,
): void {
  names.split(" ").forEach((name, i) => {
    if (name === "-") return;
    addOp(`${shape}.${name}`, code(first + i), params, result);
    simdOperations.push(`${shape}.${name}`);
  });
}

run(0x0e, "i8x16", [V, V], V, "swizzle");
const SCALARS: readonly [string, ValueType][] = [
  ["i8x16", "i32"],
  ["i16x8", "i32"],
  ["i32x4", "i32"],
  ["i64x2", "i64"],
  ["f32x4", "f32"],
  ["f64x2", "f64"],
];
SCALARS.forEach(([shape, scalar], i) => run(0x0f + i, shape, [scalar], V, "splat"));
for (const [shape, scalar, first] of [
  ["i8x16", "i32", 0x15],
  ["i16x8", "i32", 0x18],
] as const) {
  run(first, shape, [V], scalar, "extract_lane_s extract_lane_u");
  run(first + 2, shape, [V, scalar], V, "replace_lane");
}
for (const [shape, scalar, first] of [
  ["i32x4", "i32", 0x1b],
  ["i64x2", "i64", 0x1d],
  ["f32x4", "f32", 0x1f],
  ["f64x2", "f64", 0x21],
] as const) {
  run(first, shape, [V], scalar, "extract_lane");
  run(first + 1, shape, [V, scalar], V, "replace_lane");
}

const COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
run(0x23, "i8x16", [V, V], V, COMPARE);
run(0x2d, "i16x8", [V, V], V, COMPARE);
run(0x37, "i32x4", [V, V], V, COMPARE);
run(0xd6, "i64x2", [V, V], V, "eq ne lt_s gt_s le_s ge_s");
run(0x41, "f32x4", [V, V], V, "eq ne lt gt le ge");
run(0x47, "f64x2", [V, V], V, "eq ne lt gt le ge");

run(0x4d, "v128", [V], V, "not");
run(0x4e, "v128", [V, V], V, "and andnot or xor");
run(0x52, "v128", [V, V, V], V, "bitselect");
run(0x53, "v128", [V], "i32", "any_true");

run(0x60, "i8x16", [V], V, "abs neg");
run(0x63, "i8x16", [V], "i32", "all_true bitmask");
run(0x65, "i8x16", [V, V], V, "narrow_i16x8_s narrow_i16x8_u");
run(0x6b, "i8x16", [V, "i32"], V, "shl shr_s shr_u");
run(0x6e, "i8x16", [V, V], V, "add add_sat_s add_sat_u sub sub_sat_s sub_sat_u");
run(0x76, "i8x16", [V, V], V, "min_s min_u max_s max_u - avgr_u");
run(0x7c, "i16x8", [V], V, "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u");
run(0x7e, "i32x4", [V], V, "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u");

const EXTEND = (from: string): string =>
  `extend_low_${from}_s extend_high_${from}_s extend_low_${from}_u extend_high_${from}_u`;
const EXTMUL = (from: string): string =>
  `extmul_low_${from}_s extmul_high_${from}_s extmul_low_${from}_u extmul_high_${from}_u`;
for (const [shape, first, narrower] of [
  ["i16x8", 0x80, "i8x16"],
  ["i32x4", 0xa0, "i16x8"],
  ["i64x2", 0xc0, "i32x4"],
] as const) {
  run(first, shape, [V], V, "abs neg");
  run(first + 3, shape, [V], "i32", "all_true bitmask");
  run(first + 7, shape, [V], V, EXTEND(narrower));
  run(first + 11, shape, [V, "i32"], V, "shl shr_s shr_u");
  run(first + 14, shape, [V, V], V, "add");
  run(first + 17, shape, [V, V], V, "sub");
  run(first + 21, shape, [V, V], V, "mul");
  run(first + 28, shape, [V, V], V, EXTMUL(narrower));
}
run(0x82, "i16x8", [V, V], V, "q15mulr_sat_s");
run(0x85, "i16x8", [V, V], V, "narrow_i32x4_s narrow_i32x4_u");
run(0x8f, "i16x8", [V, V], V, "add_sat_s add_sat_u");
run(0x92, "i16x8", [V, V], V, "sub_sat_s sub_sat_u");
run(0x96, "i16x8", [V, V], V, "min_s min_u max_s max_u - avgr_u");
run(0xb6, "i32x4", [V, V], V, "min_s min_u max_s max_u dot_i16x8_s");

for (const [shape, abs, round] of [
  ["f32x4", 0xe0, [0x67, 0x68, 0x69, 0x6a]],
  ["f64x2", 0xec, [0x74, 0x75, 0x7a, 0x94]],
] as const) {
  run(abs, shape, [V], V, "abs neg - sqrt");
  run(abs + 4, shape, [V, V], V, "add sub mul div min max pmin pmax");
  ["ceil", "floor", "trunc", "nearest"].forEach((name, i) => run(round[i]!, shape, [V], V, name));
}
run(0x5e, "f32x4", [V], V, "demote_f64x2_zero");
run(0x5f, "f64x2", [V], V, "promote_low_f32x4");
run(0xf8, "i32x4", [V], V, "trunc_sat_f32x4_s");
run(0xfa, "f32x4", [V], V, "convert_i32x4_s");
run(0xfc, "i32x4", [V], V, "trunc_sat_f64x2_s_zero");
run(0xfe, "f64x2", [V], V, "convert_low_i32x4_s");
