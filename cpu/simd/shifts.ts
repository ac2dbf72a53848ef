import { Mnemonic } from "iced-x86";
import { IMMEDIATE, lower, type DecodeContext } from "../decode/context.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { immediateByte, isMmxOperand, mmx, partial, setMmx, vector } from "./operands.js";

/** Packed shifts: by one count for all lanes, and of the whole register by bytes. */

const IOTA = 0x0f0e0d0c0b0a09080706050403020100n;

function shifted(
  b: Builder,
  shape: string,
  bits: number,
  kind: "shl" | "shr_u" | "shr_s",
  x: Expr,
  count: Expr,
): Expr {
  const inRange = b.ltU(count, b.i64(bits));
  if (kind === "shr_s") return b.op(`${shape}.shr_s`, [x, b.select(inRange, b.wrap(count), b.i32(bits - 1))]);
  return b.select(inRange, b.op(`${shape}.${kind}`, [x, b.wrap(count)]), b.v128(0n));
}

function lowerShift(name: string): (x: DecodeContext) => void {
  return (x) => {
    const count = (own: () => number): { b: number; immediate?: number } =>
      x.isRegister(1) || x.isMemory(1) ? { b: own() } : { b: IMMEDIATE, immediate: immediateByte(x) };
    if (!isMmxOperand(x, 0)) return x.emit(name, { ...count(() => vector(x, 1)), a: x.reg(0) });
    mmx(x, () => x.emit(`${name}.m`, { ...count(() => partial(x, 1, 8)), a: x.reg(0) }));
  };
}

for (const [mnemonic, shape, bits, kind] of [
  [Mnemonic.Psllw, "i16x8", 16, "shl"],
  [Mnemonic.Pslld, "i32x4", 32, "shl"],
  [Mnemonic.Psllq, "i64x2", 64, "shl"],
  [Mnemonic.Psrlw, "i16x8", 16, "shr_u"],
  [Mnemonic.Psrld, "i32x4", 32, "shr_u"],
  [Mnemonic.Psrlq, "i64x2", 64, "shr_u"],
  [Mnemonic.Psraw, "i16x8", 16, "shr_s"],
  [Mnemonic.Psrad, "i32x4", 32, "shr_s"],
] as const) {
  const name = Mnemonic[mnemonic].toLowerCase();
  define(
    name,
    (b) => b.set("a", 16, shifted(b, shape, bits, kind, b.get("a", 16), b.let(b.get("b", 8)))),
    "rare",
  );
  define(
    `${name}.m`,
    (b) => setMmx(b, shifted(b, shape, bits, kind, b.get("a", 8, "v128"), b.let(b.get("b", 8)))),
    "rare",
  );
  lower(mnemonic, lowerShift(name));
}

/** Byte i of a becomes byte i + immediate, or 0 when there is none: swizzle gives 0 for numbers above 15. */
define(
  "bytes.move",
  (b) => {
    const from = b.op("i8x16.add", [b.v128(IOTA), b.op("i8x16.splat", [b.wrap(b.immediate)])]);
    b.set("a", 16, b.op("i8x16.swizzle", [b.get("a", 16), from]));
  },
  "rare",
);
lower(Mnemonic.Psrldq, (x) =>
  x.emit("bytes.move", { a: x.reg(0), immediate: Math.min(immediateByte(x), 16) }),
);
lower(Mnemonic.Pslldq, (x) =>
  x.emit("bytes.move", { a: x.reg(0), immediate: -Math.min(immediateByte(x), 16) }),
);

/** PALIGNR: 16 bytes of a:b from byte `immediate` (0 to 32) on. */
define(
  "palignr",
  (b) => {
    const from = b.let(b.op("i8x16.add", [b.v128(IOTA), b.op("i8x16.splat", [b.wrap(b.immediate)])]));
    const fromUpper = b.op("i8x16.sub", [from, b.v128(0x10101010101010101010101010101010n)]);
    const low = b.op("i8x16.swizzle", [b.get("b", 16), from]);
    b.set("a", 16, b.op("v128.or", [low, b.op("i8x16.swizzle", [b.get("a", 16), fromUpper])]));
  },
  "rare",
);
define(
  "palignr.m",
  (b) => {
    const from = b.op("i8x16.add", [b.v128(IOTA), b.op("i8x16.splat", [b.wrap(b.immediate)])]);
    const both = b.shuffle(
      b.get("b", 8, "v128"),
      b.get("a", 8, "v128"),
      [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
    );
    setMmx(b, b.op("i8x16.swizzle", [both, from]));
  },
  "rare",
);
lower(Mnemonic.Palignr, (x) => {
  const immediate = Math.min(immediateByte(x), 32);
  if (!isMmxOperand(x, 0)) return x.emit("palignr", { b: vector(x, 1), a: x.reg(0), immediate });
  mmx(x, () => x.emit("palignr.m", { b: partial(x, 1, 8), a: x.reg(0), immediate }));
});
