import { EACCES, EINVAL } from "../errno.js";
import { FileSystem, OVERLAYFS_MAGIC, TMPFS_MAGIC } from "./file-system.js";
import type { PageQuota } from "../mm/page-room.js";
import { sharedMount, type SharedMount } from "../mm/huge/shared-mount.js";
import type { FileSystemContext, FileSystemStatistics } from "./file-system.js";
import type { HostLower } from "./host-lower.js";
import type { HostStat } from "./host-files.js";
import type { DeviceNumber, InodeParts, NewInode } from "./inode.js";
import { Inode } from "./inode.js";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./mode.js";
import type { Timestamp } from "./timestamp.js";
import { TreeDirectory } from "./tree-directory.js";
import { TreeFile } from "./tree-file.js";
import { swapStoreOf } from "./swap-file.js";
import { TreeSymlink } from "./tree-symlink.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import type { UpperTree } from "./upper-tree.js";

/** A fifo, socket, or device: what it does is decided when it is opened. */
export class SpecialInode extends Inode {}

/** Numbers of files that the host does not have start here, clear of what hosts give. */
export const OWN_NUMBERS = 2 ** 48;

/**
 * A tree in memory. Alone it is a tmpfs; over a directory of the host (`lower`) it is a view: names come from the
 * host when they are first looked up, contents when they are first read, and changes stay in memory (copy on write)
 * or, for a writable lower, are made on the host first and then here.
 */
export class TreeFileSystem extends FileSystem {
  readonly root: TreeDirectory;
  /** Inodes of host files with several names, so that all of them are one file. Keys: "device:inode". */
  private readonly shared = new Map<string, Inode>();
  private hostDevice = -1;
  /** Keeps the changes to the tree beyond the run; null: they are in memory only. */
  upper: UpperTree | null = null;
  /** What its files' pages are charged to; null: no limit but memory's, as a ramfs. */
  quota: PageQuota | null = null;
  /** Its files are shared memory: their pages go to a swap area when frames run short, as a tmpfs's. */
  swappable = false;
  /** What it says of huge pages; null: its files are not shared memory. */
  sharedMemory: SharedMount | null;
  /** It stands for a disk, as the guest's root and directories of the host: its files can be swap areas. */
  isDisk = false;

  constructor(
    context: FileSystemContext,
    device: DeviceNumber,
    readonly lower: HostLower | null,
    /** Permission bits and owner of the root, where no host says. */
    root: { mode: number; uid: number; gid: number } = { mode: 0o755, uid: 0, gid: 0 },
    typeName = lower ? "overlay" : "tmpfs",
  ) {
    super(context, typeName, device, lower ? OWN_NUMBERS : 1);
    this.sharedMemory = lower === null && typeName === "tmpfs" ? sharedMount(false) : null;
    const stat = lower?.stat("");
    if (typeof stat === "object") {
      this.hostDevice = stat.device;
      this.root = new TreeDirectory(this, this.partsOf(stat), "");
      this.adopt(this.root, stat);
    } else {
      this.root = new TreeDirectory(
        this,
        {
          number: this.newInodeNumber(),
          mode: S_IFDIR | root.mode,
          uid: root.uid,
          gid: root.gid,
          time: this.now(),
        },
        null,
      );
    }
  }

  /** The lower directory if changes go there. */
  get mirror(): HostLower | null {
    return this.lower?.writable ? this.lower : null;
  }

  /** A mounted tmpfs holds half of memory, unless told otherwise (tmpfs(5), size=). */
  limitToHalfOfMemory(): this {
    this.quota = { used: 0, limit: Math.floor(this.context.frames.total / 2) };
    return this;
  }

  statistics(): FileSystemStatistics {
    const { frames } = this.context;
    const { quota } = this;
    return {
      magic: this.lower ? OVERLAYFS_MAGIC : TMPFS_MAGIC,
      blockSize: 4096,
      blocks: quota?.limit ?? frames.total,
      free: quota === null ? frames.free : quota.limit - quota.used,
      files: frames.total,
      freeFiles: frames.free,
    };
  }

  /** A negative errno for a kind of file (S_IFMT) that it cannot have, else 0. */
  refuses(_mode: number): number {
    return 0;
  }

  /** A tree of memory refuses, as a tmpfs. */
  override swapStore(inode: Inode): SwapStore | number {
    return this.isDisk && inode instanceof TreeFile ? swapStoreOf(inode) : -EINVAL;
  }

  /** One more file or name of one; false where there may be no more (ENOSPC). */
  takeInode(): boolean {
    return true;
  }

  /** One name less of a file that has others. */
  giveInode(): void {}

  /** Writes what a mirror has not written yet; then all pages go. */
  override shutDown(): void {
    const empty = (directory: TreeDirectory): void => {
      for (const inode of directory.names.values()) {
        if (inode instanceof TreeDirectory) empty(inode);
        if (!(inode instanceof TreeFile)) continue;
        inode.flush();
        inode.pages.destroy();
      }
    };
    empty(this.root);
    this.sync(null);
  }

  /** A new inode that lives in memory only (and, below a mirror, at `hostPath`). */
  make(parts: NewInode, hostPath: string | null = null): Inode {
    const full: InodeParts = { ...parts, number: this.newInodeNumber(), time: this.now() };
    switch (parts.mode & S_IFMT) {
      case S_IFDIR: {
        const directory = new TreeDirectory(this, full, hostPath);
        directory.links = 2;
        return directory;
      }
      case S_IFREG:
        return new TreeFile(this, full, hostPath, 0);
      case S_IFLNK:
        return new TreeSymlink(this, full, parts.target ?? "");
      default:
        return new SpecialInode(this, full);
    }
  }

  /** The inode of a host file that this tree has not seen yet. */
  fromHost(stat: HostStat, path: string): Inode | number {
    const kept = this.upper?.ofLower(path);
    if (kept) return kept;
    const key = `${stat.device}:${stat.inode}`;
    const several = stat.links > 1 && (stat.mode & S_IFMT) !== S_IFDIR;
    const known = several ? this.shared.get(key) : undefined;
    if (known) return known;
    const parts = this.partsOf(stat);
    let inode: Inode;
    switch (stat.mode & S_IFMT) {
      case S_IFDIR:
        inode = new TreeDirectory(this, parts, path);
        break;
      case S_IFREG:
        inode = new TreeFile(this, parts, path, stat.size);
        break;
      case S_IFLNK: {
        const target = this.lower?.files.readLink(this.lower.root, path) ?? -EACCES;
        if (typeof target === "number") return target;
        inode = new TreeSymlink(this, parts, target);
        break;
      }
      default:
        inode = new SpecialInode(this, parts);
    }
    this.adopt(inode, stat);
    if (several) this.shared.set(key, inode);
    this.upper?.seen(inode, path);
    return inode;
  }

  /** This inode is the host file with several names that `stat` tells of. */
  share(stat: HostStat, inode: Inode): void {
    this.shared.set(`${stat.device}:${stat.inode}`, inode);
  }

  /** The number of a host file, where it can be the guest's too. */
  numberOf(stat: HostStat): number | undefined {
    return stat.device === this.hostDevice ? stat.inode : undefined;
  }

  override sync(inode: Inode | null): number {
    const store = inode instanceof TreeFile ? inode.store : null;
    const result = store?.writable ? store.sync((inode as TreeFile).hostPath!) : 0;
    return result < 0 ? result : (this.upper?.sync() ?? 0);
  }

  override setPermissions(inode: Inode, permissions: number): number {
    const result = this.onHost(inode, (mirror, path) =>
      mirror.files.setPermissions(mirror.root, path, permissions),
    );
    return result < 0 ? result : super.setPermissions(inode, permissions) || this.keep(inode);
  }

  override setOwner(inode: Inode, uid: number, gid: number): number {
    const result = this.onHost(inode, (mirror, path) => mirror.files.setOwner(mirror.root, path, uid, gid));
    return result < 0 ? result : super.setOwner(inode, uid, gid) || this.keep(inode);
  }

  override setTimes(inode: Inode, accessed: Timestamp, modified: Timestamp): number {
    const result = this.onHost(inode, (mirror, path) =>
      mirror.files.setTimes(mirror.root, path, accessed, modified),
    );
    return result < 0 ? result : super.setTimes(inode, accessed, modified) || this.keep(inode);
  }

  private onHost(inode: Inode, act: (mirror: HostLower, path: string) => number): number {
    const { mirror } = this;
    if (!mirror || !(inode instanceof TreeFile || inode instanceof TreeDirectory)) return 0;
    return inode.hostPath === null ? 0 : act(mirror, inode.hostPath);
  }

  private keep(inode: Inode): number {
    this.upper?.touch(inode);
    return this.upper?.settle() ?? 0;
  }

  private partsOf(stat: HostStat): InodeParts {
    return {
      // Numbers of another host device (a mount below the directory) might be taken here.
      number: this.numberOf(stat) ?? this.newInodeNumber(),
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      device: stat.deviceNumber,
      time: stat.modified,
    };
  }

  /** Takes over times and link count. */
  adopt(inode: Inode, stat: HostStat): void {
    inode.links = stat.links;
    inode.accessed = stat.accessed;
    inode.modified = stat.modified;
    inode.changed = stat.changed;
    inode.born = stat.born;
  }
}
