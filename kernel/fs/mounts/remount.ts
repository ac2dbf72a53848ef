import { EACCES, EBUSY, EINVAL } from "../../errno.js";
import type { FileSystem } from "../file-system.js";
import type { Location } from "../mount.js";
import type { Namespace } from "../namespace.js";
import type { MountData } from "./data.js";
import { MNT_READONLY, MS_RDONLY, SB_REMOUNT_FLAGS } from "./flags.js";
import { haveWriters } from "./in-use.js";
import { isMounted, isRootOfMount } from "./tree.js";

/**
 * Other flags for one mount (do_reconfigure_mnt). EINVAL: not a mount's root, or in no namespace; EBUSY: to be read-only
 * while a file is open for writing.
 * @param own MNT_* bits
 */
export function remountBind(namespace: Namespace, at: Location, own: number): number {
  const { mount } = at;
  if (!isMounted(namespace, mount) || !isRootOfMount(at)) return -EINVAL;
  const toReadOnly = (own & ~mount.flags & MNT_READONLY) !== 0;
  if (toReadOnly && haveWriters([mount])) return -EBUSY;
  mount.flags = own;
  return 0;
}

/**
 * Other flags and options for the file system, and flags for the mount (do_remount). EINVAL as above, or an option that
 * the file system refuses; EACCES: to be writable where it cannot; EBUSY as above, in any mount of it.
 * @param flags MS_* bits
 * @param own MNT_* bits
 */
export function remount(
  namespace: Namespace,
  at: Location,
  flags: number,
  own: number,
  data: MountData,
): number {
  const { mount } = at;
  const { fileSystem } = mount;
  if (!isMounted(namespace, mount) || !isRootOfMount(at)) return -EINVAL;
  const wanted = ((flags & SB_REMOUNT_FLAGS) | data.set) & ~data.cleared;
  const refused = changeFlags(namespace, fileSystem, wanted, () => fileSystem.reconfigure(data, wanted));
  if (refused < 0) return refused;
  mount.flags = own;
  return 0;
}

/** reconfigure_super */
export function changeFlags(
  namespace: Namespace,
  fileSystem: FileSystem,
  wanted: number,
  reconfigure: () => number = () => 0,
): number {
  const toReadOnly = (wanted & ~fileSystem.flags & MS_RDONLY) !== 0;
  if ((wanted & MS_RDONLY) === 0 && fileSystem.writeProtected) return -EACCES;
  const all = [...namespace.mounts, ...namespace.detached].filter((each) => each.fileSystem === fileSystem);
  if (toReadOnly && haveWriters(all)) return -EBUSY;
  const refused = reconfigure();
  if (refused < 0) return refused;
  fileSystem.flags = (fileSystem.flags & ~SB_REMOUNT_FLAGS) | wanted;
  return 0;
}
