import type { Kernel } from "../../kernel.js";
import type { FileSystem } from "../file-system.js";
import type { MountData } from "../mounts/data.js";
import type { Namespace } from "../namespace.js";

/** What a mount(2) asks of a file system type. */
export interface MountRequest {
  readonly kernel: Kernel;
  readonly namespace: Namespace;
  /** The first argument; null where it is NULL. */
  readonly source: string | null;
  readonly data: MountData;
  /** MS_* bits that are the file system's, those of words like "ro" among them. */
  readonly flags: number;
}

/** A kind of file system that mount(2) knows ("struct file_system_type"). */
export interface FileSystemType {
  readonly name: string;
  /** Its source is a disk. */
  readonly onDevice?: true;
  /** There is one of it (of those on disks, one on each), and a mount shows that: EBUSY on top of itself. Otherwise each mount counts as its own. */
  readonly single: boolean;
  /** The file system that a mount is to show: a new one, or the one there is; -errno for options that it refuses. */
  mount(request: MountRequest): FileSystem | number;
}
