import { describe, expect, it } from "vitest";
import { compare, locate } from "./compare.js";
import type { Closeness, Printed } from "./layout.js";

function printed(closeness: Closeness, bytes: number, cases: number): Printed {
  const fields = [
    { name: "result", bytes, closeness },
    { name: "flags", bytes: 2, closeness: "exact" as const },
  ];
  return { title: "shape", fields, cases, describe: (index) => `case ${index}` };
}

describe("compare", () => {
  it("finds the case and the field, and counts", () => {
    const shape = printed("exact", 2, 3);
    const expected = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    expect(compare([shape], expected, expected)).toEqual({
      shapes: 1,
      cases: 3,
      wrongCases: 0,
      messages: [],
    });
    const actual = expected.slice();
    actual[4] = 0;
    actual[11] = 0;
    const { wrongCases, messages } = compare([shape], expected, actual);
    expect(wrongCases).toBe(2);
    expect(messages).toEqual([
      "shape: 2 of 3 cases\n    case 1: result is 0600, not 0605\n    case 2: flags is 000b, not 0c0b",
    ]);
  });

  it("compares to the end where the last cases are smaller than those before", () => {
    const shapes = [printed("exact", 8, 1), printed("exact", 1, 1)];
    const { wrongCases } = compare(shapes, new Uint8Array(13), new Uint8Array(13));
    expect(wrongCases).toBe(0);
  });

  it("takes what is missing for wrong", () => {
    const { wrongCases, messages } = compare(
      [printed("exact", 2, 2)],
      new Uint8Array(8).fill(1),
      new Uint8Array(4).fill(1),
    );
    expect(wrongCases).toBe(1);
    expect(messages).toEqual(["printed 4 bytes, not 8: ended at shape, case 1"]);
  });

  it("lets approximations differ a little", () => {
    const floats = (...values: number[]): Uint8Array => {
      const bytes = new Uint8Array(18);
      new Float32Array(bytes.buffer, 0, 4).set(values);
      return bytes;
    };
    const judge = (a: Uint8Array, b: Uint8Array): number =>
      compare([printed("reciprocal", 16, 1)], a, b).wrongCases;
    expect(judge(floats(1, 2, -3, Infinity), floats(1.0002, 1.9998, -3.0003, Infinity))).toBe(0);
    expect(judge(floats(1, 2, -3, 4), floats(1, 2, 3, 4))).toBe(1);
    expect(judge(floats(1, 2, -3, 4), floats(1.001, 2, -3, 4))).toBe(1);
    expect(judge(floats(0, 2, -3, NaN), floats(-0, 2, -3, NaN))).toBe(1);
  });

  it("lets transcendental results differ in their last places", () => {
    const extended = (exponent: number, mantissa: bigint): Uint8Array => {
      const bytes = new Uint8Array(12);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(0, mantissa, true);
      view.setUint16(8, exponent, true);
      return bytes;
    };
    const judge = (a: Uint8Array, b: Uint8Array): number =>
      compare([printed("transcendental", 10, 1)], a, b).wrongCases;
    const one = extended(0x3fff, 1n << 63n);
    expect(judge(one, extended(0x3fff, (1n << 63n) + 3n))).toBe(0);
    expect(judge(one, extended(0x3ffe, (1n << 64n) - 1n))).toBe(0);
    expect(judge(one, extended(0x3fff, (1n << 63n) + 9n))).toBe(1);
    expect(judge(one, extended(0xbfff, 1n << 63n))).toBe(1);
  });

  it("locates a byte of the output", () => {
    const shapes = [printed("exact", 2, 3), { ...printed("exact", 8, 2), title: "other" }];
    expect(locate(shapes, 5)).toBe("shape, case 1");
    expect(locate(shapes, 12 + 10)).toBe("other, case 1");
    expect(locate(shapes, 12 + 20)).toBe("after the last case");
  });
});
