import { expect, test } from "vitest";
import { Pipe } from "../../../kernel/fs/pipe.js";

test("small writes share a buffer, a page needs one of its own", () => {
  const pipe = new Pipe();
  pipe.capacity = 8192;
  expect(pipe.push(new Uint8Array(100))).toBe(100);
  expect(pipe.push(new Uint8Array(100))).toBe(100);
  expect(pipe.slotsUsed).toBe(1);
  expect(pipe.push(new Uint8Array(4096))).toBe(4096);
  expect(pipe.isFull).toBe(true);
  expect(pipe.push(new Uint8Array(4096))).toBe(0);
  expect(pipe.take(new Uint8Array(5000))).toBe(200);
  expect(pipe.length).toBe(4096);
});

test("bytes come out in order, and go back", () => {
  const pipe = new Pipe();
  pipe.push(Uint8Array.of(1, 2, 3, 4));
  const out = new Uint8Array(4);
  expect(pipe.take(out)).toBe(4);
  pipe.putBack(out.subarray(2));
  pipe.push(Uint8Array.of(5));
  const rest = [];
  for (let part = new Uint8Array(8), n = pipe.take(part); n > 0; n = pipe.take(part))
    rest.push(...part.subarray(0, n));
  expect(rest).toEqual([3, 4, 5]);
});
