import type { Shape, Slot } from "./shapes.js";
import { Random, specialCount, VALUE_BITS, valueOf } from "./values.js";

/** What goes into one run of a shape. */
export interface Case {
  readonly values: ReadonlyMap<string, bigint>;
  /** The status flags before. */
  readonly flags: number;
  /** The status flags that are compared. */
  readonly flagMask: number;
  readonly mxcsr: number;
}

export const STATUS_FLAGS = 0x8d5;
const AF = 0x10;
const CF = 0x1;
const OF = 0x800;

/** All exceptions masked: nearest, the three other roundings, flush to zero, denormals are zero, both. */
const MXCSR = [0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9f80, 0x1fc0, 0x9fc0] as const;

const COUNTS = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 34, 63, 64, 65, 128, 255];

function caseCount(shape: Shape): number {
  const floating = shape.comparesMxcsr;
  const all = shape.variant === "low" ? (floating ? 160 : 64) : 16;
  if (shape.inputs.length === 0) return 4;
  return Math.max(Math.ceil(all / shape.siblings), shape.variant === "low" ? 8 : 4);
}

/** A slot's bits: its lanes take values `first`, `first` + 1 … and the rest is random. */
function fill(slot: Slot, random: Random, valueAt: (lane: number) => bigint): bigint {
  const width = VALUE_BITS[slot.kind];
  const all = slot.bytes * 8;
  const isLanes = slot.bytes > 8 || slot.name === "memory" || slot.name.startsWith("mm");
  if (isLanes) {
    let value = 0n;
    for (let lane = 0; lane * width < all; lane++) value |= valueAt(lane) << BigInt(lane * width);
    return BigInt.asUintN(all, value);
  }
  const around = random.bits(all);
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(slot.shift);
  return (around & ~mask) | (valueAt(0) << BigInt(slot.shift));
}

/** Pairs of special values first, each lane another pair, in an order that spreads over all pairs; then random ones. */
function generate(shape: Shape, index: number, cases: number, random: Random): Map<string, bigint> {
  const values = new Map<string, bigint>();
  const paired = Math.ceil((cases * 5) / 8);
  shape.inputs.forEach((slot, position) => {
    const count = specialCount(slot.kind);
    const lanes = Math.max(1, (slot.bytes * 8) / VALUE_BITS[slot.kind]);
    const bits = fill(slot, random, (lane) => {
      if (index >= paired) return valueOf(slot.kind, count, random);
      const pair = Math.floor((index * lanes + lane) * 0.6180339887 * count * count) % (count * count);
      const turn =
        position === 0 ? pair % count : position === 1 ? Math.floor(pair / count) : random.below(count);
      return valueOf(slot.kind, turn, random);
    });
    values.set(slot.name, bits);
  });
  return values;
}

function setPlace(
  values: Map<string, bigint>,
  slot: string,
  shift: number,
  bits: number,
  value: bigint,
): void {
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
  const before = values.get(slot) ?? 0n;
  values.set(slot, (before & ~mask) | ((value << BigInt(shift)) & mask));
}

function getPlace(values: ReadonlyMap<string, bigint>, slot: string, shift: number, bits: number): bigint {
  return BigInt.asUintN(bits, (values.get(slot) ?? 0n) >> BigInt(shift));
}

/** A dividend whose quotient fits, so that no #DE comes. */
function divide(values: Map<string, bigint>, shape: Shape, random: Random): void {
  const { slot, shift, bits } = shape.places[0]!;
  const signed = shape.announced.mnemonic === "idiv";
  let divisor = getPlace(values, slot!, shift, bits);
  if (divisor === 0n) divisor = 3n;
  setPlace(values, slot!, shift, bits, divisor);
  let dividend: bigint;
  if (signed) {
    const by = BigInt.asIntN(bits, divisor);
    const size = by < 0n ? -by : by;
    const quotient = BigInt.asIntN(bits, random.bits(bits) >> BigInt(random.below(bits)));
    const rest = random.bits(bits) % size;
    const product = quotient * by;
    dividend = product < 0n ? product - rest : product + rest;
    if (product === 0n && random.below(2) === 0) dividend = -dividend;
  } else {
    dividend = (random.bits(bits) >> BigInt(random.below(bits))) * divisor + (random.bits(bits) % divisor);
  }
  if (bits === 8) {
    setPlace(values, "rax", 0, 16, BigInt.asUintN(16, dividend));
  } else {
    setPlace(values, "rax", 0, bits, BigInt.asUintN(bits, dividend));
    setPlace(values, "rdx", 0, bits, BigInt.asUintN(bits, dividend >> BigInt(bits)));
  }
}

/** Half of the time the compared value is there. */
function compareExchange(values: Map<string, bigint>, shape: Shape, index: number): void {
  if (index % 2 === 0) return;
  const { mnemonic } = shape.announced;
  if (mnemonic === "cmpxchg") {
    const { slot, shift, bits } = shape.places[0]!;
    setPlace(values, "rax", 0, bits, getPlace(values, slot!, shift, bits));
    return;
  }
  const bits = mnemonic === "cmpxchg8b" ? 32 : 64;
  setPlace(values, "rax", 0, bits, getPlace(values, "memory", 0, bits));
  setPlace(values, "rdx", 0, bits, getPlace(values, "memory", bits, bits));
}

const LETTERS = [0x61n, 0x62n, 0x63n, 0x7an, 0x80n, 0xffn];

/** Short texts over few letters, so that they match here and there, and lengths around their ends. */
function compareStrings(values: Map<string, bigint>, random: Random): void {
  for (const [name, before] of values) {
    if (before >> 64n !== 0n || name === "memory" || name.startsWith("xmm")) {
      let text = 0n;
      const end = random.below(20);
      for (let i = 0; i < 16; i++) text |= (i === end ? 0n : random.pick(LETTERS)) << BigInt(i * 8);
      values.set(name, text);
    }
  }
  for (const name of ["rax", "rdx"]) {
    if (!values.has(name)) continue;
    const length = BigInt(random.below(22) - 2);
    const wide = random.below(3) === 0 ? -length * 7n : length;
    values.set(name, BigInt.asUintN(64, wide));
  }
}

function adjust(values: Map<string, bigint>, shape: Shape, index: number, random: Random): void {
  const { mnemonic } = shape.announced;
  if (mnemonic === "div" || mnemonic === "idiv") divide(values, shape, random);
  if (mnemonic.startsWith("cmpxchg")) compareExchange(values, shape, index);
  if (/^pcmp[ei]str/.test(mnemonic)) compareStrings(values, random);
  const isShift = /^(rol|ror|rcl|rcr|shl|shr|sal|sar|shld|shrd)$/.test(mnemonic);
  if (isShift && values.has("rcx")) setPlace(values, "rcx", 0, 8, BigInt(COUNTS[index % COUNTS.length]!));
  if (/^ps(ll|rl|ra)[wdq]$/.test(mnemonic) && shape.places.length === 2) {
    const from = shape.places[1]!.slot;
    if (from !== undefined && index % 4 !== 3)
      setPlace(values, from, 0, 64, BigInt(COUNTS[index % COUNTS.length]!));
  }
  if (/^bt[src]?$/.test(mnemonic) && shape.places[0]!.slot === "memory") {
    const offset = shape.places[1]!;
    if (offset.slot) setPlace(values, offset.slot, 0, offset.bits, BigInt(random.below(512) - 256));
  }
}

/** The count that a shift or rotation uses, after the CPU's own masking. */
function shiftCount(shape: Shape, values: ReadonlyMap<string, bigint>): number {
  const place = shape.places.at(-1)!;
  const raw = place.slot === undefined ? place.immediate! : Number(getPlace(values, place.slot, 0, 8));
  return raw & (shape.places[0]!.bits === 64 ? 63 : 31);
}

/** The flags that the manuals leave undefined for these very operands. */
function undefinedFlags(shape: Shape, values: ReadonlyMap<string, bigint>): number {
  const { mnemonic } = shape.announced;
  const bits = shape.places[0]?.bits ?? 0;
  if (/^(shl|sal|shr|sar|shld|shrd)$/.test(mnemonic)) {
    const count = shiftCount(shape, values);
    if (count === 0) return 0;
    const carry = count >= bits && mnemonic !== "sar" ? CF : 0;
    return AF | (count === 1 ? 0 : OF) | carry;
  }
  if (/^(rol|ror|rcl|rcr)$/.test(mnemonic)) {
    const count = shiftCount(shape, values);
    return count <= 1 ? 0 : OF;
  }
  return shape.undefinedFlags;
}

/**
 * Whether the manuals leave the result itself undefined: a double shift by more than the operand's width; the upper
 * half of a register after a 32-bit scan of zero (16 and 64 bits leave it as it was, as all known CPUs do).
 */
function isUndefined(shape: Shape, values: ReadonlyMap<string, bigint>): boolean {
  const { mnemonic } = shape.announced;
  const [first, second] = shape.places;
  if (/^bs[fr]$/.test(mnemonic)) {
    return first!.bits === 32 && getPlace(values, second!.slot!, second!.shift, 32) === 0n;
  }
  return /^sh[lr]d$/.test(mnemonic) && shiftCount(shape, values) > first!.bits;
}

/** A seed that only the shape's own text decides, so that one shape's cases do not move another's. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The cases of a shape, the same at each call. */
export function casesOf(shape: Shape): Case[] {
  const random = new Random(seedOf(`${shape.announced.name} ${shape.text}`));
  const count = caseCount(shape);
  const cases: Case[] = [];
  for (let index = 0; index < count; index++) {
    const values = generate(shape, index, count, random);
    adjust(values, shape, index, random);
    const flags = index % 3 === 0 ? 0 : index % 3 === 1 ? STATUS_FLAGS : random.u32() & STATUS_FLAGS;
    const mxcsr = shape.comparesMxcsr && random.below(3) === 0 ? random.pick(MXCSR) : MXCSR[0];
    if (isUndefined(shape, values)) continue;
    cases.push({ values, flags, flagMask: STATUS_FLAGS & ~undefinedFlags(shape, values), mxcsr });
  }
  return cases;
}
