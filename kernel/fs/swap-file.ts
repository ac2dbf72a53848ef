import { BlockFile } from "../block/block-file.js";
import { EINVAL } from "../errno.js";
import type { SwapHost, SwapStore } from "../mm/swap/swap-area.js";
import { SwapMemory } from "../mm/swap/swap-area.js";
import { PAGE_SIZE } from "../../mmu/layout.js";
import { Inode } from "./inode.js";
import type { DeviceNumber } from "./inode.js";
import { S_IFBLK } from "./mode.js";
import type { OpenFile } from "./open-file.js";
import type { TreeFile } from "./tree-file.js";

/** A file or block device while it is a swap area: held open, and the file not to be written, cut or removed. */
export class SwapFile implements SwapHost {
  constructor(readonly file: OpenFile) {
    file.hold();
    this.mark(true);
  }

  get isBlockDevice(): boolean {
    return this.file.node.type === S_IFBLK;
  }

  private mark(swaps: boolean): void {
    if (this.file instanceof BlockFile) this.file.disk.isSwapArea = swaps;
    else this.file.node.isSwapFile = swaps;
  }

  path(): string {
    return this.file.mapName;
  }

  isOf(inode: object): boolean {
    return inode === this.file.node || (this.isBlockDevice && isDevice(inode, this.file.node.deviceNumber));
  }

  released(): void {
    this.mark(false);
    this.file.release();
  }
}

/** The disk that the machine was given for swapping. */
export class SwapDisk implements SwapHost {
  readonly isBlockDevice = true;

  constructor(
    private readonly node: string,
    private readonly device: DeviceNumber,
  ) {}

  path(): string {
    return this.node;
  }

  isOf(inode: object): boolean {
    return isDevice(inode, this.device);
  }

  released(): void {}
}

function isDevice(inode: object, { major, minor }: DeviceNumber): boolean {
  if (!(inode instanceof Inode)) return false;
  const { deviceNumber } = inode;
  return inode.type === S_IFBLK && deviceNumber.major === major && deviceNumber.minor === minor;
}

/**
 * Where a file of a tree keeps what is swapped to it; -EINVAL where it has holes (generic_swapfile_activate). The file's
 * own bytes stay as they are: the pages are kept beside them, outside of guest RAM.
 */
export function swapStoreOf({ pages, size, lowerSize, hostPath }: TreeFile): SwapStore | number {
  const first = hostPath === null ? 0 : Math.ceil(lowerSize / PAGE_SIZE);
  for (let index = first; index < Math.floor(size / PAGE_SIZE); index++)
    if (!pages.has(index) && !pages.room.isReserved(index)) return -EINVAL;
  return new SwapMemory();
}
