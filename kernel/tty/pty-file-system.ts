import { EACCES, ENOENT, EPERM } from "../errno.js";
import { FileSystem } from "../fs/file-system.js";
import type { FileSystemContext, FileSystemStatistics } from "../fs/file-system.js";
import { DirectoryInode } from "../fs/inode.js";
import type { DeviceNumber, DirectoryEntry, Inode, InodeParts, NewInode } from "../fs/inode.js";
import { S_IFCHR, S_IFDIR } from "../fs/mode.js";
import { SpecialInode } from "../fs/tree-file-system.js";

const DEVPTS_MAGIC = 0x1cd1;
/** Its inodes: 1 the root, 2 ptmx, the rest the terminals (devpts/inode.c). */
const FIRST_INODE = 3;
const PTMX_DEVICE: DeviceNumber = { major: 5, minor: 2 };
const PTS_MAJOR = 136;
/** The group "tty", and the mode that Debian mounts devpts with. */
const TTY_GROUP = 5;
const NODE_MODE = 0o620;

/** devpts, what is at /dev/pts: ptmx, and a node for each terminal as long as it is there. */
export class PtyFileSystem extends FileSystem {
  readonly root: PtyDirectory;

  constructor(context: FileSystemContext, device: DeviceNumber) {
    super(context, "devpts", device);
    this.root = new PtyDirectory(this);
  }

  statistics(): FileSystemStatistics {
    return { magic: DEVPTS_MAGIC, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
  }

  /** The node of a new terminal: its maker's, and of the group "tty". */
  add(number: number, uid: number): void {
    const device = { major: PTS_MAJOR, minor: number };
    this.root.nodes.set(`${number}`, this.node(FIRST_INODE + number, NODE_MODE, device, uid, TTY_GROUP));
  }

  remove(number: number): void {
    const node = this.root.nodes.get(`${number}`);
    if (node !== undefined) node.links = 0;
    this.root.nodes.delete(`${number}`);
  }

  node(number: number, mode: number, device: DeviceNumber, uid = 0, gid = 0): Inode {
    return new SpecialInode(this, { number, mode: S_IFCHR | mode, uid, gid, device, time: this.now() });
  }
}

export class PtyDirectory extends DirectoryInode {
  readonly nodes = new Map<string, Inode>();

  constructor(fileSystem: PtyFileSystem) {
    const parts: InodeParts = {
      number: fileSystem.newInodeNumber(),
      mode: S_IFDIR | 0o755,
      uid: 0,
      gid: 0,
      time: fileSystem.now(),
    };
    super(fileSystem, parts);
    this.links = 2;
    this.nodes.set("ptmx", fileSystem.node(fileSystem.newInodeNumber(), 0, PTMX_DEVICE));
  }

  lookup(name: string): Inode | number {
    return this.nodes.get(name) ?? -ENOENT;
  }

  entries(): DirectoryEntry[] {
    return [...this.nodes].map(([name, inode]) => ({ name, inode: inode.number, type: inode.type }));
  }

  // A directory without inode operations of its own but look-up.
  create(_name: string, _parts: NewInode): number {
    return -EACCES;
  }
  link(): number {
    return -EPERM;
  }
  unlink(): number {
    return -EPERM;
  }
  removeDirectory(): number {
    return -EPERM;
  }
  rename(): number {
    return -EPERM;
  }
}
