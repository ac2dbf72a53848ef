import { EACCES, EBUSY, EEXIST, EINVAL, ENODEV, ENXIO } from "../errno.js";
import type { DeviceNumber } from "../fs/inode.js";
import { DirectoryInode } from "../fs/inode.js";
import { S_IFBLK } from "../fs/mode.js";
import type { Location } from "../fs/mount.js";
import type { Namespace } from "../fs/namespace.js";
import { O_EXCL } from "../fs/open-flags.js";
import { MNT_NODEV } from "../fs/mounts/flags.js";
import type { BlockDevice } from "./block-device.js";
import { BlockFile } from "./block-file.js";
import { LoopDevice, type DiskSequence } from "./loop-device.js";
import { LOOP_COUNT, LOOP_MAJOR } from "./loop-uapi.js";

/** All disks of a machine. Made when the first is asked for. */
export class BlockDevices {
  /** By minor number. */
  readonly loops = new Map<number, LoopDevice>();
  private readonly sequences: DiskSequence = { next: 1 };

  constructor(private readonly namespace: Namespace) {
    for (let minor = 0; minor < LOOP_COUNT; minor++) this.makeLoop(minor);
  }

  /** In the order of their numbers. */
  *all(): IterableIterator<BlockDevice> {
    for (const minor of [...this.loops.keys()].sort((a, b) => a - b)) yield this.loops.get(minor)!;
  }

  get({ major, minor }: DeviceNumber): BlockDevice | null {
    return major === LOOP_MAJOR ? (this.loops.get(minor) ?? null) : null;
  }

  /** The disk behind a node of the tree, for mount and the like: ENOTBLK is the caller's; EACCES, ENXIO (lookup_bdev). */
  at(location: Location): BlockDevice | number {
    if ((location.mount.flags & MNT_NODEV) !== 0) return -EACCES;
    return this.get(location.dentry.inode.deviceNumber) ?? -ENXIO;
  }

  /** open(2) of a node. ENXIO no such disk; EBUSY with O_EXCL, claimed already. */
  open(location: Location, flags: number, asked: number): BlockFile | number {
    const disk = this.get(location.dentry.inode.deviceNumber);
    if (disk === null) return -ENXIO;
    const exclusive = (asked & O_EXCL) !== 0;
    if (exclusive && disk.holder !== null) return -EBUSY;
    disk.open(null);
    const file = new BlockFile(location, flags, disk, exclusive);
    if (exclusive) disk.holder = file;
    return file;
  }

  private makeLoop(minor: number): LoopDevice {
    const device = new LoopDevice(minor, this.namespace.context.frames, this.sequences);
    this.loops.set(minor, device);
    return device;
  }

  /** LOOP_CTL_ADD: a device of that number, or below 0 of the first that is not taken; its number, or -EEXIST. */
  addLoop(wanted: number): number {
    if (wanted >= 0 && this.loops.has(wanted)) return -EEXIST;
    let minor = wanted;
    if (minor < 0) for (minor = 0; this.loops.has(minor);) minor++;
    this.makeLoop(minor);
    const directory = this.devices();
    directory?.create(`loop${minor}`, {
      mode: S_IFBLK | 0o660,
      uid: 0,
      gid: DISK_GROUP,
      device: { major: LOOP_MAJOR, minor },
    });
    return minor;
  }

  /** LOOP_CTL_REMOVE. EINVAL below 0; ENODEV; EBUSY it is bound or open. */
  removeLoop(minor: number): number {
    if (minor < 0) return -EINVAL;
    const device = this.loops.get(minor);
    if (device === undefined) return -ENODEV;
    if (!device.free || device.openers > 0) return -EBUSY;
    this.loops.delete(minor);
    const directory = this.devices();
    if (typeof directory?.lookup(`loop${minor}`) === "object") directory.unlink(`loop${minor}`);
    return minor;
  }

  /** LOOP_CTL_GET_FREE: the number of the first that nothing is bound to, a new one if need be. */
  freeLoop(): number {
    for (const minor of [...this.loops.keys()].sort((a, b) => a - b))
      if (this.loops.get(minor)!.free) return minor;
    return this.addLoop(-1);
  }

  private devices(): DirectoryInode | null {
    const root = this.namespace.permanent.get("devtmpfs")?.root;
    return root instanceof DirectoryInode ? root : null;
  }

  /** sync(2): what was stored through mappings. */
  flush(): void {
    for (const device of this.loops.values()) if (device.backing !== null) device.flush();
  }
}

/** The disks of a tree of mounts. */
export function blockDevices(namespace: Namespace): BlockDevices {
  return (namespace.block ??= new BlockDevices(namespace));
}

/** Debian's group "disk", to which udev gives disks. */
export const DISK_GROUP = 6;
