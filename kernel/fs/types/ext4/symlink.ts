import { EIO } from "../../../errno.js";
import { byteString } from "../../bytes.js";
import type { InodeParts } from "../../inode.js";
import { SymlinkInode } from "../../inode.js";
import type { Ext4FileSystem } from "./file-system.js";
import { MAP_BYTES } from "./inode-record.js";
import type { Ext4Storage } from "./storage.js";

/** A symbolic link: short ones are in the inode, where the map of blocks would be. */
export class Ext4Symlink extends SymlinkInode {
  constructor(
    override readonly fileSystem: Ext4FileSystem,
    parts: InodeParts,
    readonly storage: Ext4Storage,
  ) {
    super(fileSystem, parts);
  }

  override get size(): number {
    return this.storage.record.size;
  }
  override get blocks(): number {
    return this.storage.record.sectors;
  }

  /** Its text is in the inode (ext4_inode_is_fast_symlink). */
  get isShort(): boolean {
    return this.size < MAP_BYTES;
  }

  readLink(): string | number {
    const { size } = this;
    if (this.isShort) return byteString(this.storage.record.map.subarray(0, size));
    const bytes = new Uint8Array(size);
    return this.storage.read(0, bytes) < 0 ? -EIO : byteString(bytes);
  }
}
