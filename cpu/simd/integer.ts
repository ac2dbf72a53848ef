import { Mnemonic } from "iced-x86";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { joined, laneBytes, operation, packed, unary, type PackedBody } from "./packed.js";

/** Packed integer arithmetic, logic and comparison. */

const same = { mmx: "same" } as const;
const hot = { mmx: "same", kind: "hot" } as const;

packed([Mnemonic.Pand, Mnemonic.Andps, Mnemonic.Andpd], operation("v128.and"), hot);
packed([Mnemonic.Por, Mnemonic.Orps, Mnemonic.Orpd], operation("v128.or"), hot);
packed([Mnemonic.Pxor, Mnemonic.Xorps, Mnemonic.Xorpd], operation("v128.xor"), hot);
packed([Mnemonic.Pandn, Mnemonic.Andnps, Mnemonic.Andnpd], (b, x, y) => b.op("v128.andnot", [y, x]), hot);

packed(Mnemonic.Paddb, operation("i8x16.add"), same);
packed(Mnemonic.Paddw, operation("i16x8.add"), same);
packed(Mnemonic.Paddd, operation("i32x4.add"), hot);
packed(Mnemonic.Paddq, operation("i64x2.add"), hot);
packed(Mnemonic.Psubb, operation("i8x16.sub"), hot);
packed(Mnemonic.Psubw, operation("i16x8.sub"), same);
packed(Mnemonic.Psubd, operation("i32x4.sub"), same);
packed(Mnemonic.Psubq, operation("i64x2.sub"), same);
packed(Mnemonic.Paddsb, operation("i8x16.add_sat_s"), same);
packed(Mnemonic.Paddsw, operation("i16x8.add_sat_s"), same);
packed(Mnemonic.Paddusb, operation("i8x16.add_sat_u"), same);
packed(Mnemonic.Paddusw, operation("i16x8.add_sat_u"), same);
packed(Mnemonic.Psubsb, operation("i8x16.sub_sat_s"), same);
packed(Mnemonic.Psubsw, operation("i16x8.sub_sat_s"), same);
packed(Mnemonic.Psubusb, operation("i8x16.sub_sat_u"), same);
packed(Mnemonic.Psubusw, operation("i16x8.sub_sat_u"), same);
packed(Mnemonic.Pavgb, operation("i8x16.avgr_u"), same);
packed(Mnemonic.Pavgw, operation("i16x8.avgr_u"), same);

packed(Mnemonic.Pminub, operation("i8x16.min_u"), hot);
packed(Mnemonic.Pmaxub, operation("i8x16.max_u"), same);
packed(Mnemonic.Pminsw, operation("i16x8.min_s"), same);
packed(Mnemonic.Pmaxsw, operation("i16x8.max_s"), same);
packed(Mnemonic.Pminsb, operation("i8x16.min_s"));
packed(Mnemonic.Pmaxsb, operation("i8x16.max_s"));
packed(Mnemonic.Pminuw, operation("i16x8.min_u"));
packed(Mnemonic.Pmaxuw, operation("i16x8.max_u"));
packed(Mnemonic.Pminsd, operation("i32x4.min_s"));
packed(Mnemonic.Pmaxsd, operation("i32x4.max_s"));
packed(Mnemonic.Pminud, operation("i32x4.min_u"));
packed(Mnemonic.Pmaxud, operation("i32x4.max_u"));

packed(Mnemonic.Pcmpeqb, operation("i8x16.eq"), hot);
packed(Mnemonic.Pcmpeqw, operation("i16x8.eq"), same);
packed(Mnemonic.Pcmpeqd, operation("i32x4.eq"), hot);
packed(Mnemonic.Pcmpeqq, operation("i64x2.eq"));
packed(Mnemonic.Pcmpgtb, operation("i8x16.gt_s"), same);
packed(Mnemonic.Pcmpgtw, operation("i16x8.gt_s"), same);
packed(Mnemonic.Pcmpgtd, operation("i32x4.gt_s"), same);
packed(Mnemonic.Pcmpgtq, operation("i64x2.gt_s"));

packed(Mnemonic.Pabsb, unary("i8x16.abs"), same);
packed(Mnemonic.Pabsw, unary("i16x8.abs"), same);
packed(Mnemonic.Pabsd, unary("i32x4.abs"), same);

/** x, negated where y is negative, 0 where y is 0. */
const sign =
  (shape: string): PackedBody =>
  (b, x, y) => {
    const negative = b.let(b.op(`${shape}.lt_s`, [y, b.v128(0n)]));
    const signed = b.op(`${shape}.sub`, [b.op("v128.xor", [x, negative]), negative]);
    return b.op("v128.and", [signed, b.op(`${shape}.ne`, [y, b.v128(0n)])]);
  };
packed(Mnemonic.Psignb, sign("i8x16"), same);
packed(Mnemonic.Psignw, sign("i16x8"), same);
packed(Mnemonic.Psignd, sign("i32x4"), same);

packed(Mnemonic.Pmullw, operation("i16x8.mul"), same);
packed(Mnemonic.Pmulld, operation("i32x4.mul"));
packed(Mnemonic.Pmaddwd, operation("i32x4.dot_i16x8_s"), same);

/** The upper halves of the 32-bit products. */
const mulHigh =
  (signedness: "s" | "u"): PackedBody =>
  (b, x, y) =>
    b.shuffle(
      b.op(`i32x4.extmul_low_i16x8_${signedness}`, [x, y]),
      b.op(`i32x4.extmul_high_i16x8_${signedness}`, [x, y]),
      laneBytes(2, [1, 3, 5, 7, 9, 11, 13, 15]),
    );
packed(Mnemonic.Pmulhw, mulHigh("s"), same);
packed(Mnemonic.Pmulhuw, mulHigh("u"), same);

/** Products of the even dwords. */
const mulEven =
  (signedness: "s" | "u"): PackedBody =>
  (b, x, y) => {
    const even = (v: Expr): Expr => b.shuffle(v, v, laneBytes(4, [0, 2, 0, 2]));
    return b.op(`i64x2.extmul_low_i32x4_${signedness}`, [even(x), even(y)]);
  };
packed(Mnemonic.Pmuludq, mulEven("u"), same);
packed(Mnemonic.Pmuldq, mulEven("s"));

packed(
  Mnemonic.Pmulhrsw,
  (b, x, y) => {
    const lowest = b.v128(0x8000_8000_8000_8000_8000_8000_8000_8000n);
    // WebAssembly saturates the one product that does not fit, x86 lets it wrap.
    const wraps = b.op("v128.and", [b.op("i16x8.eq", [x, lowest]), b.op("i16x8.eq", [y, lowest])]);
    return b.op("v128.xor", [b.op("i16x8.q15mulr_sat_s", [x, y]), wraps]);
  },
  same,
);

packed(
  Mnemonic.Pmaddubsw,
  (b, x, y) => {
    const product = (half: "low" | "high"): Expr =>
      b.op("i16x8.mul", [
        b.op(`i16x8.extend_${half}_i8x16_u`, [x]),
        b.op(`i16x8.extend_${half}_i8x16_s`, [y]),
      ]);
    return pairwise(b, "i16x8.add_sat_s", 2, b.let(product("low")), b.let(product("high")));
  },
  same,
);

/** |x - y| of unsigned bytes. */
const byteDistance: PackedBody = (b, x, y) =>
  b.op("v128.or", [b.op("i8x16.sub_sat_u", [x, y]), b.op("i8x16.sub_sat_u", [y, x])]);

packed(
  Mnemonic.Psadbw,
  (b, x, y) => {
    const quads = b.let(
      b.op("i32x4.extadd_pairwise_i16x8_u", [b.op("i16x8.extadd_pairwise_i8x16_u", [byteDistance(b, x, y)])]),
    );
    const low = b.op("v128.and", [quads, b.v128(0x00000000ffffffff_00000000ffffffffn)]);
    return b.op("i64x2.add", [low, b.op("i64x2.shr_u", [quads, b.i32(32)])]);
  },
  same,
);

/** Combines neighbouring `width`-byte lanes of x, then of y. */
function pairwise(b: Builder, name: string, width: number, x: Expr, y: Expr): Expr {
  const lanes = Array.from({ length: 16 / width }, (_, i) => 2 * i);
  const even = b.shuffle(x, y, laneBytes(width, lanes));
  const odd = b.shuffle(
    x,
    y,
    laneBytes(
      width,
      lanes.map((lane) => lane + 1),
    ),
  );
  return b.op(name, [even, odd]);
}
for (const [mnemonic, name, width] of [
  [Mnemonic.Phaddw, "i16x8.add", 2],
  [Mnemonic.Phaddd, "i32x4.add", 4],
  [Mnemonic.Phaddsw, "i16x8.add_sat_s", 2],
  [Mnemonic.Phsubw, "i16x8.sub", 2],
  [Mnemonic.Phsubd, "i32x4.sub", 4],
  [Mnemonic.Phsubsw, "i16x8.sub_sat_s", 2],
] as const)
  packed(mnemonic, (b, x, y) => pairwise(b, name, width, x, y), {
    mmx: (b, x, y) => {
      const both = b.let(joined(b, x, y));
      return pairwise(b, name, width, both, both);
    },
  });
