import type { FilePages } from "../mm/file-pages.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import { EPERM, ETXTBSY } from "../errno.js";
import type { Location } from "../fs/mount.js";
import { OpenFile } from "../fs/open-file.js";
import type { BlockDevice } from "./block-device.js";
import { DiskStore } from "./disk-store.js";

/** A disk, opened through its node (block/fops.c). */
export class BlockFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    readonly disk: BlockDevice,
    /** With O_EXCL: nobody else claims it meanwhile. */
    private readonly exclusive: boolean,
  ) {
    super(location, flags);
  }

  override get pages(): FilePages {
    return this.disk.pages;
  }
  override get mmapRefused(): undefined {
    return undefined;
  }

  override read(destination: Uint8Array, offset: number): number {
    return this.disk.read(offset, destination);
  }

  override write(source: Uint8Array, offset: number): number {
    if (this.disk.isSwapArea) return -ETXTBSY;
    return this.disk.readOnly ? -EPERM : this.disk.write(offset, source);
  }

  override swapStore(): SwapStore {
    return new DiskStore(this.disk);
  }

  override sync(): number {
    return this.disk.flush();
  }

  protected override close(): void {
    this.disk.close(this.exclusive ? this : null);
  }
}
