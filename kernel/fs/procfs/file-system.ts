import { EACCES, EINVAL, ENOENT, EPERM } from "../../errno.js";
import { FileSystem, PROC_MAGIC, SYSFS_MAGIC } from "../file-system.js";
import type { FileSystemContext, FileSystemStatistics } from "../file-system.js";
import type { DeviceNumber, DirectoryEntry, NewInode } from "../inode.js";
import { DirectoryInode, Inode, SymlinkInode } from "../inode.js";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../mode.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";
import { bytesOf } from "../bytes.js";

/** What a generated file holds at this moment, as a byte string; -errno where it cannot be read. */
export type Content = () => string | number;

/** A node of a generated tree, made when it is looked up. */
export type Node =
  | {
      readonly kind: "file";
      readonly content: Content;
      readonly mode?: number;
      readonly write?: (text: string) => number;
    }
  | { readonly kind: "directory"; readonly children: () => Children; readonly mode?: number }
  /** `place`: where following it leads, for links that are more than their text. */
  | { readonly kind: "link"; readonly target: Content; readonly place?: () => Location | number }
  | {
      readonly kind: "special";
      readonly open: (location: Location, flags: number) => OpenFile;
      readonly mode?: number;
    };

export type Children = ReadonlyMap<string, Node>;

/** A file system whose files the kernel writes as they are read: procfs and sysfs. */
export class GeneratedFileSystem extends FileSystem {
  readonly root: DirectoryInode;
  /** Inodes by path, so that a file keeps its number. */
  readonly #inodes = new Map<string, Inode>();

  constructor(
    context: FileSystemContext,
    typeName: "proc" | "sysfs",
    device: DeviceNumber,
    children: () => Children,
  ) {
    super(context, typeName, device);
    this.root = new GeneratedDirectory(this, "", { kind: "directory", children });
  }

  statistics(): FileSystemStatistics {
    const magic = this.typeName === "proc" ? PROC_MAGIC : SYSFS_MAGIC;
    return { magic, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
  }

  inodeFor(path: string, node: Node): Inode {
    const known = this.#inodes.get(path);
    if (known && (known.mode & S_IFMT) === typeOf(node)) {
      if (known instanceof GeneratedDirectory && node.kind === "directory") known.node = node;
      else if (known instanceof GeneratedInode && node.kind !== "link" && node.kind !== "directory")
        known.node = node;
      else if (known instanceof GeneratedLink && node.kind === "link") known.node = node;
      return known;
    }
    const inode =
      node.kind === "directory"
        ? new GeneratedDirectory(this, path, node)
        : node.kind === "link"
          ? new GeneratedLink(this, node)
          : new GeneratedInode(this, node);
    this.#inodes.set(path, inode);
    return inode;
  }
}

function typeOf(node: Node): number {
  return node.kind === "directory" ? S_IFDIR : node.kind === "link" ? S_IFLNK : S_IFREG;
}

function parts(fileSystem: FileSystem, mode: number) {
  return { number: fileSystem.newInodeNumber(), mode, uid: 0, gid: 0, time: fileSystem.now() };
}

class GeneratedInode extends Inode {
  constructor(
    fileSystem: FileSystem,
    public node: Extract<Node, { kind: "file" | "special" }>,
  ) {
    super(fileSystem, parts(fileSystem, S_IFREG | (node.mode ?? 0o444)));
  }

  openFile(location: Location, flags: number): OpenFile {
    return this.node.kind === "special"
      ? this.node.open(location, flags)
      : new GeneratedFile(location, flags, this.node);
  }

  override setPermissions(): number {
    return -EPERM;
  }
  override setOwner(): number {
    return -EPERM;
  }
}

/** One reading of a generated file: its content is written when the first byte is read (seq_file). */
class GeneratedFile extends OpenFile {
  private bytes: Uint8Array | null = null;

  constructor(
    location: Location,
    flags: number,
    private readonly source: Extract<Node, { kind: "file" }>,
  ) {
    super(location, flags);
  }

  override read(destination: Uint8Array, offset: number): number {
    if (this.bytes === null || offset === 0) {
      const text = this.source.content();
      if (typeof text === "number") return text;
      this.bytes = bytesOf(text);
    }
    const part = this.bytes.subarray(offset, offset + destination.length);
    destination.set(part);
    return part.length;
  }

  override write(source: Uint8Array): number {
    if (!this.source.write) return -EINVAL;
    const result = this.source.write(String.fromCharCode(...source.subarray(0, 4096)));
    return result < 0 ? result : source.length;
  }
}

class GeneratedLink extends SymlinkInode {
  constructor(
    fileSystem: FileSystem,
    public node: Extract<Node, { kind: "link" }>,
  ) {
    super(fileSystem, parts(fileSystem, S_IFLNK | 0o777));
    if (node.place) this.follow = () => this.node.place!();
  }

  /** Present on links that lead to a place (see walk.ts). */
  follow?: () => Location | number;

  readLink(): string | number {
    return this.node.target();
  }
}

class GeneratedDirectory extends DirectoryInode {
  constructor(
    override readonly fileSystem: GeneratedFileSystem,
    private readonly path: string,
    public node: Extract<Node, { kind: "directory" }>,
  ) {
    super(fileSystem, parts(fileSystem, S_IFDIR | (node.mode ?? 0o555)));
    this.links = 2;
  }

  lookup(name: string): Inode | number {
    const node = this.node.children().get(name);
    return node ? this.fileSystem.inodeFor(`${this.path}/${name}`, node) : -ENOENT;
  }

  entries(): DirectoryEntry[] {
    return [...this.node.children()].map(([name, node]) => {
      const inode = this.fileSystem.inodeFor(`${this.path}/${name}`, node);
      return { name, inode: inode.number, type: inode.type };
    });
  }

  create(_name: string, made: NewInode): number {
    return (made.mode & S_IFMT) === S_IFREG ? -EACCES : -EPERM;
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
  override setPermissions(): number {
    return -EPERM;
  }
}

/** Shorthand for a file. */
export function file(content: Content, mode?: number): Node {
  return mode === undefined ? { kind: "file", content } : { kind: "file", content, mode };
}

export function text(content: string): Node {
  return { kind: "file", content: () => content };
}

export function directory(children: () => Record<string, Node>): Node {
  return { kind: "directory", children: () => new Map(Object.entries(children())) };
}

export function link(target: string): Node {
  return { kind: "link", target: () => target };
}
