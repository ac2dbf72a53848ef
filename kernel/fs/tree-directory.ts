import { ENOENT, ENOSPC } from "../errno.js";
import type { DirectoryEntry, InodeParts, NewInode } from "./inode.js";
import { DirectoryInode } from "./inode.js";
import type { Inode } from "./inode.js";
import { PERMISSIONS, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./mode.js";
import type { Timestamp } from "./timestamp.js";
import { TreeFile } from "./tree-file.js";
import type { TreeFileSystem } from "./tree-file-system.js";

/**
 * A directory of a tree. `names` holds what is known here; over a host directory a name that is absent is looked
 * up on the host, and null marks one that was removed here (a whiteout).
 */
export class TreeDirectory extends DirectoryInode {
  readonly names = new Map<string, Inode | null>();

  constructor(
    override readonly fileSystem: TreeFileSystem,
    parts: InodeParts,
    /** Below the lower directory; null: the host has no such directory. A mirror's rename changes it. */
    public hostPath: string | null,
  ) {
    super(fileSystem, parts);
  }

  override get size(): number {
    return this.hostPath === null ? 20 * this.names.size + 40 : 4096;
  }

  override get blocks(): number {
    return this.hostPath === null ? 0 : 8;
  }

  lookup(name: string): Inode | number {
    const known = this.names.get(name);
    const { lower, mirror } = this.fileSystem;
    if (lower === null || this.hostPath === null) return known ?? -ENOENT;
    if (!mirror && known !== undefined) return known ?? -ENOENT;
    const path = this.childPath(name)!;
    const stat = lower.stat(path);
    if (typeof stat === "number") {
      if (mirror) this.names.delete(name);
      return stat;
    }
    // A mirror follows what others do to the host: the same file stays the same inode.
    if (known && (known.mode & S_IFMT) === (stat.mode & S_IFMT) && this.sameFile(known, stat.inode)) {
      this.refresh(known, stat);
      return known;
    }
    const inode = this.fileSystem.fromHost(stat, path);
    if (typeof inode !== "number") this.names.set(name, inode);
    return inode;
  }

  entries(): DirectoryEntry[] | number {
    const list: DirectoryEntry[] = [];
    const { lower, mirror } = this.fileSystem;
    if (lower !== null && this.hostPath !== null) {
      const host = lower.files.list(lower.root, this.hostPath);
      if (typeof host === "number") return host;
      for (const entry of host) {
        if (this.names.has(entry.name) && !mirror) continue;
        const inode = this.lookup(entry.name);
        if (typeof inode === "object") list.push({ name: entry.name, inode: inode.number, type: inode.type });
      }
      if (mirror) return list;
    }
    const listed = new Set(list.map((entry) => entry.name));
    for (const [name, inode] of this.names)
      if (inode && !listed.has(name)) list.push({ name, inode: inode.number, type: inode.type });
    return list;
  }

  create(name: string, parts: NewInode): Inode | number {
    const { mirror } = this.fileSystem;
    const path = mirror ? this.childPath(name) : null;
    const refused = this.fileSystem.refuses(parts.mode);
    if (refused < 0) return refused;
    if (!this.fileSystem.takeInode()) return -ENOSPC;
    const made = this.fileSystem.make(parts, path);
    if (mirror && path !== null) {
      const permissions = parts.mode & PERMISSIONS;
      const type = parts.mode & S_IFMT;
      let result = 0;
      if (type === S_IFREG) result = mirror.files.create(mirror.root, path, permissions);
      else if (type === S_IFDIR) result = mirror.files.makeDirectory(mirror.root, path, permissions);
      else if (type === S_IFLNK) result = mirror.files.makeSymlink(mirror.root, path, parts.target ?? "");
      if (result < 0) return result;
    }
    this.put(name, made);
    if (made.isDirectory) this.links++;
    const { upper } = this.fileSystem;
    if (upper?.suspended) upper.placed(this, name, made);
    const result = upper?.changed([this], [[this, name, made]]) ?? 0;
    return result < 0 ? result : made;
  }

  /** Puts an inode that exists already under a name (mount set-up, O_TMPFILE's linkat). */
  put(name: string, inode: Inode): void {
    this.names.set(name, inode);
    this.touch();
  }

  link(name: string, inode: Inode): number {
    const { mirror } = this.fileSystem;
    if (mirror && inode instanceof TreeFile && inode.hostPath !== null) {
      const result = mirror.files.link(mirror.root, inode.hostPath, this.childPath(name)!);
      if (result < 0) return result;
    }
    // Each further name counts as a file (shmem_link).
    if (inode.links > 0 && !this.fileSystem.takeInode()) return -ENOSPC;
    this.put(name, inode);
    inode.links++;
    inode.changed = this.fileSystem.now();
    const { upper } = this.fileSystem;
    if (!upper) return 0;
    // A file that had no name was kept in memory only.
    if (inode instanceof TreeFile && inode.links === 1 && inode.size > 0) {
      const copied = upper.copyUp(inode);
      if (copied < 0) return copied;
    }
    return upper.changed([this, inode], [[this, name, inode]]);
  }

  unlink(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === "number") return inode;
    const { mirror } = this.fileSystem;
    const path = this.childPath(name);
    if (mirror && path !== null) {
      // Whoever has the file open goes on with the handle.
      if (inode.holders > 0 && inode.isRegular) mirror.open(path);
      const result = mirror.files.removeFile(mirror.root, path);
      if (result < 0) return result;
    }
    this.forget(name);
    if (--inode.links > 0) this.fileSystem.giveInode();
    inode.changed = this.fileSystem.now();
    const result = this.fileSystem.upper?.changed([this, inode], [[this, name, null]]) ?? 0;
    inode.reclaim();
    return result;
  }

  removeDirectory(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === "number") return inode;
    const { mirror } = this.fileSystem;
    const path = this.childPath(name);
    if (mirror && path !== null) {
      const result = mirror.files.removeDirectory(mirror.root, path);
      if (result < 0) return result;
    }
    this.forget(name);
    this.links--;
    inode.links = 0;
    inode.changed = this.fileSystem.now();
    const result = this.fileSystem.upper?.changed([this, inode], [[this, name, null]]) ?? 0;
    inode.reclaim();
    return result;
  }

  rename(name: string, target: TreeDirectory, targetName: string, exchange: boolean): number {
    const moved = this.lookup(name);
    if (typeof moved === "number") return moved;
    const found = target.lookup(targetName);
    const other = typeof found === "number" ? null : found;
    const { mirror } = this.fileSystem;
    const from = this.childPath(name);
    const to = target.childPath(targetName);
    if (mirror && from !== null && to !== null) {
      const result = exchange ? this.swapOnHost(from, to) : mirror.files.rename(mirror.root, from, to);
      if (result < 0) return result;
      mirror.renamed(from, to);
      relocate(moved, to);
      if (exchange && other) relocate(other, from);
    }
    if (exchange) this.put(name, other!);
    else this.forget(name);
    target.put(targetName, moved);
    if (moved.isDirectory && this !== target) {
      this.links--;
      target.links++;
    }
    if (other && exchange && other.isDirectory && this !== target) {
      target.links--;
      this.links++;
    }
    if (other && !exchange) {
      if (other.isDirectory) {
        target.links--;
        other.links = 0;
      } else if (--other.links > 0) this.fileSystem.giveInode();
    }
    const now = this.fileSystem.now();
    moved.changed = now;
    if (other) other.changed = now;
    const result =
      this.fileSystem.upper?.changed(
        [this, target, moved, ...(other ? [other] : [])],
        [
          [this, name, exchange ? other : null],
          [target, targetName, moved],
        ],
      ) ?? 0;
    if (!exchange) other?.reclaim();
    return result;
  }

  /** Where the host has a name of this directory; null below a directory that it lacks. */
  childPath(name: string): string | null {
    if (this.hostPath === null) return null;
    return this.hostPath === "" ? name : `${this.hostPath}/${name}`;
  }

  private forget(name: string): void {
    if (this.hostPath !== null && !this.fileSystem.mirror) this.names.set(name, null);
    else this.names.delete(name);
    this.touch();
  }

  private touch(): void {
    this.modified = this.changed = this.fileSystem.now();
  }

  private sameFile(inode: Inode, hostInode: number): boolean {
    // What was made here got a number of ours; the host's is learnt at the first look.
    if (inode.hostNumber !== null) return inode.hostNumber === hostInode;
    inode.hostNumber = hostInode;
    return inode.number === hostInode || inode.number >= 2 ** 48;
  }

  private refresh(
    inode: Inode,
    stat: { size: number; mode: number; modified: Timestamp; links: number },
  ): void {
    inode.links = stat.links;
    inode.mode = stat.mode;
    if (inode instanceof TreeFile && inode.size !== stat.size && inode.pages.dirty.size === 0) {
      inode.resized(stat.size);
    }
    inode.modified = stat.modified;
  }

  /** RENAME_EXCHANGE in three steps: the host's call is not reachable from everywhere. */
  private swapOnHost(a: string, b: string): number {
    const mirror = this.fileSystem.mirror!;
    const aside = `${a}.sealab-exchange`;
    let result = mirror.files.rename(mirror.root, a, aside);
    if (result < 0) return result;
    result = mirror.files.rename(mirror.root, b, a);
    if (result < 0) {
      mirror.files.rename(mirror.root, aside, a);
      return result;
    }
    return mirror.files.rename(mirror.root, aside, b);
  }
}

/** A file and all below it are at another place of the host now. */
function relocate(inode: Inode, path: string): void {
  if (inode instanceof TreeFile) inode.hostPath = path;
  if (!(inode instanceof TreeDirectory)) return;
  inode.hostPath = path;
  for (const [name, child] of inode.names) if (child) relocate(child, `${path}/${name}`);
}
