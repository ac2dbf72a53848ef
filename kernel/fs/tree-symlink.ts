import type { InodeParts } from "./inode.js";
import { SymlinkInode } from "./inode.js";
import type { TreeFileSystem } from "./tree-file-system.js";

export class TreeSymlink extends SymlinkInode {
  constructor(
    fileSystem: TreeFileSystem,
    parts: InodeParts,
    readonly target: string,
  ) {
    super(fileSystem, parts);
  }

  override get size(): number {
    return this.target.length;
  }

  readLink(): string {
    return this.target;
  }
}
