import { Mnemonic } from "iced-x86";
import { defineCallout, DONE } from "../callouts.js";
import { lower, type DecodeContext } from "../decode/context.js";
import { explicitFlags } from "../flags.js";
import { comisResult, sseComis, sseCompare } from "../float/sse.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { FLAG_AUX, FLAG_RESULT, MXCSR } from "../state.js";
import { emitFloat } from "./float-arithmetic.js";
import { defineFloatCallout, settle } from "./float-callouts.js";
import { FORMS, Lanes, isDouble, lanesOf, type Form } from "./float-lanes.js";
import { immediateByte } from "./operands.js";

/** CMPPS and its kin, COMIS and UCOMIS. */

/** Lanes of ones when `bit` of the immediate is set. */
function fill(b: Builder, v: Lanes, bit: number): Expr {
  const value = b.sub(b.i64(0), b.and(b.shrU(b.immediate, b.i64(bit)), b.i64(1)));
  return v.packed ? b.op("i64x2.splat", [value]) : b.wrap(value);
}

/** The immediate: bits 2-0 the predicate, as the instruction has it. */
for (const form of FORMS) {
  const name = `cmp${form}`;
  const double = isDouble(form);
  const lanes = lanesOf(form);
  defineFloatCallout(name, (memory, a, b, mxcsr, predicate) =>
    sseCompare(predicate, double, lanes, memory, a, a, b, mxcsr),
  );
  define(
    name,
    (b) => {
      const v = new Lanes(b, form);
      const x = v.get("a");
      const y = v.get("b");
      // No NaN here, so that "unordered" is false. Predicates: EQ, LT, LE, UNORD; bit 2 negates.
      const low = b.let(fill(b, v, 0));
      const high = b.let(fill(b, v, 1));
      const inverse = (mask: Expr): Expr => (v.packed ? b.op("v128.not", [mask]) : b.xor(mask, b.i32(-1)));
      const select = (bit1: Expr, bit0: Expr, mask: Expr): Expr => v.and(v.and(bit1, bit0), mask);
      const wide = (mask: Expr): Expr => (v.packed ? mask : b.sub(b.i32(0), mask));
      const holds = v.or(
        select(inverse(high), inverse(low), wide(v.op("eq", x, y))),
        v.or(
          select(inverse(high), low, wide(v.op("lt", x, y))),
          select(high, inverse(low), wide(v.op("le", x, y))),
        ),
      );
      const negate = fill(b, v, 2);
      b.if(
        v.all(v.and(v.plain(x), v.plain(y))),
        () => {
          if (v.packed) b.set("a", 16, b.op("v128.xor", [holds, negate]));
          else {
            const mask = b.xor(holds, negate);
            b.set("a", double ? 8 : 4, double ? b.extS(mask) : mask);
          }
        },
        () => b.callout(),
      );
    },
    "rare",
  );
}

const lowerCompare =
  (form: Form) =>
  (x: DecodeContext): void =>
    emitFloat(x, `cmp${form}`, form, immediateByte(x) & 7);
lower(Mnemonic.Cmpps, lowerCompare("ps"));
lower(Mnemonic.Cmppd, lowerCompare("pd"));
lower(Mnemonic.Cmpss, lowerCompare("ss"));
/** For the SSE2 form of a mnemonic that is also a string instruction's. */
export const lowerCmpsdVector = lowerCompare("sd");

/** ZF, PF and CF for less, equal, greater and unordered. */
function compareFlags(b: Builder, v: Lanes, x: Expr, y: Expr): void {
  const zero = b.i32(0);
  const unordered = b.let(b.or(v.op("ne", x, x), v.op("ne", y, y)));
  const cf = b.or(unordered, v.op("lt", x, y));
  const zf = b.let(b.or(unordered, v.op("eq", x, y)));
  explicitFlags(b, cf, unordered, zero, zf, zero, zero);
}

/**
 * Writes the lazy flags (see cpu/flags.ts) for what comparing can give: `eflags` of ZF, PF and CF, the other
 * arithmetic flags 0.
 */
export function storeFlags(u32: Uint32Array, eflags: number): void {
  const cf = eflags & 1;
  const pf = (eflags >> 2) & 1;
  const af = (eflags >> 4) & 1;
  const zf = (eflags >> 6) & 1;
  const sf = (eflags >> 7) & 1;
  const of = (eflags >> 11) & 1;
  u32[FLAG_RESULT >> 2] = zf ^ 1;
  u32[(FLAG_RESULT >> 2) + 1] = 0;
  u32[FLAG_AUX >> 2] = ((cf << 31) | ((cf ^ of) << 30) | ((pf ^ zf) << 8) | (af << 3) | sf) >>> 0;
}

for (const [family, signalQuiet] of [
  ["comis", true],
  ["ucomis", false],
] as const)
  for (const form of ["ss", "sd"] as const) {
    const name = family + form.charAt(1);
    const double = form === "sd";
    defineCallout(name, (context, record) => {
      const { i32, u32 } = context.memory;
      const a = context.a(record) >> 2;
      const b = context.b(record) >> 2;
      const flags = sseComis(signalQuiet, double, i32, a, b, i32[MXCSR >> 2]!);
      const eflags = comisResult.eflags;
      const status = settle(context, flags);
      if (status === DONE) storeFlags(u32, eflags);
      return status;
    });
    define(
      name,
      (b) => {
        const v = new Lanes(b, form);
        const x = v.get("a");
        const y = v.get("b");
        b.if(
          v.and(v.plain(x), v.plain(y)),
          () => compareFlags(b, v, x, y),
          () => b.callout(),
        );
      },
      double ? "hot" : "rare",
    );
    const mnemonic = {
      comiss: Mnemonic.Comiss,
      comisd: Mnemonic.Comisd,
      ucomiss: Mnemonic.Ucomiss,
      ucomisd: Mnemonic.Ucomisd,
    }[name];
    lower(mnemonic!, (x) => emitFloat(x, name, form));
  }
