import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { EINVAL } from "../errno.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import type { Dentry } from "./dentry.js";
import type { DeviceNumber, DirectoryInode, Inode } from "./inode.js";
import { S_IFMT } from "./mode.js";
import type { MountData } from "./mounts/data.js";
import { timestampOf } from "./timestamp.js";
import type { Timestamp } from "./timestamp.js";

/** The numbers given out next: who owns a lock is told apart by them. */
export interface Identities {
  openFile: number;
  fileTable: number;
}

export const firstIdentities = (): Identities => ({ openFile: 1, fileTable: 1 });

/** What every file system of a machine shares. */
export interface FileSystemContext {
  readonly frames: FrameAllocator;
  readonly identities: Identities;
  /** Nanoseconds since 1970, the machine's clock. */
  now(): bigint;
}

export interface FileSystemStatistics {
  /** f_type: the magic number (statfs(2)). */
  readonly magic: number;
  readonly blockSize: number;
  /** In blocks. */
  readonly blocks: number;
  readonly free: number;
  /** Those of them that are not kept for root; all unless told. */
  readonly available?: number;
  /** f_fsid, where it is more than the device's number. */
  readonly id?: readonly [number, number];
  readonly files: number;
  readonly freeFiles: number;
}

export const TMPFS_MAGIC = 0x01021994;
export const OVERLAYFS_MAGIC = 0x794c7630;
export const PROC_MAGIC = 0x9fa0;
export const SYSFS_MAGIC = 0x62656572;
export const SECRETMEM_MAGIC = 0x5345434d;
export const PIPEFS_MAGIC = 0x50495045;
export const SOCKFS_MAGIC = 0x534f434b;
export const PIDFS_MAGIC = 0x50494446;
export const ANON_INODE_MAGIC = 0x09041934;

/** One mounted or internal file system ("super block"). */
export abstract class FileSystem {
  private nextInode: number;
  /** MS_RDONLY, MS_SYNCHRONOUS and the like: what holds for all its mounts (s_flags). */
  flags = 0;
  /** It can never be made writable (a directory that the user of sealab gave for reading only). */
  writeProtected = false;
  /** The entry of its root, which all its mounts share; made with the first. */
  top: Dentry | null = null;
  /** Mounts of it that somebody can reach. */
  mountCount = 0;

  constructor(
    readonly context: FileSystemContext,
    /** As /proc/filesystems and mounts name it. */
    readonly typeName: string,
    readonly device: DeviceNumber,
    firstInode = 1,
  ) {
    this.nextInode = firstInode;
  }

  abstract readonly root: DirectoryInode;
  abstract statistics(): FileSystemStatistics;

  /** st_blksize in bytes. */
  get blockSize(): number {
    return 4096;
  }

  /** What it adds to its line of /proc/mounts: "" or ",name=value...". */
  showOptions(): string {
    return "";
  }

  /**
   * New options (mount(2), MS_REMOUNT), and the flags (MS_*) that it will have; 0 or -errno. By default none are known: as
   * for a type without any.
   */
  reconfigure(options: MountData, _wanted: number): number {
    return options.rest.length === 0 ? 0 : -EINVAL;
  }

  /** A file or directory has no name and no user any more. */
  evicted(_inode: Inode): void {}

  /** Its last mount has gone, and nobody uses it: memory goes back (kill_sb). */
  shutDown(): void {}

  now(): Timestamp {
    return timestampOf(this.context.now());
  }

  newInodeNumber(): number {
    return this.nextInode++;
  }

  /** Numbers up to this one are taken. */
  reserveInodeNumbers(last: number): void {
    this.nextInode = Math.max(this.nextInode, last + 1);
  }

  /** fsync of a file whose pages are written, or (null) of everything: what is kept elsewhere is safe there. */
  sync(_inode: Inode | null): number {
    return 0;
  }

  /** Where a regular file's pages are kept while it is a swap area, or -errno; by default none can be one. */
  swapStore(_inode: Inode): SwapStore | number {
    return -EINVAL;
  }

  /** Sets permission bits; 0 or -errno. A file system that keeps them elsewhere too says so there. */
  setPermissions(inode: Inode, permissions: number): number {
    inode.mode = (inode.mode & S_IFMT) | permissions;
    inode.changed = this.now();
    return 0;
  }

  setOwner(inode: Inode, uid: number, gid: number): number {
    inode.uid = uid;
    inode.gid = gid;
    inode.changed = this.now();
    return 0;
  }

  setTimes(inode: Inode, accessed: Timestamp, modified: Timestamp): number {
    inode.accessed = accessed;
    inode.modified = modified;
    inode.changed = this.now();
    return 0;
  }
}
