import type { Dentry } from "./dentry.js";
import type { FileSystem } from "./file-system.js";

/** A file system attached to the tree. */
export interface Mount {
  readonly id: number;
  readonly fileSystem: FileSystem;
  readonly root: Dentry;
  /** Where it is attached; null for the first mount. */
  readonly at: Location | null;
  readonly readOnly: boolean;
  readonly noExec: boolean;
  /** First column of /proc/mounts. */
  readonly source: string;
  /** Attached to other mounts' entries of this one. */
  readonly children: Map<Dentry, Mount>;
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
