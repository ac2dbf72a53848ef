import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { FilePages } from "./file-pages.js";
import type { SharedMount } from "./huge/shared-mount.js";
import type { MappableFile } from "./mappable-file.js";

/** The file without a name behind MAP_SHARED | MAP_ANONYMOUS and shared /dev/zero (shmem_zero_setup). */
export class SharedAnonymousFile implements MappableFile {
  readonly readable = true;
  readonly writable = true;
  readonly device = { major: 0, minor: 1 };
  readonly mapName = "/dev/zero (deleted)";
  readonly pages: FilePages;
  private users = 0;

  /**
   * @param length bytes
   * @param inode a number to show in /proc/pid/maps
   * @param mount what is said of huge pages
   */
  constructor(
    frames: FrameAllocator,
    length: number,
    readonly inode: number,
    mount: SharedMount | null = null,
  ) {
    this.pages = new FilePages(frames, length);
    if (mount !== null) this.pages.belongTo(mount);
    this.pages.swappable = true;
  }

  mapped(): void {
    this.users++;
  }

  unmapped(): void {
    if (--this.users === 0) this.pages.destroy();
  }
}
