import type { BlockDevice } from "../../../block/block-device.js";
import { EIO } from "../../../errno.js";
import { crc16, crc32c, crc32cOf } from "./checksums.js";
import { INCOMPAT_META_BG, RO_COMPAT_METADATA_CSUM } from "./features.js";
import { get16, get32, HIGH, put16, put32 } from "./little-endian.js";
import type { Superblock } from "./superblock.js";

/** bg_flags */
const INODE_UNINIT = 1;
const BLOCK_UNINIT = 2;
const INODE_ZEROED = 4;

/** Byte offsets in struct ext4_group_desc: of the low parts, and of the high ones where there are such. */
const FIELD = {
  blockBitmap: [0, 0x20],
  inodeBitmap: [4, 0x24],
  inodeTable: [8, 0x28],
  freeBlocks: [0xc, 0x2c],
  freeInodes: [0xe, 0x2e],
  usedDirectories: [0x10, 0x30],
  unusedInodes: [0x1c, 0x32],
  blockBitmapSum: [0x18, 0x38],
  inodeBitmapSum: [0x1a, 0x3a],
} as const;
const FLAGS = 0x12;
const CHECKSUM = 0x1e;

/** What a group keeps count of. */
type Count = "freeBlocks" | "freeInodes" | "usedDirectories" | "unusedInodes";

/** The group descriptors and bitmaps. What changes stays here until `store`. */
export class BlockGroups {
  readonly count: number;
  private readonly size: number;
  /** All descriptors, one after the other. */
  private readonly table: Uint8Array;
  private readonly blockBitmaps = new Map<number, Uint8Array>();
  private readonly inodeBitmaps = new Map<number, Uint8Array>();
  private readonly dirty = new Set<number>();
  private readonly dirtyBlockBitmaps = new Set<number>();
  private readonly dirtyInodeBitmaps = new Set<number>();

  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
  ) {
    this.count = superblock.groups;
    this.size = superblock.descriptorSize;
    const perBlock = Math.floor(superblock.blockSize / this.size);
    this.table = new Uint8Array(Math.ceil(this.count / perBlock) * superblock.blockSize);
  }

  private get perBlock(): number {
    return Math.floor(this.superblock.blockSize / this.size);
  }

  /** Reads the descriptors; -EIO. */
  load(): number {
    const { blockSize } = this.superblock;
    for (let i = 0; i * blockSize < this.table.length; i++) {
      const part = this.table.subarray(i * blockSize, (i + 1) * blockSize);
      if (this.device.read(this.tableBlock(i) * blockSize, part) !== blockSize) return -EIO;
    }
    return 0;
  }

  /** Blocks with descriptors that a copy of the superblock is followed by. */
  get tableBlocks(): number {
    return this.table.length / this.superblock.blockSize;
  }

  /** Where a block of descriptors lies (ext4_bg_num_gdb and descriptor_loc). */
  private tableBlock(index: number): number {
    const s = this.superblock;
    if ((s.incompat & INCOMPAT_META_BG) === 0 || index < s.firstMetaGroup)
      return s.firstDataBlock + 1 + index;
    const group = index * this.perBlock;
    return this.firstBlock(group) + (s.groupHasSuper(group) ? 1 : 0);
  }

  /** A descriptor's checksum is right. */
  checksumHolds(group: number): boolean {
    return !this.superblock.hasGroupChecksums || get16(this.descriptor(group), CHECKSUM) === this.sum(group);
  }

  private descriptor(group: number): Uint8Array {
    return this.table.subarray(group * this.size, (group + 1) * this.size);
  }

  private sum(group: number): number {
    const bytes = this.descriptor(group);
    const s = this.superblock;
    if ((s.roCompat & RO_COMPAT_METADATA_CSUM) !== 0) {
      const copy = bytes.slice();
      put16(copy, CHECKSUM, 0);
      return crc32c(crc32cOf(s.checksumSeed, group), copy) & 0xffff;
    }
    const number = new Uint8Array(4);
    put32(number, 0, group);
    const head = crc16(crc16(crc16(0xffff, s.uuid), number), bytes, 0, CHECKSUM);
    return this.size > CHECKSUM + 2 ? crc16(head, bytes, CHECKSUM + 2) : head;
  }

  private address(group: number, field: "blockBitmap" | "inodeBitmap" | "inodeTable"): number {
    const bytes = this.descriptor(group);
    const [low, high] = FIELD[field];
    return get32(bytes, low) + (this.size >= 64 ? get32(bytes, high) * HIGH : 0);
  }

  inodeTable(group: number): number {
    return this.address(group, "inodeTable");
  }

  get(group: number, field: Count): number {
    const bytes = this.descriptor(group);
    const [low, high] = FIELD[field];
    return get16(bytes, low) + (this.size >= 64 ? get16(bytes, high) * 65536 : 0);
  }

  private set(group: number, field: Count | "blockBitmapSum" | "inodeBitmapSum", value: number): void {
    const bytes = this.descriptor(group);
    const [low, high] = FIELD[field];
    put16(bytes, low, value);
    if (this.size >= 64) put16(bytes, high, value >>> 16);
    this.dirty.add(group);
  }

  change(group: number, field: Count, by: number): void {
    this.set(group, field, this.get(group, field) + by);
  }

  private flags(group: number): number {
    return this.superblock.hasGroupChecksums ? get16(this.descriptor(group), FLAGS) : 0;
  }

  private setFlags(group: number, flags: number): void {
    put16(this.descriptor(group), FLAGS, flags);
    this.dirty.add(group);
  }

  /** First block of a group. */
  firstBlock(group: number): number {
    return this.superblock.firstDataBlock + group * this.superblock.blocksPerGroup;
  }

  /** Blocks in a group; the last may have fewer. */
  blocksIn(group: number): number {
    return Math.min(this.superblock.blocksPerGroup, this.superblock.blocks - this.firstBlock(group));
  }

  groupOf(block: number): number {
    return Math.floor((block - this.superblock.firstDataBlock) / this.superblock.blocksPerGroup);
  }

  /** A group's bitmap of blocks; null where it cannot be read. Who changes it says so (`blocksChanged`). */
  blockBitmap(group: number): Uint8Array | null {
    const known = this.blockBitmaps.get(group);
    if (known) return known;
    const uninitialised = (this.flags(group) & BLOCK_UNINIT) !== 0;
    const bitmap = uninitialised
      ? this.freshBlockBitmap(group)
      : this.read(this.address(group, "blockBitmap"));
    if (bitmap) this.blockBitmaps.set(group, bitmap);
    return bitmap;
  }

  inodeBitmap(group: number): Uint8Array | null {
    const known = this.inodeBitmaps.get(group);
    if (known) return known;
    let bitmap: Uint8Array | null;
    if ((this.flags(group) & INODE_UNINIT) !== 0) {
      bitmap = new Uint8Array(this.superblock.blockSize);
      setBits(bitmap, this.superblock.inodesPerGroup, bitmap.length * 8);
    } else bitmap = this.read(this.address(group, "inodeBitmap"));
    if (bitmap) this.inodeBitmaps.set(group, bitmap);
    return bitmap;
  }

  private read(block: number): Uint8Array | null {
    const bytes = new Uint8Array(this.superblock.blockSize);
    return this.device.read(block * bytes.length, bytes) === bytes.length ? bytes : null;
  }

  /** What a bitmap holds that was never written: the metadata in the group alone (ext4_init_block_bitmap). */
  private freshBlockBitmap(group: number): Uint8Array {
    const s = this.superblock;
    const bitmap = new Uint8Array(s.blockSize);
    const first = this.firstBlock(group);
    const count = this.blocksIn(group);
    const take = (block: number, blocks = 1): void => {
      const from = Math.max(0, block - first);
      const to = Math.min(count, block + blocks - first);
      if (from < to) setBits(bitmap, from, to);
    };
    if (s.groupHasSuper(group)) take(first);
    const meta = (s.incompat & INCOMPAT_META_BG) !== 0;
    if (s.groupHasSuper(group))
      take(
        first + 1,
        meta ? Math.min(s.firstMetaGroup, this.tableBlocks) : this.tableBlocks + s.reservedTableBlocks,
      );
    if (meta) for (let i = s.firstMetaGroup; i < this.tableBlocks; i++) take(this.tableBlock(i));
    const tableBlocks = Math.ceil((s.inodesPerGroup * s.inodeSize) / s.blockSize);
    for (let other = 0; other < this.count; other++) {
      take(this.address(other, "blockBitmap"));
      take(this.address(other, "inodeBitmap"));
      take(this.inodeTable(other), tableBlocks);
    }
    setBits(bitmap, count, bitmap.length * 8);
    return bitmap;
  }

  blocksChanged(group: number): void {
    this.dirtyBlockBitmaps.add(group);
    const flags = this.flags(group);
    if ((flags & BLOCK_UNINIT) !== 0) this.setFlags(group, flags & ~BLOCK_UNINIT);
  }

  /** @param index of an inode that is in use now */
  inodesChanged(group: number, index: number): void {
    this.dirtyInodeBitmaps.add(group);
    if (!this.superblock.hasGroupChecksums) return;
    const flags = this.flags(group);
    if ((flags & INODE_UNINIT) !== 0) {
      this.clearTable(group);
      this.setFlags(group, (flags & ~INODE_UNINIT) | INODE_ZEROED);
    }
    const unused = this.superblock.inodesPerGroup - index - 1;
    if (unused < this.get(group, "unusedInodes")) this.set(group, "unusedInodes", unused);
  }

  /** The inodes of a group that had none may never have been written. */
  private clearTable(group: number): void {
    const s = this.superblock;
    if ((this.flags(group) & INODE_ZEROED) !== 0) return;
    const zeroes = new Uint8Array(s.inodesPerGroup * s.inodeSize);
    this.device.write(this.inodeTable(group) * s.blockSize, zeroes);
  }

  /** Writes what has changed; 0 or -errno. */
  store(): number {
    const s = this.superblock;
    const failed = (result: number): boolean => result < 0;
    for (const group of this.dirtyBlockBitmaps) {
      const bitmap = this.blockBitmaps.get(group)!;
      if (s.hasChecksums)
        this.set(group, "blockBitmapSum", crc32c(s.checksumSeed, bitmap, 0, s.blocksPerGroup >>> 3));
      const result = this.device.write(this.address(group, "blockBitmap") * s.blockSize, bitmap);
      if (failed(result)) return result;
      this.dirty.add(group);
    }
    this.dirtyBlockBitmaps.clear();
    for (const group of this.dirtyInodeBitmaps) {
      const bitmap = this.inodeBitmaps.get(group)!;
      if (s.hasChecksums)
        this.set(group, "inodeBitmapSum", crc32c(s.checksumSeed, bitmap, 0, s.inodesPerGroup >>> 3));
      const result = this.device.write(this.address(group, "inodeBitmap") * s.blockSize, bitmap);
      if (failed(result)) return result;
      this.dirty.add(group);
    }
    this.dirtyInodeBitmaps.clear();
    for (const group of this.dirty) {
      const bytes = this.descriptor(group);
      if (s.hasGroupChecksums) put16(bytes, CHECKSUM, this.sum(group));
      const block = this.tableBlock(Math.floor(group / this.perBlock));
      const result = this.device.write(block * s.blockSize + (group % this.perBlock) * this.size, bytes);
      if (failed(result)) return result;
    }
    this.dirty.clear();
    return 0;
  }
}

export function setBits(bitmap: Uint8Array, from: number, to: number): void {
  for (let bit = from; bit < to; bit++) bitmap[bit >>> 3] |= 1 << (bit & 7);
}

export function clearBits(bitmap: Uint8Array, from: number, to: number): void {
  for (let bit = from; bit < to; bit++) bitmap[bit >>> 3] &= ~(1 << (bit & 7));
}

export function hasBit(bitmap: Uint8Array, bit: number): boolean {
  return ((bitmap[bit >>> 3]! >>> (bit & 7)) & 1) !== 0;
}

/** The first clear bit in [from, to), or -1. */
export function firstClear(bitmap: Uint8Array, from: number, to: number): number {
  for (let bit = from; bit < to;) {
    if ((bit & 7) === 0 && bitmap[bit >>> 3] === 0xff) bit += 8;
    else if (hasBit(bitmap, bit)) bit++;
    else return bit;
  }
  return -1;
}
