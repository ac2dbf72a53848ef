import { describe, expect, it } from "vitest";
import { tableBytes, withEntry } from "../../../kernel/segments/local-table.js";
import {
  decodeUserDesc,
  descriptorOf,
  encodeUserDesc,
  isEmptyDesc,
  isStackSegment,
  isZeroDesc,
  userDescOf,
  withoutAvailable,
} from "../../../kernel/segments/user-desc.js";

const words = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);

describe("struct user_desc", () => {
  it("is read and written, whatever its bits are", () => {
    for (let bits = 0; bits < 256; bits++) {
      const bytes = words(7, 0x89ab_cdef, 0x0001_2345, bits);
      expect(encodeUserDesc(decodeUserDesc(bytes))).toEqual(bytes);
    }
  });

  it("becomes the descriptor that Linux makes of it, and is told back without lm", () => {
    // As fill_ldt has it: accessed, privilege level 3, a code or data segment.
    const desc = decodeUserDesc(words(6, 0x1234_5678, 0xa_bcde, 0x80 | 0x40 | 0x10 | 4 | 1));
    const [low, high] = descriptorOf(desc);
    expect([low.toString(16), high.toString(16)]).toEqual(["5678bcde", "12dafb34"]);
    expect(userDescOf(6, [low, high])).toEqual({ ...desc, lm: false });
    expect(withoutAvailable([low, high])[1].toString(16)).toBe("12cafb34");
  });

  it("clears an entry where all is 0, but for the two bits that say so", () => {
    const flags = (bits: number) => decodeUserDesc(words(3, 0, 0, bits));
    expect([0, 0x28, 8, 0x20, 0xa8].map((bits) => isEmptyDesc(flags(bits)))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
    expect([0, 0x28, 0x80].map((bits) => isZeroDesc(flags(bits)))).toEqual([true, false, true]);
  });

  it("knows where a stack may lie", () => {
    const stack = (bits: number): boolean =>
      isStackSegment(descriptorOf(decodeUserDesc(words(3, 0, 1, bits))));
    expect([0, 2, 8, 0x20, 4, 6].map(stack)).toEqual([true, true, false, false, false, false]);
  });
});

describe("the local table", () => {
  it("grows with its highest entry and keeps the others", () => {
    const one = withEntry(null, 2, [1, 2]);
    const two = withEntry(one, 8191, [3, 4]);
    expect(withEntry(two, 0, [5, 6])).toBe(two);
    expect([two[0], two[4], two[5], two[2 * 8191]]).toEqual([5, 1, 2, 3]);
    expect(tableBytes(two).length).toBe(65536);
    expect([...tableBytes(two).subarray(0, 8)]).toEqual([5, 0, 0, 0, 6, 0, 0, 0]);
  });
});
