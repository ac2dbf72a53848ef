import { PAGE_SIZE } from "../../../../mmu/layout.js";
import { BlocksStore } from "../../../block/disk-store.js";
import type { BlockDevice } from "../../../block/block-device.js";
import { EINVAL, EIO } from "../../../errno.js";
import type { SwapStore } from "../../../mm/swap/swap-area.js";
import type { Ext4File } from "./file.js";

/**
 * The blocks of a file that is to be a swap area (ext4_iomap_swap_activate): what it holds is on them, and nothing of it
 * in memory. -EINVAL where it has a hole; blocks that were never written will do.
 */
export function swapStoreOn(disk: BlockDevice, file: Ext4File): SwapStore | number {
  const { map, blockSize } = file.storage;
  if (map === null) return -EIO;
  const written = file.flush();
  if (written < 0) return written;
  file.pages.reclaim(Infinity);
  const count = Math.floor(file.size / PAGE_SIZE) * Math.ceil(PAGE_SIZE / blockSize);
  const blocks: number[] = [];
  while (blocks.length < count) {
    const run = map.find(blocks.length, count - blocks.length);
    if (run.physical === 0) return -EINVAL;
    for (let i = 0; i < run.count; i++) blocks.push(run.physical + i);
  }
  return new BlocksStore(disk, blockSize, blocks);
}
