import {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
} from "../errno.js";
import { blockDevices } from "../block/block-devices.js";
import type { Credentials } from "../credentials.js";
import { Dentry } from "./dentry.js";
import { DirectoryOpenFile } from "./directory-open-file.js";
import type { FsContext } from "./fs-context.js";
import type { Inode } from "./inode.js";
import { DirectoryInode, RegularInode } from "./inode.js";
import {
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
} from "./mode.js";
import { crossDown } from "./mount.js";
import type { Location } from "./mount.js";
import { MNT_NODEV } from "./mounts/flags.js";
import { accessTo, lastDentry, mayCreate, startOf } from "./namespace.js";
import { PathFile } from "./open-file.js";
import type { OpenFile } from "./open-file.js";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE_BIT,
  O_TRUNC,
  O_WRONLY,
} from "./open-flags.js";
import { ownerOrCapable } from "./permission.js";
import { Pipe, PipeFile } from "./pipe.js";
import { dropPrivilegeBits, RegularOpenFile, setFileSize } from "./regular-open-file.js";
import type { TreeFileSystem } from "./tree-file-system.js";
import { SpecialInode } from "./tree-file-system.js";
import type { Ext4FileSystem } from "./types/ext4/file-system.js";
import { finish, walkParent } from "./walk.js";
import type { WalkStart } from "./walk.js";

/** Opening must wait: a fifo's other end has not come yet. */
export interface OpenMustWait {
  readonly fifo: PipeFile;
}

/** An inode that makes its own open file descriptions (procfs). */
export interface SelfOpening {
  openFile(location: Location, flags: number): OpenFile | number;
}

function opensItself(inode: object): inode is SelfOpening {
  return "openFile" in inode;
}

const ONE_TIME_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
const ACCESS_OF_MODE = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE];

/**
 * open(2), without the descriptor. Flags and mode as openat has cleaned them.
 * @returns the open file, -errno, or what must be waited for
 */
export function openPath(
  fs: FsContext,
  credentials: Credentials,
  base: Location,
  path: string,
  flags: number,
  mode: number,
  resolve = 0,
): OpenFile | number | OpenMustWait {
  if ((flags & O_TMPFILE_BIT) !== 0) {
    if ((flags & O_DIRECTORY) === 0 || (flags & O_CREAT) !== 0) return -EINVAL;
    if ((flags & O_ACCMODE) === O_RDONLY) return -EINVAL;
  } else if ((flags & O_PATH) !== 0) flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
  else if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) return -EINVAL;
  const start = startOf(fs, credentials, base, resolve);
  const found = locate(fs, start, path, flags, mode, 0);
  if (typeof found === "number") return found;
  if ((flags & O_TMPFILE_BIT) !== 0) return openUnnamed(fs, start, found.location, flags, mode);
  return openLocation(fs, start, found.location, flags, found.created);
}

/** Finds the file, making it where O_CREAT says so. */
function locate(
  fs: FsContext,
  start: WalkStart,
  path: string,
  flags: number,
  mode: number,
  links: number,
): { location: Location; created: boolean } | number {
  const exclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL);
  const follow = (flags & O_NOFOLLOW) === 0 && !exclusive;
  const last = walkParent(start, path, links);
  if (typeof last === "number") return last;
  if ((flags & O_CREAT) === 0 || last.kind !== "name") {
    const found = finish(start, last, follow);
    return typeof found === "number" ? found : { location: found.location, created: false };
  }
  if (last.trailingSlash) return -EISDIR;
  const dentry = lastDentry(last);
  if (typeof dentry === "number") {
    if (dentry !== -ENOENT) return dentry;
    const made = create(fs, start, last.parent, last.name, S_IFREG | (mode & 0o7777));
    return typeof made === "number" ? made : { location: made, created: true };
  }
  const location = crossDown({ mount: last.parent.mount, dentry });
  if (!location.dentry.inode.isSymlink || !follow) return { location, created: false };
  const followed = finish(start, last, true);
  if (typeof followed === "object") return { location: followed.location, created: false };
  // A dangling link: the file is made where it leads.
  if (followed !== -ENOENT || !("readLink" in location.dentry.inode)) return followed;
  const target = (location.dentry.inode as unknown as { readLink(): string | number }).readLink();
  if (typeof target === "number") return target;
  if (last.links >= 40) return -ELOOP;
  return locate(fs, { ...start, base: last.parent }, target, flags, mode, last.links + 1);
}

/** Makes a regular file or other node in a directory; checks as may_create. */
export function create(
  fs: FsContext,
  start: WalkStart,
  parent: Location,
  name: string,
  mode: number,
  extra: { device?: { major: number; minor: number }; target?: string } = {},
): Location | number {
  const directory = parent.dentry.inode;
  if (parent.mount.readOnly) return -EROFS;
  const allowed = mayCreate(start.actor, parent);
  if (allowed < 0) return allowed;
  if (!(directory instanceof DirectoryInode)) return -ENOTDIR;
  const inherits = (directory.mode & S_ISGID) !== 0;
  const isDirectory = (mode & 0o170000) === S_IFDIR;
  const masked = (mode & 0o170000) === S_IFLNK ? mode : mode & ~fs.umask;
  const made = directory.create(name, {
    ...extra,
    mode: inherits && isDirectory ? masked | S_ISGID : masked,
    uid: start.actor.uid,
    gid: inherits ? directory.gid : start.actor.gid,
  });
  if (typeof made === "number") return made;
  const dentry = parent.dentry.lookup(name);
  return typeof dentry === "number" ? dentry : { mount: parent.mount, dentry };
}

/** O_TMPFILE: a file without a name in the file system of a directory. */
function openUnnamed(
  fs: FsContext,
  start: WalkStart,
  at: Location,
  flags: number,
  mode: number,
): OpenFile | number {
  const directory = at.dentry.inode;
  if (!directory.isDirectory) return -ENOTDIR;
  if (at.mount.readOnly) return -EROFS;
  const allowed = mayCreate(start.actor, at);
  if (allowed < 0) return allowed;
  const fileSystem = directory.fileSystem as TreeFileSystem | Ext4FileSystem;
  if (!("make" in fileSystem) || ("mirror" in fileSystem && fileSystem.mirror)) return -EOPNOTSUPP;
  if (!fileSystem.takeInode()) return -ENOSPC;
  const inode: Inode | number = fileSystem.make({
    mode: S_IFREG | (mode & 0o7777 & ~fs.umask),
    uid: start.actor.uid,
    gid: start.actor.gid,
  });
  if (typeof inode === "number") return inode;
  inode.links = 0;
  inode.linkable = (flags & O_EXCL) === 0;
  const dentry = new Dentry(`#${inode.number}`, at.dentry, inode);
  dentry.deleted = true;
  return new RegularOpenFile({ mount: at.mount, dentry }, kept(flags));
}

/** What F_GETFL shows: O_LARGEFILE always, as for every 64-bit program. */
function kept(flags: number): number {
  return (flags & ~ONE_TIME_FLAGS) | O_LARGEFILE;
}

/** Checks and opens a place that was found (do_open, may_open). */
function openLocation(
  fs: FsContext,
  start: WalkStart,
  location: Location,
  flags: number,
  created: boolean,
): OpenFile | number | OpenMustWait {
  const { inode } = location.dentry;
  if (!created) {
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -EEXIST;
    if ((flags & O_CREAT) !== 0 && inode.isDirectory) return -EISDIR;
  }
  if ((flags & O_DIRECTORY) !== 0 && !inode.isDirectory) return -ENOTDIR;
  if ((flags & O_PATH) !== 0) return new PathFile(location, flags & ~O_CLOEXEC);
  if (inode.type === S_IFLNK) return -ELOOP;
  const device = inode.type === S_IFCHR || inode.type === S_IFBLK;
  if (device && (location.mount.flags & MNT_NODEV) !== 0) return -EACCES;
  if (!created) {
    let wanted = ACCESS_OF_MODE[flags & O_ACCMODE];
    if ((flags & O_TRUNC) !== 0) wanted |= MAY_WRITE;
    if (inode.isDirectory && (wanted & MAY_WRITE) !== 0) return -EISDIR;
    const allowed = accessTo(start.actor, location, wanted);
    if (allowed < 0) return allowed;
    if ((flags & O_NOATIME) !== 0 && !ownerOrCapable(start.actor, inode)) return -EPERM;
    if ((flags & O_TRUNC) !== 0 && inode instanceof RegularInode) {
      const result = setFileSize(inode, 0);
      if (result < 0) return result;
      dropPrivilegeBits(inode, start.actor);
    }
  }
  return openInode(fs, location, flags);
}

function openInode(fs: FsContext, location: Location, flags: number): OpenFile | number | OpenMustWait {
  const { inode } = location.dentry;
  const status = kept(flags);
  if (opensItself(inode)) return inode.openFile(location, status);
  if (inode instanceof RegularInode) return new RegularOpenFile(location, status);
  if (inode instanceof DirectoryInode) return new DirectoryOpenFile(location, status, fs.root);
  if (!(inode instanceof SpecialInode)) return -ENXIO;
  switch (inode.type) {
    case S_IFCHR: {
      const { major, minor } = inode.deviceNumber;
      const { devices, deviceMajors } = fs.namespace;
      const open = devices.get(`${major}:${minor}`) ?? deviceMajors.get(major);
      return open ? open(location, status, fs, flags) : -ENXIO;
    }
    case S_IFBLK:
      return blockDevices(fs.namespace).open(location, status, flags);
    case S_IFIFO:
      return openFifo(fs, location, status);
    default:
      return -ENXIO;
  }
}

/** fifo(7): a reader waits for a writer and the other way round, unless O_NONBLOCK or both are asked for. */
function openFifo(fs: FsContext, location: Location, flags: number): OpenFile | number | OpenMustWait {
  const pipe = (location.dentry.inode.pipe ??= new Pipe());
  const access = flags & O_ACCMODE;
  if (access === O_WRONLY && (flags & O_NONBLOCK) !== 0 && pipe.readers === 0) return -ENXIO;
  const file = new PipeFile(location, flags & ~O_LARGEFILE, pipe);
  if (access === O_RDWR || (flags & O_NONBLOCK) !== 0) return file;
  // A pipe that is opened through /proc/PID/fd has no open to wait for.
  if (location.mount === fs.namespace.internal) return file;
  const other = access === O_RDONLY ? pipe.writers : pipe.readers;
  return other > 0 ? file : { fifo: file };
}

/** A program for execve: a regular file with an execute bit on a mount that allows it. */
export function openExecutable(
  fs: FsContext,
  credentials: Credentials,
  path: string,
  at?: Location,
): RegularOpenFile | number {
  const start = startOf(fs, credentials);
  const location = at ?? locationOf(start, path);
  if (typeof location === "number") return location;
  const { inode } = location.dentry;
  // execveat's AT_SYMLINK_NOFOLLOW stands before a link.
  if ((inode.mode & S_IFMT) === S_IFLNK) return -ELOOP;
  if (!(inode instanceof RegularInode) || location.mount.noExec) return -EACCES;
  const allowed = accessTo(start.actor, location, MAY_EXECUTE);
  return allowed < 0 ? allowed : new RegularOpenFile(location, O_RDONLY | O_LARGEFILE);
}

function locationOf(start: WalkStart, path: string): Location | number {
  const last = walkParent(start, path);
  const found = typeof last === "number" ? last : finish(start, last, true);
  return typeof found === "number" ? found : found.location;
}
