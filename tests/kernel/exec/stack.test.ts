import { describe, expect, it } from "vitest";
import { E2BIG } from "../../../kernel/errno.js";
import { minimumSignalStack } from "../../../kernel/exec/auxv.js";
import {
  AT_EXECFN,
  AT_PAGESZ,
  AT_PLATFORM,
  AT_RANDOM,
  layStack,
  layStrings,
} from "../../../kernel/exec/stack.js";

const STACK_LIMIT = 8 << 20;

describe("the first stack", () => {
  // `env -i A=1 BB=22 setarch -R ./aux x yy` on Linux 6.18.44, a static program with 20 pairs before AT_NULL
  // besides AT_RSEQ_*: the program printed these addresses.
  const strings = layStrings("./aux", ["./aux", "x", "yy"], ["A=1", "BB=22"], STACK_LIMIT);
  if (typeof strings === "number") throw new Error("refused");

  it("has the strings where Linux puts them", () => {
    expect(strings.argv[0]).toBe(0x7fffffffefdd);
    expect(strings.env).toEqual([0x7fffffffefe8, 0x7fffffffefec]);
    expect(strings.name).toBe(0x7fffffffeff2);
  });

  it("has platform, random bytes, vector and pointers below, in this order", () => {
    const pairs = Array.from({ length: 19 }, (): [number, number] => [AT_PAGESZ, 4096]);
    const auxv: [number, number][] = [...pairs, [AT_RANDOM, 0], [AT_EXECFN, 0], [AT_PLATFORM, 0]];
    const stack = layStack(strings, auxv, new Uint8Array(16).fill(7));
    const view = new DataView(stack.bytes.buffer);
    const value = (type: number): number => {
      const vector = new DataView(stack.auxv.buffer);
      for (let at = 0; ; at += 16)
        if (vector.getUint32(at, true) === type) return Number(vector.getBigUint64(at + 8, true));
    };
    expect(stack.pointer).toBe(0x7fffffffee00);
    expect(view.getBigUint64(0, true)).toBe(3n);
    expect(view.getBigUint64(8, true)).toBe(0x7fffffffefddn);
    expect(value(AT_PLATFORM)).toBe(0x7fffffffefc9);
    expect(value(AT_RANDOM)).toBe(0x7fffffffefb9);
    expect(value(AT_EXECFN)).toBe(0x7fffffffeff2);
    expect(stack.pointer % 16).toBe(0);
    expect([...stack.bytes.subarray(0x7fffffffefb9 - stack.pointer, 0x7fffffffefc9 - stack.pointer)]).toEqual(
      Array<number>(16).fill(7),
    );
  });

  it("refuses a string over 128 KiB, and more than the limit in all", () => {
    expect(layStrings("p", ["x".repeat(131072)], [], STACK_LIMIT)).toBe(-E2BIG);
    expect(typeof layStrings("p", ["x".repeat(131071)], [], STACK_LIMIT)).toBe("object");
    const megabyte = Array.from({ length: 8 }, () => "x".repeat(131071));
    expect(typeof layStrings("p", [...megabyte, "y"], [], STACK_LIMIT)).toBe("object");
    expect(layStrings("p", [...megabyte, ...megabyte, ...megabyte], [], STACK_LIMIT)).toBe(-E2BIG);
    expect(layStrings("p", megabyte, [], 64 << 10)).toBe(-E2BIG);
  });

  it("tells the smallest stack for a signal, as 6.12 does with the same XSAVE area", () => {
    expect(minimumSignalStack(2696)).toBe(0xe30);
  });
});
