import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { FilePages } from "../mm/file-pages.js";
import { IORING_OFF_CQ_RING, IORING_OFF_SQES } from "./uapi.js";

const CQ_PAGE = IORING_OFF_CQ_RING / 4096;
const SQES_PAGE = IORING_OFF_SQES / 4096;

/**
 * The memory that a ring shares with its program: both rings in one piece, at two offsets (IORING_FEAT_SINGLE_MMAP), and
 * the submission entries. All of it is there from the beginning, and nothing comes to it.
 */
export class RingPages extends FilePages {
  private made = false;

  /** @param ringBytes of both rings with the index array. @throws nothing: `create` says whether there was room */
  constructor(
    private readonly memoryFrames: FrameAllocator,
    private readonly ringBytes: number,
    private readonly entryBytes: number,
  ) {
    super(memoryFrames, IORING_OFF_SQES + Math.ceil(entryBytes / 4096) * 4096);
  }

  /** Gets the frames. @returns false when too few are left, and then none is kept */
  create(): boolean {
    const pages = [
      [0, this.ringBytes],
      [SQES_PAGE, this.entryBytes],
    ] as const;
    for (const [first, bytes] of pages)
      for (let i = 0; i * 4096 < bytes; i++)
        if (super.frameAt(first + i, true) === -1) {
          this.destroy();
          return false;
        }
    this.made = true;
    return true;
  }

  override frameAt(index: number, create: boolean): number {
    return super.frameAt(index >= CQ_PAGE && index < SQES_PAGE ? index - CQ_PAGE : index, create);
  }

  /** What lies between the pieces and behind them is a bus error. */
  override get full(): boolean {
    return this.made;
  }

  /** A word of the rings, unsigned. @param offset bytes, a multiple of 4 */
  word(offset: number): number {
    return this.memoryFrames.memory.u32[this.linear(offset) >>> 2]!;
  }

  setWord(offset: number, value: number): void {
    const { memory } = this.memoryFrames;
    memory.aboutToWrite(this.frameAt(Math.floor(offset / 4096), false), offset % 4096, 4);
    memory.u32[this.linear(offset) >>> 2] = value;
  }

  /** A copy of a submission entry. */
  entry(index: number, bytes: number): Uint8Array {
    const linear = this.linear(IORING_OFF_SQES + index * bytes);
    return this.memoryFrames.memory.u8.slice(linear, linear + bytes);
  }

  private linear(offset: number): number {
    return (
      this.memoryFrames.memory.linearOf(this.frameAt(Math.floor(offset / 4096), false)) + (offset % 4096)
    );
  }
}
