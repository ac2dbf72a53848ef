/** Files of huge pages: of a mounted hugetlbfs, or of memfd_create with MFD_HUGETLB (fs/hugetlbfs/inode.c). */

import { EINVAL, ENOSPC, EOPNOTSUPP, EPERM } from "../errno.js";
import type { HugeFilePages } from "../mm/hugetlb/file-pages.js";
import type { FileSystem } from "./file-system.js";
import { RegularInode, type InodeParts } from "./inode.js";
import type { Location } from "./mount.js";
import { RegularOpenFile } from "./regular-open-file.js";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_WRITE } from "./seals.js";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

export class HugetlbInode extends RegularInode {
  constructor(
    fileSystem: FileSystem,
    parts: InodeParts,
    readonly pages: HugeFilePages,
  ) {
    super(fileSystem, parts);
    this.seals = F_SEAL_SEAL;
  }

  override get size(): number {
    return this.pages.size;
  }

  override get blocks(): number {
    return this.pages.resident * 8;
  }

  read(offset: number, destination: Uint8Array): number {
    return this.pages.read(offset, destination);
  }

  /** Written only through mappings. */
  write(): number {
    return -EINVAL;
  }

  /** In whole pages only (hugetlbfs_setattr). */
  override checkSize(size: number): number {
    return size % this.pages.pool.bytes === 0 ? 0 : -EINVAL;
  }

  truncate(size: number): number {
    this.pages.truncate(size);
    return 0;
  }

  /** EPERM seals; ENOSPC too few pages, those before stay (hugetlbfs_fallocate). */
  override allocate(mode: number, offset: number, length: number): number {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    const seals = this.seals ?? 0;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
      this.pages.punchHole(offset, length);
      return 0;
    }
    const end = offset + length;
    const grows = (mode & FALLOC_FL_KEEP_SIZE) === 0 && end > this.size;
    if ((seals & F_SEAL_GROW) !== 0 && end > this.size) return -EPERM;
    const { bytes } = this.pages.pool;
    if (!this.pages.preallocate(Math.floor(offset / bytes), Math.ceil(end / bytes))) return -ENOSPC;
    if (grows) this.pages.growTo(end);
    return 0;
  }

  openFile(location: Location, flags: number): HugetlbFile {
    return new HugetlbFile(location, flags);
  }

  override reclaim(): void {
    if (this.links > 0 || this.holders > 0 || this.pages.mappings.areas > 0) return;
    this.pages.destroy();
    this.fileSystem.evicted(this);
  }
}

/** Its descriptor reads and maps; write(2) is EINVAL whatever the seals. */
export class HugetlbFile extends RegularOpenFile {
  override get takesWrites(): boolean {
    return false;
  }
  override write(): number {
    return -EINVAL;
  }
}
