import { crc32c } from "./checksums.js";
import * as feature from "./features.js";
import { get16, get32, HIGH, put16, put32 } from "./little-endian.js";

export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_BYTES = 1024;
export const EXT4_MAGIC = 0xef53;

/** s_state */
export const STATE_VALID = 1;
export const STATE_ERRORS = 2;

const ROOT_RESERVED = { uid: 0x50, gid: 0x52 };
const CHECKSUM = 0x3fc;

/** The superblock: a view over its 1024 bytes (struct ext4_super_block). */
export class Superblock {
  constructor(readonly bytes: Uint8Array) {}

  private u16(at: number): number {
    return get16(this.bytes, at);
  }
  private u32(at: number): number {
    return get32(this.bytes, at);
  }
  /** Two halves; the high one counts with 64bit only. */
  private wide(low: number, high: number): number {
    return this.u32(low) + (this.has64 ? this.u32(high) * HIGH : 0);
  }

  get magic(): number {
    return this.u16(0x38);
  }
  get inodes(): number {
    return this.u32(0);
  }
  get blocks(): number {
    return this.wide(4, 0x150);
  }
  get reservedBlocks(): number {
    return this.wide(8, 0x154);
  }
  get firstDataBlock(): number {
    return this.u32(0x14);
  }
  get logBlockSize(): number {
    return this.u32(0x18);
  }
  get blockSize(): number {
    return 1024 << this.logBlockSize;
  }
  get blocksPerGroup(): number {
    return this.u32(0x20);
  }
  get inodesPerGroup(): number {
    return this.u32(0x28);
  }
  get revision(): number {
    return this.u32(0x4c);
  }
  get firstInode(): number {
    return this.revision === 0 ? 11 : this.u32(0x54);
  }
  get inodeSize(): number {
    return this.revision === 0 ? 128 : this.u16(0x58);
  }
  get compat(): number {
    return this.u32(0x5c);
  }
  get incompat(): number {
    return this.u32(0x60);
  }
  get roCompat(): number {
    return this.u32(0x64);
  }
  get uuid(): Uint8Array {
    return this.bytes.subarray(0x68, 0x78);
  }
  get journalInode(): number {
    return this.u32(0xe0);
  }
  get lastOrphan(): number {
    return this.u32(0xe8);
  }
  get descriptorSize(): number {
    return this.has64 ? Math.max(32, this.u16(0xfe)) : 32;
  }
  get firstMetaGroup(): number {
    return this.u32(0x104);
  }
  get reservedTableBlocks(): number {
    return this.u16(0xce);
  }
  get wantedExtraSize(): number {
    return Math.max(this.u16(0x15e), 28);
  }
  get orphanFileInode(): number {
    return this.u32(0x280);
  }
  get reservedUid(): number {
    return this.u16(ROOT_RESERVED.uid);
  }
  get state(): number {
    return this.u16(0x3a);
  }
  get groups(): number {
    return Math.ceil((this.blocks - this.firstDataBlock) / this.blocksPerGroup);
  }
  get checksumType(): number {
    return this.bytes[0x175]!;
  }
  /** The two groups with copies of the superblock, with sparse_super2. */
  get backupGroups(): readonly number[] {
    return [this.u32(0x24c), this.u32(0x250)];
  }

  get has64(): boolean {
    return (this.incompat & feature.INCOMPAT_64BIT) !== 0;
  }
  get hasExtents(): boolean {
    return (this.incompat & feature.INCOMPAT_EXTENTS) !== 0;
  }
  get hasFileTypes(): boolean {
    return (this.incompat & feature.INCOMPAT_FILETYPE) !== 0;
  }
  get hasJournal(): boolean {
    return (this.compat & feature.COMPAT_HAS_JOURNAL) !== 0;
  }
  get hasChecksums(): boolean {
    return (this.roCompat & feature.RO_COMPAT_METADATA_CSUM) !== 0;
  }
  get hasGroupChecksums(): boolean {
    return (this.roCompat & (feature.RO_COMPAT_METADATA_CSUM | feature.RO_COMPAT_GDT_CSUM)) !== 0;
  }

  /** What all checksums of metadata begin with. */
  get checksumSeed(): number {
    return (this.incompat & feature.INCOMPAT_CSUM_SEED) !== 0
      ? this.u32(0x270)
      : crc32c(0xffff_ffff, this.uuid);
  }

  get checksumHolds(): boolean {
    return !this.hasChecksums || this.u32(CHECKSUM) === crc32c(0xffff_ffff, this.bytes, 0, CHECKSUM);
  }

  /** Blocks and inodes that are not in use. */
  setFree(blocks: number, inodes: number): void {
    put32(this.bytes, 0xc, blocks % HIGH);
    if (this.has64) put32(this.bytes, 0x158, Math.floor(blocks / HIGH));
    put32(this.bytes, 0x10, inodes);
  }
  setState(state: number): void {
    put16(this.bytes, 0x3a, state);
  }
  setLastOrphan(inode: number): void {
    put32(this.bytes, 0xe8, inode);
  }
  setIncompat(bits: number): void {
    put32(this.bytes, 0x60, bits);
  }
  setRoCompat(bits: number): void {
    put32(this.bytes, 0x64, bits);
  }
  /** Seconds since 1970. */
  setWriteTime(seconds: number): void {
    put32(this.bytes, 0x30, seconds);
    this.bytes[0x274] = Math.floor(seconds / HIGH);
  }
  setMounted(seconds: number, place: string): void {
    put32(this.bytes, 0x2c, seconds);
    this.bytes[0x275] = Math.floor(seconds / HIGH);
    put16(this.bytes, 0x34, this.u16(0x34) + 1);
    this.bytes.fill(0, 0x88, 0xc8);
    for (let i = 0; i < Math.min(place.length, 63); i++) this.bytes[0x88 + i] = place.charCodeAt(i);
  }

  /** To be called before the bytes are written. */
  seal(): void {
    if (this.hasChecksums) put32(this.bytes, CHECKSUM, crc32c(0xffff_ffff, this.bytes, 0, CHECKSUM));
  }

  /** Does a group begin with a copy of the superblock (ext4_bg_has_super)? */
  groupHasSuper(group: number): boolean {
    if (group === 0) return true;
    if ((this.compat & feature.COMPAT_SPARSE_SUPER2) !== 0) return this.backupGroups.includes(group);
    if (group === 1 || (this.roCompat & feature.RO_COMPAT_SPARSE_SUPER) === 0) return true;
    if (group % 2 === 0) return false;
    return [3, 5, 7].some((base) => isPower(group, base));
  }
}

function isPower(value: number, base: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}
