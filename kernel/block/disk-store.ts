import { PAGE_SIZE } from "../../mmu/layout.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import type { BlockDevice } from "./block-device.js";

/** A disk whose pages are a swap area's. */
export class DiskStore implements SwapStore {
  constructor(private readonly disk: BlockDevice) {}

  readPage(page: number, into: Uint8Array): void {
    if (this.disk.read(page * PAGE_SIZE, into) !== PAGE_SIZE) into.fill(0);
  }

  writePage(page: number, from: Uint8Array): boolean {
    return this.disk.write(page * PAGE_SIZE, from) === PAGE_SIZE;
  }

  forgetPage(): void {}
}

/** Blocks of a disk that are a file's, and so a swap area's. */
export class BlocksStore implements SwapStore {
  /** @param blocks the blocks' numbers on the disk, in the order of the file */
  constructor(
    private readonly disk: BlockDevice,
    private readonly blockSize: number,
    private readonly blocks: readonly number[],
  ) {}

  /** Bytes on the disk, piece by piece. @returns false where one cannot be had */
  private each(page: number, bytes: Uint8Array, move: (at: number, piece: Uint8Array) => number): boolean {
    const { blockSize } = this;
    for (let done = 0; done < PAGE_SIZE;) {
      const at = page * PAGE_SIZE + done;
      const part = Math.min(PAGE_SIZE - done, blockSize - (at % blockSize));
      const place = this.blocks[Math.floor(at / blockSize)] * blockSize + (at % blockSize);
      if (move(place, bytes.subarray(done, done + part)) !== part) return false;
      done += part;
    }
    return true;
  }

  readPage(page: number, into: Uint8Array): void {
    if (!this.each(page, into, (at, piece) => this.disk.read(at, piece))) into.fill(0);
  }

  writePage(page: number, from: Uint8Array): boolean {
    return this.each(page, from, (at, piece) => this.disk.write(at, piece));
  }

  forgetPage(): void {}
}
