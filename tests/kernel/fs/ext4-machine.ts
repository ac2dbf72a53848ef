/** A kernel with an image on a loop device, and what one does with files, without programs. */

import { readFileSync } from "node:fs";
import { blockDevices } from "../../../kernel/block/block-devices.js";
import { NO_STATUS } from "../../../kernel/block/loop-device.js";
import { BlockFile } from "../../../kernel/block/block-file.js";
import { userCredentials } from "../../../kernel/credentials.js";
import type { FsContext } from "../../../kernel/fs/fs-context.js";
import type { RegularInode } from "../../../kernel/fs/inode.js";
import { DirectoryInode } from "../../../kernel/fs/inode.js";
import { S_IFDIR, S_IFLNK } from "../../../kernel/fs/mode.js";
import { parseMountData } from "../../../kernel/fs/mounts/data.js";
import { mountNew } from "../../../kernel/fs/mounts/mount.js";
import { unmount } from "../../../kernel/fs/mounts/unmount.js";
import { makeLink, makeNode, removeDirectory, rename, unlink } from "../../../kernel/fs/names.js";
import type { Namespace } from "../../../kernel/fs/namespace.js";
import { startOf } from "../../../kernel/fs/namespace.js";
import { O_CREAT, O_RDWR } from "../../../kernel/fs/open-flags.js";
import { openPath } from "../../../kernel/fs/open.js";
import type { OpenFile } from "../../../kernel/fs/open-file.js";
import { setFileSize } from "../../../kernel/fs/regular-open-file.js";
import type { SymlinkInode } from "../../../kernel/fs/inode.js";
import { walk } from "../../../kernel/fs/walk.js";
import type { Kernel } from "../../../kernel/kernel.js";

const ROOT = userCredentials(0, 0);

export class Files {
  private readonly fs: FsContext;

  constructor(
    readonly kernel: Kernel,
    readonly tree: Namespace,
  ) {
    this.fs = { namespace: tree, cwd: tree.root, root: tree.root, umask: 0o22 };
  }

  private get start() {
    return startOf(this.fs, ROOT);
  }

  open(path: string, flags = O_RDWR): OpenFile | number {
    const file = openPath(this.fs, ROOT, this.fs.cwd, path, flags, 0o644);
    if (typeof file === "number") return file;
    if ("fifo" in file) throw new Error("a fifo");
    return file.hold();
  }

  /** Does something with a file that is opened for it. */
  private withFile(path: string, flags: number, use: (file: OpenFile) => number): number {
    const file = this.open(path, flags);
    if (typeof file === "number") return file;
    const result = use(file);
    file.release();
    return result;
  }

  write(path: string, offset: number, bytes: Uint8Array): number {
    return this.withFile(path, O_RDWR | O_CREAT, (file) => file.write(bytes, offset));
  }
  truncate(path: string, size: number): number {
    return this.withFile(path, O_RDWR, (file) => setFileSize(file.node as RegularInode, size));
  }
  punch(path: string, offset: number, length: number): number {
    return this.withFile(path, O_RDWR, (file) => {
      const node = file.node as RegularInode;
      return node.allocate ? node.allocate(3, offset, length) : node.pages.punchHole(offset, length);
    });
  }
  allocate(path: string, offset: number, length: number): number {
    return this.withFile(path, O_RDWR, (file) => {
      const node = file.node as RegularInode;
      if (node.allocate) return node.allocate(0, offset, length);
      return offset + length > node.size ? node.truncate(offset + length) : 0;
    });
  }
  /** Stores a byte as through a shared mapping. */
  store(path: string, offset: number, byte: number): number {
    return this.withFile(path, O_RDWR, (file) => {
      const { pages } = file.node as RegularInode;
      if (offset >= pages.size) return -1;
      const index = Math.floor(offset / 4096);
      const frame = pages.frameAt(index, true);
      if (!pages.makeWritable(index)) return -28;
      this.kernel.memory.frameBytes(frame)[offset % 4096] = byte;
      return 0;
    });
  }
  mkdir(path: string): number {
    return makeNode(this.fs, this.start, path, S_IFDIR | 0o755);
  }
  symlink(path: string, target: string): number {
    return makeNode(this.fs, this.start, path, S_IFLNK | 0o777, { target });
  }
  unlink(path: string): number {
    return unlink(this.start, path);
  }
  rmdir(path: string): number {
    return removeDirectory(this.start, path);
  }
  rename(from: string, to: string, flags = 0): number {
    return rename(this.start, from, this.start, to, flags);
  }
  link(from: string, to: string): number {
    const source = walk(this.start, from, false);
    return typeof source === "number" ? source : makeLink(this.start, source.location, to);
  }
  chmod(path: string, permissions: number): number {
    const found = walk(this.start, path, true);
    return typeof found === "number" ? found : found.location.dentry.inode.setPermissions(permissions);
  }

  /** All below a directory: a line for each file, with its bytes' sum. */
  listing(path: string, below = ""): string[] {
    const found = walk(this.start, path, false);
    if (typeof found === "number") return [`${path}: ${found}`];
    const { inode } = found.location.dentry;
    const lines: string[] = [];
    if (inode instanceof DirectoryInode) {
      if (below !== "") lines.push(`${below}/ ${inode.mode.toString(8)} ${inode.links}`);
      const entries = inode.entries();
      if (typeof entries === "number") return [`${path}: ${entries}`];
      for (const { name } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)))
        if (name !== "lost+found") lines.push(...this.listing(`${path}/${name}`, `${below}/${name}`));
      return lines;
    }
    if (inode.isSymlink) return [`${below} -> ${(inode as SymlinkInode).readLink()}`];
    return [`${below} ${inode.mode.toString(8)} ${inode.links} ${inode.size} ${sum(this.read(path))}`];
  }

  read(path: string): Uint8Array {
    const file = this.open(path, 0);
    if (typeof file === "number") throw new Error(`${path}: ${file}`);
    const bytes = new Uint8Array(file.node.size);
    const count = file.read(bytes, 0);
    file.release();
    if (count !== bytes.length) throw new Error(`${path}: ${count} of ${bytes.length} bytes`);
    return bytes;
  }

  mount(type: string, source: string, at: string, options = ""): number {
    const location = this.tree.makePath(at);
    if (typeof location === "number") return location;
    const data = parseMountData(options);
    return mountNew(this.tree, location, { kernel: this.kernel, type, source, flags: 0, own: 0, data });
  }
  unmount(at: string): number {
    const found = walk(this.start, at, true);
    return typeof found === "number" ? found : unmount(this.fs, found.location, 0);
  }

  /** Binds a file to /dev/loop0. */
  attach(path: string): void {
    const device = blockDevices(this.tree).loops.get(0)!;
    const node = this.open("/dev/loop0");
    const image = this.open(path);
    if (!(node instanceof BlockFile) || typeof image === "number") throw new Error("no device");
    if (device.configure(image, node, true, NO_STATUS, 0) < 0) throw new Error("not bound");
    image.release();
    node.release();
  }
}

export function sum(bytes: Uint8Array): string {
  let value = 0x811c_9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x0100_0193);
  return (value >>> 0).toString(16);
}

/** Some program, so that there is somebody who acts. */
export function someProgram(): Uint8Array {
  return new Uint8Array(readFileSync(new URL("../../recorded/loops/loops.elf", import.meta.url)));
}
