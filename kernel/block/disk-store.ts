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
