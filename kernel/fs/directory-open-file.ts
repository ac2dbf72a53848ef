import { EISDIR } from "../errno.js";
import type { DirectoryEntry, DirectoryInode } from "./inode.js";
import { S_IFDIR } from "./mode.js";
import { parentOf } from "./mount.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import type { Timestamp } from "./timestamp.js";

export class DirectoryOpenFile extends OpenFile {
  /** The names as they were when reading began: entries that come and go later do not shift it. */
  private listing: DirectoryEntry[] | null = null;
  /** The directory's time of modification then. */
  private listed: Timestamp | null = null;

  constructor(
    location: Location,
    flags: number,
    private readonly root: Location,
  ) {
    super(location, flags);
  }

  override read(): number {
    return -EISDIR;
  }

  override list(): DirectoryEntry[] | number {
    if (this.position === 0 || this.listing === null) {
      const entries = (this.node as DirectoryInode).entries();
      if (typeof entries === "number") return entries;
      const parent = parentOf(this.location, this.root).dentry.inode;
      this.listing = [
        { name: ".", inode: this.node.number, type: S_IFDIR },
        { name: "..", inode: parent.number, type: S_IFDIR },
        ...entries,
      ];
      this.listed = this.node.modified;
      this.touchAccess();
    }
    return this.listing.slice(this.position);
  }

  /** Does the name still stand for that file? Who removes names while reading does not see them again. */
  isCurrent(entry: DirectoryEntry): boolean {
    if (this.node.modified === this.listed || entry.name === "." || entry.name === "..") return true;
    const inode = (this.node as DirectoryInode).lookup(entry.name);
    return typeof inode === "object" && inode.number === entry.inode;
  }
}
