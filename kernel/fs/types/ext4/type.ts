import { walk } from "../../walk.js";
import { actorOf } from "../../permission.js";
import { S_IFBLK } from "../../mode.js";
import { blockDevices } from "../../../block/block-devices.js";
import type { BlockDevice } from "../../../block/block-device.js";
import { EACCES, EBUSY, EINVAL, ENOTBLK } from "../../../errno.js";
import { MS_RDONLY } from "../../mounts/flags.js";
import type { FileSystemType, MountRequest } from "../file-system-type.js";
import { Ext4FileSystem } from "./file-system.js";
import { knownOptions, leavesJournal } from "./options.js";

/**
 * mount(2) of a disk. EINVAL no source, or a bad option; those of the source's path; ENOTBLK no block device; EACCES its
 * mount forbids devices, or it can only be read; ENXIO nothing is behind it; EBUSY somebody else has it, or it is mounted
 * with the other access; EINVAL no such file system, or one with features that are not there; EBADMSG, EUCLEAN, EIO
 * damaged.
 */
function mount(name: string, request: MountRequest): Ext4FileSystem | number {
  const { kernel, namespace, data } = request;
  if (request.source === null || request.source === "") return -EINVAL;
  if (!knownOptions(data)) return -EINVAL;
  const device = deviceAt(request, request.source);
  if (typeof device === "number") return device;
  const readOnly = (request.flags & MS_RDONLY) !== 0;
  const { holder } = device;
  if (holder instanceof Ext4FileSystem && holder.typeName === name)
    return holder.readOnly === readOnly ? holder : -EBUSY;
  if (holder !== null) return -EBUSY;
  if (!readOnly && device.readOnly) return -EACCES;
  // Claimed by this request until there is a file system to do it.
  const claimed = device.open(request);
  if (claimed < 0) return claimed;
  const made = Ext4FileSystem.open(namespace.context, kernel, name, device, readOnly, !leavesJournal(data));
  if (made instanceof Ext4FileSystem) {
    device.holder = made;
    return made;
  }
  device.close(request);
  const { text } = made;
  return kernel.current.mm.refuse(`mount.${name}`, made.errno, () => ({ text, source: "ext4_fill_super" }));
}

function deviceAt({ kernel, namespace }: MountRequest, source: string): BlockDevice | number {
  const { fs, credentials } = kernel.current;
  const found = walk({ root: fs.root, base: fs.cwd, actor: actorOf(credentials) }, source, true);
  if (typeof found === "number") return found;
  if (found.location.dentry.inode.type !== S_IFBLK) return -ENOTBLK;
  return blockDevices(namespace).at(found.location);
}

/** ext2, ext3 and ext4: one driver, as Linux has it with CONFIG_EXT4_USE_FOR_EXT2. */
function type(name: string): FileSystemType {
  return { name, single: true, onDevice: true, mount: (request) => mount(name, request) };
}

export const EXT_TYPES: readonly FileSystemType[] = ["ext3", "ext2", "ext4"].map(type);
