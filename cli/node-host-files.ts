import * as fs from "node:fs";
import { sep } from "node:path";
import { EACCES, EINVAL, EIO, ELOOP, ENOENT, ENOTDIR, ENXIO } from "../kernel/errno.js";
import * as errors from "../kernel/errno.js";
import type { HostEntry, HostFiles, HostHandle, HostStat } from "../kernel/fs/host-files.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../kernel/fs/mode.js";
import { timestampOf } from "../kernel/fs/timestamp.js";
import type { Timestamp } from "../kernel/fs/timestamp.js";

interface Root {
  /** Real path. */
  readonly path: string;
  /** On Linux, for a directory: a descriptor that every path starts from. */
  readonly fd: number | null;
}

/** A directory below a root, held open. */
interface HeldDirectory {
  readonly fd: number;
  readonly device: bigint;
  readonly inode: bigint;
}

const MAX_DIRECTORIES = 128;
/** O_PATH of Linux, which Node has no name for. */
const O_PATH = 0o10000000;

/**
 * The host's files through Node, none of them outside the roots.
 *
 * On Linux a path is walked one component after the other, each opened relative to the descriptor of the one before
 * (by way of /proc/self/fd/N/NAME, Node having no openat) with O_NOFOLLOW; the last step is relative to such a
 * descriptor too. So whatever others do to the directories meanwhile, no link is followed.
 *
 * Elsewhere the directory's real path must be that directory, which is looked at before each use of a name: who puts
 * a link there between the look and the use gets it followed.
 */
export class NodeHostFiles implements HostFiles {
  private readonly roots: Root[] = [];
  /** By root and path, oldest first. */
  private readonly directories = new Map<string, HeldDirectory>();
  private readonly handles = new Map<HostHandle, number>();
  private nextHandle = 1;

  /** @param anchored walk from held descriptors; where that can be done unless told */
  constructor(readonly anchored = process.platform === "linux" && fs.existsSync("/proc/self/fd")) {}

  /** A directory or file that the user named (links in this name are followed); its number, or -errno. */
  addRoot(hostPath: string): number {
    try {
      const path = fs.realpathSync.native(hostPath);
      const held = this.anchored && fs.statSync(path).isDirectory();
      this.roots.push({ path, fd: held ? fs.openSync(path, O_PATH | fs.constants.O_DIRECTORY) : null });
      return this.roots.length - 1;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** The directories and files that were named, by number. */
  get rootPaths(): string[] {
    return this.roots.map(({ path }) => path);
  }

  stat(root: number, path: string): HostStat | number {
    return this.attempt(root, path, (full) => statOf(fs.lstatSync(full, { bigint: true })));
  }

  list(root: number, path: string): HostEntry[] | number {
    const directory = this.roots[root]?.fd ?? null;
    return this.attempt(root, path, (full) => {
      if (directory !== null) return listOf(anchor(this.directory(root, path)));
      return fs.lstatSync(full).isDirectory() ? listOf(full) : -ENOTDIR;
    });
  }

  readLink(root: number, path: string): string | number {
    return this.attempt(root, path, (full) => fs.readlinkSync(full, "buffer").toString("latin1"));
  }

  open(root: number, path: string, write: boolean): HostHandle {
    return this.attempt(root, path, (full) => {
      const { O_RDONLY, O_RDWR, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
      // Windows has neither of the last two; there lstat must do.
      const careful = (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);
      if (!fs.lstatSync(full).isFile()) return -ENXIO;
      let fd: number;
      try {
        fd = fs.openSync(full, (write ? O_RDWR : O_RDONLY) | careful);
      } catch (error) {
        if (!write || errnoOf(error) !== -EACCES) throw error;
        fd = fs.openSync(full, O_RDONLY | careful);
      }
      if (!fs.fstatSync(fd).isFile()) {
        fs.closeSync(fd);
        return -ENXIO;
      }
      this.handles.set(this.nextHandle, fd);
      return this.nextHandle++;
    });
  }

  read(handle: HostHandle, offset: number, destination: Uint8Array): number {
    return this.onHandle(handle, (fd) => fs.readSync(fd, destination, 0, destination.length, offset));
  }

  write(handle: HostHandle, offset: number, source: Uint8Array): number {
    return this.onHandle(handle, (fd) => fs.writeSync(fd, source, 0, source.length, offset));
  }

  setSize(handle: HostHandle, size: number): number {
    return this.onHandle(handle, (fd) => (fs.ftruncateSync(fd, size), 0));
  }

  sync(handle: HostHandle): number {
    return this.onHandle(handle, (fd) => (fs.fsyncSync(fd), 0));
  }

  statHandle(handle: HostHandle): HostStat | number {
    return this.onHandle(handle, (fd) => statOf(fs.fstatSync(fd, { bigint: true })));
  }

  close(handle: HostHandle): void {
    const fd = this.handles.get(handle);
    if (fd === undefined) return;
    this.handles.delete(handle);
    fs.closeSync(fd);
  }

  create(root: number, path: string, permissions: number): number {
    return this.change(root, path, (full) => {
      const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
      const fd = fs.openSync(full, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), permissions);
      // The guest's umask has been applied; the host's must not be on top of it.
      fs.fchmodSync(fd, permissions);
      fs.closeSync(fd);
    });
  }

  makeDirectory(root: number, path: string, permissions: number): number {
    return this.change(root, path, (full) => {
      fs.mkdirSync(full);
      return this.chmod(full, permissions);
    });
  }

  makeSymlink(root: number, path: string, target: string): number {
    return this.change(root, path, (full) => {
      fs.symlinkSync(Buffer.from(target, "latin1"), full);
    });
  }

  link(root: number, from: string, to: string): number {
    return this.changeTwo(root, from, to, (a, b) => {
      fs.linkSync(a, b);
    });
  }

  removeFile(root: number, path: string): number {
    return this.change(root, path, (full) => {
      fs.unlinkSync(full);
    });
  }

  removeDirectory(root: number, path: string): number {
    return this.change(root, path, (full) => {
      fs.rmdirSync(full);
    });
  }

  rename(root: number, from: string, to: string): number {
    return this.changeTwo(root, from, to, (a, b) => {
      fs.renameSync(a, b);
    });
  }

  setPermissions(root: number, path: string, permissions: number): number {
    return this.change(root, path, (full) => this.chmod(full, permissions));
  }

  setOwner(root: number, path: string, uid: number, gid: number): number {
    return this.change(root, path, (full) => {
      fs.lchownSync(full, uid, gid);
    });
  }

  setTimes(root: number, path: string, accessed: Timestamp, modified: Timestamp): number {
    const seconds = (time: Timestamp): number => time.seconds + time.nanoseconds / 1e9;
    return this.change(root, path, (full) => {
      fs.lutimesSync(full, seconds(accessed), seconds(modified));
    });
  }

  /** Closes every file still open. */
  closeAll(): void {
    for (const handle of [...this.handles.keys()]) this.close(handle);
    this.forgetDirectories(0);
  }

  /** Never of what a link points at. */
  private chmod(full: Buffer, permissions: number): number {
    if (!this.anchored) {
      if (fs.lstatSync(full).isSymbolicLink()) return -ELOOP;
      fs.chmodSync(full, permissions);
      return 0;
    }
    const fd = fs.openSync(full, O_PATH | fs.constants.O_NOFOLLOW);
    try {
      if (fs.fstatSync(fd).isSymbolicLink()) return -ELOOP;
      fs.chmodSync(anchor(fd), permissions);
      return 0;
    } finally {
      fs.closeSync(fd);
    }
  }

  private change(root: number, path: string, act: (full: Buffer) => unknown): number {
    return this.attempt(root, path, (full) => {
      const result = act(full);
      return typeof result === "number" ? result : 0;
    });
  }

  private changeTwo(root: number, from: string, to: string, act: (a: Buffer, b: Buffer) => void): number {
    return this.change(root, from, (a) => {
      const b = this.resolve(root, to);
      return typeof b === "number" ? b : (act(a, b), 0);
    });
  }

  private attempt<T>(root: number, path: string, act: (full: Buffer) => T): T | number {
    try {
      // Here, and not while paths are walked: none that is in use may be closed.
      if (this.directories.size > MAX_DIRECTORIES) this.forgetDirectories(MAX_DIRECTORIES / 2);
      const full = this.resolve(root, path);
      return typeof full === "number" ? full : act(full);
    } catch (error) {
      return errnoOf(error);
    }
  }

  private forgetDirectories(keep: number): void {
    for (const [key, { fd }] of this.directories) {
      if (this.directories.size <= keep) return;
      this.directories.delete(key);
      fs.closeSync(fd);
    }
  }

  /** A host path as bytes that leads to this name with no link and no step upward on the way. */
  private resolve(root: number, path: string): Buffer | number {
    const base = this.roots[root];
    if (base === undefined) return -ENOENT;
    if (path.includes("\0") || (sep === "\\" && /[\\:]/.test(path))) return -EINVAL;
    if (path !== "")
      for (const part of path.split("/")) if (part === "" || part === "." || part === "..") return -EINVAL;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    if (base.fd === null) return path === "" ? Buffer.from(base.path) : this.checked(base.path, path, parent);
    if (path === "") return anchor(base.fd, ".");
    return anchor(this.directory(root, parent), path.slice(slash + 1));
  }

  /** A directory below a root whose descriptor is known. Throws what the host says. */
  private directory(root: number, path: string): number {
    const base = this.roots[root]!;
    if (path === "") return base.fd!;
    const key = `${root}:${path}`;
    const held = this.directories.get(key);
    const full = Buffer.concat([Buffer.from(base.path.replace(/\/?$/, "/")), Buffer.from(path, "latin1")]);
    if (held) {
      // Another directory may be there now. Only compared: what this leads to is not used.
      const stat = fs.statSync(full, { bigint: true, throwIfNoEntry: false });
      this.directories.delete(key);
      if (stat?.ino === held.inode && stat.dev === held.device) {
        this.directories.set(key, held);
        return held.fd;
      }
      fs.closeSync(held.fd);
    }
    const slash = path.lastIndexOf("/");
    const above = this.directory(root, slash < 0 ? "" : path.slice(0, slash));
    const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;
    const fd = fs.openSync(anchor(above, path.slice(slash + 1)), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const { dev: device, ino: inode } = fs.fstatSync(fd, { bigint: true });
    this.directories.set(key, { fd, device, inode });
    return fd;
  }

  /** Where there are no such descriptors: the path, once the real path of its directory is that directory. */
  private checked(base: string, path: string, parent: string): Buffer | number {
    const full = Buffer.concat([
      Buffer.from(base.endsWith(sep) ? base : base + sep),
      Buffer.from(path, "latin1"),
    ]);
    if (parent !== "") {
      const directory = full.subarray(0, full.length - (path.length - parent.length));
      const real = fs.realpathSync.native(
        directory,
        "buffer" as unknown as BufferEncoding,
      ) as unknown as Buffer;
      if (sep === "/" && !real.equals(directory)) return -ELOOP;
    }
    return full;
  }

  private onHandle<T>(handle: HostHandle, act: (fd: number) => T): T | number {
    const fd = this.handles.get(handle);
    if (fd === undefined) return -EIO;
    try {
      return act(fd);
    } catch (error) {
      return errnoOf(error);
    }
  }
}

/** A name in the directory that a descriptor holds; without a name the file itself. Linux only. */
function anchor(fd: number, name?: string): Buffer {
  const held = Buffer.from(`/proc/self/fd/${fd}`);
  return name === undefined ? held : Buffer.concat([held, Buffer.from("/"), Buffer.from(name, "latin1")]);
}

function listOf(full: Buffer): HostEntry[] {
  // opendir keeps the host's own order, as the program would see it there; readdir sorts.
  const directory = fs.opendirSync(full as unknown as string, {
    encoding: "buffer" as BufferEncoding,
    bufferSize: 256,
  });
  try {
    const entries: HostEntry[] = [];
    for (let row = directory.readSync(); row !== null; row = directory.readSync()) {
      const { name } = row as unknown as { name: Uint8Array };
      entries.push({ name: Buffer.from(name).toString("latin1"), type: typeOfRow(row) });
    }
    return entries;
  } finally {
    directory.closeSync();
  }
}

interface DirectoryRow {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}

function typeOfRow(entry: DirectoryRow): number {
  if (entry.isFile()) return S_IFREG;
  if (entry.isDirectory()) return S_IFDIR;
  if (entry.isSymbolicLink()) return S_IFLNK;
  if (entry.isFIFO()) return S_IFIFO;
  if (entry.isSocket()) return S_IFSOCK;
  if (entry.isCharacterDevice()) return S_IFCHR;
  return entry.isBlockDevice() ? S_IFBLK : 0;
}

/** Node's own numbers are the host's; the names are the same everywhere. */
export function errnoOf(error: unknown): number {
  const { code } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : (errors as unknown as Record<string, unknown>)[code];
  if (typeof known === "number") return -known;
  if (typeof code === "string") return -EIO;
  throw error;
}

export function statOf(stat: fs.BigIntStats): HostStat {
  const device = Number(stat.rdev);
  return {
    // Windows knows no execute permission: there every file has it.
    mode: Number(stat.mode) | (process.platform === "win32" ? 0o111 : 0),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    links: Number(stat.nlink),
    size: Number(stat.size),
    blocks: Number(stat.blocks ?? 0n),
    device: Number(stat.dev),
    inode: Number(stat.ino),
    deviceNumber: { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) },
    accessed: timestampOf(stat.atimeNs),
    modified: timestampOf(stat.mtimeNs),
    changed: timestampOf(stat.ctimeNs),
    born: timestampOf(stat.birthtimeNs),
  };
}
