import { EINVAL, ENODEV } from "../errno.js";
import type { WaitQueue } from "../wait-queue.js";
import type { FilePages } from "../mm/file-pages.js";
import type { MappableFile } from "../mm/mappable-file.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import type { DirectoryEntry, Inode } from "./inode.js";
import { isLater } from "./timestamp.js";
import { absolutePath } from "./mount.js";
import type { Location } from "./mount.js";
import { MNT_NOATIME, MNT_NODIRATIME, MNT_NOSUID, MNT_RELATIME } from "./mounts/flags.js";
import {
  O_ACCMODE,
  O_APPEND,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "./open-flags.js";

/** Watches an open file description without holding it (struct epitem, in the file's f_ep). */
export interface FileWatcher {
  /** The last descriptor is gone: the watch ends (eventpoll_release). */
  fileClosed(): void;
}

/**
 * An open file description (`struct file`): what all descriptors made by dup and fork share. Counted: it closes when
 * the last descriptor and the last mapping of it are gone.
 */
export abstract class OpenFile implements MappableFile {
  /** Owner of flock and open-file-description locks. */
  readonly identity: number;
  /** In bytes; for a directory, the index of the next entry. */
  position = 0;
  /** Whom F_SETOWN named: a process, or with a minus sign a group. No signal is sent to it (see "no-sigio"). */
  signalOwner = 0;
  /** The epoll items that watch it; null: never any. */
  watchers: Set<FileWatcher> | null = null;
  protected references = 0;

  constructor(
    readonly location: Location,
    /** O_ACCMODE and status flags. */
    public flags: number,
  ) {
    this.identity = this.node.fileSystem.context.identities.openFile++;
    this.node.hold();
    location.mount.opened(this.writesHere);
  }

  /** Keeps its mount from becoming read-only: a regular file that is open for writing. */
  private get writesHere(): boolean {
    return this.node.isRegular && this.writable;
  }

  get node(): Inode {
    return this.location.dentry.inode;
  }
  get readable(): boolean {
    return (this.flags & O_PATH) === 0 && (this.flags & O_ACCMODE) !== O_WRONLY;
  }
  get writable(): boolean {
    return (this.flags & O_PATH) === 0 && (this.flags & O_ACCMODE) !== O_RDONLY;
  }
  get append(): boolean {
    return (this.flags & O_APPEND) !== 0;
  }
  get nonBlocking(): boolean {
    return (this.flags & O_NONBLOCK) !== 0;
  }
  get isPath(): boolean {
    return (this.flags & O_PATH) !== 0;
  }

  /** Has a position: lseek, pread and pwrite work; false makes them ESPIPE. */
  get seekable(): boolean {
    return true;
  }
  /** Waiting for it means waiting for the host's input. */
  get waitsOnHost(): boolean {
    return false;
  }

  /** Woken when what `poll` says may have changed; null for a file that never makes anyone wait. */
  get waitQueue(): WaitQueue | null {
    return null;
  }

  /** Takes any write whole without looking at its bytes, bad addresses included (/dev/null). */
  get discards(): boolean {
    return false;
  }

  /** Has a way to be written: without one a write is EINVAL, its bytes not looked at (FMODE_CAN_WRITE). */
  get takesWrites(): boolean {
    return true;
  }

  /** Bytes read at `offset` (streams ignore it); 0 at the end; -EAGAIN when a read must wait. */
  read(_destination: Uint8Array, _offset: number): number {
    return -EINVAL;
  }
  /** Bytes written; -EAGAIN when a write must wait. */
  write(_source: Uint8Array, _offset: number): number {
    return -EINVAL;
  }
  /** Takes back bytes at the front of what a stream's `read` just gave: user memory refused them. */
  unread(_bytes: Uint8Array): void {}
  /** All names from `position` on, "." and ".." not among them; only directories have some. */
  list(): DirectoryEntry[] | number {
    return -EINVAL;
  }
  /** POLL* bits that hold now. */
  poll(): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  /** Has a poll operation of its own (file_can_poll): regular files and the like are always ready, and epoll refuses them. */
  get pollable(): boolean {
    return this.poll !== OpenFile.prototype.poll;
  }
  /** Lines of /proc/PID/fdinfo/N that only files of this kind have (show_fdinfo). */
  info(): string {
    return "";
  }
  /** Where its pages are kept while it is a swap area, or -errno: -EINVAL for whatever cannot be one. */
  swapStore(): SwapStore | number {
    return -EINVAL;
  }
  /** fsync: 0 or -errno. */
  sync(): number {
    return 0;
  }
  /** The last reference has gone. */
  protected close(): void {}

  hold(): this {
    this.references++;
    return this;
  }

  release(): void {
    if (--this.references > 0) return;
    if (this.watchers !== null) for (const watcher of [...this.watchers]) watcher.fileClosed();
    for (const style of ["flock", "description"] as const) this.node.dropLocks(style, this.identity);
    this.close();
    this.node.drop();
    this.location.mount.closed(this.writesHere);
  }

  // What mmap needs to know.
  get device(): { readonly major: number; readonly minor: number } {
    return this.node.fileSystem.device;
  }
  get inode(): number {
    return this.node.number;
  }
  get mapName(): string {
    return absolutePath(this.location);
  }
  get path(): string {
    return this.mapName;
  }
  get pages(): FilePages | null {
    return null;
  }
  get mmapRefused(): number | undefined {
    return ENODEV;
  }
  get noExec(): boolean {
    return this.location.mount.noExec;
  }
  /** Set-user-ID bits of a program on its mount count for nothing. */
  get noSuid(): boolean {
    return (this.location.mount.flags & MNT_NOSUID) !== 0;
  }
  mapped(): void {
    this.hold();
  }
  unmapped(): void {
    this.release();
  }

  /** Notes a read in st_atime as the relatime mount option does: when it is not later than a change, or a day old. */
  protected touchAccess(): void {
    const { mount } = this.location;
    if ((this.flags & O_NOATIME) !== 0 || mount.readOnly || (mount.flags & MNT_NOATIME) !== 0) return;
    const node = this.node;
    if (node.isDirectory && (mount.flags & MNT_NODIRATIME) !== 0) return;
    const now = node.fileSystem.now();
    const stale =
      (mount.flags & MNT_RELATIME) === 0 ||
      !isLater(node.accessed, node.modified) ||
      !isLater(node.accessed, node.changed) ||
      now.seconds - node.accessed.seconds >= 86400;
    if (stale) node.accessed = now;
  }
}

/** open(2) with O_PATH: names a place and does nothing else. */
export class PathFile extends OpenFile {}
