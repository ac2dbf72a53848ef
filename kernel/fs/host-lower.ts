import { EIO } from "../errno.js";
import type { HostFiles, HostHandle, HostStat } from "./host-files.js";

const MAX_HANDLES = 64;

/**
 * One directory (or file) of the host under a file system. With `writable` the file system mirrors every change to
 * the host; without it only the reading calls are ever made.
 */
export class HostLower {
  /** Open read handles by path, oldest first: a plain cache, empty after a snapshot is restored. */
  private readonly handles = new Map<string, HostHandle>();

  constructor(
    readonly files: HostFiles,
    readonly root: number,
    readonly writable: boolean,
  ) {}

  stat(path: string): HostStat | number {
    return this.files.stat(this.root, path);
  }

  /** Bytes read at `offset`, or -errno. Fills as much as the file has. */
  read(path: string, offset: number, destination: Uint8Array): number {
    const handle = this.handle(path);
    if (handle < 0) return handle;
    let done = 0;
    while (done < destination.length) {
      const count = this.files.read(handle, offset + done, destination.subarray(done));
      if (count < 0) return done > 0 ? done : count;
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Writes all of `source`; 0 or -errno. */
  write(path: string, offset: number, source: Uint8Array): number {
    const handle = this.handle(path);
    if (handle < 0) return handle;
    for (let done = 0; done < source.length;) {
      const count = this.files.write(handle, offset + done, source.subarray(done));
      if (count < 0) return count;
      if (count === 0) return -EIO;
      done += count;
    }
    return 0;
  }

  setSize(path: string, size: number): number {
    const handle = this.handle(path);
    return handle < 0 ? handle : this.files.setSize(handle, size);
  }

  sync(path: string): number {
    const handle = this.handle(path);
    return handle < 0 ? handle : this.files.sync(handle);
  }

  /** Opens a file now, so that it stays reachable when its name goes; 0 or -errno. */
  open(path: string): number {
    const handle = this.handle(path);
    return handle < 0 ? handle : 0;
  }

  forget(path: string): void {
    const handle = this.handles.get(path);
    if (handle === undefined) return;
    this.handles.delete(path);
    this.files.close(handle);
  }

  /** Handles keep working when a file gets another name. */
  renamed(from: string, to: string): void {
    for (const [path, handle] of [...this.handles]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.handles.delete(path);
      this.handles.set(to + path.slice(from.length), handle);
    }
  }

  private handle(path: string): HostHandle {
    const known = this.handles.get(path);
    if (known !== undefined) {
      this.handles.delete(path);
      this.handles.set(path, known);
      return known;
    }
    const handle = this.files.open(this.root, path, this.writable);
    if (handle < 0) return handle;
    this.handles.set(path, handle);
    if (this.handles.size > MAX_HANDLES) {
      for (const [oldest] of this.handles) {
        this.forget(oldest);
        break;
      }
    }
    return handle;
  }
}
