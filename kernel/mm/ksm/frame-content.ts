import { PAGE_SIZE } from "../../../mmu/layout.js";
import type { PhysicalMemory } from "../../../mmu/physical-memory.js";
import type { PageFrame } from "../../../mmu/types.js";

const WORDS = PAGE_SIZE / 4;

/** A number that is the same for frames of the same content (calc_checksum; Linux's is xxhash). */
export function checksum(memory: PhysicalMemory, frame: PageFrame): number {
  const words = memory.u32;
  const first = memory.linearOf(frame) >>> 2;
  let sum = 0x811c_9dc5;
  for (let i = first; i < first + WORDS; i++) {
    sum = Math.imul(sum ^ words[i], 0x0100_0193);
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}

/** The two hold the same bytes (pages_identical). */
export function sameContent(memory: PhysicalMemory, a: PageFrame, b: PageFrame): boolean {
  const words = memory.u32;
  const first = memory.linearOf(a) >>> 2;
  const other = memory.linearOf(b) >>> 2;
  for (let i = 0; i < WORDS; i++) if (words[first + i] !== words[other + i]) return false;
  return true;
}
