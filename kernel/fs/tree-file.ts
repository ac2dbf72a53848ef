import { PAGE_SIZE } from "../../mmu/layout.js";
import { EIO, ENOSPC } from "../errno.js";
import { FilePages } from "../mm/file-pages.js";
import { F_SEAL_SEAL } from "./seals.js";
import type { HostLower } from "./host-lower.js";
import type { InodeParts } from "./inode.js";
import { RegularInode } from "./inode.js";
import type { Timestamp } from "./timestamp.js";
import type { TreeFileSystem } from "./tree-file-system.js";

/** A regular file of a tree: pages in memory, the missing ones from the host where there is one. */
export class TreeFile extends RegularInode {
  readonly pages: FilePages;
  /** Host bytes [0, lowerSize) still count where a page is missing; a truncation lowers it for good. */
  lowerSize: number;

  constructor(
    override readonly fileSystem: TreeFileSystem,
    parts: InodeParts,
    /** Where the host has it; null: nowhere. A mirror's rename changes it. */
    public hostPath: string | null,
    size: number,
  ) {
    super(fileSystem, parts);
    this.lowerSize = size;
    // Every tmpfs file can answer F_GET_SEALS; only a memfd's can be sealed.
    if (hostPath === null) this.seals = F_SEAL_SEAL;
    const lower = fileSystem.lower;
    const fill =
      lower && hostPath !== null
        ? (index: number, page: Uint8Array) => this.fillPage(lower, index, page)
        : null;
    this.pages = new FilePages(fileSystem.context.frames, size, fill);
  }

  override get size(): number {
    return this.pages.size;
  }

  /** In whole pages, as file systems with 4 KiB blocks count. */
  override get blocks(): number {
    const inHost = Math.ceil(Math.min(this.lowerSize, this.size) / PAGE_SIZE);
    return Math.max(this.pages.resident, this.hostPath === null ? 0 : inHost) * (PAGE_SIZE / 512);
  }

  /** Bytes of pages nobody mapped or wrote come straight from the host: reading a large file fills no RAM. */
  read(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.size - offset));
    const lower = this.fileSystem.lower;
    if (!lower || this.hostPath === null) return this.pages.read(offset, destination.subarray(0, count));
    for (let done = 0; done < count;) {
      const at = offset + done;
      const resident = this.pages.frameAt(Math.floor(at / PAGE_SIZE), false) !== -1;
      let part = Math.min(count - done, PAGE_SIZE - (at % PAGE_SIZE));
      if (resident) {
        this.pages.read(at, destination.subarray(done, done + part));
      } else {
        while (done + part < count && this.pages.frameAt(Math.floor((at + part) / PAGE_SIZE), false) === -1)
          part = Math.min(count - done, part + PAGE_SIZE);
        const result = this.readLower(lower, at, destination.subarray(done, done + part));
        if (result < 0) return done > 0 ? done : result;
      }
      done += part;
    }
    return count;
  }

  write(offset: number, source: Uint8Array): number {
    const mirror = this.fileSystem.mirror;
    if (mirror && this.hostPath !== null) return this.writeThrough(mirror, offset, source);
    const done = this.pages.write(offset, source);
    return done === 0 && source.length > 0 ? -ENOSPC : done;
  }

  truncate(size: number): number {
    const mirror = this.fileSystem.mirror;
    if (mirror && this.hostPath !== null) {
      const result = mirror.setSize(this.hostPath, size);
      if (result < 0) return result;
    }
    this.lowerSize = Math.min(this.lowerSize, size);
    this.pages.truncate(size);
    return 0;
  }

  override flush(): number {
    const mirror = this.fileSystem.mirror;
    if (!mirror || this.hostPath === null) {
      return 0;
    }
    const page = new Uint8Array(PAGE_SIZE);
    for (const index of [...this.pages.dirty]) {
      const count = this.pages.read(index * PAGE_SIZE, page);
      const result = mirror.write(this.hostPath, index * PAGE_SIZE, page.subarray(0, count));
      if (result < 0) return result;
      this.pages.clean(index);
    }
    return 0;
  }

  override setPermissions(permissions: number): number {
    const mirror = this.fileSystem.mirror;
    const result =
      mirror && this.hostPath !== null
        ? mirror.files.setPermissions(mirror.root, this.hostPath, permissions)
        : 0;
    return result < 0 ? result : super.setPermissions(permissions);
  }

  override setOwner(uid: number, gid: number): number {
    const mirror = this.fileSystem.mirror;
    const result =
      mirror && this.hostPath !== null ? mirror.files.setOwner(mirror.root, this.hostPath, uid, gid) : 0;
    return result < 0 ? result : super.setOwner(uid, gid);
  }

  override setTimes(accessed: Timestamp, modified: Timestamp): number {
    const mirror = this.fileSystem.mirror;
    const result =
      mirror && this.hostPath !== null
        ? mirror.files.setTimes(mirror.root, this.hostPath, accessed, modified)
        : 0;
    return result < 0 ? result : super.setTimes(accessed, modified);
  }

  override reclaim(): void {
    if (this.links > 0 || this.holders > 0 || this.pages.mapCount > 0) return;
    this.pages.destroy();
    if (this.hostPath !== null) this.fileSystem.lower?.forget(this.hostPath);
  }

  /** The host first; pages that are in memory follow. */
  private writeThrough(mirror: HostLower, offset: number, source: Uint8Array): number {
    const result = mirror.write(this.hostPath!, offset, source);
    if (result < 0) return result;
    const end = offset + source.length;
    // The file may have grown past its old end: pages beyond it are the host's now.
    this.lowerSize = Math.max(this.lowerSize, end);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / PAGE_SIZE);
      const part = Math.min(end - at, PAGE_SIZE - (at % PAGE_SIZE));
      if (this.pages.frameAt(index, false) !== -1) {
        const wasDirty = this.pages.dirty.has(index);
        this.pages.write(at, source.subarray(at - offset, at - offset + part));
        if (!wasDirty) this.pages.clean(index);
      }
      at += part;
    }
    if (this.pages.size < end) this.pages.truncate(end);
    return source.length;
  }

  private fillPage(lower: HostLower, index: number, page: Uint8Array): void {
    this.readLower(lower, index * PAGE_SIZE, page);
  }

  private readLower(lower: HostLower, offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.lowerSize - offset));
    destination.fill(0, count);
    if (count === 0 || this.hostPath === null) return count;
    const result = lower.read(this.hostPath, offset, destination.subarray(0, count));
    if (result < 0) return result;
    destination.fill(0, result, count);
    return result === 0 && count > 0 ? -EIO : count;
  }
}
