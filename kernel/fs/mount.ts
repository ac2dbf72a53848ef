import type { Dentry } from "./dentry.js";
import type { FileSystem } from "./file-system.js";
import { MNT_NOEXEC, MNT_READONLY, MS_RDONLY } from "./mounts/flags.js";

/** What keeps a file system that no name leads to any more, until nobody is left in it. */
export interface DetachedMounts {
  /** The last open file of a detached mount has gone. */
  left(mount: Mount): void;
}

/** What a mount passes on to others like it; there are no others to pass to (mount_namespaces(7)). */
export type Propagation = "private" | "shared" | "unbindable";

export interface MountParts {
  readonly id: number;
  readonly fileSystem: FileSystem;
  readonly root: Dentry;
  /** MNT_* bits. */
  readonly flags: number;
  readonly source: string;
}

/** A file system, or a part of one, attached to the tree ("struct mount"). */
export class Mount {
  readonly id: number;
  readonly fileSystem: FileSystem;
  readonly root: Dentry;
  /** First column of /proc/mounts. */
  readonly source: string;
  /** Where it is attached; null for the first mount, and once it is detached. */
  at: Location | null = null;
  /** MNT_* bits. */
  flags: number;
  /** Attached to other mounts' entries of this one. */
  readonly children = new Map<Dentry, Mount>();
  propagation: Propagation = "private";
  /** Number of the group of a shared mount. */
  group = 0;
  /** Open file descriptions in it, those that mappings keep among them. */
  users = 0;
  /** Those of them that may write to a regular file. */
  writers = 0;
  /** umount2 with MNT_EXPIRE found it unused; a path that leads into it takes the mark away. */
  expiring = false;
  /** Who is to know when nobody is left: set once it is detached. */
  detached: DetachedMounts | null = null;

  constructor(parts: MountParts) {
    this.id = parts.id;
    this.fileSystem = parts.fileSystem;
    this.root = parts.root;
    this.flags = parts.flags;
    this.source = parts.source;
    this.fileSystem.mountCount++;
  }

  /** The mount or the whole file system (__mnt_is_readonly). */
  get readOnly(): boolean {
    return (this.flags & MNT_READONLY) !== 0 || (this.fileSystem.flags & MS_RDONLY) !== 0;
  }
  get noExec(): boolean {
    return (this.flags & MNT_NOEXEC) !== 0;
  }

  /** An open file description is here. */
  opened(writes: boolean): void {
    this.users++;
    if (writes) this.writers++;
  }

  closed(writes: boolean): void {
    this.users--;
    if (writes) this.writers--;
    if (this.users === 0) this.detached?.left(this);
  }
}

/** A place in the tree: an entry seen through a mount ("struct path"). */
export interface Location {
  readonly mount: Mount;
  readonly dentry: Dentry;
}

export function sameLocation(a: Location, b: Location): boolean {
  return a.mount === b.mount && a.dentry === b.dentry;
}

/** Steps down into whatever is mounted there. */
export function crossDown(location: Location): Location {
  let at = location;
  for (let mount = at.mount.children.get(at.dentry); mount; mount = at.mount.children.get(at.dentry))
    at = { mount, dentry: mount.root };
  return at;
}

/** The parent directory; `root` and the top of the tree are their own parents. */
export function parentOf(location: Location, root: Location): Location {
  let at = location;
  while (!sameLocation(at, root)) {
    if (at.dentry !== at.mount.root) {
      const parent = at.dentry.parent;
      return parent ? crossDown({ mount: at.mount, dentry: parent }) : at;
    }
    if (!at.mount.at) return at;
    at = at.mount.at;
  }
  return root;
}

/**
 * The absolute path of a place as seen from `root`, as d_path gives it.
 * A deleted entry's ends in " (deleted)"; `reachable` is false where the place is not below `root`.
 */
export function pathOf(
  location: Location,
  root: Location,
): { path: string; reachable: boolean; deleted: boolean } {
  const names: string[] = [];
  let at = location;
  let reachable = true;
  const deleted = location.dentry.deleted;
  while (!sameLocation(at, root)) {
    if (at.dentry === at.mount.root) {
      if (!at.mount.at) {
        reachable = false;
        break;
      }
      at = at.mount.at;
      continue;
    }
    if (!at.dentry.parent) {
      reachable = false;
      break;
    }
    names.push(at.dentry.name);
    at = { mount: at.mount, dentry: at.dentry.parent };
  }
  return { path: `/${names.reverse().join("/")}`, reachable, deleted };
}

/** The path from the top of whatever tree the place is in, as /proc/pid/maps shows it. */
export function absolutePath(location: Location): string {
  const { path, deleted } = pathOf(location, NOWHERE);
  return deleted ? `${path} (deleted)` : path;
}

const NOWHERE = {} as Location;
