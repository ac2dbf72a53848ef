import type { FrameAllocator } from "../../../mmu/frame-allocator.js";
import type { MappableFile } from "../mappable-file.js";
import { HugeFilePages } from "./file-pages.js";
import type { HugePagePool } from "./pool.js";

/** The file without a name behind MAP_ANONYMOUS | MAP_HUGETLB (hugetlb_file_setup). */
export class HugeAnonymousFile implements MappableFile {
  readonly readable = true;
  readonly writable = true;
  readonly device: MappableFile["device"];
  readonly mapName = "/anon_hugepage (deleted)";
  readonly pages: HugeFilePages;
  private users = 0;

  /**
   * @param length bytes
   * @param inode a number to show in /proc/pid/maps
   */
  constructor(
    frames: FrameAllocator,
    pool: HugePagePool,
    length: number,
    readonly inode: number,
  ) {
    this.pages = new HugeFilePages(frames, pool, length);
    this.device = pool.device;
  }

  mapped(): void {
    this.users++;
  }

  unmapped(): void {
    if (--this.users === 0) this.pages.destroy();
  }
}
