import type { ControlGroup } from "../../cgroup/control-group.js";
import { EACCES, EINVAL, ENOENT, EPERM } from "../../errno.js";
import { FileSystem, PROC_MAGIC, SYSFS_MAGIC } from "../file-system.js";
import type { FileSystemContext, FileSystemStatistics } from "../file-system.js";
import type { DeviceNumber, DirectoryEntry, NewInode } from "../inode.js";
import { DirectoryInode, Inode, SymlinkInode } from "../inode.js";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../mode.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";
import { O_ACCMODE, O_RDONLY, O_WRONLY } from "../open-flags.js";
import { bytesOf } from "../bytes.js";

/** What a generated file holds at this moment, as a byte string; -errno where it cannot be read. */
export type Content = () => string | number;

/** Whose a node is; root's where it is not said. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A node of a generated tree, made when it is looked up. */
export type Node = {
  readonly owner?: Owner;
  /** chown and chmod of it, which are EPERM otherwise. */
  readonly changeOwner?: (uid: number, gid: number) => void;
  readonly changeMode?: (permissions: number) => void;
} & (
  | {
      readonly kind: "file";
      readonly content: Content;
      readonly mode?: number;
      /** Asked at open, besides the permission bits: 0 or -errno. */
      readonly check?: () => number;
      readonly write?: (text: string) => number;
    }
  | {
      readonly kind: "directory";
      /** All of them, or -errno. */
      readonly children: () => Children | number;
      /** One name, where making all children for it is too much; -errno. */
      readonly child?: (name: string) => Node | number | undefined;
      /** Asked besides the permission bits: 0 or -errno. */
      readonly check?: () => number;
      readonly mode?: number;
      /** What stat says when the name is looked up; 2 unless told. */
      readonly links?: () => number;
      /** mkdir and rmdir of a name: 0 or -errno. Without them directories are not made. */
      readonly make?: (name: string, owner: Owner) => number;
      readonly remove?: (name: string) => number;
      /** The control group that it is. */
      readonly group?: ControlGroup;
    }
  /** `place`: where following it leads, for links that are more than their text. */
  | {
      readonly kind: "link";
      readonly target: Content;
      readonly place?: () => Location | number;
      readonly mode?: number;
    }
  | {
      readonly kind: "special";
      readonly open: (location: Location, flags: number) => OpenFile | number;
      readonly mode?: number;
    }
);

export type Children = ReadonlyMap<string, Node>;

const CGROUP2_MAGIC = 0x63677270;
const MAGIC: Readonly<Record<string, number>> = {
  proc: PROC_MAGIC,
  sysfs: SYSFS_MAGIC,
  cgroup2: CGROUP2_MAGIC,
};

/** A file system whose files the kernel writes as they are read: procfs, sysfs and cgroup2. */
export class GeneratedFileSystem extends FileSystem {
  readonly root: GeneratedDirectory;

  constructor(
    context: FileSystemContext,
    typeName: "proc" | "sysfs" | "cgroup2",
    device: DeviceNumber,
    top: Extract<Node, { kind: "directory" }>,
  ) {
    super(context, typeName, device);
    this.root = new GeneratedDirectory(this, top);
  }

  statistics(): FileSystemStatistics {
    const magic = MAGIC[this.typeName];
    return { magic, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
  }
}

function typeOf(node: Node): number {
  return node.kind === "directory" ? S_IFDIR : node.kind === "link" ? S_IFLNK : S_IFREG;
}

const DEFAULT_MODES: Record<Node["kind"], number> = {
  directory: 0o555,
  file: 0o444,
  link: 0o777,
  special: 0o444,
};

function parts(fileSystem: FileSystem, node: Node) {
  const mode = typeOf(node) | (node.mode ?? DEFAULT_MODES[node.kind]);
  const { uid, gid } = node.owner ?? { uid: 0, gid: 0 };
  return { number: fileSystem.newInodeNumber(), mode, uid, gid, time: fileSystem.now() };
}

/** An inode for a node; of the kind that it had before, the one that is there, so that it keeps its number. */
function inodeFor(fileSystem: FileSystem, node: Node, known: Inode | undefined): Inode {
  const alike = known !== undefined && known.type === typeOf(node);
  if (alike) {
    known.uid = node.owner?.uid ?? 0;
    known.gid = node.owner?.gid ?? 0;
    known.mode = typeOf(node) | (node.mode ?? DEFAULT_MODES[node.kind]);
  }
  switch (node.kind) {
    case "directory":
      if (!alike) return new GeneratedDirectory(fileSystem, node);
      (known as GeneratedDirectory).setNode(node);
      return known;
    case "link":
      if (!alike) return new GeneratedLink(fileSystem, node);
      (known as GeneratedLink).setNode(node);
      return known;
    default:
      if (!alike) return new GeneratedInode(fileSystem, node);
      (known as GeneratedInode).node = node;
      return known;
  }
}

export class GeneratedInode extends Inode {
  constructor(
    fileSystem: FileSystem,
    public node: Extract<Node, { kind: "file" | "special" }>,
  ) {
    super(fileSystem, parts(fileSystem, node));
  }

  openFile(location: Location, flags: number): OpenFile | number {
    if (this.node.kind === "special") return this.node.open(location, flags);
    const allowed = sysfsDenies(this, flags) ? -EACCES : (this.node.check?.() ?? 0);
    return allowed < 0 ? allowed : new GeneratedFile(location, flags, this.node);
  }

  override setPermissions(permissions: number): number {
    return changeMode(this, permissions);
  }
  override setOwner(uid: number, gid: number): number {
    return changeOwner(this, uid, gid);
  }
}

/** What a file of sysfs permits nobody, it does not permit root either (kernfs_fop_open). */
function sysfsDenies({ fileSystem, mode }: GeneratedInode, flags: number): boolean {
  if (fileSystem.typeName !== "sysfs") return false;
  const access = flags & O_ACCMODE;
  return (access !== O_WRONLY && (mode & 0o444) === 0) || (access !== O_RDONLY && (mode & 0o222) === 0);
}

function changeMode(inode: GeneratedInode | GeneratedDirectory, permissions: number): number {
  if (inode.node.changeMode === undefined) return -EPERM;
  inode.node.changeMode(permissions);
  return inode.fileSystem.setPermissions(inode, permissions);
}

function changeOwner(inode: GeneratedInode | GeneratedDirectory, uid: number, gid: number): number {
  if (inode.node.changeOwner === undefined) return -EPERM;
  inode.node.changeOwner(uid, gid);
  return inode.fileSystem.setOwner(inode, uid, gid);
}

/** One reading of a generated file: its content is written when the first byte is read (seq_file). */
export class GeneratedFile extends OpenFile {
  private bytes: Uint8Array | null = null;

  constructor(
    location: Location,
    flags: number,
    /** Null where a file of a class of its own says what it holds. */
    public source: Extract<Node, { kind: "file" }> | null,
  ) {
    super(location, flags);
  }

  protected text(): string | number {
    return this.source?.content() ?? -EINVAL;
  }

  override read(destination: Uint8Array, offset: number): number {
    if (this.bytes === null || offset === 0) {
      const text = this.text();
      if (typeof text === "number") return text;
      this.bytes = bytesOf(text);
    }
    const part = this.bytes.subarray(offset, offset + destination.length);
    destination.set(part);
    return part.length;
  }

  override write(source: Uint8Array): number {
    if (!this.source?.write) return -EINVAL;
    const result = this.source.write(String.fromCharCode(...source.subarray(0, 4096)));
    return result < 0 ? result : source.length;
  }
}

export class GeneratedLink extends SymlinkInode {
  constructor(
    fileSystem: FileSystem,
    public node: Extract<Node, { kind: "link" }>,
  ) {
    super(fileSystem, parts(fileSystem, node));
    this.setNode(node);
  }

  setNode(node: Extract<Node, { kind: "link" }>): void {
    this.node = node;
    if (node.place) this.follow = node.place;
    else delete this.follow;
  }

  /** Present on links that lead to a place (see walk.ts). */
  follow?: () => Location | number;

  readLink(): string | number {
    return this.node.target();
  }
}

/** Names remembered before a directory looks which of them are gone. */
const SMALLEST_MEMORY = 64;

export class GeneratedDirectory extends DirectoryInode {
  /** The inodes of names that were looked up. */
  readonly known = new Map<string, Inode>();
  /** At so many of them it is time to forget those whose names are gone. */
  private most = SMALLEST_MEMORY;

  constructor(
    fileSystem: FileSystem,
    public node: Extract<Node, { kind: "directory" }>,
  ) {
    super(fileSystem, parts(fileSystem, node));
    this.setNode(node);
  }

  setNode(node: Extract<Node, { kind: "directory" }>): void {
    this.node = node;
    this.links = node.links?.() ?? 2;
  }

  override check(): number {
    return this.node.check?.() ?? 0;
  }

  /** Processes end without anybody telling the directory entries. */
  override get keepsNames(): boolean {
    return false;
  }

  override get ownsEntries(): boolean {
    return this.node.remove !== undefined;
  }

  lookup(name: string): Inode | number {
    const node = this.childNode(name) ?? -ENOENT;
    if (typeof node === "number") {
      this.known.delete(name);
      return node;
    }
    return this.remember(name, node);
  }

  entries(): DirectoryEntry[] | number {
    const children = this.node.children();
    if (typeof children === "number") return children;
    return [...children].map(([name, node]) => {
      const inode = this.remember(name, node);
      return { name, inode: inode.number, type: inode.type };
    });
  }

  /** The node of a name as it is now. */
  childNode(name: string): Node | number | undefined {
    if (this.node.child) return this.node.child(name);
    const children = this.node.children();
    return typeof children === "number" ? children : children.get(name);
  }

  private remember(name: string, node: Node): Inode {
    const inode = inodeFor(this.fileSystem, node, this.known.get(name));
    this.known.set(name, inode);
    if (this.known.size > this.most) {
      for (const each of [...this.known.keys()])
        if (typeof this.childNode(each) !== "object") this.known.delete(each);
      this.most = Math.max(SMALLEST_MEMORY, 2 * this.known.size);
    }
    return inode;
  }

  create(name: string, made: NewInode): Inode | number {
    if ((made.mode & S_IFMT) === S_IFDIR && this.node.make !== undefined) {
      const result = this.node.make(name, made);
      return result < 0 ? result : this.lookup(name);
    }
    return (made.mode & S_IFMT) === S_IFREG ? -EACCES : -EPERM;
  }
  link(): number {
    return -EPERM;
  }
  unlink(): number {
    return -EPERM;
  }
  removeDirectory(name: string): number {
    return this.node.remove?.(name) ?? -EPERM;
  }
  rename(): number {
    return -EPERM;
  }
  override setPermissions(permissions: number): number {
    return changeMode(this, permissions);
  }
  override setOwner(uid: number, gid: number): number {
    return changeOwner(this, uid, gid);
  }
}

/** Shorthand for a file. */
export function file(content: Content, mode = 0o444): Node {
  return { kind: "file", content, mode };
}

export function text(content: string): Node {
  return { kind: "file", content: () => content };
}

export function directory(children: () => Record<string, Node>): Extract<Node, { kind: "directory" }> {
  return { kind: "directory", children: () => new Map(Object.entries(children())) };
}

export function link(target: string): Node {
  return { kind: "link", target: () => target };
}
