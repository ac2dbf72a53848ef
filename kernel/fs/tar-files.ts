import { EINVAL, EIO, ELOOP, ENOENT, ENOTDIR, ENXIO, EROFS } from "../errno.js";
import type { HostEntry, HostFiles, HostHandle, HostStat } from "./host-files.js";
import { S_IFLNK, S_IFMT, S_IFREG } from "./mode.js";
import type { TarImage, TarNode } from "./tar-image.js";

const DEVICE = 1;

/** The files of an archive, as if they were the host's: one root, number 0, and every change is -EROFS. */
export class TarFiles implements HostFiles {
  /** By handle. */
  private readonly opened = new Map<HostHandle, TarNode>();
  private nextHandle = 1;

  constructor(private readonly image: TarImage) {}

  stat(_root: number, path: string): HostStat | number {
    const node = this.find(path);
    return typeof node === "number" ? node : statOf(node);
  }

  list(_root: number, path: string): HostEntry[] | number {
    const node = this.find(path);
    if (typeof node === "number") return node;
    if (!node.children) return -ENOTDIR;
    return [...node.children].map(([name, child]) => ({ name, type: child.mode & S_IFMT }));
  }

  readLink(_root: number, path: string): string | number {
    const node = this.find(path);
    if (typeof node === "number") return node;
    return (node.mode & S_IFMT) === S_IFLNK ? node.target : -EINVAL;
  }

  open(_root: number, path: string, write: boolean): HostHandle {
    const node = this.find(path);
    if (typeof node === "number") return node;
    if ((node.mode & S_IFMT) !== S_IFREG) return -ENXIO;
    if (write) return -EROFS;
    this.opened.set(this.nextHandle, node);
    return this.nextHandle++;
  }

  read(handle: HostHandle, offset: number, destination: Uint8Array): number {
    const node = this.opened.get(handle);
    if (!node) return -EIO;
    const count = Math.max(0, Math.min(destination.length, node.size - offset));
    return count === 0 ? 0 : this.image.source.read(node.offset + offset, destination.subarray(0, count));
  }

  statHandle(handle: HostHandle): HostStat | number {
    const node = this.opened.get(handle);
    return node ? statOf(node) : -EIO;
  }

  close(handle: HostHandle): void {
    this.opened.delete(handle);
  }

  sync(): number {
    return 0;
  }
  write(): number {
    return -EROFS;
  }
  setSize(): number {
    return -EROFS;
  }
  create(): number {
    return -EROFS;
  }
  makeDirectory(): number {
    return -EROFS;
  }
  makeSymlink(): number {
    return -EROFS;
  }
  link(): number {
    return -EROFS;
  }
  removeFile(): number {
    return -EROFS;
  }
  removeDirectory(): number {
    return -EROFS;
  }
  rename(): number {
    return -EROFS;
  }
  setPermissions(): number {
    return -EROFS;
  }
  setOwner(): number {
    return -EROFS;
  }
  setTimes(): number {
    return -EROFS;
  }

  private find(path: string): TarNode | number {
    let node: TarNode = this.image.root;
    if (path === "") return node;
    for (const name of path.split("/")) {
      if ((node.mode & S_IFMT) === S_IFLNK) return -ELOOP;
      if (!node.children) return -ENOTDIR;
      const child = node.children.get(name);
      if (!child) return -ENOENT;
      node = child;
    }
    return node;
  }
}

function statOf(node: TarNode): HostStat {
  return {
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    links: node.links,
    size: node.size,
    blocks: Math.ceil(node.size / 512),
    device: DEVICE,
    inode: node.number,
    deviceNumber: node.device,
    accessed: node.modified,
    modified: node.modified,
    changed: node.modified,
    born: node.modified,
  };
}
