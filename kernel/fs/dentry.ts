import type { Inode } from "./inode.js";
import { DirectoryInode } from "./inode.js";

/** A name in use: it remembers where it stands, so that paths can be told backwards. */
export class Dentry {
  /** Names below that somebody used; made at look-up, corrected by rename and unlink. */
  readonly children = new Map<string, Dentry>();
  deleted = false;
  /** Mounts that are attached here, whatever mount the entry is seen through. */
  mounted = 0;

  constructor(
    public name: string,
    public parent: Dentry | null,
    public inode: Inode,
  ) {}

  /** The entry of a name in this directory, or -errno. */
  lookup(name: string): Dentry | number {
    const inode = (this.inode as DirectoryInode).lookup(name);
    const known = this.children.get(name);
    if (typeof inode === "number") {
      if (known) this.detach(known);
      return inode;
    }
    if (known?.inode === inode) return known;
    if (known) this.detach(known);
    const made = new Dentry(name, this, inode);
    if ((this.inode as DirectoryInode).keepsNames) this.children.set(name, made);
    return made;
  }

  /** The name is gone; who still holds the entry sees it as deleted. */
  detach(child: Dentry): void {
    this.children.delete(child.name);
    child.deleted = true;
  }

  /** Its directories remember it and each other, so that a look-up comes to this very entry. */
  pin(): void {
    this.parent?.children.set(this.name, this);
    this.parent?.pin();
  }

  /** Moves an entry here under a name. */
  adopt(child: Dentry, name: string): void {
    child.parent?.children.delete(child.name);
    child.parent = this;
    child.name = name;
    this.children.set(name, child);
  }

  /** True for this entry and everything below it. */
  contains(other: Dentry): boolean {
    for (let at: Dentry | null = other; at; at = at.parent) if (at === this) return true;
    return false;
  }
}
