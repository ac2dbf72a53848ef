import { PAGE_SIZE } from "../../mmu/layout.js";
import { EIO, ENOSPC } from "../errno.js";
import { FilePages } from "../mm/file-pages.js";
import type { PageFiller } from "../mm/page-filler.js";
import { F_SEAL_SEAL } from "./seals.js";
import type { HostLower } from "./host-lower.js";
import type { InodeParts } from "./inode.js";
import { RegularInode } from "./inode.js";
import type { TreeFileSystem } from "./tree-file-system.js";

/** A regular file of a tree: pages in memory, the missing ones from where it is stored, if it is. */
export class TreeFile extends RegularInode implements PageFiller {
  readonly pages: FilePages;
  /** Stored bytes [0, lowerSize) still count where a page is missing; a truncation lowers it for good. */
  lowerSize: number;
  /** Where the bytes are that are not in memory; null: nowhere. What is written goes there if it is writable. */
  store: HostLower | null;

  constructor(
    override readonly fileSystem: TreeFileSystem,
    parts: InodeParts,
    /** Its path in the store; null: it is in none. A mirror's rename changes it. */
    public hostPath: string | null,
    size: number,
  ) {
    super(fileSystem, parts);
    this.lowerSize = size;
    // Every tmpfs file can answer F_GET_SEALS; only a memfd's can be sealed.
    if (hostPath === null) this.seals = F_SEAL_SEAL;
    this.store = hostPath === null ? null : fileSystem.lower;
    // In a tree with an upper layer a file of memory may be stored later.
    const fill = this.store || fileSystem.upper ? this : null;
    this.pages = new FilePages(
      fileSystem.context.frames,
      size,
      fill,
      fileSystem.quota,
      fileSystem.lower !== null,
    );
    this.pages.swappable = fill === null && fileSystem.swappable;
    if (fill === null && fileSystem.sharedMemory !== null) this.pages.belongTo(fileSystem.sharedMemory);
  }

  override get size(): number {
    return this.pages.size;
  }

  /** In whole pages, as file systems with 4 KiB blocks count. */
  override get blocks(): number {
    const inHost = Math.ceil(Math.min(this.lowerSize, this.size) / PAGE_SIZE);
    return Math.max(this.pages.allocated, this.hostPath === null ? 0 : inHost) * (PAGE_SIZE / 512);
  }

  /** Bytes of pages nobody mapped or wrote come straight from the host: reading a large file fills no RAM. */
  read(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.size - offset));
    if (!this.store) return this.pages.read(offset, destination.subarray(0, count));
    for (let done = 0; done < count;) {
      const at = offset + done;
      const resident = this.pages.frameAt(Math.floor(at / PAGE_SIZE), false) !== -1;
      let part = Math.min(count - done, PAGE_SIZE - (at % PAGE_SIZE));
      if (resident) {
        this.pages.read(at, destination.subarray(done, done + part));
      } else {
        while (done + part < count && this.pages.frameAt(Math.floor((at + part) / PAGE_SIZE), false) === -1)
          part = Math.min(count - done, part + PAGE_SIZE);
        const result = this.readStore(at, destination.subarray(done, done + part));
        if (result < 0) return done > 0 ? done : result;
      }
      done += part;
    }
    return count;
  }

  write(offset: number, source: Uint8Array): number {
    const { upper } = this.fileSystem;
    const copied = upper?.copyUp(this) ?? 0;
    if (copied < 0) return copied;
    if (this.store?.writable) {
      upper?.touch(this);
      return this.writeThrough(this.store, offset, source);
    }
    const done = this.pages.write(offset, source);
    return done === 0 && source.length > 0 ? -ENOSPC : done;
  }

  truncate(size: number): number {
    const { upper } = this.fileSystem;
    const copied = upper?.copyUp(this, size) ?? 0;
    if (copied < 0) return copied;
    if (this.store?.writable) {
      const result = this.store.setSize(this.hostPath!, size);
      if (result < 0) return result;
      this.pages.truncate(size);
      this.stored(size);
      upper?.touch(this);
      return 0;
    }
    this.lowerSize = Math.min(this.lowerSize, size);
    this.pages.truncate(size);
    return 0;
  }

  /** Pages that are there are data (shmem_file_llseek); what a host may store counts as data throughout. */
  override nextExtent(offset: number, data: boolean): number {
    const { pages, size } = this;
    if (!pages.isMemoryOnly) return data ? offset : size;
    const first = Math.floor(offset / PAGE_SIZE);
    let index = data ? pages.nextPage(first) : first;
    while (!data && pages.has(index)) index++;
    return Math.min(size, Math.max(offset, index * PAGE_SIZE));
  }

  override get writesBack(): boolean {
    return this.store?.writable ?? false;
  }

  override flush(): number {
    const { upper } = this.fileSystem;
    const copied = this.pages.dirty.size > 0 ? (upper?.copyUp(this) ?? 0) : 0;
    if (copied < 0) return copied;
    if (!this.store?.writable) return upper?.settle() ?? 0;
    const page = new Uint8Array(PAGE_SIZE);
    for (const index of [...this.pages.dirty]) {
      const count = this.pages.read(index * PAGE_SIZE, page);
      const result = this.store.write(this.hostPath!, index * PAGE_SIZE, page.subarray(0, count));
      if (result < 0) return result;
      this.pages.clean(index);
    }
    return upper?.settle() ?? 0;
  }

  /** Its bytes, all of them, are in another store from now on. */
  moveTo(store: HostLower, path: string): void {
    this.store = store;
    this.hostPath = path;
    this.stored(this.size);
  }

  override reclaim(): void {
    if (this.links > 0 || this.holders > 0 || this.pages.mappings.areas > 0) return;
    this.pages.destroy();
    if (this.hostPath !== null) this.store?.forget(this.hostPath);
    this.fileSystem.upper?.reclaim(this);
    this.fileSystem.evicted(this);
  }

  /** The host first; pages that are in memory follow. */
  private writeThrough(store: HostLower, offset: number, source: Uint8Array): number {
    const result = store.write(this.hostPath!, offset, source);
    if (result < 0) return result;
    const end = offset + source.length;
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
    // The file may have grown past its old end: pages beyond it are the store's now.
    this.stored(Math.max(this.lowerSize, this.size, end));
    return source.length;
  }

  /** Somebody else changed the size of what is stored. */
  resized(size: number): void {
    this.pages.truncate(size);
    this.stored(size);
  }

  private stored(size: number): void {
    this.lowerSize = size;
    this.pages.fillableTo(size);
  }

  fillPage(index: number, page: Uint8Array): void {
    this.readStore(index * PAGE_SIZE, page);
  }

  private readStore(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.lowerSize - offset));
    destination.fill(0, count);
    if (count === 0 || !this.store || this.hostPath === null) return count;
    const result = this.store.read(this.hostPath, offset, destination.subarray(0, count));
    if (result < 0) return result;
    destination.fill(0, result, count);
    return result === 0 && count > 0 ? -EIO : count;
  }
}
