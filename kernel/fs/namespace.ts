import type { BlockDevices } from "../block/block-devices.js";
import type { Credentials } from "../credentials.js";
import { EEXIST, ENOENT, ENOTDIR, EROFS } from "../errno.js";
import { Dentry } from "./dentry.js";
import type { FileSystem, FileSystemContext } from "./file-system.js";
import type { FsContext } from "./fs-context.js";
import type { DeviceNumber, Inode } from "./inode.js";
import { DirectoryInode } from "./inode.js";
import { LockWaits } from "./lock-waits.js";
import { MAY_EXECUTE, MAY_WRITE, S_IFDIR, S_IFREG, S_IFLNK } from "./mode.js";
import { crossDown, Mount } from "./mount.js";
import type { DetachedMounts, Location } from "./mount.js";
import type { SharedMount, SharedSettings } from "../mm/huge/shared-mount.js";
import { MNT_NOEXEC, MNT_READONLY, MNT_RELATIME } from "./mounts/flags.js";
import { attach, sweepDetached } from "./mounts/tree.js";
import type { OpenFile } from "./open-file.js";
import { actorOf, permission } from "./permission.js";
import type { Actor } from "./permission.js";
import { Terminals } from "../tty/terminals.js";
import { TreeFileSystem } from "./tree-file-system.js";
import { walk } from "./walk.js";
import type { ParentResult, WalkStart } from "./walk.js";

/**
 * Opens the device behind a node: undefined where there is none (ENXIO). `asked`: the flags of open(2) with those that
 * matter only now (O_NOCTTY).
 */
export type DeviceOpener = (
  location: Location,
  flags: number,
  context: FsContext,
  asked: number,
) => OpenFile | number;

/** The tree of mounts that tasks see, and what is behind its special files. */
export class Namespace implements DetachedMounts {
  readonly mounts: Mount[] = [];
  /** Taken out of the tree, but still used (umount2, MNT_DETACH). */
  readonly detached = new Set<Mount>();
  /** The file systems that are the machine's own, by their type: they are there whether or not they are mounted. */
  readonly permanent = new Map<string, FileSystem>();
  /** Keys: "major:minor". */
  readonly devices = new Map<string, DeviceOpener>();
  /** For all minor numbers of a major one. */
  readonly deviceMajors = new Map<number, DeviceOpener>();
  /** Disks; null: nobody has asked for one. */
  block: BlockDevices | null = null;
  /** Who waits for record locks. */
  readonly lockWaits = new LockWaits();
  /** Pipes, eventfds and memfds live here, out of the tree. */
  readonly internal: Mount;
  /** Where memfd_secret makes its files; null: it was never called. */
  secretMemory: Mount | null = null;
  /** Where memfd_create makes files of huge pages, by these pages' bytes; empty: it has made none. */
  readonly hugePages = new Map<number, Mount>();
  readonly terminals = new Terminals();
  /** Writes per second and the like never matter: the capacity of one pipe in bytes, at most. */
  readonly pipeMaximum = 1 << 20;
  private nextMount = 24;
  private nextDevice = 20;
  private nextGroup = 1;

  constructor(
    readonly context: FileSystemContext,
    root: (namespace: Namespace) => FileSystem,
    options: { source?: string; readOnly?: boolean } = {},
  ) {
    const flags = MNT_RELATIME;
    const memory = new TreeFileSystem(context, { major: 0, minor: 1 }, null);
    memory.swappable = true;
    this.internal = this.makeMount(memory, { flags: 0 });
    const source = options.source ?? "sealab";
    const own = flags | (options.readOnly ? MNT_READONLY : 0);
    this.mounts.push(this.makeMount(root(this), { source, flags: own }));
  }

  get root(): Location {
    const mount = this.mounts[0];
    return crossDown({ mount, dentry: mount.root });
  }

  /** From now on its shared memory is `internal`, and all of it heeds the same settings. */
  joinSharedMemory(internal: SharedMount): void {
    const { fileSystem } = this.internal;
    if (fileSystem instanceof TreeFileSystem) fileSystem.sharedMemory = internal;
    for (const { fileSystem: other } of this.mounts)
      if (other instanceof TreeFileSystem && other.sharedMemory !== null)
        other.sharedMemory.settings = internal.settings;
  }

  /** What is said of huge pages of shared memory. */
  get sharedSettings(): SharedSettings | null {
    const { fileSystem } = this.internal;
    return fileSystem instanceof TreeFileSystem ? (fileSystem.sharedMemory?.settings ?? null) : null;
  }

  /** A device number for a file system without a disk. */
  newDevice(): DeviceNumber {
    return { major: 0, minor: this.nextDevice++ };
  }

  /** A number for a group of shared mounts. */
  newGroup(): number {
    return this.nextGroup++;
  }

  /**
   * Attaches a file system at a directory (or, for the mount of one file, at a file). For setting the tree up: nothing
   * is refused.
   */
  mount(
    at: Location,
    fileSystem: FileSystem,
    options: { source?: string; root?: Dentry; flags?: number } = {},
  ): Mount {
    const mount = this.makeMount(fileSystem, { flags: MNT_RELATIME, ...options });
    attach(mount, at);
    this.mounts.push(mount);
    return mount;
  }

  /** A file system that has no place in the tree. */
  mountNowhere(fileSystem: FileSystem, options: { noExec?: boolean } = {}): Mount {
    return this.makeMount(fileSystem, { flags: options.noExec ? MNT_NOEXEC : 0 });
  }

  /** A mount that stands nowhere yet; of a file system's root unless told. */
  makeMount(fileSystem: FileSystem, parts: { flags: number; source?: string; root?: Dentry }): Mount {
    return new Mount({
      id: this.nextMount++,
      fileSystem,
      root: parts.root ?? (fileSystem.top ??= new Dentry("", null, fileSystem.root)),
      flags: parts.flags,
      source: parts.source ?? fileSystem.typeName,
    });
  }

  left(_mount: Mount): void {
    sweepDetached(this);
  }

  /**
   * The directory at an absolute path, made with all its parents where it is missing. For setting the tree up: no
   * permission is asked.
   */
  makePath(path: string, mode = 0o755): Location | number {
    let at = this.root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      let dentry = at.dentry.lookup(name);
      if (typeof dentry === "number") {
        const directory = at.dentry.inode;
        if (dentry !== -ENOENT || !(directory instanceof DirectoryInode)) return dentry;
        const made = directory.create(name, { mode: S_IFDIR | mode, uid: 0, gid: 0 });
        if (typeof made === "number") return made;
        dentry = at.dentry.lookup(name);
        if (typeof dentry === "number") return dentry;
      }
      at = crossDown({ mount: at.mount, dentry });
      if (at.dentry.inode.isSymlink) {
        const followed = walk(this.setupStart(), pathTo(at), true);
        if (typeof followed === "number") return followed;
        at = followed.location;
      }
      if (!at.dentry.inode.isDirectory) return -ENOTDIR;
    }
    return at;
  }

  /** Puts a file with these bytes into the tree, with its parents. */
  addFile(path: string, bytes: Uint8Array, mode = 0o644, owner = { uid: 0, gid: 0 }): number {
    const made = this.addInode(path, { mode: S_IFREG | mode, ...owner });
    if (typeof made === "number") return made;
    const written =
      "write" in made ? (made as unknown as { write(o: number, s: Uint8Array): number }).write(0, bytes) : 0;
    return written < 0 ? written : 0;
  }

  addSymlink(path: string, target: string): number {
    const made = this.addInode(path, { mode: S_IFLNK | 0o777, uid: 0, gid: 0, target });
    return typeof made === "number" ? made : 0;
  }

  /** Puts an inode into the tree; -EEXIST where the name is taken. */
  addInode(
    path: string,
    parts: { mode: number; uid: number; gid: number; device?: DeviceNumber; target?: string },
  ): Inode | number {
    const slash = path.lastIndexOf("/");
    const directory = this.makePath(path.slice(0, slash));
    if (typeof directory === "number") return directory;
    const name = path.slice(slash + 1);
    const inode = directory.dentry.inode;
    if (!(inode instanceof DirectoryInode)) return -ENOTDIR;
    if (typeof inode.lookup(name) !== "number") return -EEXIST;
    return inode.create(name, parts);
  }

  /** A walk that no permission stops. */
  setupStart(): WalkStart {
    const root = this.root;
    return { root, base: root, actor: OMNIPOTENT };
  }
}

const OMNIPOTENT: Actor = { uid: 0, gid: 0, groups: [], capable: () => true };

function pathTo(location: Location): string {
  const names: string[] = [];
  for (let at: Location = location; ;) {
    if (at.dentry !== at.mount.root && at.dentry.parent) {
      names.push(at.dentry.name);
      at = { mount: at.mount, dentry: at.dentry.parent };
    } else if (at.mount.at) at = at.mount.at;
    else return `/${names.reverse().join("/")}`;
  }
}

/** Where a task's paths begin. `base` is its current directory unless told. */
export function startOf(
  fs: FsContext,
  credentials: Credentials,
  base: Location = fs.cwd,
  resolve = 0,
): WalkStart {
  return { root: fs.root, base, actor: actorOf(credentials), resolve };
}

/** Write permission on files of a read-only mount is refused before the mode bits are looked at. */
export function accessTo(actor: Actor, location: Location, wanted: number): number {
  const { inode } = location.dentry;
  const stored = inode.isRegular || inode.isDirectory || inode.isSymlink;
  if ((wanted & MAY_WRITE) !== 0 && stored && location.mount.readOnly) return -EROFS;
  return permission(actor, inode, wanted);
}

/** May the actor make a name in this directory? fs/namei.c may_create */
export function mayCreate(actor: Actor, parent: Location): number {
  if (parent.dentry.deleted) return -ENOENT;
  return permission(actor, parent.dentry.inode, MAY_WRITE | MAY_EXECUTE);
}

/** The entry of a parent walk's last name, without following it and without crossing a mount. */
export function lastDentry(last: ParentResult): Dentry | number {
  return last.parent.dentry.lookup(last.name);
}
