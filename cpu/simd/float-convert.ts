import { Mnemonic } from "iced-x86";
import { calloutNumber } from "../callouts.js";
import { lower, type DecodeContext } from "../decode/context.js";
import { LANE_F32, LANE_F64, LANE_I32, LANE_I64, sseConvert, sseRound, unmaskedSse } from "../float/sse.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { MXCSR } from "../state.js";
import { emitFloat, floatOperand, mnemonicOf } from "./float-arithmetic.js";
import { defineFloatCallout } from "./float-callouts.js";
import { FORMS, Lanes, guarded, inexactIsSilent, isDouble, lanesOf } from "./float-lanes.js";
import { immediateByte, isMmxOperand, mmx, partial, vector } from "./operands.js";

/** CVT*, and ROUND*. */

/** PE is sticky and masked; and rounding is to nearest. */
const PE_SILENT = 0x1020;
const ROUNDING = 0x6000;

const LANE_BYTES = { [LANE_F32]: 4, [LANE_F64]: 8, [LANE_I32]: 4, [LANE_I64]: 8 } as const;
type Lane = keyof typeof LANE_BYTES;

/**
 * The slow path of a conversion. What lies above the lanes written, up to `bytes`, becomes 0.
 */
function defineConversion(
  name: string,
  from: Lane,
  to: Lane,
  lanes: number,
  bytes: number,
  truncate = false,
): void {
  const words = (lanes * LANE_BYTES[to]) / 4;
  defineFloatCallout(name, (memory, a, b, mxcsr) => {
    const flags = sseConvert(from, to, truncate, lanes, memory, a, b, mxcsr);
    if (unmaskedSse(flags, mxcsr) === 0) for (let i = words; i < bytes / 4; i++) memory[a + i] = 0;
    return flags;
  });
}

function emitConversion(x: DecodeContext, name: string, b: number, a = x.reg(0)): void {
  x.emit(name, { a, b, d: calloutNumber(name) });
}

// --- general register to scalar

define("cvtsi2sd.4", (b) => b.set("a", 8, b.op("f64.convert_i32_s", [b.get("b", 4)])));
defineConversion("cvtsi2sd.8", LANE_I64, LANE_F64, 1, 8);
define("cvtsi2sd.8", (b) => {
  const value = b.let(b.get("b", 8));
  // Up to 53 bits the result is exact.
  const exact = b.op("i64.le_u", [b.add(value, b.i64(2n ** 53n)), b.i64(2n ** 54n)]);
  const result = b.op("f64.convert_i64_s", [value]);
  b.if(
    b.or(exact, inexactIsSilent(b)),
    () => b.set("a", 8, result),
    () => b.callout(),
  );
});
for (const width of [4, 8] as const) {
  const name = `cvtsi2ss.${width}`;
  defineConversion(name, width === 4 ? LANE_I32 : LANE_I64, LANE_F32, 1, 4);
  define(
    name,
    (b) => {
      const value = b.let(b.get("b", width));
      const type = value.type;
      const exact = b.op(`${type}.le_u`, [b.add(value, b.lit(type, 2 ** 24)), b.lit(type, 2 ** 25)]);
      const result = b.op(`f32.convert_${type}_s`, [value]);
      b.if(
        b.or(exact, inexactIsSilent(b)),
        () => b.set("a", 4, result),
        () => b.callout(),
      );
    },
    "rare",
  );
}
lower(Mnemonic.Cvtsi2sd, (x) => fromGeneral(x, "cvtsi2sd"));
lower(Mnemonic.Cvtsi2ss, (x) => fromGeneral(x, "cvtsi2ss"));
function fromGeneral(x: DecodeContext, family: string): void {
  const width = x.size(1) === 8 ? 8 : 4;
  const b = x.read(1, width);
  const name = `${family}.${width}`;
  x.emit(name, { a: x.reg(0), b, ...(name === "cvtsi2sd.4" ? {} : { d: calloutNumber(name) }) });
}

// --- scalar to general register

for (const form of ["ss", "sd"] as const)
  for (const width of [4, 8] as const)
    for (const truncate of [false, true]) {
      const double = form === "sd";
      const family = `cvt${truncate ? "t" : ""}${form}2si`;
      const name = `${family}.${width}`;
      defineConversion(name, double ? LANE_F64 : LANE_F32, width === 4 ? LANE_I32 : LANE_I64, 1, 8, truncate);
      define(
        name,
        (b) => {
          const v = new Lanes(b, form);
          const x = v.get("b");
          const integer = width === 4 ? "i32" : "i64";
          const limit =
            width === 4
              ? v.constant(0x41e0000000000000n, 0x4f000000)
              : v.constant(0x43e0000000000000n, 0x5f000000);
          const rounded = truncate ? x : v.op("nearest", x);
          const result = b.let(b.op(`${integer}.trunc_sat_${v.type}_s`, [rounded]));
          const inRange = v.op("lt", v.op("abs", rounded), limit);
          const exact = v.op("eq", v.op(`convert_${integer}_s`, result), x);
          const mode = b.and(b.state(MXCSR, 4), b.i32(PE_SILENT | (truncate ? 0 : ROUNDING)));
          const ok = b.and(inRange, b.or(exact, b.eq(mode, b.i32(PE_SILENT))));
          b.if(
            ok,
            () => b.setRegister("a", width, result),
            () => b.callout(),
          );
        },
        double && truncate ? "hot" : "rare",
      );
      if (width === 4)
        lower(mnemonicOf(family), (x) => {
          const b = floatOperand(x, 1, form);
          emitConversion(x, `${family}.${x.size(0)}`, b);
        });
    }

// --- between the float formats

defineConversion("cvtss2sd", LANE_F32, LANE_F64, 1, 8);
define("cvtss2sd", (b) => {
  const v = new Lanes(b, "ss");
  const x = v.get("b");
  b.if(
    v.plain(x),
    () => b.set("a", 8, b.op("f64.promote_f32", [x])),
    () => b.callout(),
  );
});
defineConversion("cvtsd2ss", LANE_F64, LANE_F32, 1, 4);
define("cvtsd2ss", (b) => {
  const v = new Lanes(b, "sd");
  const single = new Lanes(b, "ss");
  const x = v.get("b");
  const r = b.let(b.op("f32.demote_f64", [x]));
  const ok = b.and(v.plain(x), b.or(single.safeResult(r), v.isZero(x)));
  const exact = (): Expr => v.op("eq", b.op("f64.promote_f32", [r]), x);
  guarded(b, ok, exact, () => b.set("a", 4, r));
});
lower(Mnemonic.Cvtss2sd, (x) => emitFloat(x, "cvtss2sd", "ss"));
lower(Mnemonic.Cvtsd2ss, (x) => emitFloat(x, "cvtsd2ss", "sd"));

defineConversion("cvtps2pd", LANE_F32, LANE_F64, 2, 16);
define(
  "cvtps2pd",
  (b) => {
    const v = new Lanes(b, "pd");
    const x = b.let(b.get("b", 8, "v128"));
    const single = new Lanes(b, "ps");
    // The upper two lanes are 0, which is plain.
    b.if(
      single.all(single.plain(x)),
      () => v.set(b.op("f64x2.promote_low_f32x4", [x])),
      () => b.callout(),
    );
  },
  "rare",
);
lower(Mnemonic.Cvtps2pd, (x) => emitConversion(x, "cvtps2pd", partial(x, 1, 8)));

defineConversion("cvtpd2ps", LANE_F64, LANE_F32, 2, 16);
define(
  "cvtpd2ps",
  (b) => {
    const v = new Lanes(b, "pd");
    const x = v.get("b");
    const r = b.let(b.op("f32x4.demote_f64x2_zero", [x]));
    const back = b.let(b.op("f64x2.promote_low_f32x4", [r]));
    // The limits of binary32, in binary64.
    const magnitude = v.op("abs", back);
    const inRange = v.and(
      v.op("gt", magnitude, v.constant(0x3810000000000000n, 0)),
      v.op("lt", magnitude, v.constant(0x7ff0000000000000n, 0)),
    );
    const ok = v.all(v.and(v.plain(x), v.or(inRange, v.isZero(x))));
    guarded(
      b,
      ok,
      () => v.all(v.op("eq", back, x)),
      () => v.set(r),
    );
  },
  "rare",
);
lower(Mnemonic.Cvtpd2ps, (x) => emitConversion(x, "cvtpd2ps", vector(x, 1)));

// --- packed integers to floats

defineConversion("cvtdq2ps", LANE_I32, LANE_F32, 4, 16);
define(
  "cvtdq2ps",
  (b) => {
    const x = b.let(b.get("b", 16));
    const r = b.let(b.op("f32x4.convert_i32x4_s", [x]));
    const below = b.op("i32x4.le_u", [b.op("i32x4.add", [x, splat32(b, 2 ** 24)]), splat32(b, 2 ** 25)]);
    const ok = b.or(b.op("i32x4.all_true", [below]), inexactIsSilent(b));
    b.if(
      ok,
      () => b.set("a", 16, r),
      () => b.callout(),
    );
  },
  "rare",
);
lower(Mnemonic.Cvtdq2ps, (x) => emitConversion(x, "cvtdq2ps", vector(x, 1)));
define("cvtdq2pd", (b) => b.set("a", 16, b.op("f64x2.convert_low_i32x4_s", [b.get("b", 8, "v128")])), "rare");
lower(Mnemonic.Cvtdq2pd, (x) => x.emit("cvtdq2pd", { b: partial(x, 1, 8), a: x.reg(0) }));

function splat32(b: Builder, value: number): Expr {
  return b.v128(BigInt(value) * 0x00000001_00000001_00000001_00000001n);
}

// --- packed floats to integers

for (const form of ["ps", "pd"] as const)
  for (const truncate of [false, true]) {
    const double = form === "pd";
    const name = `cvt${truncate ? "t" : ""}${form}2dq`;
    defineConversion(name, double ? LANE_F64 : LANE_F32, LANE_I32, lanesOf(form), 16, truncate);
    define(
      name,
      (b) => {
        const v = new Lanes(b, form);
        const x = v.get("b");
        const rounded = b.let(truncate ? v.op("trunc", x) : v.op("nearest", x));
        const inRange = v.op("lt", v.op("abs", rounded), v.constant(0x41e0000000000000n, 0x4f000000));
        const mode = b.and(b.state(MXCSR, 4), b.i32(PE_SILENT | (truncate ? 0 : ROUNDING)));
        const silent = b.or(b.eq(mode, b.i32(PE_SILENT)), v.all(v.op("eq", rounded, x)));
        const r = b.op(double ? "i32x4.trunc_sat_f64x2_s_zero" : "i32x4.trunc_sat_f32x4_s", [rounded]);
        b.if(
          b.and(v.all(inRange), silent),
          () => b.set("a", 16, r),
          () => b.callout(),
        );
      },
      "rare",
    );
    lower(mnemonicOf(name), (x) => emitConversion(x, name, vector(x, 1)));
  }

// --- with MMX registers: always by the soft float, in a scratch vector

for (const [name, from, truncate] of [
  ["cvtps2pi", LANE_F32, false],
  ["cvttps2pi", LANE_F32, true],
  ["cvtpd2pi", LANE_F64, false],
  ["cvttpd2pi", LANE_F64, true],
] as const) {
  defineConversion(name, from, LANE_I32, 2, 8, truncate);
  define(name, (b) => b.callout(), "rare");
  lower(mnemonicOf(name), (x) =>
    mmx(x, () => {
      const b = from === LANE_F32 ? partial(x, 1, 8) : vector(x, 1);
      const result = x.vectorTemp();
      emitConversion(x, name, b, result);
      x.emit("mmxmov.8", { a: x.reg(0), b: result });
    }),
  );
}
defineConversion("cvtpi2ps", LANE_I32, LANE_F32, 2, 8);
define("cvtpi2ps", (b) => b.callout(), "rare");
lower(Mnemonic.Cvtpi2ps, (x) =>
  mmx(x, () => {
    emitConversion(x, "cvtpi2ps", partial(x, 1, 8));
    x.emit("mmx.enter");
  }),
);
/** From memory CVTPI2PD is no MMX instruction: the x87 keeps its state. */
lower(Mnemonic.Cvtpi2pd, (x) => {
  if (!isMmxOperand(x, 1)) return x.emit("cvtdq2pd", { b: partial(x, 1, 8), a: x.reg(0) });
  mmx(x, () => {
    x.emit("cvtdq2pd", { a: x.reg(0), b: x.reg(1) });
    x.emit("mmx.enter");
  });
});

// --- ROUND: the immediate's bits 1-0 the mode, bit 2 MXCSR's mode instead, bit 3 no PE

const ROUND_OPS = ["nearest", "floor", "ceil", "trunc"] as const;
for (const form of FORMS) {
  const family = `round${form}`;
  const double = isDouble(form);
  const lanes = lanesOf(form);
  const slow = `${family}.slow`;
  defineFloatCallout(slow, (memory, a, b, mxcsr, immediate) =>
    sseRound(immediate, double, lanes, memory, a, b, mxcsr),
  );
  define(slow, (b) => b.callout(), "rare");
  for (const operation of ROUND_OPS)
    define(
      `${family}.${operation}`,
      (b) => {
        const v = new Lanes(b, form);
        const x = v.get("b");
        const r = b.let(v.op(operation, x));
        const noInexact = b.and(b.wrap(b.immediate), b.i32(8));
        const mode = b.and(b.state(MXCSR, 4), b.i32(PE_SILENT));
        const silent = b.or(b.or(noInexact, b.eq(mode, b.i32(PE_SILENT))), v.all(v.op("eq", r, x)));
        const ok = b.and(v.all(v.plain(x)), b.ne(silent, b.i32(0)));
        b.if(
          ok,
          () => v.set(r),
          () => b.callout(),
        );
      },
      "rare",
    );
  lower(mnemonicOf(family), (x) => {
    const immediate = immediateByte(x);
    const name = (immediate & 4) !== 0 ? slow : `${family}.${ROUND_OPS[immediate & 3]}`;
    const b = floatOperand(x, 1, form);
    x.emit(name, { a: x.reg(0), b, d: calloutNumber(slow), immediate });
  });
}
