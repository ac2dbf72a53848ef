import type { Timestamp } from "./timestamp.js";

/** What the host says of one name; never of what a symbolic link points at. */
export interface HostStat {
  /** Type and permission bits as st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Bytes. */
  readonly size: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly device: number;
  readonly inode: number;
  readonly deviceNumber: { readonly major: number; readonly minor: number };
  readonly accessed: Timestamp;
  readonly modified: Timestamp;
  readonly changed: Timestamp;
  readonly born: Timestamp;
}

export interface HostEntry {
  readonly name: string;
  /** S_IFMT bits; 0 where the host does not say. */
  readonly type: number;
}

export type HostHandle = number;

/**
 * Files of the host, below directories that the user named. A `root` is such a directory (or one file); a path is
 * a byte string relative to it, components parted by "/", "" for the root itself, never with "." or "..".
 * No call follows a symbolic link, in no component: one in the middle is -ENOTDIR or -ELOOP.
 * All calls give a value or -errno, synchronously.
 */
export interface HostFiles {
  stat(root: number, path: string): HostStat | number;
  list(root: number, path: string): HostEntry[] | number;
  readLink(root: number, path: string): string | number;

  /** Opens a regular file only (-ENXIO otherwise). */
  open(root: number, path: string, write: boolean): HostHandle;
  read(handle: HostHandle, offset: number, destination: Uint8Array): number;
  write(handle: HostHandle, offset: number, source: Uint8Array): number;
  setSize(handle: HostHandle, size: number): number;
  sync(handle: HostHandle): number;
  statHandle(handle: HostHandle): HostStat | number;
  close(handle: HostHandle): void;

  /** The calls below change the host; the kernel makes them for read-write mounts only. */
  create(root: number, path: string, permissions: number): number;
  makeDirectory(root: number, path: string, permissions: number): number;
  makeSymlink(root: number, path: string, target: string): number;
  link(root: number, from: string, to: string): number;
  removeFile(root: number, path: string): number;
  removeDirectory(root: number, path: string): number;
  rename(root: number, from: string, to: string): number;
  setPermissions(root: number, path: string, permissions: number): number;
  setOwner(root: number, path: string, uid: number, gid: number): number;
  setTimes(root: number, path: string, accessed: Timestamp, modified: Timestamp): number;
}
