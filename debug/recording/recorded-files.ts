import { EBADF, EIO } from "../../kernel/errno.js";
import type { HostEntry, HostFiles, HostHandle, HostStat } from "../../kernel/fs/host-files.js";
import type { Timestamp } from "../../kernel/fs/timestamp.js";
import type { LogCursor } from "./log-cursor.js";
import { hashBytes, type Value } from "./value.js";

/** A file that the machine opened. */
interface Opened {
  readonly root: number;
  /** Its name then. */
  readonly path: string;
  readonly write: boolean;
  /** The handle of the host's own; null where it is not open there. */
  live: HostHandle | null;
}

const hashText = (text: string): number => hashBytes(new TextEncoder().encode(text));

/**
 * The host's files behind a RewindableHost. What is looked at is kept, each thing once; what is changed is
 * changed once only. A handle is good for ever: after the machine has been put back, and where the file was closed since.
 */
export class RecordedFiles implements HostFiles {
  private readonly opened = new Map<HostHandle, Opened>();
  /** The handles of what has still the name with which it was opened. */
  private readonly handles = new Map<string, HostHandle>();

  constructor(
    private readonly cursor: LogCursor,
    private readonly live: HostFiles | null,
  ) {}

  stat(root: number, path: string): HostStat | number {
    return this.ask(`stat ${root} ${path}`, (files) => files.stat(root, path) as Value) as HostStat | number;
  }

  list(root: number, path: string): HostEntry[] | number {
    return this.ask(`list ${root} ${path}`, (files) => files.list(root, path) as unknown as Value) as
      HostEntry[] | number;
  }

  readLink(root: number, path: string): string | number {
    return this.ask(`readlink ${root} ${path}`, (files) => files.readLink(root, path));
  }

  open(root: number, path: string, write: boolean): HostHandle {
    const key = `${root} ${write ? "w" : "r"} ${path}`;
    const known = this.handles.get(key);
    let file = known === undefined ? undefined : this.opened.get(known);
    const result = this.ask(`open ${root} ${path}`, (files) => {
      if (file !== undefined && file.live !== null) return 0;
      const live = files.open(root, path, write);
      if (live < 0) return live;
      if (file === undefined) file = { root, path, write, live };
      else file.live = live;
      return 0;
    });
    if (result < 0) return result;
    if (known !== undefined) return known;
    const handle = this.opened.size + 1;
    this.opened.set(handle, file ?? { root, path, write, live: null });
    this.handles.set(key, handle);
    return handle;
  }

  read(handle: HostHandle, offset: number, destination: Uint8Array): number {
    const file = this.opened.get(handle);
    if (file === undefined) return -EBADF;
    const { root, path } = file;
    const read = (): Uint8Array | number => {
      const live = this.liveHandle(file);
      if (live < 0) return live;
      const count = this.live!.read(live, offset, destination);
      return count < 0 ? count : destination.subarray(0, count);
    };
    const question = `read ${root} ${path} ${offset} ${destination.length}`;
    const bytes = this.cursor.ask<Uint8Array | number>(question, read, -EIO);
    if (typeof bytes === "number") return bytes;
    destination.set(bytes);
    return bytes.length;
  }

  write(handle: HostHandle, offset: number, source: Uint8Array): number {
    return this.onHandle("write", handle, hashBytes(source, offset), source.length, (files, live) =>
      files.write(live, offset, source),
    );
  }

  setSize(handle: HostHandle, size: number): number {
    return this.onHandle("truncate", handle, hashText(`${size}`), 0, (files, live) =>
      files.setSize(live, size),
    );
  }

  sync(handle: HostHandle): number {
    return this.onHandle("sync", handle, 0, 0, (files, live) => files.sync(live));
  }

  statHandle(handle: HostHandle): HostStat | number {
    const file = this.opened.get(handle);
    if (file === undefined) return -EBADF;
    return this.ask(`fstat ${file.root} ${file.path}`, (files) => {
      const live = this.liveHandle(file);
      return (live < 0 ? live : files.statHandle(live)) as Value;
    }) as HostStat | number;
  }

  close(handle: HostHandle): void {
    const file = this.opened.get(handle);
    if (file === undefined || file.live === null || this.cursor.replaying) return;
    this.live?.close(file.live);
    file.live = null;
  }

  create(root: number, path: string, permissions: number): number {
    return this.change("create", [root, path, permissions], (files) => files.create(root, path, permissions));
  }

  makeDirectory(root: number, path: string, permissions: number): number {
    return this.change("mkdir", [root, path, permissions], (files) =>
      files.makeDirectory(root, path, permissions),
    );
  }

  makeSymlink(root: number, path: string, target: string): number {
    return this.change("symlink", [root, path, target], (files) => files.makeSymlink(root, path, target));
  }

  link(root: number, from: string, to: string): number {
    return this.change("link", [root, from, to], (files) => files.link(root, from, to));
  }

  removeFile(root: number, path: string): number {
    for (const mode of ["r", "w"]) this.handles.delete(`${root} ${mode} ${path}`);
    return this.change("unlink", [root, path], (files) => files.removeFile(root, path));
  }

  removeDirectory(root: number, path: string): number {
    return this.change("rmdir", [root, path], (files) => files.removeDirectory(root, path));
  }

  rename(root: number, from: string, to: string): number {
    // What is opened by the old name from here on is another file.
    for (const key of [...this.handles.keys()]) {
      const path = key.slice(`${root} w `.length);
      if (key.startsWith(`${root} `) && (path === from || path.startsWith(`${from}/`)))
        this.handles.delete(key);
    }
    return this.change("rename", [root, from, to], (files) => files.rename(root, from, to));
  }

  setPermissions(root: number, path: string, permissions: number): number {
    return this.change("chmod", [root, path, permissions], (files) =>
      files.setPermissions(root, path, permissions),
    );
  }

  setOwner(root: number, path: string, uid: number, gid: number): number {
    return this.change("chown", [root, path, uid, gid], (files) => files.setOwner(root, path, uid, gid));
  }

  setTimes(root: number, path: string, accessed: Timestamp, modified: Timestamp): number {
    const times = [accessed, modified].flatMap(({ seconds, nanoseconds }) => [seconds, nanoseconds]);
    return this.change("utimes", [root, path, ...times], (files) =>
      files.setTimes(root, path, accessed, modified),
    );
  }

  private ask<T extends Value>(question: string, live: (files: HostFiles) => T): T {
    return this.cursor.ask<Value>(question, () => live(this.live!), -EIO) as T;
  }

  private change(
    what: string,
    details: readonly (number | string)[],
    live: (files: HostFiles) => number,
  ): number {
    const [root, path, ...rest] = details;
    return this.cursor.act(`${what} ${root} ${path}`, hashText(rest.join("\0")), 0, () => live(this.live!));
  }

  private onHandle(
    what: string,
    handle: HostHandle,
    hash: number,
    expected: number,
    live: (files: HostFiles, handle: HostHandle) => number,
  ): number {
    const file = this.opened.get(handle);
    if (file === undefined) return -EBADF;
    return this.cursor.act(`${what} file ${file.root} ${file.path}`, hash, expected, () => {
      const own = this.liveHandle(file);
      return own < 0 ? own : live(this.live!, own);
    });
  }

  /** Opens it again, where it was closed since. */
  private liveHandle(file: Opened): number {
    if (file.live !== null) return file.live;
    const handle = this.live!.open(file.root, file.path, file.write);
    if (handle >= 0) file.live = handle;
    return handle;
  }
}
