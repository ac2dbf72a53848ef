import * as fs from "node:fs";
import { sep } from "node:path";
import { EACCES, EINVAL, EIO, ELOOP, ENOENT, ENOTDIR, ENXIO } from "../kernel/errno.js";
import * as errors from "../kernel/errno.js";
import type { HostEntry, HostFiles, HostHandle, HostStat } from "../kernel/fs/host-files.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from "../kernel/fs/mode.js";
import { timestampOf } from "../kernel/fs/timestamp.js";
import type { Timestamp } from "../kernel/fs/timestamp.js";

/**
 * The host's files through Node. Every path is checked to have no symbolic link before its last component (the real
 * path of its directory must be that directory), so that no name leads out of the root.
 */
export class NodeHostFiles implements HostFiles {
  readonly #roots: string[] = [];
  readonly #handles = new Map<HostHandle, number>();
  #nextHandle = 1;
  /** Directories whose real path was checked, until something might have changed it. */
  readonly #checked = new Set<string>();

  /** A directory or file that the user named (links in this name are followed); its number, or -errno. */
  addRoot(hostPath: string): number {
    try {
      this.#roots.push(fs.realpathSync.native(hostPath));
      return this.#roots.length - 1;
    } catch (error) {
      return errnoOf(error);
    }
  }

  stat(root: number, path: string): HostStat | number {
    return this.attempt(root, path, (full) => statOf(fs.lstatSync(full, { bigint: true })));
  }

  list(root: number, path: string): HostEntry[] | number {
    return this.attempt(root, path, (full) => {
      if (fs.lstatSync(full).isSymbolicLink()) return -ENOTDIR;
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
      this.#handles.set(this.#nextHandle, fd);
      return this.#nextHandle++;
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
    const fd = this.#handles.get(handle);
    if (fd === undefined) return;
    this.#handles.delete(handle);
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
      fs.chmodSync(full, permissions);
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
    return this.change(root, path, (full) => {
      if (fs.lstatSync(full).isSymbolicLink()) return -ELOOP;
      fs.chmodSync(full, permissions);
      return 0;
    });
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
    for (const handle of [...this.#handles.keys()]) this.close(handle);
  }

  private change(root: number, path: string, act: (full: Buffer) => unknown): number {
    // Any change may turn a directory into something else.
    this.#checked.clear();
    return this.attempt(root, path, (full) => {
      const result = act(full);
      return typeof result === "number" ? result : 0;
    });
  }

  private changeTwo(root: number, from: string, to: string, act: (a: Buffer, b: Buffer) => void): number {
    return this.change(root, from, (a) => this.attempt(root, to, (b) => (act(a, b), 0)));
  }

  private attempt<T>(root: number, path: string, act: (full: Buffer) => T): T | number {
    try {
      const full = this.resolve(root, path);
      return typeof full === "number" ? full : act(full);
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** The host path as bytes, with no link and no step upward on the way. */
  private resolve(root: number, path: string): Buffer | number {
    const base = this.#roots[root];
    if (base === undefined) return -ENOENT;
    if (path === "") return Buffer.from(base);
    if (path.includes("\0") || (sep === "\\" && /[\\:]/.test(path))) return -EINVAL;
    for (const part of path.split("/")) if (part === "" || part === "." || part === "..") return -EINVAL;
    const full = Buffer.concat([
      Buffer.from(base.endsWith(sep) ? base : base + sep),
      Buffer.from(path, "latin1"),
    ]);
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const key = `${root}:${parent}`;
    if (parent !== "" && !this.#checked.has(key)) {
      const directory = full.subarray(0, full.length - (path.length - slash));
      const real = fs.realpathSync.native(
        directory,
        "buffer" as unknown as BufferEncoding,
      ) as unknown as Buffer;
      if (sep === "/" && !real.equals(directory)) return -ELOOP;
      if (this.#checked.size > 10_000) this.#checked.clear();
      this.#checked.add(key);
    }
    return full;
  }

  private onHandle<T>(handle: HostHandle, act: (fd: number) => T): T | number {
    const fd = this.#handles.get(handle);
    if (fd === undefined) return -EIO;
    try {
      return act(fd);
    } catch (error) {
      return errnoOf(error);
    }
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
