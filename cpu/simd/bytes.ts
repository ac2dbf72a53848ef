import { Mnemonic } from "iced-x86";
import { defineCallout, DONE, FAULTED } from "../callouts.js";
import { lower } from "../decode/context.js";
import { TEMP } from "../state.js";
import { immediateByte, partial, vector } from "./operands.js";

/** Whole-register oddities that are work for TypeScript: MPSADBW, PHMINPOSUW, CRC32, the masked stores. */

/** c holds the address, b the mask, a the data; the immediate is the number of bytes. */
defineCallout("simd.maskedStore", (context, record) => {
  const { u8, i32 } = context.memory;
  const data = context.a(record);
  const mask = context.b(record);
  const address = context.c(record);
  const length = context.immediateLow(record);
  const selected = (i: number): boolean => i < length && u8[mask + i]! >= 0x80;
  let first = 0;
  while (first < length && !selected(first)) first++;
  if (first === length) return DONE;
  let last = length - 1;
  while (!selected(last)) last--;
  // All pages first: nothing may be written when one of them faults.
  const probed = TEMP + 8 * 6;
  const low = i32[address >> 2]! + first;
  i32[probed >> 2] = low;
  i32[(probed >> 2) + 1] = i32[(address >> 2) + 1]! + ((low | 0) >>> 0 < first ? 1 : 0);
  if (!context.probe(probed, last - first + 1, true)) return FAULTED;
  for (let i = first; i <= last;) {
    if (!selected(i)) {
      i++;
      continue;
    }
    let end = i + 1;
    while (selected(end)) end++;
    if (!context.writeGuest(address, i, end - i, data + i)) return FAULTED;
    i = end;
  }
  return DONE;
});

defineCallout("mpsadbw", (context, record) => {
  const { u8, u16 } = context.memory;
  const a = context.a(record);
  const immediate = context.immediateLow(record);
  const block = context.b(record) + (immediate & 3) * 4;
  const from = a + ((immediate >> 2) & 1) * 4;
  const sums = new Array<number>(8);
  for (let i = 0; i < 8; i++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += Math.abs(u8[from + i + k]! - u8[block + k]!);
    sums[i] = sum;
  }
  for (let i = 0; i < 8; i++) u16[(a >> 1) + i] = sums[i]!;
  return DONE;
});
lower(Mnemonic.Mpsadbw, (x) => {
  const b = vector(x, 1);
  x.callout("mpsadbw", { a: x.reg(0), b, immediate: immediateByte(x) });
});

defineCallout("phminposuw", (context, record) => {
  const { u16, i32 } = context.memory;
  const from = context.b(record) >> 1;
  let index = 0;
  for (let i = 1; i < 8; i++) if (u16[from + i]! < u16[from + index]!) index = i;
  const to = context.a(record) >> 2;
  i32[to] = u16[from + index]! | (index << 16);
  i32.fill(0, to + 1, to + 4);
  return DONE;
});
lower(Mnemonic.Phminposuw, (x) => {
  const b = vector(x, 1);
  x.callout("phminposuw", { a: x.reg(0), b });
});

/** CRC-32C (polynomial 0x1EDC6F41, reflected) of one byte after another. */
const CRC_TABLE = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  CRC_TABLE[i] = crc;
}
defineCallout("crc32", (context, record) => {
  const { u8, i32 } = context.memory;
  const a = context.a(record) >> 2;
  const b = context.b(record);
  const bytes = context.immediateLow(record);
  let crc = i32[a]!;
  for (let i = 0; i < bytes; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ u8[b + i]!) & 0xff]!;
  i32[a] = crc;
  i32[a + 1] = 0;
  return DONE;
});
lower(Mnemonic.Crc32, (x) => {
  const width = x.size(1);
  // A memory operand goes to a scratch register, the high byte registers are where they are.
  const b = x.isMemory(1) ? partial(x, 1, width) : x.reg(1);
  x.callout("crc32", { a: x.reg(0), b, immediate: width });
});
