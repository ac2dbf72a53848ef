import type { BlockGroups } from "./block-groups.js";
import { clearBits, firstClear, hasBit, setBits } from "./block-groups.js";
import type { Superblock } from "./superblock.js";

/** Blocks that follow one another. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

/** Hands out blocks and inodes, and takes them back. */
export class Allocator {
  freeBlocks = 0;
  freeInodes = 0;

  constructor(
    private readonly superblock: Superblock,
    private readonly groups: BlockGroups,
  ) {}

  /** Counts what is free, as the groups say. */
  count(): void {
    this.freeBlocks = this.freeInodes = 0;
    for (let group = 0; group < this.groups.count; group++) {
      this.freeBlocks += this.groups.get(group, "freeBlocks");
      this.freeInodes += this.groups.get(group, "freeInodes");
    }
  }

  /**
   * A run of at most `most` free blocks at `goal` or as near behind it as there is one; null where there is none.
   * @param kept blocks that must stay free
   */
  takeBlocks(goal: number, most: number, kept: number): BlockRun | null {
    const room = Math.min(most, this.freeBlocks - kept);
    if (room <= 0) return null;
    const { count } = this.groups;
    const inRange = goal >= this.superblock.firstDataBlock && goal < this.superblock.blocks;
    const home = inRange ? this.groups.groupOf(goal) : 0;
    for (let step = 0; step <= count; step++) {
      const group = (home + step) % count;
      if (this.groups.get(group, "freeBlocks") === 0) continue;
      const bitmap = this.groups.blockBitmap(group);
      if (bitmap === null) continue;
      const size = this.groups.blocksIn(group);
      const from = step === 0 && inRange ? goal - this.groups.firstBlock(group) : 0;
      const first = firstClear(bitmap, from, size);
      if (first < 0) continue;
      let end = first + 1;
      while (end < size && end - first < room && !hasBit(bitmap, end)) end++;
      setBits(bitmap, first, end);
      this.groups.blocksChanged(group);
      this.groups.change(group, "freeBlocks", first - end);
      this.freeBlocks -= end - first;
      return { first: this.groups.firstBlock(group) + first, count: end - first };
    }
    return null;
  }

  giveBlocks(first: number, count: number): void {
    const { firstDataBlock, blocks } = this.superblock;
    // A damaged map may name any.
    if (!(first >= firstDataBlock && count > 0 && first + count <= blocks)) return;
    for (let at = first; at < first + count;) {
      const group = this.groups.groupOf(at);
      const start = this.groups.firstBlock(group);
      const end = Math.min(first + count, start + this.groups.blocksIn(group));
      const bitmap = this.groups.blockBitmap(group);
      if (bitmap !== null) {
        clearBits(bitmap, at - start, end - start);
        this.groups.blocksChanged(group);
        this.groups.change(group, "freeBlocks", end - at);
        this.freeBlocks += end - at;
      }
      at = end;
    }
  }

  /** The number of an inode that was free, in the group of `near` if it has one; 0 where there is none. */
  takeInode(near: number, isDirectory: boolean): number {
    const { count } = this.groups;
    const perGroup = this.superblock.inodesPerGroup;
    const home = Math.floor((near - 1) / perGroup);
    for (let step = 0; step < count; step++) {
      const group = (home + step) % count;
      if (this.groups.get(group, "freeInodes") === 0) continue;
      const bitmap = this.groups.inodeBitmap(group);
      if (bitmap === null) continue;
      const from = group === 0 ? this.superblock.firstInode - 1 : 0;
      const index = firstClear(bitmap, from, perGroup);
      if (index < 0) continue;
      setBits(bitmap, index, index + 1);
      this.groups.inodesChanged(group, index);
      this.groups.change(group, "freeInodes", -1);
      if (isDirectory) this.groups.change(group, "usedDirectories", 1);
      this.freeInodes--;
      return group * perGroup + index + 1;
    }
    return 0;
  }

  giveInode(number: number, isDirectory: boolean): void {
    const perGroup = this.superblock.inodesPerGroup;
    const group = Math.floor((number - 1) / perGroup);
    const index = (number - 1) % perGroup;
    const bitmap = this.groups.inodeBitmap(group);
    if (bitmap === null) return;
    clearBits(bitmap, index, index + 1);
    this.groups.inodesChanged(group, -1);
    this.groups.change(group, "freeInodes", 1);
    if (isDirectory) this.groups.change(group, "usedDirectories", -1);
    this.freeInodes++;
  }

  /** Where the blocks of an inode begin, if nothing else says so. */
  homeOf(inode: number): number {
    return this.groups.firstBlock(Math.floor((inode - 1) / this.superblock.inodesPerGroup));
  }
}
