import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import type { DirectoryInode } from "./inode.js";
import type { DeviceNumber } from "./inode.js";
import { timestampOf } from "./timestamp.js";
import type { Timestamp } from "./timestamp.js";

/** What every file system of a machine shares. */
export interface FileSystemContext {
  readonly frames: FrameAllocator;
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
  readonly files: number;
  readonly freeFiles: number;
}

export const TMPFS_MAGIC = 0x01021994;
export const PROC_MAGIC = 0x9fa0;
export const SYSFS_MAGIC = 0x62656572;
export const PIPEFS_MAGIC = 0x50495045;
export const ANON_INODE_MAGIC = 0x09041934;

/** One mounted or internal file system ("super block"). */
export abstract class FileSystem {
  #nextInode: number;

  constructor(
    readonly context: FileSystemContext,
    /** As /proc/filesystems and mounts name it. */
    readonly typeName: string,
    readonly device: DeviceNumber,
    firstInode = 1,
  ) {
    this.#nextInode = firstInode;
  }

  abstract readonly root: DirectoryInode;
  abstract statistics(): FileSystemStatistics;

  now(): Timestamp {
    return timestampOf(this.context.now());
  }

  newInodeNumber(): number {
    return this.#nextInode++;
  }
}
