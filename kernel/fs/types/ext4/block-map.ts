/** Blocks of a file that follow one another in it and on disk. */
export interface MappedRun {
  /** The first one's number on disk; 0: a hole. */
  readonly physical: number;
  readonly count: number;
  /** Allocated, and reads as zeroes until it is written (an unwritten extent). */
  readonly unwritten: boolean;
}

/** Where the blocks of a file are. Changes to it are on disk after `store`. */
export interface BlockMap {
  /** Blocks from a logical one on that are alike, `most` at most. */
  find(logical: number, most: number): MappedRun;
  /**
   * Enters blocks where a hole is.
   * @returns how many were entered: fewer where there is no room for the map's own blocks
   */
  insert(logical: number, physical: number, count: number, unwritten: boolean): number;
  /** Blocks of [logical, logical + count) count as written; false where there is no room for the map's own blocks. */
  markWritten(logical: number, count: number): boolean;
  /** Makes [from, to) a hole and gives its blocks back; false where there is no room for the map's own blocks. */
  remove(from: number, to: number): boolean;
  /** Where a block after this one should lie, to follow what comes before it; 0: no matter. */
  goal(logical: number): number;
  /** Writes what is not in the inode; 0 or -errno. */
  store(): number;
}

/** What maps need of the file system. */
export interface BlockMapSpace {
  readonly blockSize: number;
  /** One block for a map; 0 where there is none. */
  takeMapBlock(goal: number): number;
  giveBlocks(first: number, count: number): void;
  readBlock(block: number): Uint8Array | null;
  writeBlock(block: number, bytes: Uint8Array): number;
}
