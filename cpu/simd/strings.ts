import { Mnemonic } from "iced-x86";
import { defineCallout, DONE, type CalloutContext } from "../callouts.js";
import { lower, type DecodeContext } from "../decode/context.js";
import { explicitFlags } from "../flags.js";
import { define } from "../ir/registry.js";
import { RAX, RCX, RDX, XMM } from "../state.js";
import { storeFlags } from "./float-compare.js";
import { immediateByte, partial } from "./operands.js";

/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM vol. 2, 4.1). The immediate: bit 0 words instead of bytes,
 * bit 1 signed, bits 3-2 the aggregation, bits 5-4 the polarity, bit 6 the most significant index or a mask of
 * lanes instead of bits.
 */

const EQUAL_ANY = 0;
const RANGES = 1;
const EQUAL_EACH = 2;

const CF = 0x001;
const ZF = 0x040;
const SF = 0x080;
const OF = 0x800;

const left = new Int32Array(16);
const right = new Int32Array(16);

/** Reads the lanes of a 16-byte operand. */
function readLanes(
  out: Int32Array,
  context: CalloutContext,
  at: number,
  words: boolean,
  signed: boolean,
): void {
  const { u8, u16 } = context.memory;
  if (words)
    for (let i = 0; i < 8; i++) out[i] = signed ? (u16[(at >> 1) + i]! << 16) >> 16 : u16[(at >> 1) + i]!;
  else for (let i = 0; i < 16; i++) out[i] = signed ? (u8[at + i]! << 24) >> 24 : u8[at + i]!;
}

/** Lanes before the first 0. */
function implicitLength(lanes: Int32Array, count: number): number {
  for (let i = 0; i < count; i++) if (lanes[i] === 0) return i;
  return count;
}

/** The magnitude of EAX or EDX (RAX or RDX with REX.W), at most `count`. */
function explicitLength(context: CalloutContext, register: number, wide: boolean, count: number): number {
  const low = context.memory.i32[register >> 2]!;
  const high = wide ? context.memory.i32[(register >> 2) + 1]! : low >> 31;
  const magnitude = Math.abs(high * 0x1_0000_0000 + (low >>> 0));
  return Math.min(magnitude, count);
}

/** IntRes1: bit j says what lane j of the second operand is to the first. */
function aggregate(kind: number, count: number, length1: number, length2: number): number {
  let result = 0;
  switch (kind) {
    case EQUAL_ANY:
      for (let j = 0; j < length2; j++) {
        const value = right[j];
        for (let i = 0; i < length1; i++)
          if (left[i] === value) {
            result |= 1 << j;
            break;
          }
      }
      return result;
    case RANGES:
      for (let j = 0; j < length2; j++) {
        const value = right[j]!;
        for (let i = 0; i + 1 < length1; i += 2)
          if (left[i]! <= value && value <= left[i + 1]!) {
            result |= 1 << j;
            break;
          }
      }
      return result;
    case EQUAL_EACH:
      for (let j = 0; j < count; j++) {
        const valid1 = j < length1;
        const valid2 = j < length2;
        if (valid1 && valid2 ? left[j] === right[j] : valid1 === valid2) result |= 1 << j;
      }
      return result;
    default:
      // Equal ordered: the first operand is found at j, cut off at the end of the register.
      for (let j = 0; j < count; j++) {
        let found = true;
        for (let i = 0; i < length1 && j + i < count && found; i++)
          found = j + i < length2 && left[i] === right[j + i];
        if (found) result |= 1 << j;
      }
      return result;
  }
}

function compareStrings(context: CalloutContext, record: number, explicit: boolean, index: boolean): void {
  const { memory } = context;
  const immediate = context.immediateLow(record);
  const words = (immediate & 1) !== 0;
  const signed = (immediate & 2) !== 0;
  const count = words ? 8 : 16;
  readLanes(left, context, context.a(record), words, signed);
  readLanes(right, context, context.b(record), words, signed);
  const wide = (immediate & WIDE_LENGTHS) !== 0;
  const length1 = explicit ? explicitLength(context, RAX, wide, count) : implicitLength(left, count);
  const length2 = explicit ? explicitLength(context, RDX, wide, count) : implicitLength(right, count);
  const all = (1 << count) - 1;
  let result = aggregate((immediate >> 2) & 3, count, length1, length2);
  if ((immediate & 0x10) !== 0) result ^= (immediate & 0x20) !== 0 ? (1 << length2) - 1 : all;
  if (index) {
    const found =
      result === 0
        ? count
        : (immediate & 0x40) !== 0
          ? 31 - Math.clz32(result)
          : 31 - Math.clz32(result & -result);
    memory.u32[RCX >> 2] = found;
    memory.u32[(RCX >> 2) + 1] = 0;
  } else if ((immediate & 0x40) !== 0) {
    for (let i = 0; i < 16; i++) memory.u8[XMM + i] = (result >> (words ? i >> 1 : i)) & 1 ? 0xff : 0;
  } else {
    memory.u32[XMM >> 2] = result;
    memory.u32.fill(0, (XMM >> 2) + 1, (XMM >> 2) + 4);
  }
  const flags =
    (result !== 0 ? CF : 0) | (length2 < count ? ZF : 0) | (length1 < count ? SF : 0) | (result & 1 ? OF : 0);
  storeFlags(memory.u32, flags);
}

/** In the record's immediate, above the instruction's own: lengths are of 64 bits. */
const WIDE_LENGTHS = 0x100;

for (const [mnemonics, name, explicit, index] of [
  [[Mnemonic.Pcmpestri, Mnemonic.Pcmpestri64], "pcmpestri", true, true],
  [[Mnemonic.Pcmpestrm, Mnemonic.Pcmpestrm64], "pcmpestrm", true, false],
  [[Mnemonic.Pcmpistri], "pcmpistri", false, true],
  [[Mnemonic.Pcmpistrm], "pcmpistrm", false, false],
] as const) {
  defineCallout(name, (context, record) => {
    compareStrings(context, record, explicit, index);
    return DONE;
  });
  lower(mnemonics, (x) => {
    const own = immediateByte(x);
    if (name === "pcmpistri" && (own & ~IGNORED_BY_EACH) === EQUAL_EACH_NEGATED) return lowerEqualEach(x);
    const wide = x.mnemonic === Mnemonic.Pcmpestri64 || x.mnemonic === Mnemonic.Pcmpestrm64;
    const b = partial(x, 1, 16);
    x.callout(name, { a: x.reg(0), b, immediate: own | (wide ? WIDE_LENGTHS : 0) });
  });
}

/** What strcmp is made of: PCMPISTRI of bytes, equal each, negated, least index. */
const EQUAL_EACH_NEGATED = 0x18;
/** Signedness does not matter to equality. */
const IGNORED_BY_EACH = 0x02;

define(
  "pcmpistri.each",
  (b) => {
    const x = b.let(b.get("a", 16));
    const y = b.let(b.get("b", 16));
    const lanes = (l: typeof x, r: typeof x): typeof x => b.op("i8x16.bitmask", [b.op("i8x16.eq", [l, r])]);
    const end = 0x10000;
    // Bit 16 stands for the end of the register.
    const zeros1 = b.let(lanes(x, b.v128(0n)));
    const zeros2 = b.let(lanes(y, b.v128(0n)));
    const before = (zeros: typeof x): typeof x => {
      const all = b.or(zeros, b.i32(end));
      return b.sub(b.and(all, b.sub(b.i32(0), all)), b.i32(1));
    };
    const valid1 = b.let(before(zeros1));
    const valid2 = b.let(before(zeros2));
    // Different where both are valid and unequal, or exactly one is valid.
    const unequal = b.and(b.and(valid1, valid2), b.not(lanes(x, y)));
    const different = b.let(b.or(unequal, b.xor(valid1, valid2)));
    const some = b.ne(different, b.i32(0));
    b.setState(RCX, 8, b.extU(b.op("i32.ctz", [b.or(different, b.i32(end))])));
    const bit = (zeros: typeof x): typeof x => b.ne(zeros, b.i32(0));
    const zero = b.i32(0);
    explicitFlags(b, some, zero, zero, bit(zeros2), bit(zeros1), b.and(different, b.i32(1)));
  },
  "rare",
);
function lowerEqualEach(x: DecodeContext): void {
  const b = partial(x, 1, 16);
  x.emit("pcmpistri.each", { a: x.reg(0), b });
}
