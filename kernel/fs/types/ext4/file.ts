import { PAGE_SIZE } from "../../../../mmu/layout.js";
import { EFBIG, EIO, ENOMEM, ENOSPC, EOPNOTSUPP } from "../../../errno.js";
import { FilePages } from "../../../mm/file-pages.js";
import type { PageFiller } from "../../../mm/page-filler.js";
import type { InodeParts } from "../../inode.js";
import { RegularInode } from "../../inode.js";
import type { Ext4FileSystem } from "./file-system.js";
import { EXT4_EXTENTS_FL } from "./inode-record.js";
import type { Ext4Storage } from "./storage.js";

/** With more dirty pages than these, a writer has to write them first (balance_dirty_pages). */
const MOST_DIRTY = 1024;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** A regular file: its bytes are in the page cache, and go to their blocks when it is flushed. */
export class Ext4File extends RegularInode implements PageFiller {
  readonly pages: FilePages;

  constructor(
    override readonly fileSystem: Ext4FileSystem,
    parts: InodeParts,
    readonly storage: Ext4Storage,
  ) {
    super(fileSystem, parts);
    this.pages = new FilePages(fileSystem.context.frames, storage.record.size, this, null, true);
  }

  override get size(): number {
    return this.pages.size;
  }
  override get blocks(): number {
    return this.storage.record.sectors;
  }

  override get writesBack(): boolean {
    return true;
  }

  fillPage(index: number, page: Uint8Array): void {
    if (this.storage.read(index * PAGE_SIZE, page) < 0) page.fill(0);
  }

  read(offset: number, destination: Uint8Array): number {
    return this.pages.read(offset, destination);
  }

  /** A page at a time: it comes in before its blocks are there, so that what they hold is not seen. */
  write(offset: number, source: Uint8Array): number {
    const room = this.storage.mostBytes - offset;
    if (room <= 0) return -EFBIG;
    if (source.length > room) source = source.subarray(0, room);
    const old = this.size;
    let done = 0;
    let error = 0;
    while (done < source.length && error === 0) {
      const at = offset + done;
      const index = Math.floor(at / PAGE_SIZE);
      const part = Math.min(source.length - done, (index + 1) * PAGE_SIZE - at);
      if (this.pages.frameAt(index, true) === -1) {
        error = -ENOMEM;
        break;
      }
      const wasDirty = this.pages.dirty.has(index);
      this.pages.markDirty(index);
      const there = this.room(at, part);
      if (there < part) error = -ENOSPC;
      if (there <= 0) {
        if (!wasDirty) this.pages.clean(index);
        break;
      }
      const put = this.pages.write(at, source.subarray(done, done + there));
      if (put < there) error = -ENOMEM;
      done += put;
    }
    if (done > 0) this.grown(old);
    this.fileSystem.touched(this.number);
    if (this.pages.dirty.size > MOST_DIRTY) {
      const written = this.writeBack();
      if (written < 0) return written;
    }
    return done > 0 ? done : error;
  }

  /** Has blocks for [offset, offset + length); bytes of it that have them now, from the first on. */
  private room(offset: number, length: number): number {
    const { blockSize } = this.storage;
    const first = Math.floor(offset / blockSize);
    const count = Math.floor((offset + length - 1) / blockSize) - first + 1;
    const there = this.storage.allocate(first, count);
    return Math.min(length, (first + there) * blockSize - offset);
  }

  /**
   * The file may have become longer: the page in which it ended has to say so when it is stored to through a mapping, if
   * the blocks behind its old end are not there (pagecache_isize_extended).
   */
  private grown(old: number): void {
    const { size } = this;
    this.pages.fillableTo(size);
    this.storage.record.size = size;
    if (size > old && old % PAGE_SIZE !== 0 && this.storage.blockSize < PAGE_SIZE)
      this.pages.mappings.writeProtect(Math.floor(old / PAGE_SIZE));
  }

  /** Blocks for all of a page within the file (ext4_page_mkwrite). */
  makeRoom(index: number): boolean {
    const offset = index * PAGE_SIZE;
    const length = Math.min(PAGE_SIZE, this.size - offset);
    if (length <= 0 || this.room(offset, length) < length) return false;
    this.modified = this.changed = this.fileSystem.now();
    this.fileSystem.touched(this.number);
    return true;
  }

  truncate(size: number): number {
    if (size > this.storage.mostBytes) return -EFBIG;
    const old = this.size;
    const { blockSize } = this.storage;
    if (size < old) {
      this.pages.truncate(size);
      if (!this.storage.cut(Math.ceil(size / blockSize))) return -EIO;
    } else if (size > old) this.pages.truncate(size);
    this.grown(old);
    this.fileSystem.touched(this.number);
    return this.fileSystem.commit();
  }

  override allocate(mode: number, offset: number, length: number): number {
    switch (mode) {
      case 0:
      case FALLOC_FL_KEEP_SIZE:
        return this.preallocate(offset, length, mode !== 0);
      case FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE: {
        const end = Math.min(offset + length, this.size);
        return offset < end ? this.pages.punchHole(offset, end - offset) : 0;
      }
      default:
        return -EOPNOTSUPP;
    }
  }

  /** Blocks that read as zeroes until they are written; only extents can say so. */
  private preallocate(offset: number, length: number, keepSize: boolean): number {
    if ((this.storage.record.flags & EXT4_EXTENTS_FL) === 0) return -EOPNOTSUPP;
    const end = offset + length;
    if (end > this.storage.mostBytes) return -EFBIG;
    const { blockSize } = this.storage;
    const first = Math.floor(offset / blockSize);
    const count = Math.ceil(end / blockSize) - first;
    const there = this.storage.allocate(first, count, true);
    const old = this.size;
    const reached = Math.min(end, (first + there) * blockSize);
    if (!keepSize && reached > old) {
      this.pages.truncate(reached);
      this.grown(old);
    }
    this.fileSystem.touched(this.number);
    const result = this.fileSystem.commit();
    return there < count ? -ENOSPC : result;
  }

  /** The pages are gone, or zeroes at the edges of the range: whole blocks of it go (ext4_punch_hole). */
  punched(offset: number, length: number): number {
    const { blockSize, map } = this.storage;
    const end = offset + length;
    const first = Math.ceil(offset / blockSize);
    const last = end >= this.size ? Math.ceil(end / blockSize) : Math.floor(end / blockSize);
    if (first < last && map?.remove(first, last) !== true) return -ENOSPC;
    for (const edge of [offset, end])
      if (edge % PAGE_SIZE !== 0) this.pages.mappings.writeProtect(Math.floor(edge / PAGE_SIZE));
    this.fileSystem.touched(this.number);
    return this.fileSystem.commit();
  }

  override blockAt(block: number): number {
    if (this.writeBack() < 0) return 0;
    const run = this.storage.map?.find(block, 1);
    return run === undefined || run.unwritten ? 0 : run.physical;
  }

  override nextExtent(offset: number, data: boolean): number {
    const { blockSize, map } = this.storage;
    if (map === null) return offset;
    const end = Math.ceil(this.size / blockSize);
    for (let block = Math.floor(offset / blockSize); block < end;) {
      const run = map.find(block, end - block);
      const written = run.physical !== 0 && !run.unwritten;
      if (written === data) return Math.max(offset, block * blockSize);
      block += run.count;
    }
    return this.size;
  }

  /** Writes dirty pages to their blocks, then what has changed of the file system itself. */
  override flush(): number {
    const result = this.writeBack();
    return result < 0 ? result : this.fileSystem.commit();
  }

  /** Dirty pages alone. */
  writeBack(): number {
    const page = new Uint8Array(PAGE_SIZE);
    for (const index of [...this.pages.dirty].sort((a, b) => a - b)) {
      const count = this.pages.read(index * PAGE_SIZE, page);
      // The rest of the last block is zeroes: the file may grow over it.
      page.fill(0, count);
      const { blockSize } = this.storage;
      const whole = Math.ceil(count / blockSize) * blockSize;
      const result = this.storage.write(index * PAGE_SIZE, page.subarray(0, whole));
      if (result < 0) return result;
      this.pages.clean(index);
    }
    return 0;
  }

  override reclaim(): void {
    if (this.links > 0 || this.holders > 0 || this.pages.mappings.areas > 0) return;
    this.pages.destroy();
    this.fileSystem.evicted(this);
  }
}
