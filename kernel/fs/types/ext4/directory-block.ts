import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../../mode.js";
import { byteString, bytesOf } from "../../bytes.js";
import { crc32c } from "./checksums.js";
import { get16, get32, put16, put32 } from "./little-endian.js";

/** At the end of a directory's block with metadata_csum: an entry without a name that holds the checksum. */
const TAIL_BYTES = 12;
const TAIL_TYPE = 0xde;

/** EXT4_FT_* of S_IFMT bits. */
const TYPES: ReadonlyMap<number, number> = new Map([
  [S_IFREG, 1],
  [S_IFDIR, 2],
  [S_IFCHR, 3],
  [S_IFBLK, 4],
  [S_IFIFO, 5],
  [S_IFSOCK, 6],
  [S_IFLNK, 7],
]);
const MODES: ReadonlyMap<number, number> = new Map([...TYPES].map(([mode, type]) => [type, mode]));

/** S_IFMT bits of an entry's type; 0 where it says none. */
export function modeOfType(type: number): number {
  return MODES.get(type) ?? 0;
}

export interface BlockEntry {
  readonly offset: number;
  readonly inode: number;
  readonly name: string;
  /** EXT4_FT_*; 0 where the file system keeps none. */
  readonly type: number;
}

/** How entries lie in the blocks of a directory. */
export interface DirectoryFormat {
  readonly blockSize: number;
  readonly fileTypes: boolean;
  /** What the checksum of each block begins with; null without checksums. */
  readonly seed: number | null;
}

/** Bytes of an entry for a name. */
export function entryBytes(name: string): number {
  return (8 + name.length + 3) & ~3;
}

/** rec_len: 65536 is written as 0 or 65535 in blocks that large. */
function lengthAt(block: Uint8Array, at: number): number {
  return get16(block, at + 4);
}

/** Bytes for entries in a block. */
function roomOf({ blockSize, seed }: DirectoryFormat): number {
  return seed === null ? blockSize : blockSize - TAIL_BYTES;
}

/** The block ends in a checksum, and it is the right one; null where it has none (an inner node of an index). */
export function tailHolds(block: Uint8Array, { seed }: DirectoryFormat): boolean | null {
  if (seed === null) return true;
  const at = block.length - TAIL_BYTES;
  if (get32(block, at) !== 0 || get16(block, at + 4) !== TAIL_BYTES || block[at + 7] !== TAIL_TYPE)
    return null;
  return get32(block, at + 8) === crc32c(seed, block, 0, at);
}

/** To be called before a block is written. */
export function sealBlock(block: Uint8Array, { seed }: DirectoryFormat): void {
  if (seed === null) return;
  const at = block.length - TAIL_BYTES;
  put32(block, at, 0);
  put16(block, at + 4, TAIL_BYTES);
  block[at + 6] = 0;
  block[at + 7] = TAIL_TYPE;
  put32(block, at + 8, crc32c(seed, block, 0, at));
}

/** All entries in use; null for a damaged block. */
export function entriesOf(block: Uint8Array, format: DirectoryFormat): BlockEntry[] | null {
  const entries: BlockEntry[] = [];
  for (let at = 0; at < block.length;) {
    const length = lengthAt(block, at);
    const nameLength = block[at + 6]!;
    if (length < 8 || length % 4 !== 0 || at + length > block.length) return null;
    const inode = get32(block, at);
    if (inode !== 0) {
      if (8 + nameLength > length) return null;
      const name = byteString(block.subarray(at + 8, at + 8 + nameLength));
      entries.push({ offset: at, inode, name, type: format.fileTypes ? block[at + 7]! : 0 });
    }
    at += length;
  }
  return entries;
}

/** A block with no entry. */
export function emptyBlock(format: DirectoryFormat): Uint8Array {
  const block = new Uint8Array(format.blockSize);
  put16(block, 4, roomOf(format));
  return block;
}

/** The first block of a new directory. */
export function firstBlock(format: DirectoryFormat, self: number, parent: number): Uint8Array {
  const block = emptyBlock(format);
  putEntry(block, 0, 12, ".", self, S_IFDIR, format);
  putEntry(block, 12, roomOf(format) - 12, "..", parent, S_IFDIR, format);
  return block;
}

function putEntry(
  block: Uint8Array,
  at: number,
  length: number,
  name: string,
  inode: number,
  mode: number,
  format: DirectoryFormat,
): void {
  put16(block, at + 4, length);
  block[at + 6] = name.length;
  block[at + 7] = 0;
  block.set(bytesOf(name), at + 8);
  setTarget(block, at, inode, mode, format);
}

/** The entry leads to another file. @param mode S_IFMT bits */
export function setTarget(
  block: Uint8Array,
  at: number,
  inode: number,
  mode: number,
  format: DirectoryFormat,
): void {
  put32(block, at, inode);
  if (format.fileTypes) block[at + 7] = TYPES.get(mode) ?? 0;
}

/** Enters a name where there is room; its offset, or -1. */
export function insertEntry(
  block: Uint8Array,
  name: string,
  inode: number,
  mode: number,
  format: DirectoryFormat,
): number {
  const wanted = entryBytes(name);
  for (let at = 0; at < roomOf(format);) {
    const length = lengthAt(block, at);
    if (length < 8) return -1;
    const used = get32(block, at) === 0 ? 0 : (8 + block[at + 6]! + 3) & ~3;
    if (length - used >= wanted) {
      if (used > 0) put16(block, at + 4, used);
      putEntry(block, at + used, length - used, name, inode, mode, format);
      return at + used;
    }
    at += length;
  }
  return -1;
}

/** Takes an entry away: the one before it takes its room. */
export function removeEntry(block: Uint8Array, offset: number): void {
  let before = -1;
  for (let at = 0; at < offset; at += lengthAt(block, at)) before = at;
  if (before >= 0) put16(block, before + 4, lengthAt(block, before) + lengthAt(block, offset));
  put32(block, offset, 0);
}

/**
 * Makes a block of a directory with an index one of a directory without: the root's two entries leave room for a checksum,
 * an inner node is a block without entries.
 */
export function withoutIndex(block: Uint8Array, isFirst: boolean, format: DirectoryFormat): Uint8Array {
  const { blockSize } = format;
  if (isFirst) {
    put16(block, 12 + 4, roomOf(format) - 12);
    return block;
  }
  const isNode = get32(block, 0) === 0 && lengthAt(block, 0) === blockSize;
  return isNode ? emptyBlock(format) : block;
}
