import type { FilePages } from "../mm/file-pages.js";
import type { WaitQueue } from "../wait-queue.js";
import type { FileSystem } from "./file-system.js";
import { withoutOwner } from "./locks.js";
import type { Lease, LockStyle } from "./locks.js";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./mode.js";
import type { Pipe } from "./pipe.js";
import type { Timestamp } from "./timestamp.js";
import type { KeptInode } from "./upper-tree.js";

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
  /** S_IFMT bits. */
  readonly type: number;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export const NO_DEVICE: DeviceNumber = { major: 0, minor: 0 };

export interface InodeParts {
  readonly number: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device?: DeviceNumber;
  readonly time: Timestamp;
}

/** A file of whatever type. Numbers and records only; what it can do depends on its class. */
export abstract class Inode {
  readonly number: number;
  mode: number;
  uid: number;
  gid: number;
  links = 1;
  readonly deviceNumber: DeviceNumber;
  accessed: Timestamp;
  modified: Timestamp;
  changed: Timestamp;
  born: Timestamp;
  /** Open file descriptions and mappings that keep it alive when no name does. */
  holders = 0;
  /** Advisory locks; to be changed by `setLocks` only. */
  locks: readonly Lease[] = [];
  /** Made by O_TMPFILE, without O_EXCL: linkat may give it its first name. */
  linkable = false;
  /** It is a swap area now (S_SWAPFILE). */
  isSwapFile = false;
  /** Those who wait for locks; made when the first does. */
  lockQueue: WaitQueue | null = null;
  /** What goes through it, where it is a fifo or a pipe and was opened. */
  pipe: Pipe | null = null;
  /** Its number on the host, where a mirror made it: learnt when it is looked up. */
  hostNumber: number | null = null;
  /** What an upper layer knows of it. */
  kept: KeptInode | null = null;

  constructor(
    readonly fileSystem: FileSystem,
    parts: InodeParts,
  ) {
    this.number = parts.number;
    this.mode = parts.mode;
    this.uid = parts.uid;
    this.gid = parts.gid;
    this.deviceNumber = parts.device ?? NO_DEVICE;
    this.accessed = this.modified = this.changed = this.born = parts.time;
  }

  get type(): number {
    return this.mode & S_IFMT;
  }
  get isDirectory(): boolean {
    return this.type === S_IFDIR;
  }
  get isRegular(): boolean {
    return this.type === S_IFREG;
  }
  get isSymlink(): boolean {
    return this.type === S_IFLNK;
  }

  /** Asked before the permission bits: 0 or -errno. */
  check(): number {
    return 0;
  }

  /** st_size in bytes. */
  get size(): number {
    return 0;
  }

  /** st_blocks, units of 512 bytes. */
  get blocks(): number {
    return 0;
  }

  /** Sets permission bits; 0 or -errno. */
  setPermissions(permissions: number): number {
    return this.fileSystem.setPermissions(this, permissions);
  }

  setOwner(uid: number, gid: number): number {
    return this.fileSystem.setOwner(this, uid, gid);
  }

  setTimes(accessed: Timestamp, modified: Timestamp): number {
    return this.fileSystem.setTimes(this, accessed, modified);
  }

  /** Changes the locks. Whoever waits for one looks again. */
  setLocks(locks: readonly Lease[]): void {
    this.locks = locks;
    this.lockQueue?.wake();
  }

  /** Takes all locks of an owner away. */
  dropLocks(style: LockStyle, owner: number): void {
    if (this.locks.length === 0) return;
    const rest = withoutOwner(this.locks, style, owner);
    if (rest.length < this.locks.length) this.setLocks(rest);
  }

  /** One more holder (an open file description). */
  hold(): void {
    this.holders++;
  }

  drop(): void {
    this.holders--;
    this.reclaim();
  }

  /** Gives memory back once nothing refers to the inode. Called whenever a name or a holder went. */
  reclaim(): void {
    if (this.links === 0 && this.holders === 0) this.fileSystem.evicted(this);
  }
}

/** A directory: `lookup` and `entries` at least; the rest refuses by default as a kernel file system does. */
export abstract class DirectoryInode extends Inode {
  /** Entries of names that were used are kept; false where names come and go by themselves (procfs). */
  get keepsNames(): boolean {
    return true;
  }

  /** What is in it goes with it at rmdir, as the files of a control group do. */
  get ownsEntries(): boolean {
    return false;
  }

  /** The inode of a name, or -errno (-ENOENT). "." and ".." never get here. */
  abstract lookup(name: string): Inode | number;
  /** All names but "." and "..", in a stable order. */
  abstract entries(): DirectoryEntry[] | number;
  abstract create(name: string, parts: NewInode): Inode | number;
  abstract link(name: string, inode: Inode): number;
  abstract unlink(name: string): number;
  abstract removeDirectory(name: string): number;
  /** The caller has made every check that does not depend on the kind of file system. */
  abstract rename(name: string, target: DirectoryInode, targetName: string, exchange: boolean): number;
}

export interface NewInode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device?: DeviceNumber;
  /** For a symbolic link. */
  readonly target?: string;
}

/** A file whose bytes are in a page cache. */
export abstract class RegularInode extends Inode {
  abstract readonly pages: FilePages;
  /** F_SEAL_* of a memfd; undefined where seals are not supported (F_GET_SEALS is EINVAL). */
  seals: number | undefined;

  /** Bytes read, fewer at the end of the file; -errno. */
  abstract read(offset: number, destination: Uint8Array): number;
  /** Bytes written; -ENOSPC when there is no room for the first. */
  abstract write(offset: number, source: Uint8Array): number;
  abstract truncate(size: number): number;
  /** Dirty pages are written somewhere; false where memory is all there is (tmpfs): none counts as dirty there. */
  get writesBack(): boolean {
    return false;
  }
  /** Asked before a truncation, and before the seals: 0 or -errno. */
  checkSize(_size: number): number {
    return 0;
  }
  /** fallocate where it is not as for tmpfs: 0 or -errno. @param mode FALLOC_FL_* */
  allocate?(mode: number, offset: number, length: number): number;
  /** Where on the disk a block of it is (bmap): 0 for a hole. Without it: on no disk. */
  blockAt?(block: number): number;
  /** Where data, or a hole, begins at or after an offset within the file; the size where none does. */
  nextExtent?(offset: number, data: boolean): number;
  /** Writes dirty pages where they belong; 0 or -errno. */
  flush(): number {
    return 0;
  }
}

export abstract class SymlinkInode extends Inode {
  abstract readLink(): string | number;
}
