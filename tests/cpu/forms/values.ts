/** A fixed sequence of pseudo-random numbers (xorshift32), so that a program is the same wherever it is generated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  below(limit: number): number {
    return this.u32() % limit;
  }

  bits(count: number): bigint {
    let value = 0n;
    for (let i = 0; i < count; i += 32) value = (value << 32n) | BigInt(this.u32());
    return BigInt.asUintN(count, value);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/** What a value is read as. */
export type ValueKind = "int8" | "int16" | "int32" | "int64" | "f32" | "f64" | "f80" | "bcd";

export const VALUE_BITS: Readonly<Record<ValueKind, number>> = {
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  f32: 32,
  f64: 64,
  f80: 80,
  bcd: 80,
};

/** The integers where carries, signs and widths change. */
function integers(bits: number): bigint[] {
  const top = 1n << BigInt(bits - 1);
  const all = (1n << BigInt(bits)) - 1n;
  return [
    0n,
    1n,
    top - 1n,
    top,
    all,
    0x0fn,
    0x10n,
    BigInt.asUintN(bits, 0x5aa55aa55aa55a35n),
    top + 1n,
    all - 1n,
  ];
}

function pattern(
  sign: number,
  exponent: number,
  fraction: bigint,
  format: readonly [number, number],
): bigint {
  const [exponentBits, fractionBits] = format;
  return (
    (BigInt(sign) << BigInt(exponentBits + fractionBits)) |
    (BigInt(exponent) << BigInt(fractionBits)) |
    fraction
  );
}

/** Zeroes, denormals, ordinary numbers at rounding and range limits, infinities, quiet and signalling NaNs. */
function floats(exponentBits: number, fractionBits: number): bigint[] {
  const format = [exponentBits, fractionBits] as const;
  const bias = (1 << (exponentBits - 1)) - 1;
  const max = (1 << exponentBits) - 1;
  const all = (1n << BigInt(fractionBits)) - 1n;
  const half = 1n << BigInt(fractionBits - 1);
  const make = (exponent: number, fraction: bigint, sign = 0): bigint =>
    pattern(sign, exponent, fraction, format);
  return [
    make(0, 0n),
    make(bias, 0n),
    make(bias, half, 1),
    make(max, 0n),
    make(max, half | 5n),
    make(max, 7n),
    make(0, 1n),
    make(1, 0n),
    make(max - 1, all),
    make(bias + 1, half >> 1n),
    make(0, 0n, 1),
    make(max, 0n, 1),
    make(0, all, 1),
    make(max - 1, all, 1),
    make(bias + 31, 0n),
    make(bias + 31, 0n, 1),
    make(bias + 63, 0n, 1),
    make(bias - 1, 0n),
    make(bias - 4, (all / 5n) * 3n),
    make(max, half | 1n, 1),
    make(1, 1n, 1),
    make(bias + fractionBits, 1n),
  ];
}

const X87_BIAS = 16383;

/** As {@link floats}, with the explicit integer bit of the 80-bit format, and the encodings that are invalid. */
function extendeds(): bigint[] {
  const one = 1n << 63n;
  const make = (exponent: number, mantissa: bigint, sign = 0): bigint =>
    (BigInt(sign) << 79n) | (BigInt(exponent) << 64n) | mantissa;
  return [
    make(0, 0n),
    make(X87_BIAS, one),
    make(X87_BIAS, one | (one >> 1n), 1),
    make(0x7fff, one),
    make(0x7fff, one | (one >> 1n) | 5n),
    make(0x7fff, one | 7n),
    make(0, 1n),
    make(1, one),
    make(0x7ffe, (1n << 64n) - 1n),
    make(X87_BIAS + 1, one | (one >> 2n)),
    make(0, 0n, 1),
    make(0x7fff, one, 1),
    make(0, one - 1n, 1),
    make(X87_BIAS + 1, 0xc90fdaa22168c235n),
    make(X87_BIAS + 62, (1n << 64n) - 1n),
    make(X87_BIAS + 63, one, 1),
    make(X87_BIAS - 1, one),
    make(X87_BIAS - 4, 0xcccccccccccccccdn),
    make(X87_BIAS + 31, one, 1),
    make(0, one | 1n), // pseudo-denormal
    make(X87_BIAS + 5, 1n), // unnormal: invalid
    make(0x7fff, 0n, 1), // pseudo-infinity: invalid
    make(X87_BIAS - 70, 0xfedcba9876543210n),
  ];
}

const SPECIAL: Readonly<Record<ValueKind, readonly bigint[]>> = {
  int8: integers(8),
  int16: integers(16),
  int32: integers(32),
  int64: integers(64),
  f32: floats(8, 23),
  f64: floats(11, 52),
  f80: extendeds(),
  bcd: [0n, 0x1n, 0x999999999999999999n, (0x80n << 72n) | 0x123456789012345678n, 0x80n << 72n],
};

function randomBcd(random: Random): bigint {
  let value = random.below(2) === 0 ? 0n : 0x80n;
  for (let i = 0; i < 18; i++) value = (value << 4n) | BigInt(random.below(10));
  return value;
}

/** A float of an ordinary size, so that sums and products stay in range. */
function randomFloat(random: Random, kind: "f32" | "f64" | "f80"): bigint {
  const sign = random.below(2);
  if (kind === "f80") {
    const exponent = BigInt(X87_BIAS - 20 + random.below(60));
    return (BigInt(sign) << 79n) | (exponent << 64n) | (1n << 63n) | random.bits(63);
  }
  const format = kind === "f32" ? ([8, 23] as const) : ([11, 52] as const);
  const bias = (1 << (format[0] - 1)) - 1;
  // Few bits now and then, so that results are exact or tie.
  const fraction = random.below(3) === 0 ? random.bits(4) << BigInt(format[1] - 4) : random.bits(format[1]);
  return pattern(sign, bias - 12 + random.below(45), fraction, format);
}

/** The value that a case with number `index` takes: the special ones in turn, and then random ones. */
export function valueOf(kind: ValueKind, index: number, random: Random): bigint {
  const special = SPECIAL[kind];
  if (index < special.length) return special[index]!;
  if (random.below(4) === 0) return random.pick(special);
  if (kind === "bcd") return randomBcd(random);
  if (kind === "f32" || kind === "f64" || kind === "f80") return randomFloat(random, kind);
  const bits = VALUE_BITS[kind];
  const value = random.bits(bits);
  return random.below(3) === 0 ? value >> BigInt(random.below(bits)) : value;
}

export function specialCount(kind: ValueKind): number {
  return SPECIAL[kind].length;
}
