import { PAGE_SIZE } from "../../mmu/layout.js";
import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { EBUSY, EIO, ENOSPC } from "../errno.js";
import type { DeviceNumber } from "../fs/inode.js";
import { FilePages } from "../mm/file-pages.js";
import type { PageFiller } from "../mm/page-filler.js";

/** Bytes in which sizes and positions of disks are told, whatever their own sectors have. */
export const SECTOR_BYTES = 512;

/** What /sys/block/NAME/stat counts: requests that were done, and sectors of 512 bytes. */
export interface TransferCounts {
  reads: number;
  sectorsRead: number;
  writes: number;
  sectorsWritten: number;
}

/**
 * A disk ("struct gendisk", with the one "struct block_device" of it). What is written goes to the medium at once; its
 * page cache holds what is mapped, and reads and writes see that.
 */
export abstract class BlockDevice implements PageFiller {
  readonly pages: FilePages;
  /** Open file descriptions, and whoever else has it open (a mount, swap). */
  openers = 0;
  /** Who has it for itself: a file opened with O_EXCL, a file system, a swap area. */
  holder: object | null = null;
  /** Nobody writes to it but whoever swaps (S_SWAPFILE). */
  isSwapArea = false;
  /** BLKBSZGET, bytes: what its file system set. */
  blockSize = PAGE_SIZE;
  /** BLKRAGET, in sectors. */
  readAhead = 256;
  /** Made read-only by BLKROSET. */
  protectedByUser = false;
  readonly counts: TransferCounts = { reads: 0, sectorsRead: 0, writes: 0, sectorsWritten: 0 };

  constructor(
    /** As in /sys/block. */
    readonly name: string,
    readonly number: DeviceNumber,
    frames: FrameAllocator,
  ) {
    this.pages = new FilePages(frames, 0, this);
  }

  /** Bytes, a whole number of sectors; 0 where there is no medium. */
  abstract readonly size: number;
  /** BLKSSZGET, bytes. */
  abstract readonly sectorSize: number;
  /** The medium cannot be written. */
  protected abstract readonly mediumReadOnly: boolean;
  /** Counts the media that were in it, over all disks (BLKGETDISKSEQ). */
  abstract readonly sequence: number;
  /** Ranges can be given back to the medium (BLKDISCARD). */
  abstract readonly discards: boolean;

  get readOnly(): boolean {
    return this.protectedByUser || this.mediumReadOnly;
  }

  /** Fills `destination` from bytes at `offset`, all of which lie within the size; 0 or -errno. */
  protected abstract readMedium(offset: number, destination: Uint8Array): number;
  protected abstract writeMedium(offset: number, source: Uint8Array): number;
  /** The range reads as zeroes afterwards and takes no room; 0 or -errno. */
  protected abstract discardMedium(offset: number, length: number): number;
  /** What was written is safe; 0 or -errno. */
  protected abstract syncMedium(): number;

  /** Bytes read, fewer at the end; -errno. */
  read(offset: number, destination: Uint8Array): number {
    const count = Math.max(0, Math.min(destination.length, this.size - offset));
    if (count === 0) return 0;
    const part = destination.subarray(0, count);
    const result = this.readMedium(offset, part);
    if (result < 0) return result;
    this.counts.reads++;
    this.counts.sectorsRead += Math.ceil(count / SECTOR_BYTES);
    if (this.pages.resident > 0) this.overlay(offset, part);
    return count;
  }

  /** What is mapped may have been written to. */
  private overlay(offset: number, part: Uint8Array): void {
    for (const index of this.pages.dirty) {
      const from = Math.max(offset, index * PAGE_SIZE);
      const to = Math.min(offset + part.length, (index + 1) * PAGE_SIZE);
      if (from < to) this.pages.read(from, part.subarray(from - offset, to - offset));
    }
  }

  /** Bytes written, fewer at the end; -ENOSPC at or behind it (blkdev_write_iter). */
  write(offset: number, source: Uint8Array): number {
    const count = Math.min(source.length, this.size - offset);
    if (count <= 0) return source.length === 0 ? 0 : -ENOSPC;
    const part = source.subarray(0, count);
    const result = this.writeMedium(offset, part);
    if (result < 0) return result;
    this.counts.writes++;
    this.counts.sectorsWritten += Math.ceil(count / SECTOR_BYTES);
    for (let at = offset; this.pages.resident > 0 && at < offset + count;) {
      const index = Math.floor(at / PAGE_SIZE);
      const end = Math.min(offset + count, (index + 1) * PAGE_SIZE);
      if (this.pages.frameAt(index, false) !== -1) {
        const wasDirty = this.pages.dirty.has(index);
        this.pages.write(at, part.subarray(at - offset, end - offset));
        if (!wasDirty) this.pages.clean(index);
      }
      at = end;
    }
    return count;
  }

  /** Makes a range zeroes, and gives its room back where the medium can; 0 or -errno. */
  discard(offset: number, length: number): number {
    const result = this.discardMedium(offset, length);
    if (result === 0) this.pages.punchHole(offset, length);
    return result;
  }

  /** Writes what was stored through mappings, and has the medium keep all (sync_blockdev). */
  flush(): number {
    const page = new Uint8Array(PAGE_SIZE);
    for (const index of [...this.pages.dirty]) {
      const count = this.pages.read(index * PAGE_SIZE, page);
      if (!this.readOnly && count > 0) {
        const result = this.writeMedium(index * PAGE_SIZE, page.subarray(0, count));
        if (result < 0) return result;
      }
      this.pages.clean(index);
    }
    return this.syncMedium();
  }

  fillPage(index: number, page: Uint8Array): void {
    const count = Math.min(PAGE_SIZE, this.size - index * PAGE_SIZE);
    if (count > 0 && this.readMedium(index * PAGE_SIZE, page.subarray(0, count)) < 0) page.fill(0);
  }

  /** The medium has another size, or is another (set_capacity). */
  protected mediumChanged(): void {
    this.pages.truncate(0);
    this.pages.fillableTo(this.size);
  }

  /** The largest block of which the size is a multiple (set_init_blocksize). */
  private chooseBlockSize(): void {
    let block = this.sectorSize;
    while (block < PAGE_SIZE && this.size % (block * 2) === 0) block *= 2;
    this.blockSize = block;
  }

  /** Opens it, for oneself alone where `holder` says for whom (bd_prepare_to_claim): 0, or -EBUSY where another has it. */
  open(holder: object | null): number {
    if (holder !== null && this.holder !== null && this.holder !== holder) return -EBUSY;
    if (this.openers === 0) this.chooseBlockSize();
    this.openers++;
    if (holder !== null) this.holder = holder;
    return 0;
  }

  /** @param holder as it was opened */
  close(holder: object | null): void {
    if (holder !== null && this.holder === holder) this.holder = null;
    this.openers--;
    if (this.openers > 0) return;
    this.flush();
    if (this.pages.mappings.areas === 0) this.pages.truncate(0);
    this.pages.fillableTo(this.size);
    this.lastClosed();
  }

  /** Nobody has it open any more. */
  protected lastClosed(): void {}
}

/** Errors of what lies below a disk reach its users as one (blk_status_to_errno). */
export function mediumError(result: number): number {
  return result === -ENOSPC ? -ENOSPC : -EIO;
}
