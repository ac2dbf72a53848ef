import { Mnemonic } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import { explicitFlags } from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { XMM } from "../state.js";
import { immediateByte, mmx, partial, setMmx, vector } from "./operands.js";
import { joined, laneBytes, packed, type PackedBody } from "./packed.js";

/** Packs, unpacks, shuffles, blends, widening moves, and PTEST. */

/** Packs lanes of both sources; the MMX form packs four lanes of each. */
function pack(mnemonic: Mnemonic, name: string, hasMmx: boolean): void {
  const mmxBody: PackedBody = (b, x, y) => {
    const both = b.let(joined(b, x, y));
    return b.op(name, [both, both]);
  };
  packed(mnemonic, (b, x, y) => b.op(name, [x, y]), hasMmx ? { mmx: mmxBody } : {});
}
pack(Mnemonic.Packsswb, "i8x16.narrow_i16x8_s", true);
pack(Mnemonic.Packuswb, "i8x16.narrow_i16x8_u", true);
pack(Mnemonic.Packssdw, "i16x8.narrow_i32x4_s", true);
pack(Mnemonic.Packusdw, "i16x8.narrow_i32x4_u", false);

/** Lanes of x and y in turn, `width` bytes each, from lane `first` on. */
const interleaved =
  (width: number, first: number): PackedBody =>
  (b, x, y) => {
    const count = 8 / width;
    const lanes = Array.from({ length: count }, (_, i) => [first + i, first + i + 16 / width]).flat();
    return b.shuffle(x, y, laneBytes(width, lanes));
  };
function unpack(
  low: Mnemonic | Mnemonic[],
  high: Mnemonic | Mnemonic[],
  width: number,
  hasMmx: boolean,
): void {
  packed(low, interleaved(width, 0), {
    kind: "hot",
    ...(hasMmx ? { mmx: "same" as const, mmxBytes: 4 as const } : {}),
  });
  // The upper halves of MMX registers are the bytes from 4 on.
  const mmxHigh: PackedBody = (b, x, y) => {
    const whole = b.let(interleaved(width, 0)(b, x, y));
    return b.shuffle(whole, whole, laneBytes(8, [1, 1]));
  };
  packed(high, interleaved(width, 8 / width), hasMmx ? { mmx: mmxHigh } : {});
}
unpack(Mnemonic.Punpcklbw, Mnemonic.Punpckhbw, 1, true);
unpack(Mnemonic.Punpcklwd, Mnemonic.Punpckhwd, 2, true);
unpack([Mnemonic.Punpckldq, Mnemonic.Unpcklps], [Mnemonic.Punpckhdq, Mnemonic.Unpckhps], 4, true);
unpack([Mnemonic.Punpcklqdq, Mnemonic.Unpcklpd], [Mnemonic.Punpckhqdq, Mnemonic.Unpckhpd], 8, false);

packed(Mnemonic.Pshufb, (b, x, y) => b.op("i8x16.swizzle", [x, b.op("v128.and", [y, splatByte(b, 0x8f)])]), {
  mmx: (b, x, y) => b.op("i8x16.swizzle", [x, b.op("v128.and", [y, splatByte(b, 0x87)])]),
});

function splatByte(b: Builder, byte: number): Expr {
  return b.v128(BigInt(byte) * 0x01010101010101010101010101010101n);
}

/**
 * Shuffles of words by numbers that the decoder puts into the immediate: byte i is twice the number of the word
 * that becomes word i. 16 and up are the words of the second source; ZERO_WORD gives 0.
 */
const ZERO_WORD = 0xe0;
const PAIRS = laneBytes(1, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
function wordNumbers(b: Builder): Expr {
  const bytes = b.let(b.op("i64x2.splat", [b.immediate]));
  return b.op("i8x16.add", [b.shuffle(bytes, bytes, PAIRS), b.v128(0x01000100010001000100010001000100n)]);
}
define("shuffle.words", (b) => b.set("a", 16, b.op("i8x16.swizzle", [b.get("b", 16), wordNumbers(b)])));
define(
  "shuffle.words.m",
  (b) => setMmx(b, b.op("i8x16.swizzle", [b.get("b", 8, "v128"), wordNumbers(b)])),
  "rare",
);
define("shuffle.words2", (b) => {
  const numbers = b.let(wordNumbers(b));
  // Numbers out of a source's range give 0 there.
  const low = b.op("i8x16.swizzle", [b.get("a", 16), numbers]);
  const high = b.op("i8x16.swizzle", [b.get("b", 16), b.op("v128.xor", [numbers, splatByte(b, 0x10)])]);
  b.set("a", 16, b.op("v128.or", [low, high]));
});

/** The immediate for the word shuffles out of eight word numbers. */
function wordImmediate(words: readonly number[]): bigint {
  return words.reduce(
    (all, word, i) => all | (BigInt(word === ZERO_WORD ? word : 2 * word) << BigInt(8 * i)),
    0n,
  );
}
/** … out of the numbers of lanes of `words` words each. */
function laneImmediate(words: number, lanes: readonly number[]): bigint {
  return wordImmediate(
    lanes.flatMap((lane) =>
      Array.from({ length: words }, (_, i) => (lane === ZERO_WORD ? ZERO_WORD : lane * words + i)),
    ),
  );
}
const field = (immediate: number, i: number): number => (immediate >> (2 * i)) & 3;
const four = [0, 1, 2, 3] as const;

lower(Mnemonic.Pshufd, (x) => {
  const n = immediateByte(x);
  const immediate = laneImmediate(
    2,
    four.map((i) => field(n, i)),
  );
  x.emit("shuffle.words", { b: vector(x, 1), a: x.reg(0), immediate });
});
lower(Mnemonic.Pshuflw, (x) => {
  const n = immediateByte(x);
  const immediate = wordImmediate([...four.map((i) => field(n, i)), 4, 5, 6, 7]);
  x.emit("shuffle.words", { b: vector(x, 1), a: x.reg(0), immediate });
});
lower(Mnemonic.Pshufhw, (x) => {
  const n = immediateByte(x);
  const immediate = wordImmediate([0, 1, 2, 3, ...four.map((i) => 4 + field(n, i))]);
  x.emit("shuffle.words", { b: vector(x, 1), a: x.reg(0), immediate });
});
lower(Mnemonic.Pshufw, (x) => {
  const n = immediateByte(x);
  const immediate = wordImmediate([...four.map((i) => field(n, i)), 4, 5, 6, 7]);
  mmx(x, () => x.emit("shuffle.words.m", { b: partial(x, 1, 8), a: x.reg(0), immediate }));
});

/** A shuffle of both sources by lanes that the immediate byte names. */
const shuffle2 =
  (words: number, lanes: (immediate: number) => number[]) =>
  (x: DecodeContext): void =>
    x.emit("shuffle.words2", {
      b: vector(x, 1),
      a: x.reg(0),
      immediate: laneImmediate(words, lanes(immediateByte(x))),
    });
lower(
  Mnemonic.Shufps,
  shuffle2(2, (n) => [field(n, 0), field(n, 1), 4 + field(n, 2), 4 + field(n, 3)]),
);
lower(
  Mnemonic.Shufpd,
  shuffle2(4, (n) => [n & 1, 2 + ((n >> 1) & 1)]),
);
const blend =
  (words: number) =>
  (n: number): number[] =>
    Array.from({ length: 8 / words }, (_, i) => i + (((n >> i) & 1) * 8) / words);
lower(Mnemonic.Pblendw, shuffle2(1, blend(1)));
lower(Mnemonic.Blendps, shuffle2(2, blend(2)));
lower(Mnemonic.Blendpd, shuffle2(4, blend(4)));

/** INSERTPS: a dword of the source (a memory operand is one), then zeroes. */
lower(Mnemonic.Insertps, (x) => {
  const n = immediateByte(x);
  const from = x.isMemory(1) ? 0 : n >> 6;
  const lanes = four.map((i) => ((n >> i) & 1 ? ZERO_WORD : i === ((n >> 4) & 3) ? 4 + from : i));
  x.emit("shuffle.words2", { b: partial(x, 1, 4), a: x.reg(0), immediate: laneImmediate(2, lanes) });
});

/** Blends by the top bits of XMM0's lanes. */
for (const [mnemonic, shape, bits] of [
  [Mnemonic.Pblendvb, "i8x16", 8],
  [Mnemonic.Blendvps, "i32x4", 32],
  [Mnemonic.Blendvpd, "i64x2", 64],
] as const)
  packed(mnemonic, (b, x, y) =>
    b.op("v128.bitselect", [y, x, b.op(`${shape}.shr_s`, [b.state(XMM, 16), b.i32(bits - 1)])]),
  );

/** PMOVSX and PMOVZX: the operations in turn, and the bytes that a memory operand has. */
for (const [suffix, steps, bytes] of [
  ["bw", ["i16x8.extend_low_i8x16"], 8],
  ["bd", ["i16x8.extend_low_i8x16", "i32x4.extend_low_i16x8"], 4],
  ["bq", ["i16x8.extend_low_i8x16", "i32x4.extend_low_i16x8", "i64x2.extend_low_i32x4"], 2],
  ["wd", ["i32x4.extend_low_i16x8"], 8],
  ["wq", ["i32x4.extend_low_i16x8", "i64x2.extend_low_i32x4"], 4],
  ["dq", ["i64x2.extend_low_i32x4"], 8],
] as const)
  for (const [family, signedness] of [
    ["pmovsx", "s"],
    ["pmovzx", "u"],
  ] as const) {
    const name = family + suffix;
    define(
      name,
      (b) =>
        b.set(
          "a",
          16,
          steps.reduce((v: Expr, step) => b.op(`${step}_${signedness}`, [v]), b.get("b", 16)),
        ),
      "rare",
    );
    const mnemonic = Mnemonic[(name.charAt(0).toUpperCase() + name.slice(1)) as keyof typeof Mnemonic];
    lower(mnemonic, (x) => x.emit(name, { b: partial(x, 1, bytes as Width), a: x.reg(0) }));
  }

define(
  "ptest",
  (b) => {
    const x = b.let(b.get("a", 16));
    const y = b.let(b.get("b", 16));
    const none = (name: string): Expr => b.eqz(b.op("v128.any_true", [b.op(name, [y, x])]));
    const zero = b.i32(0);
    explicitFlags(b, none("v128.andnot"), zero, zero, none("v128.and"), zero, zero);
  },
  "rare",
);
lower(Mnemonic.Ptest, (x) => x.emit("ptest", { b: vector(x, 1), a: x.reg(0) }));
