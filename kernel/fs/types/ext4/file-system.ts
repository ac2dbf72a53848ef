import type { BlockDevice } from "../../../block/block-device.js";
import { CAP_SYS_RESOURCE } from "../../../capabilities.js";
import { hasCapability } from "../../../credentials.js";
import { EACCES, EBADMSG, EINVAL, EIO, ENOSPC, EROFS, EUCLEAN } from "../../../errno.js";
import type { Kernel } from "../../../kernel.js";
import { bytesOf } from "../../bytes.js";
import { FileSystem } from "../../file-system.js";
import type { FileSystemContext, FileSystemStatistics } from "../../file-system.js";
import type { Inode, NewInode } from "../../inode.js";
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK } from "../../mode.js";
import type { MountData } from "../../mounts/data.js";
import { MS_RDONLY } from "../../mounts/flags.js";
import type { Timestamp } from "../../timestamp.js";
import { Allocator, type BlockRun } from "./allocator.js";
import { releaseAttributes } from "./attribute-block.js";
import { BlockGroups } from "./block-groups.js";
import { Ext4Directory } from "./directory.js";
import { ExtentMap } from "./extent-map.js";
import { INCOMPAT_RECOVER, RO_COMPAT_DIR_NLINK, refusedFeatures } from "./features.js";
import { Ext4File } from "./file.js";
import { EXT4_EXTENTS_FL, InodeRecord, isDevice, MAP_BYTES } from "./inode-record.js";
import { InodeTable, type Ext4Inode } from "./inode-table.js";
import { readSuperblock, refusedSuperblock, type MountRefusal } from "./check-superblock.js";
import { replayJournal } from "./journal.js";
import { get32 } from "./little-endian.js";
import { knownOptions } from "./options.js";
import { Orphans } from "./orphans.js";
import { EXT4_MAGIC, STATE_ERRORS, STATE_VALID, Superblock, SUPERBLOCK_OFFSET } from "./superblock.js";
import { swapStoreOn } from "./swap.js";
import { Ext4Symlink } from "./symlink.js";
import type { SwapStore } from "../../../mm/swap/swap-area.js";

const ROOT_INODE = 2;

/**
 * An ext2, ext3 or ext4 file system on a disk (Documentation/filesystems/ext4). What changes is on the disk when the call
 * that changed it returns, but for bytes of files, which go there when the file is closed or flushed: so the journal
 * has nothing to keep, and stays as it is.
 */
export class Ext4FileSystem extends FileSystem {
  root!: Ext4Directory;
  /** Inodes that were looked up, by number. */
  readonly inodes = new Map<number, Ext4Inode>();
  readonly groups: BlockGroups;
  readonly allocator: Allocator;
  private readonly orphans: Orphans;
  private readonly table: InodeTable;
  /** Numbers of inodes that are not on disk as they are here. */
  private readonly dirty = new Set<number>();
  private superblockDirty = false;
  private generation: number;
  /** Blocks that the file system itself takes: its size for df(1) is without them. */
  private overhead = 0;

  private constructor(
    context: FileSystemContext,
    private readonly kernel: Kernel,
    typeName: string,
    readonly disk: BlockDevice,
    readonly superblock: Superblock,
  ) {
    super(context, typeName, disk.number);
    this.groups = new BlockGroups(disk, superblock);
    this.allocator = new Allocator(superblock, this.groups);
    this.orphans = new Orphans(this);
    this.table = new InodeTable(this);
    this.generation = this.now().seconds;
  }

  /** The file system of a disk that the caller has claimed. */
  static open(
    context: FileSystemContext,
    kernel: Kernel,
    typeName: string,
    device: BlockDevice,
    readOnly: boolean,
    replay = true,
  ): Ext4FileSystem | MountRefusal {
    const refuse = (errno: number, text: string): MountRefusal => ({ errno, text });
    const superblock = readSuperblock(device);
    if (superblock === null) return refuse(EIO, "the superblock cannot be read");
    const refused = refusedSuperblock(superblock, typeName, device, readOnly);
    if (refused !== null) return refused;
    device.blockSize = superblock.blockSize;
    const fileSystem = new Ext4FileSystem(context, kernel, typeName, device, superblock);
    if (fileSystem.groups.load() < 0) return refuse(EIO, "the group descriptors cannot be read");
    for (let group = 0; group < fileSystem.groups.count; group++)
      if (!fileSystem.groups.checksumHolds(group))
        return refuse(EBADMSG, `the checksum of group ${group}'s descriptor is wrong`);
    if ((superblock.incompat & INCOMPAT_RECOVER) !== 0 && replay) {
      if (device.readOnly)
        return refuse(EROFS, "the journal is to be replayed, and the device cannot be written");
      const failed = replayJournal(fileSystem);
      if (failed !== null) return refuse(EUCLEAN, failed);
      return Ext4FileSystem.open(context, kernel, typeName, device, readOnly, false);
    }
    return fileSystem.start(readOnly) ?? fileSystem;
  }

  private start(readOnly: boolean): MountRefusal | null {
    this.allocator.count();
    const root = this.inode(ROOT_INODE);
    if (!(root instanceof Ext4Directory)) return { errno: EUCLEAN, text: "the root is no directory" };
    this.root = root;
    this.overhead = this.countOverhead();
    if (!readOnly) this.beginWriting();
    return null;
  }

  private beginWriting(): void {
    const { superblock } = this;
    this.orphans.cleanUp();
    superblock.setMounted(this.now().seconds, "");
    // With a journal it would be whole after a crash; without one it is only after its end.
    if (!superblock.hasJournal) superblock.setState(superblock.state & ~STATE_VALID);
    this.superblockDirty = true;
    this.commit();
  }

  private endWriting(): void {
    const { superblock } = this;
    this.sync(null);
    if ((superblock.state & STATE_ERRORS) === 0) superblock.setState(superblock.state | STATE_VALID);
    this.superblockDirty = true;
    this.commit();
    this.disk.flush();
  }

  /** Groups, their tables and the journal. */
  private countOverhead(): number {
    const s = this.superblock;
    const tables = Math.ceil((s.inodesPerGroup * s.inodeSize) / s.blockSize);
    let blocks = s.firstDataBlock;
    for (let group = 0; group < this.groups.count; group++) {
      if (s.groupHasSuper(group)) blocks += 1 + this.groups.tableBlocks + s.reservedTableBlocks;
      blocks += 2 + tables;
    }
    const journal = s.journalInode === 0 ? 0 : this.load(s.journalInode);
    if (typeof journal === "object") blocks += Math.floor(journal.storage.record.size / s.blockSize);
    return blocks;
  }

  /** A fiftieth, so that an extent can always be split (ext4_calculate_resv_clusters). */
  private get keptForMaps(): number {
    const s = this.superblock;
    return s.hasExtents ? Math.min(Math.floor(s.blocks / 50), 4096) : 0;
  }

  get hasManyLinks(): boolean {
    return (this.superblock.roCompat & RO_COMPAT_DIR_NLINK) !== 0;
  }

  override get blockSize(): number {
    return this.superblock.blockSize;
  }

  get readOnly(): boolean {
    return (this.flags & MS_RDONLY) !== 0;
  }

  override swapStore(inode: Inode): SwapStore | number {
    return inode instanceof Ext4File ? swapStoreOn(this.disk, inode) : -EINVAL;
  }

  statistics(): FileSystemStatistics {
    const s = this.superblock;
    const free = this.allocator.freeBlocks;
    return {
      magic: EXT4_MAGIC,
      blockSize: s.blockSize,
      blocks: s.blocks - this.overhead,
      free,
      available: Math.max(0, free - s.reservedBlocks - this.keptForMaps),
      id: [get32(s.uuid, 0) ^ get32(s.uuid, 8), get32(s.uuid, 4) ^ get32(s.uuid, 12)],
      files: s.inodes,
      freeFiles: this.allocator.freeInodes,
    };
  }

  override reconfigure(options: MountData, wanted: number): number {
    if (!knownOptions(options)) return -EINVAL;
    const toReadOnly = (wanted & MS_RDONLY) !== 0;
    if (toReadOnly === this.readOnly) return 0;
    if (toReadOnly) {
      this.endWriting();
      return 0;
    }
    if (this.disk.readOnly) return -EACCES;
    const { incompat, roCompat } = this.superblock;
    if (refusedFeatures(this.typeName, incompat, roCompat, false) !== null) return -EROFS;
    this.beginWriting();
    return 0;
  }

  override shutDown(): void {
    if (!this.readOnly) this.endWriting();
    for (const inode of this.inodes.values()) if (inode instanceof Ext4File) inode.pages.destroy();
    this.inodes.clear();
    this.disk.close(this);
  }

  /** A block; null where it cannot be read. */
  readBlock(block: number): Uint8Array | null {
    const { blockSize } = this.superblock;
    const bytes = new Uint8Array(blockSize);
    return this.disk.read(block * blockSize, bytes) === blockSize ? bytes : null;
  }

  /** 0 or -errno. */
  writeBlock(block: number, bytes: Uint8Array): number {
    const result = this.disk.write(block * this.superblock.blockSize, bytes);
    return result < 0 ? result : 0;
  }

  /**
   * Blocks for whoever acts now: some are kept for root, and some for maps alone.
   * @param forMap they are for the map of a file
   */
  takeBlocks(goal: number, most: number, forMap = false): BlockRun | null {
    const { credentials } = this.kernel.current;
    const s = this.superblock;
    if (forMap) return this.allocator.takeBlocks(goal, most, 0);
    const mayAll = credentials.fsuid === s.reservedUid || hasCapability(credentials, CAP_SYS_RESOURCE);
    return this.allocator.takeBlocks(goal, most, this.keptForMaps + (mayAll ? 0 : s.reservedBlocks));
  }

  /** An inode that has a name; -errno for a damaged one. */
  inode(number: number): Ext4Inode | number {
    const found = this.load(number);
    return typeof found === "object" && found.links === 0 ? -EUCLEAN : found;
  }

  /** As it is on disk, if it is not here. */
  load(number: number): Ext4Inode | number {
    const known = this.inodes.get(number);
    if (known) return known;
    const inode = this.table.read(number);
    if (typeof inode === "object") this.inodes.set(number, inode);
    return inode;
  }

  /**
   * A new inode for a name in a directory; -ENOSPC.
   * @param parent number of the directory; 0: it will have no name (O_TMPFILE)
   */
  make(parts: NewInode, parent = 0): Ext4Inode | number {
    const type = parts.mode & S_IFMT;
    const isDirectory = type === S_IFDIR;
    const number = this.allocator.takeInode(parent === 0 ? ROOT_INODE : parent, isDirectory);
    if (number === 0) return -ENOSPC;
    const record = InodeRecord.fresh(number, this.superblock, this.generation++ >>> 0);
    const target = bytesOf(parts.target ?? "");
    const isShort = type === S_IFLNK && target.length < MAP_BYTES;
    if (parts.device && isDevice(type)) record.setDevice(parts.device);
    if (isShort) record.map.set(target);
    else if (this.superblock.hasExtents && !isDevice(type) && type !== S_IFIFO && type !== S_IFSOCK) {
      record.flags |= EXT4_EXTENTS_FL;
      ExtentMap.clear(record);
    }
    if (type === S_IFLNK) record.size = target.length;
    const inode = this.table.wrap(record, parts.mode, parts) as Ext4Inode;
    this.inodes.set(number, inode);
    this.touched(number);
    let result = 0;
    if (isDirectory && inode instanceof Ext4Directory) {
      inode.links = 2;
      result = inode.start(parent);
    } else if (type === S_IFLNK && !isShort) {
      const there = inode.storage.allocate(0, Math.ceil(target.length / this.superblock.blockSize));
      const block = new Uint8Array(this.superblock.blockSize);
      block.set(target);
      result = there > 0 ? inode.storage.write(0, block) : -ENOSPC;
    }
    if (parent === 0) {
      inode.links = 0;
      this.orphans.add(inode);
    }
    if (result === 0) return inode;
    inode.links = 0;
    inode.reclaim();
    return result;
  }

  /** A file without a name counts as one more user of the file system's inodes when it is made. */
  takeInode(): boolean {
    return this.allocator.freeInodes > 0;
  }

  orphan(inode: Ext4Inode): void {
    this.orphans.add(inode);
  }

  /** It has a name again, or is gone. */
  noOrphan(number: number): void {
    this.orphans.remove(number);
  }

  /** An inode is not on disk as it is here: `commit` writes it. */
  touched(number: number): void {
    this.dirty.add(number);
    this.superblockDirty = true;
  }

  /** Nobody can reach it any more: its blocks and its number are free. */
  override evicted(inode: Inode): void {
    const known = this.inodes.get(inode.number);
    if (known !== inode || this.readOnly) return;
    const { storage } = known;
    const hasBlocks =
      known instanceof Ext4File ||
      known instanceof Ext4Directory ||
      (known instanceof Ext4Symlink && !known.isShort);
    if (hasBlocks) storage.cut(0);
    releaseAttributes(this, storage);
    this.orphans.remove(inode.number);
    storage.record.size = 0;
    storage.record.deletion = this.now().seconds;
    this.allocator.giveInode(inode.number, inode.isDirectory);
    this.table.write(known);
    this.dirty.delete(inode.number);
    this.inodes.delete(inode.number);
    this.superblockDirty = true;
    this.commit();
  }

  /** Writes what has changed of the file system itself; 0 or -errno. */
  commit(): number {
    let error = 0;
    for (const number of [...this.dirty]) {
      const inode = this.inodes.get(number);
      const result = inode === undefined ? 0 : this.table.write(inode);
      if (result < 0) error = result;
    }
    this.dirty.clear();
    const groups = this.groups.store();
    if (groups < 0) error = groups;
    if (!this.superblockDirty) return error;
    const { superblock } = this;
    superblock.setFree(this.allocator.freeBlocks, this.allocator.freeInodes);
    superblock.setWriteTime(this.now().seconds);
    superblock.seal();
    this.superblockDirty = false;
    const written = this.disk.write(SUPERBLOCK_OFFSET, superblock.bytes);
    return written < 0 ? written : error;
  }

  override sync(inode: Inode | null): number {
    if (this.readOnly) return 0;
    let error = 0;
    for (const each of inode === null ? this.inodes.values() : []) {
      const result = each instanceof Ext4File && each.pages.dirty.size > 0 ? each.writeBack() : 0;
      if (result < 0) error = result;
      // Times of access are noted nowhere else.
      this.dirty.add(each.number);
    }
    const result = this.commit();
    const flushed = this.disk.flush();
    return error || result || flushed;
  }

  override setPermissions(inode: Inode, permissions: number): number {
    return super.setPermissions(inode, permissions) || this.keep(inode);
  }
  override setOwner(inode: Inode, uid: number, gid: number): number {
    return super.setOwner(inode, uid, gid) || this.keep(inode);
  }
  override setTimes(inode: Inode, accessed: Timestamp, modified: Timestamp): number {
    return super.setTimes(inode, accessed, modified) || this.keep(inode);
  }

  private keep(inode: Inode): number {
    this.touched(inode.number);
    return this.commit();
  }
}
