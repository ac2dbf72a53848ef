import { EIO, EMLINK, ENOENT, ENOSPC, EUCLEAN } from "../../../errno.js";
import type { DirectoryEntry, Inode, InodeParts, NewInode } from "../../inode.js";
import { DirectoryInode } from "../../inode.js";
import { S_IFDIR, S_IFMT } from "../../mode.js";
import {
  emptyBlock,
  entriesOf,
  firstBlock,
  insertEntry,
  modeOfType,
  removeEntry,
  sealBlock,
  setTarget,
  tailHolds,
  withoutIndex,
  type DirectoryFormat,
} from "./directory-block.js";
import type { Ext4FileSystem } from "./file-system.js";
import type { Ext4Inode } from "./inode-table.js";
import { EXT4_INDEX_FL } from "./inode-record.js";
import type { Ext4Storage } from "./storage.js";

/** Where an entry is, and what it leads to. */
interface KnownEntry {
  inode: number;
  /** S_IFMT bits; 0 where only the inode says. */
  mode: number;
  readonly block: number;
  readonly offset: number;
}

/** EXT4_LINK_MAX */
const MOST_LINKS = 65000;

/** A directory: names in blocks one after the other. An index (dir_index) is read past, and given up when a name is added. */
export class Ext4Directory extends DirectoryInode {
  /** All names, once one was asked for. */
  private names: Map<string, KnownEntry> | null = null;
  /** Before this block there is no room for another entry. */
  private roomFrom = 0;

  constructor(
    override readonly fileSystem: Ext4FileSystem,
    parts: InodeParts,
    readonly storage: Ext4Storage,
  ) {
    super(fileSystem, parts);
  }

  override get size(): number {
    return this.storage.record.size;
  }
  override get blocks(): number {
    return this.storage.record.sectors;
  }

  private get format(): DirectoryFormat {
    const { superblock } = this.fileSystem;
    return {
      blockSize: superblock.blockSize,
      fileTypes: superblock.hasFileTypes,
      seed: superblock.hasChecksums ? this.storage.record.checksumSeed : null,
    };
  }

  private get blockCount(): number {
    return Math.floor(this.size / this.storage.blockSize);
  }

  private readBlock(index: number): Uint8Array | null {
    const block = new Uint8Array(this.storage.blockSize);
    return this.storage.read(index * block.length, block) < 0 ? null : block;
  }

  private writeBlock(index: number, block: Uint8Array): number {
    const { format } = this;
    // The blocks of an index have checksums of another kind; there, only leaves are written.
    sealBlock(block, format);
    return this.storage.write(index * block.length, block);
  }

  /** All names, read once; -EUCLEAN where the blocks are damaged. */
  private load(): Map<string, KnownEntry> | number {
    if (this.names !== null) return this.names;
    const names = new Map<string, KnownEntry>();
    const { format } = this;
    const indexed = (this.storage.record.flags & EXT4_INDEX_FL) !== 0;
    for (let index = 0; index < this.blockCount; index++) {
      const block = this.readBlock(index);
      if (block === null) return -EIO;
      const sum = tailHolds(block, format);
      if (sum === false || (sum === null && !indexed)) return -EUCLEAN;
      const entries = entriesOf(block, format);
      if (entries === null) return -EUCLEAN;
      for (const { name, inode, type, offset } of entries)
        names.set(name, { inode, mode: modeOfType(type), block: index, offset });
    }
    return (this.names = names);
  }

  lookup(name: string): Inode | number {
    const names = this.load();
    if (typeof names === "number") return names;
    const entry = names.get(name);
    if (entry === undefined || name === "." || name === "..") return -ENOENT;
    return this.fileSystem.inode(entry.inode);
  }

  entries(): DirectoryEntry[] | number {
    const names = this.load();
    if (typeof names === "number") return names;
    const list: DirectoryEntry[] = [];
    for (const [name, { inode, mode }] of names) {
      if (name === "." || name === "..") continue;
      let type = mode;
      if (type === 0) {
        const found = this.fileSystem.inode(inode);
        if (typeof found === "object") type = found.type;
      }
      list.push({ name, inode, type });
    }
    return list;
  }

  /** Writes the first block of a new directory; 0 or -errno. */
  start(parent: number): number {
    if (this.storage.allocate(0, 1) < 1) return -ENOSPC;
    this.storage.record.size = this.storage.blockSize;
    return this.writeBlock(0, firstBlock(this.format, this.number, parent));
  }

  private enter(name: string, inode: number, mode: number): number {
    const names = this.load();
    if (typeof names === "number") return names;
    const { format } = this;
    const given = this.dropIndex();
    if (given < 0) return given;
    const count = this.blockCount;
    for (let index = this.roomFrom; index <= count; index++) {
      const isNew = index === count;
      if (isNew && this.storage.allocate(index, 1) < 1) return -ENOSPC;
      const block = isNew ? emptyBlock(format) : this.readBlock(index);
      if (block === null) return -EIO;
      const offset = insertEntry(block, name, inode, mode, format);
      if (offset < 0) continue;
      const result = this.writeBlock(index, block);
      if (result < 0) return result;
      if (isNew) this.storage.record.size = (count + 1) * this.storage.blockSize;
      this.roomFrom = index;
      names.set(name, { inode, mode, block: index, offset });
      this.changedNow();
      return 0;
    }
    return -EIO;
  }

  /** Without an index the directory is read from its beginning to its end. */
  private dropIndex(): number {
    const { record } = this.storage;
    if ((record.flags & EXT4_INDEX_FL) === 0) return 0;
    for (let index = 0; index < this.blockCount; index++) {
      const block = this.readBlock(index);
      if (block === null) return -EIO;
      const result = this.writeBlock(index, withoutIndex(block, index === 0, this.format));
      if (result < 0) return result;
    }
    record.flags &= ~EXT4_INDEX_FL;
    return 0;
  }

  private removeName(name: string): number {
    const names = this.load();
    if (typeof names === "number") return names;
    const entry = names.get(name);
    if (entry === undefined) return -ENOENT;
    const block = this.readBlock(entry.block);
    if (block === null) return -EIO;
    removeEntry(block, entry.offset);
    const result = this.writeBlock(entry.block, block);
    if (result < 0) return result;
    names.delete(name);
    this.roomFrom = Math.min(this.roomFrom, entry.block);
    this.changedNow();
    return 0;
  }

  /** A name leads to another file from now on. */
  private redirect(name: string, inode: number, mode: number): number {
    const names = this.load();
    if (typeof names === "number") return names;
    const entry = names.get(name);
    if (entry === undefined) return -ENOENT;
    // The first block of an index is its root; without it, a block like any other.
    const given = entry.block === 0 ? this.dropIndex() : 0;
    if (given < 0) return given;
    const block = this.readBlock(entry.block);
    if (block === null) return -EIO;
    setTarget(block, entry.offset, inode, mode, this.format);
    const result = this.writeBlock(entry.block, block);
    if (result < 0) return result;
    entry.inode = inode;
    entry.mode = mode;
    return 0;
  }

  private changedNow(): void {
    this.modified = this.changed = this.fileSystem.now();
    this.fileSystem.touched(this.number);
  }

  create(name: string, parts: NewInode): Inode | number {
    const isDirectory = (parts.mode & S_IFMT) === S_IFDIR;
    if (isDirectory && !this.mayHaveMore()) return -EMLINK;
    const made = this.fileSystem.make(parts, this.number);
    if (typeof made === "number") return made;
    const result = this.enter(name, made.number, made.type);
    if (result < 0) {
      made.links = 0;
      made.reclaim();
      this.fileSystem.commit();
      return result;
    }
    if (isDirectory) this.links++;
    const written = this.fileSystem.commit();
    return written < 0 ? written : made;
  }

  /** Subdirectories count as links, without a limit where the file system says so (dir_nlink). */
  private mayHaveMore(): boolean {
    return this.links < MOST_LINKS || this.fileSystem.hasManyLinks;
  }

  link(name: string, inode: Inode): number {
    if (inode.links >= MOST_LINKS) return -EMLINK;
    const result = this.enter(name, inode.number, inode.type);
    if (result < 0) return result;
    inode.links++;
    inode.changed = this.fileSystem.now();
    this.fileSystem.noOrphan(inode.number);
    this.fileSystem.touched(inode.number);
    return this.fileSystem.commit();
  }

  unlink(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === "number") return inode;
    const result = this.removeName(name);
    if (result < 0) return result;
    this.dropLink(inode as Ext4Inode, 1);
    return this.fileSystem.commit();
  }

  removeDirectory(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === "number") return inode;
    const result = this.removeName(name);
    if (result < 0) return result;
    this.links--;
    this.dropLink(inode as Ext4Inode, inode.links);
    return this.fileSystem.commit();
  }

  private dropLink(inode: Ext4Inode, count: number): void {
    inode.links -= count;
    inode.changed = this.fileSystem.now();
    this.fileSystem.touched(inode.number);
    if (inode.links > 0) return;
    this.fileSystem.orphan(inode);
    inode.reclaim();
  }

  rename(name: string, target: DirectoryInode, targetName: string, exchange: boolean): number {
    const to = target as Ext4Directory;
    const moved = this.lookup(name);
    if (typeof moved === "number") return moved;
    const found = to.lookup(targetName);
    if (typeof found === "number" && found !== -ENOENT) return found;
    const other = typeof found === "number" ? null : (found as Ext4Inode);
    const now = this.fileSystem.now();
    if (moved.isDirectory && this !== to && other?.isDirectory !== true && !to.mayHaveMore()) return -EMLINK;
    let result = other === null ? to.enter(targetName, moved.number, moved.type) : 0;
    if (other !== null) result = to.redirect(targetName, moved.number, moved.type);
    if (result < 0) return result;
    result =
      exchange && other !== null ? this.redirect(name, other.number, other.type) : this.removeName(name);
    if (result < 0) return result;
    this.changedNow();
    to.changedNow();
    this.follow(moved, to);
    moved.changed = now;
    this.fileSystem.touched(moved.number);
    if (other !== null && exchange) {
      to.follow(other, this);
      other.changed = now;
      this.fileSystem.touched(other.number);
    } else if (other !== null) {
      if (other.isDirectory) to.links--;
      this.dropLink(other, other.isDirectory ? other.links : 1);
    }
    return this.fileSystem.commit();
  }

  /** A directory that moves to another has that one as its parent. */
  private follow(moved: Inode, to: Ext4Directory): void {
    if (!(moved instanceof Ext4Directory) || this === to) return;
    moved.redirect("..", to.number, S_IFDIR);
    this.links--;
    to.links++;
  }
}
