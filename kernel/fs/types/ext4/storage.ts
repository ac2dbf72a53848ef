import { EIO } from "../../../errno.js";
import type { BlockMap, BlockMapSpace } from "./block-map.js";
import { ExtentMap } from "./extent-map.js";
import type { Ext4FileSystem } from "./file-system.js";
import { IndirectMap } from "./indirect-map.js";
import { EXT4_EXTENTS_FL, type InodeRecord } from "./inode-record.js";

/** What an inode has on disk: its record, and its blocks. */
export class Ext4Storage implements BlockMapSpace {
  private known: BlockMap | null = null;

  constructor(
    private readonly fileSystem: Ext4FileSystem,
    readonly record: InodeRecord,
  ) {}

  get blockSize(): number {
    return this.fileSystem.superblock.blockSize;
  }

  /** Where its blocks are; null where that cannot be read. */
  get map(): BlockMap | null {
    if (this.known !== null) return this.known;
    if ((this.record.flags & EXT4_EXTENTS_FL) === 0) return (this.known = new IndirectMap(this, this.record));
    const extents = new ExtentMap(this, this.record, this.fileSystem.superblock.hasChecksums);
    return extents.load() ? (this.known = extents) : null;
  }

  /** Bytes that a file can have with such a map. */
  get mostBytes(): number {
    const { map } = this;
    const blocks = map instanceof IndirectMap ? map.most : 2 ** 32 - 1;
    return blocks * this.blockSize;
  }

  private charge(blocks: number): void {
    this.record.sectors += blocks * (this.blockSize / 512);
    this.fileSystem.touched(this.record.number);
  }

  takeMapBlock(goal: number): number {
    const run = this.fileSystem.takeBlocks(goal === 0 ? this.home : goal, 1, true);
    if (run === null) return 0;
    this.charge(1);
    return run.first;
  }

  giveBlocks(first: number, count: number): void {
    this.fileSystem.allocator.giveBlocks(first, count);
    this.charge(-count);
  }

  readBlock(block: number): Uint8Array | null {
    return this.fileSystem.readBlock(block);
  }

  writeBlock(block: number, bytes: Uint8Array): number {
    return this.fileSystem.writeBlock(block, bytes);
  }

  private get home(): number {
    return this.fileSystem.allocator.homeOf(this.record.number);
  }

  /**
   * Sees that blocks from a logical one on are there and, unless `unwritten`, count as written: what was a hole gets blocks
   * with whatever bytes lie there.
   * @returns how many are there now, from the first on: fewer where there is no room
   */
  allocate(logical: number, count: number, unwritten = false): number {
    const { map } = this;
    if (map === null) return 0;
    for (let at = logical; at < logical + count;) {
      const run = map.find(at, logical + count - at);
      if (run.physical !== 0) {
        if (run.unwritten && !unwritten && !map.markWritten(at, run.count)) return at - logical;
        at += run.count;
        continue;
      }
      const taken = this.fileSystem.takeBlocks(map.goal(at) || this.home, run.count);
      if (taken === null) return at - logical;
      this.charge(taken.count);
      const entered = map.insert(at, taken.first, taken.count, unwritten);
      if (entered < taken.count) {
        this.giveBlocks(taken.first + entered, taken.count - entered);
        return at + entered - logical;
      }
      at += taken.count;
    }
    return count;
  }

  /** Fills `destination` from bytes at `offset`; holes are zeroes. 0 or -errno. */
  read(offset: number, destination: Uint8Array): number {
    return this.transfer(offset, destination, (at, part, hole) => {
      if (hole) part.fill(0);
      else if (this.fileSystem.disk.read(at, part) !== part.length) return -EIO;
      return 0;
    });
  }

  /** Writes bytes to where blocks are that count as written; the others stay as they are. 0 or -errno. */
  write(offset: number, source: Uint8Array): number {
    return this.transfer(offset, source, (at, part, hole) => {
      if (!hole && this.fileSystem.disk.write(at, part) !== part.length) return -EIO;
      return 0;
    });
  }

  private transfer(
    offset: number,
    bytes: Uint8Array,
    move: (at: number, part: Uint8Array, hole: boolean) => number,
  ): number {
    const { map, blockSize } = this;
    if (map === null) return -EIO;
    for (let done = 0; done < bytes.length;) {
      const logical = Math.floor((offset + done) / blockSize);
      const into = (offset + done) % blockSize;
      const blocks = Math.ceil((into + bytes.length - done) / blockSize);
      const run = map.find(logical, blocks);
      const part = bytes.subarray(done, done + Math.min(bytes.length - done, run.count * blockSize - into));
      const hole = run.physical === 0 || run.unwritten;
      const result = move(run.physical * blockSize + into, part, hole);
      if (result < 0) return result;
      done += part.length;
    }
    return 0;
  }

  /** Gives back all blocks from a logical one on; false where the map has no room for itself. */
  cut(firstGone: number): boolean {
    return this.map?.remove(firstGone, Infinity) ?? false;
  }
}
