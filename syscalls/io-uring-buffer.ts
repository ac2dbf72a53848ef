import type { RegisteredBuffer } from "../kernel/io-uring/buffers.js";
import type { AddressSpace } from "../kernel/mm/address-space.js";
import { UserMemory } from "../kernel/mm/user-memory.js";
import type { Word } from "../kernel/mm/word.js";

/** A registered buffer by the addresses that it was registered with: its pinned frames, whatever is mapped there now. */
export class BufferMemory extends UserMemory {
  constructor(
    mm: AddressSpace,
    private readonly buffer: RegisteredBuffer,
  ) {
    super(mm);
  }

  override copyIn(va: Word, destination: Uint8Array): number {
    const { memory } = this.mm.env.frames;
    return this.move(va, destination.length, (frame, offset, done, part) => {
      const from = memory.linearOf(frame) + offset;
      destination.set(memory.u8.subarray(from, from + part), done);
    });
  }

  override copyOut(va: Word, source: Uint8Array): number {
    const { memory } = this.mm.env.frames;
    return this.move(va, source.length, (frame, offset, done, part) => {
      memory.aboutToWrite(frame, offset, part);
      memory.u8.set(source.subarray(done, done + part), memory.linearOf(frame) + offset);
    });
  }

  private move(
    va: Word,
    length: number,
    copy: (frame: number, offset: number, done: number, part: number) => void,
  ): number {
    const { start, frames } = this.buffer;
    const first = start - (start % 4096);
    for (let done = 0; done < length;) {
      const at = Number(va) + done - first;
      const part = Math.min(length - done, 4096 - (at % 4096));
      copy(frames[Math.floor(at / 4096)]!, at % 4096, done, part);
      done += part;
    }
    return length;
  }
}
