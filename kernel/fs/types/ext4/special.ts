import type { InodeParts } from "../../inode.js";
import { SpecialInode } from "../../tree-file-system.js";
import type { Ext4FileSystem } from "./file-system.js";
import type { Ext4Storage } from "./storage.js";

/** A fifo, socket or device. */
export class Ext4Special extends SpecialInode {
  constructor(
    override readonly fileSystem: Ext4FileSystem,
    parts: InodeParts,
    readonly storage: Ext4Storage,
  ) {
    super(fileSystem, parts);
  }
}
