import { expect, test } from "vitest";
import { Pipe } from "../../../kernel/fs/pipe.js";
import { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PhysicalMemory } from "../../../mmu/physical-memory.js";

test("small writes share a buffer, a page needs one of its own", () => {
  const pipe = new Pipe();
  pipe.capacity = 8192;
  pipe.append(new Uint8Array(100));
  expect(pipe.mergeRoom).toBe(3996);
  pipe.merge(new Uint8Array(100));
  expect(pipe.slotsUsed).toBe(1);
  pipe.append(new Uint8Array(4096));
  expect(pipe.isFull).toBe(true);
  expect(pipe.mergeRoom).toBe(0);
  expect(pipe.peek(5000)?.length).toBe(200);
  pipe.consume(200);
  expect(pipe.length).toBe(4096);
});

test("a packet is taken whole, and nothing is put behind it", () => {
  const pipe = new Pipe();
  pipe.append(Uint8Array.of(1, 2, 3), true);
  expect(pipe.mergeRoom).toBe(0);
  pipe.append(Uint8Array.of(4), true);
  expect([...pipe.peek(2)!]).toEqual([1, 2]);
  expect(pipe.consume(2)).toBe(true);
  expect([...pipe.peek(9)!]).toEqual([4]);
});

test("a frame is held until its bytes are read, in every pipe that has them", () => {
  const frames = new FrameAllocator(new PhysicalMemory(8 << 20));
  const frame = frames.allocate();
  const [first, second] = [new Pipe(), new Pipe()];
  first.appendFrame(frames, frame, 10, 20);
  expect(first.copyTo(second, 0, 4)).toBe(4);
  expect(frames.references(frame)).toBe(3);
  frames.memory.frameBytes(frame)[10] = 7;
  expect([...second.peek(9)!]).toEqual([7, 0, 0, 0]);
  second.consume(4);
  expect(frames.references(frame)).toBe(2);
  expect(first.moveTo(second, 3)).toBe(3);
  expect(first.moveTo(second, 99)).toBe(7);
  expect([first.slotsUsed, second.slotsUsed, frames.references(frame)]).toEqual([0, 2, 3]);
  second.clear();
  expect(frames.references(frame)).toBe(1);
});
