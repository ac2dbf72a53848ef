import type { Inode } from "../../inode.js";
import { S_IFBLK, S_IFCHR } from "../../mode.js";
import type { DeviceNumber } from "../../inode.js";
import type { Timestamp } from "../../timestamp.js";
import { crc32c, crc32cOf } from "./checksums.js";
import { get16, get32, HIGH, put16, put32 } from "./little-endian.js";
import type { Superblock } from "./superblock.js";
import { RO_COMPAT_HUGE_FILE } from "./features.js";

/** i_flags */
export const EXT4_INDEX_FL = 0x1000;
const EXT4_HUGE_FILE_FL = 0x4_0000;
export const EXT4_EXTENTS_FL = 0x8_0000;

/** Where the map of blocks, a short link's text or a device's number is. */
const MAP_OFFSET = 0x28;
export const MAP_BYTES = 60;

const CHECKSUM_LOW = 0x7c;
const CHECKSUM_HIGH = 0x82;
const EXTRA_SIZE = 0x80;
const OLD_BYTES = 128;
const LINKS_OVERFLOW = 65000;

const TIMES = {
  accessed: [8, 0x8c],
  changed: [0xc, 0x84],
  modified: [0x10, 0x88],
  born: [0x90, 0x94],
} as const;

/** An inode as it lies on disk (struct ext4_inode), the bytes that nobody here reads among it. */
export class InodeRecord {
  /** As `take` left it last. */
  private stored: Uint8Array;

  constructor(
    readonly number: number,
    readonly bytes: Uint8Array,
    private readonly superblock: Superblock,
  ) {
    this.stored = bytes.slice();
  }

  /** The record of a new inode. */
  static fresh(number: number, superblock: Superblock, generation: number): InodeRecord {
    const bytes = new Uint8Array(superblock.inodeSize);
    if (bytes.length > OLD_BYTES)
      put16(bytes, EXTRA_SIZE, Math.min(superblock.wantedExtraSize, bytes.length - OLD_BYTES));
    put32(bytes, 0x64, generation);
    return new InodeRecord(number, bytes, superblock);
  }

  get mode(): number {
    return get16(this.bytes, 0);
  }
  get uid(): number {
    return get16(this.bytes, 2) + get16(this.bytes, 0x78) * 65536;
  }
  get gid(): number {
    return get16(this.bytes, 0x18) + get16(this.bytes, 0x7a) * 65536;
  }
  get links(): number {
    return get16(this.bytes, 0x1a);
  }
  get size(): number {
    return get32(this.bytes, 4) + get32(this.bytes, 0x6c) * HIGH;
  }
  set size(value: number) {
    put32(this.bytes, 4, value % HIGH);
    put32(this.bytes, 0x6c, Math.floor(value / HIGH));
  }
  /** Units of 512 bytes, the map's own blocks among them. */
  get sectors(): number {
    const count = get32(this.bytes, 0x1c) + get16(this.bytes, 0x74) * HIGH;
    return (this.flags & EXT4_HUGE_FILE_FL) === 0 ? count : count * (this.superblock.blockSize / 512);
  }
  set sectors(value: number) {
    this.flags &= ~EXT4_HUGE_FILE_FL;
    put32(this.bytes, 0x1c, value % HIGH);
    const wide = (this.superblock.roCompat & RO_COMPAT_HUGE_FILE) !== 0;
    put16(this.bytes, 0x74, wide ? Math.floor(value / HIGH) : 0);
  }
  get flags(): number {
    return get32(this.bytes, 0x20);
  }
  set flags(value: number) {
    put32(this.bytes, 0x20, value);
  }
  get generation(): number {
    return get32(this.bytes, 0x64);
  }
  /** The block with extended attributes; 0: none. */
  get attributeBlock(): number {
    return get32(this.bytes, 0x68) + (this.superblock.has64 ? get16(this.bytes, 0x76) * HIGH : 0);
  }
  set attributeBlock(block: number) {
    put32(this.bytes, 0x68, block % HIGH);
    if (this.superblock.has64) put16(this.bytes, 0x76, Math.floor(block / HIGH));
  }
  /** When it was deleted, seconds; of an orphan the number of the next one. */
  get deletion(): number {
    return get32(this.bytes, 0x14);
  }
  set deletion(value: number) {
    put32(this.bytes, 0x14, value);
  }
  /** The map of blocks. */
  get map(): Uint8Array {
    return this.bytes.subarray(MAP_OFFSET, MAP_OFFSET + MAP_BYTES);
  }

  /** Bytes behind the old ones that have a meaning. */
  get extraSize(): number {
    return this.bytes.length > OLD_BYTES ? get16(this.bytes, EXTRA_SIZE) : 0;
  }
  private hasField(at: number): boolean {
    return at + 4 <= OLD_BYTES + this.extraSize;
  }

  private time([at, extraAt]: readonly [number, number]): Timestamp {
    const seconds = get32(this.bytes, at) | 0;
    if (!this.hasField(extraAt)) return { seconds, nanoseconds: 0 };
    const extra = get32(this.bytes, extraAt);
    return { seconds: seconds + (extra & 3) * HIGH, nanoseconds: Math.min(extra >>> 2, 999_999_999) };
  }

  private setTime([at, extraAt]: readonly [number, number], { seconds, nanoseconds }: Timestamp): void {
    put32(this.bytes, at, seconds);
    if (!this.hasField(extraAt)) return;
    const epoch = Math.floor((seconds - (seconds | 0)) / HIGH) & 3;
    put32(this.bytes, extraAt, ((nanoseconds << 2) | epoch) >>> 0);
  }

  /** Gives an inode what is here. */
  fill(inode: Inode): void {
    inode.links = this.links;
    inode.accessed = this.time(TIMES.accessed);
    inode.changed = this.time(TIMES.changed);
    inode.modified = this.time(TIMES.modified);
    inode.born = this.hasField(TIMES.born[1]) ? this.time(TIMES.born) : inode.changed;
  }

  get modified(): Timestamp {
    return this.time(TIMES.modified);
  }

  /** The number of a device (old_decode_dev, new_decode_dev). */
  get device(): DeviceNumber {
    const old = get32(this.map, 0);
    if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
    const code = get32(this.map, 4);
    return { major: (code >>> 8) & 0xfff, minor: (code & 0xff) | ((code >>> 12) & 0xfff00) };
  }

  setDevice({ major, minor }: DeviceNumber): void {
    if (major < 256 && minor < 256) put32(this.map, 0, (major << 8) | minor);
    else put32(this.map, 4, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0);
  }

  /** Takes over what an inode says now, with the checksum; false where nothing has changed since the last time. */
  take(inode: Inode): boolean {
    const { bytes, stored } = this;
    put16(bytes, 0, inode.mode);
    put16(bytes, 2, inode.uid);
    put16(bytes, 0x78, inode.uid >>> 16);
    put16(bytes, 0x18, inode.gid);
    put16(bytes, 0x7a, inode.gid >>> 16);
    put16(bytes, 0x1a, inode.isDirectory && inode.links >= LINKS_OVERFLOW ? 1 : inode.links);
    this.setTime(TIMES.accessed, inode.accessed);
    this.setTime(TIMES.changed, inode.changed);
    this.setTime(TIMES.modified, inode.modified);
    if (this.hasField(TIMES.born[1])) this.setTime(TIMES.born, inode.born);
    this.seal();
    if (!bytes.some((byte, at) => byte !== stored[at])) return false;
    this.stored = bytes.slice();
    return true;
  }

  /** What checksums of its blocks begin with. */
  get checksumSeed(): number {
    return crc32cOf(crc32cOf(this.superblock.checksumSeed, this.number), this.generation);
  }

  private sum(): number {
    const copy = this.bytes.slice();
    put16(copy, CHECKSUM_LOW, 0);
    if (this.hasHighChecksum) put16(copy, CHECKSUM_HIGH, 0);
    return crc32c(this.checksumSeed, copy);
  }

  private get hasHighChecksum(): boolean {
    return this.bytes.length > OLD_BYTES && CHECKSUM_HIGH + 2 <= OLD_BYTES + this.extraSize;
  }

  get checksumHolds(): boolean {
    if (!this.superblock.hasChecksums) return true;
    const sum = this.sum();
    if ((sum & 0xffff) !== get16(this.bytes, CHECKSUM_LOW)) return false;
    return !this.hasHighChecksum || sum >>> 16 === get16(this.bytes, CHECKSUM_HIGH);
  }

  private seal(): void {
    if (!this.superblock.hasChecksums) return;
    const sum = this.sum();
    put16(this.bytes, CHECKSUM_LOW, sum);
    if (this.hasHighChecksum) put16(this.bytes, CHECKSUM_HIGH, sum >>> 16);
  }
}

export function isDevice(type: number): boolean {
  return type === S_IFCHR || type === S_IFBLK;
}
