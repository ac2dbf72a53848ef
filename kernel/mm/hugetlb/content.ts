/*
 * The bytes of huge pages. What the host has never given memory for is zero and stays so: pages of zeroes are only read,
 * so that a page of 1 GiB takes of the host what is written to it.
 */
import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PhysicalMemory } from "../../../mmu/physical-memory.js";
import type { PageFrame } from "../../../mmu/types.js";

const WORDS = PAGE_SIZE / 4;

/** All bytes of a frame are 0. */
export function isZero({ u32 }: PhysicalMemory, linear: number): boolean {
  const first = linear >>> 2;
  for (let at = first; at < first + WORDS; at += 8) {
    const low = u32[at] | u32[at + 1] | u32[at + 2] | u32[at + 3];
    if ((low | u32[at + 4] | u32[at + 5] | u32[at + 6] | u32[at + 7]) !== 0) return false;
  }
  return true;
}

/** Makes the bytes of frames 0. */
export function zeroFrames(memory: PhysicalMemory, first: PageFrame, count: number): void {
  for (let frame = first; frame < first + count; frame++) {
    const linear = memory.linearOf(frame);
    memory.aboutToWrite(frame, 0, PAGE_SIZE);
    if (!isZero(memory, linear)) memory.u8.fill(0, linear, linear + PAGE_SIZE);
  }
}

/** Copies the bytes of frames to others. */
export function copyFrames(memory: PhysicalMemory, from: PageFrame, to: PageFrame, count: number): void {
  for (let n = 0; n < count; n++) {
    const [source, target] = [memory.linearOf(from + n), memory.linearOf(to + n)];
    memory.aboutToWrite(to + n, 0, PAGE_SIZE);
    if (!isZero(memory, source)) memory.u8.copyWithin(target, source, source + PAGE_SIZE);
    else if (!isZero(memory, target)) memory.u8.fill(0, target, target + PAGE_SIZE);
  }
}

/** Writes a page's worth of bytes to a frame. */
export function writeFrame(memory: PhysicalMemory, frame: PageFrame, bytes: Uint8Array): void {
  memory.aboutToWrite(frame, 0, PAGE_SIZE);
  memory.u8.set(bytes, memory.linearOf(frame));
}
