import { EBADMSG, EIO, EUCLEAN } from "../../../errno.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../../mode.js";
import { Ext4Directory } from "./directory.js";
import { Ext4File } from "./file.js";
import type { Ext4FileSystem } from "./file-system.js";
import { EXT4_EXTENTS_FL, InodeRecord, isDevice } from "./inode-record.js";
import { Ext4Special } from "./special.js";
import { Ext4Storage } from "./storage.js";
import { Ext4Symlink } from "./symlink.js";

export type Ext4Inode = Ext4File | Ext4Directory | Ext4Symlink | Ext4Special;

/** The tables of inodes on the disk: records read and written, and inodes made of them. */
export class InodeTable {
  constructor(private readonly fileSystem: Ext4FileSystem) {}

  /** The inode that is on disk; -errno for one that cannot be read, or is damaged. */
  read(number: number): Ext4Inode | number {
    const { disk, superblock } = this.fileSystem;
    if (number < 1 || number > superblock.inodes) return -EUCLEAN;
    const bytes = new Uint8Array(superblock.inodeSize);
    if (disk.read(this.placeOf(number), bytes) !== bytes.length) return -EIO;
    const record = new InodeRecord(number, bytes, superblock);
    if (!record.checksumHolds) return -EBADMSG;
    const inode = this.wrap(record);
    if (typeof inode === "object") record.fill(inode);
    return inode;
  }

  /** Writes an inode's record, if it is not on disk as it is here; 0 or -errno. */
  write(inode: Ext4Inode): number {
    const { storage } = inode;
    const result = (storage.record.flags & EXT4_EXTENTS_FL) === 0 ? 0 : (storage.map?.store() ?? -EIO);
    if (result < 0) return result;
    if (!storage.record.take(inode)) return 0;
    const written = this.fileSystem.disk.write(this.placeOf(inode.number), storage.record.bytes);
    return written < 0 ? written : 0;
  }

  /** An inode around a record. */
  wrap(
    record: InodeRecord,
    mode = record.mode,
    owner = record as { uid: number; gid: number },
  ): Ext4Inode | number {
    const { fileSystem } = this;
    const { number } = record;
    const parts = {
      number,
      mode,
      uid: owner.uid,
      gid: owner.gid,
      time: fileSystem.now(),
      ...(isDevice(mode & S_IFMT) ? { device: record.device } : {}),
    };
    const storage = new Ext4Storage(fileSystem, record);
    switch (mode & S_IFMT) {
      case S_IFREG:
        return new Ext4File(fileSystem, parts, storage);
      case S_IFDIR:
        return new Ext4Directory(fileSystem, parts, storage);
      case S_IFLNK:
        return new Ext4Symlink(fileSystem, parts, storage);
      case S_IFCHR:
      case S_IFBLK:
      case S_IFIFO:
      case S_IFSOCK:
        return new Ext4Special(fileSystem, parts, storage);
      default:
        // Those of the file system's own, such as the bad blocks.
        return number < fileSystem.superblock.firstInode
          ? new Ext4File(fileSystem, parts, storage)
          : -EUCLEAN;
    }
  }

  /** Byte offset of an inode on the device. */
  private placeOf(number: number): number {
    const { groups, superblock } = this.fileSystem;
    const group = Math.floor((number - 1) / superblock.inodesPerGroup);
    const within = ((number - 1) % superblock.inodesPerGroup) * superblock.inodeSize;
    return groups.inodeTable(group) * superblock.blockSize + within;
  }
}
