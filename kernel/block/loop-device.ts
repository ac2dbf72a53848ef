import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { EBADF, EBUSY, EINVAL, EIO, ENXIO, EOPNOTSUPP, EOVERFLOW } from "../errno.js";
import type { OpenFile } from "../fs/open-file.js";
import { RegularOpenFile } from "../fs/regular-open-file.js";
import { TreeFile } from "../fs/tree-file.js";
import { BlockDevice, mediumError, SECTOR_BYTES } from "./block-device.js";
import { BlockFile } from "./block-file.js";
import {
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_DIRECT_IO,
  LO_FLAGS_PARTSCAN,
  LO_FLAGS_READ_ONLY,
  LOOP_MAJOR,
} from "./loop-uapi.js";

/** What LOOP_SET_STATUS64 sets of a loop device (struct loop_info64). */
export interface LoopStatus {
  /** Bytes of the file that come before the device's first. */
  readonly offset: number;
  /** Bytes at most; 0: up to the end of the file. */
  readonly sizeLimit: number;
  /** LO_FLAGS_* */
  readonly flags: number;
  /** A byte string of at most 63 bytes: whatever name the setter gave. */
  readonly fileName: string;
}

export const NO_STATUS: LoopStatus = { offset: 0, sizeLimit: 0, flags: 0, fileName: "" };

/** Numbers the media of all disks of a machine. */
export interface DiskSequence {
  next: number;
}

/** A disk whose bytes are those of a file (drivers/block/loop.c). */
export class LoopDevice extends BlockDevice {
  /** The file; null: none is bound. */
  backing: OpenFile | null = null;
  /** Cleared by LOOP_CLR_FD while it was open: it gives its file up when the last opener goes (Lo_rundown). */
  private leaving = false;
  private status: LoopStatus = NO_STATUS;
  private bytes = 0;
  private logicalBlock = SECTOR_BYTES;
  private disk = 0;
  /** As the last file was bound, also when it has gone (set_disk_ro). */
  protected mediumReadOnly = false;

  constructor(
    readonly minor: number,
    frames: FrameAllocator,
    private readonly sequences: DiskSequence,
  ) {
    super(`loop${minor}`, { major: LOOP_MAJOR, minor }, frames);
    this.disk = sequences.next++;
  }

  get size(): number {
    return this.bytes;
  }
  get sectorSize(): number {
    return this.logicalBlock;
  }
  get sequence(): number {
    return this.disk;
  }
  /** Memory files can have holes punched; a host's keep their bytes. */
  get discards(): boolean {
    const node = this.backing?.node;
    return (
      node instanceof TreeFile && node.store === null && node.fileSystem.upper === null && !this.readOnly
    );
  }
  /** A file is bound, and stays so (Lo_bound). */
  get bound(): boolean {
    return this.backing !== null && !this.leaving;
  }
  /** There is no file, and none is on its way out. */
  get free(): boolean {
    return this.backing === null;
  }
  get loopStatus(): LoopStatus {
    return this.status;
  }

  /**
   * LOOP_SET_FD and LOOP_CONFIGURE (loop_configure). EBUSY: claimed by somebody else, or bound; EINVAL no regular file or
   * disk, unknown flags, no possible block size; EBADF a disk upon itself; EOVERFLOW of the status.
   * @param writable the device was opened for writing
   * @param blockSize bytes; 0: the usual
   */
  configure(
    file: OpenFile,
    opener: BlockFile,
    writable: boolean,
    status: LoopStatus,
    blockSize: number,
  ): number {
    if (this.holder !== null && this.holder !== opener) return -EBUSY;
    if (this.backing !== null) return -EBUSY;
    const refused = this.refuses(file);
    if (refused < 0) return refused;
    if ((status.flags & ~CONFIGURABLE) !== 0) return -EINVAL;
    if (blockSize !== 0 && !isBlockSize(blockSize)) return -EINVAL;
    if (!fits(status)) return -EOVERFLOW;
    const readOnly = file.writable && writable ? 0 : LO_FLAGS_READ_ONLY;
    this.backing = file.hold();
    this.leaving = false;
    this.status = { ...status, flags: (status.flags & ~LO_FLAGS_DIRECT_IO) | readOnly };
    this.mediumReadOnly = (this.status.flags & LO_FLAGS_READ_ONLY) !== 0;
    this.logicalBlock = blockSize === 0 ? SECTOR_BYTES : blockSize;
    this.disk = this.sequences.next++;
    this.measure();
    return 0;
  }

  /** loop_validate_file */
  private refuses(file: OpenFile): number {
    for (let below: OpenFile = file; below instanceof BlockFile;) {
      const { disk } = below;
      if (!(disk instanceof LoopDevice)) break;
      if (disk === this) return -EBADF;
      if (disk.backing === null || !disk.bound) return -EINVAL;
      below = disk.backing;
    }
    return file instanceof RegularOpenFile || file instanceof BlockFile ? 0 : -EINVAL;
  }

  /**
   * LOOP_CLR_FD (loop_clr_fd): ENXIO where nothing is bound. The file is given up when the last opener, of whom the caller
   * is one, has gone.
   */
  clear(): number {
    if (!this.bound) return -ENXIO;
    this.status = { ...this.status, flags: this.status.flags | LO_FLAGS_AUTOCLEAR };
    if (this.openers === 1) this.leaving = true;
    return 0;
  }

  /** LOOP_SET_STATUS64 (loop_set_status). ENXIO nothing is bound; EOVERFLOW positions below 0. */
  setStatus(status: LoopStatus): number {
    if (!this.bound) return -ENXIO;
    const { offset, sizeLimit, flags } = this.status;
    if (!fits(status)) return -EOVERFLOW;
    const kept = flags & ~LO_FLAGS_AUTOCLEAR;
    this.flush();
    this.status = { ...status, flags: kept | (status.flags & (LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)) };
    if (offset !== status.offset || sizeLimit !== status.sizeLimit) this.measure();
    return 0;
  }

  /** LOOP_SET_CAPACITY: the file has another size. */
  setCapacity(): number {
    if (!this.bound) return -ENXIO;
    this.measure();
    return 0;
  }

  /** LOOP_SET_BLOCK_SIZE, bytes. */
  setBlockSize(bytes: number): number {
    if (!this.bound) return -ENXIO;
    if (!isBlockSize(bytes)) return -EINVAL;
    this.flush();
    this.logicalBlock = bytes;
    this.measure();
    return 0;
  }

  /** LOOP_CHANGE_FD: ENXIO; EINVAL it can be written, no file for it, or one of another size; EBADF as above. */
  changeFile(file: OpenFile): number {
    if (!this.bound || this.backing === null) return -ENXIO;
    if ((this.status.flags & LO_FLAGS_READ_ONLY) === 0) return -EINVAL;
    const refused = this.refuses(file);
    if (refused < 0) return refused;
    if (sizeOf(file) !== sizeOf(this.backing)) return -EINVAL;
    const old = this.backing;
    this.backing = file.hold();
    this.disk = this.sequences.next++;
    this.mediumChanged();
    old.release();
    return 0;
  }

  private measure(): void {
    const { offset, sizeLimit } = this.status;
    const inFile = Math.max(0, (this.backing === null ? 0 : sizeOf(this.backing)) - offset);
    const bytes = sizeLimit > 0 ? Math.min(sizeLimit, inFile) : inFile;
    this.bytes = bytes - (bytes % SECTOR_BYTES);
    this.mediumChanged();
  }

  protected override lastClosed(): void {
    const { backing } = this;
    if (backing === null) return;
    if (!this.leaving && (this.status.flags & LO_FLAGS_AUTOCLEAR) === 0) return;
    this.backing = null;
    this.leaving = false;
    this.status = NO_STATUS;
    this.bytes = 0;
    this.logicalBlock = SECTOR_BYTES;
    this.mediumChanged();
    backing.release();
  }

  protected readMedium(offset: number, destination: Uint8Array): number {
    if (this.backing === null) return -EIO;
    const at = this.status.offset + offset;
    for (let done = 0; done < destination.length;) {
      const count = readQuietly(this.backing, destination.subarray(done), at + done);
      if (count < 0) return mediumError(count);
      // The file was cut.
      if (count === 0) {
        destination.fill(0, done);
        return 0;
      }
      done += count;
    }
    return 0;
  }

  protected writeMedium(offset: number, source: Uint8Array): number {
    if (this.backing === null || this.readOnly) return -EIO;
    const at = this.status.offset + offset;
    for (let done = 0; done < source.length;) {
      const count = this.backing.write(source.subarray(done), at + done);
      if (count <= 0) return mediumError(count);
      done += count;
    }
    return 0;
  }

  protected discardMedium(offset: number, length: number): number {
    const node = this.backing?.node;
    if (!this.discards || !(node instanceof TreeFile)) return -EOPNOTSUPP;
    node.pages.punchHole(this.status.offset + offset, length);
    return 0;
  }

  protected syncMedium(): number {
    return this.backing?.sync() ?? 0;
  }
}

const CONFIGURABLE = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN | LO_FLAGS_DIRECT_IO;

/** A reader below a disk leaves no time of access behind. */
function readQuietly(file: OpenFile, destination: Uint8Array, at: number): number {
  return file instanceof RegularOpenFile ? file.node.read(at, destination) : file.read(destination, at);
}

function sizeOf(file: OpenFile): number {
  return file instanceof BlockFile ? file.disk.size : file.node.size;
}

function isBlockSize(bytes: number): boolean {
  return bytes >= SECTOR_BYTES && bytes <= 4096 && (bytes & (bytes - 1)) === 0;
}

function fits({ offset, sizeLimit }: LoopStatus): boolean {
  return offset >= 0 && sizeLimit >= 0;
}
