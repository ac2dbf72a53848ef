import { Mnemonic } from "iced-x86";
import { lower } from "../decode/context.js";
import { SSE_ADD, SSE_MUL, sseArith, unmaskedSse } from "../float/sse.js";
import { define } from "../ir/registry.js";
import { XTEMP } from "../state.js";
import { emitFloat } from "./float-arithmetic.js";
import { defineFloatCallout } from "./float-callouts.js";
import { immediateByte } from "./operands.js";

/** RCPPS, RSQRTPS, DPPS and DPPD. */

const SIGN = 0x80000000;
const QUIET = 0x00400000;
const INFINITY = 0x7f800000;
const SMALLEST_NORMAL = 0x00800000;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/**
 * 1/x or 1/sqrt(x) of a binary32 by its bits. Intel's tables are not architectural, only the relative error of at
 * most 1.5 * 2^-12 is (SDM vol. 2, RCPPS): this gives the correctly rounded value. Denormals count as 0 and tiny
 * results become 0; no exception is raised and MXCSR is not asked.
 */
export function approximate(x: number, squareRoot: boolean): number {
  const magnitude = x & ~SIGN;
  if (magnitude > INFINITY) return x | QUIET;
  if (magnitude < SMALLEST_NORMAL) return (x & SIGN) | INFINITY;
  if (squareRoot && (x & SIGN) !== 0) return SIGN | INFINITY | QUIET;
  bits[0] = x;
  float[0] = 1 / (squareRoot ? Math.sqrt(float[0]!) : float[0]!);
  const result = bits[0];
  return (result & ~SIGN) < SMALLEST_NORMAL ? result & SIGN : result;
}

for (const [family, squareRoot] of [
  ["rcp", false],
  ["rsqrt", true],
] as const)
  for (const form of ["ps", "ss"] as const) {
    const name = family + form;
    defineFloatCallout(name, (memory, a, b) => {
      for (let i = 0; i < (form === "ps" ? 4 : 1); i++)
        memory[a + i] = approximate(memory[b + i]!, squareRoot);
      return 0;
    });
    define(name, (b) => b.callout(), "rare");
  }
lower(Mnemonic.Rcpps, (x) => emitFloat(x, "rcpps", "ps"));
lower(Mnemonic.Rcpss, (x) => emitFloat(x, "rcpss", "ss"));
lower(Mnemonic.Rsqrtps, (x) => emitFloat(x, "rsqrtps", "ps"));
lower(Mnemonic.Rsqrtss, (x) => emitFloat(x, "rsqrtss", "ss"));

/**
 * DPPS and DPPD: the immediate's bits 7-4 choose the products, bits 3-0 the lanes that get their sum. Each step
 * rounds and raises as an instruction of its own would. The order of operands decides which of two NaNs is the
 * result; it is that of Intel's processors, where every lane is added up by itself.
 */
function dotProduct(
  double: boolean,
): (m: Int32Array, a: number, b: number, mxcsr: number, n: number) => number {
  const sums = (XTEMP + 32) >> 2;
  const others = (XTEMP + 48) >> 2;
  const words = double ? 2 : 1;
  const lanes = double ? 2 : 4;
  /** others = sums with lane i from lane i ^ distance. */
  const exchange = (memory: Int32Array, distance: number): void => {
    for (let word = 0; word < 4; word++) memory[others + word] = memory[sums + (word ^ (distance * words))]!;
  };
  return (memory, a, b, mxcsr, immediate) => {
    let flags = 0;
    memory.fill(0, sums, sums + 4);
    for (let i = 0; i < lanes; i++) {
      if (((immediate >> (4 + i)) & 1) === 0) continue;
      const at = i * words;
      flags |= sseArith(SSE_MUL, double, 1, memory, sums + at, a + at, b + at, mxcsr);
    }
    if (unmaskedSse(flags, mxcsr) !== 0) return flags;
    exchange(memory, 1);
    const [first, second] = double ? [sums, others] : [others, sums];
    flags |= sseArith(SSE_ADD, double, lanes, memory, sums, first, second, mxcsr);
    if (unmaskedSse(flags, mxcsr) !== 0) return flags;
    if (!double) {
      exchange(memory, 2);
      flags |= sseArith(SSE_ADD, false, 4, memory, sums, sums, others, mxcsr);
      if (unmaskedSse(flags, mxcsr) !== 0) return flags;
    }
    for (let word = 0; word < 4; word++)
      memory[a + word] = ((immediate >> (word / words)) & 1) !== 0 ? memory[sums + word]! : 0;
    return flags;
  };
}
for (const [name, form] of [
  ["dpps", "ps"],
  ["dppd", "pd"],
] as const) {
  defineFloatCallout(name, dotProduct(form === "pd"));
  define(name, (b) => b.callout(), "rare");
}
lower(Mnemonic.Dpps, (x) => emitFloat(x, "dpps", "ps", immediateByte(x)));
lower(Mnemonic.Dppd, (x) => emitFloat(x, "dppd", "pd", immediateByte(x)));
