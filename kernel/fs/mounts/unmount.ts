import { EAGAIN, EBUSY, EINVAL } from "../../errno.js";
import type { FsContext } from "../fs-context.js";
import type { Location } from "../mount.js";
import { MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MS_RDONLY } from "./flags.js";
import { isInUse } from "./in-use.js";
import { changeFlags } from "./remount.js";
import { detachTree, isMounted, isRootOfMount, sweepDetached } from "./tree.js";

/**
 * umount2(2) of the mount whose root a place is (path_umount, do_umount). EINVAL: not a mount's root, in no namespace,
 * the first mount but for making it read-only, MNT_EXPIRE of the caller's root or with other flags; EBUSY in use or
 * something is mounted in it; EAGAIN marked by the first MNT_EXPIRE. The caller's root is only made read-only.
 */
export function unmount(fs: FsContext, at: Location, flags: number): number {
  const { namespace } = fs;
  const { mount } = at;
  if (!isRootOfMount(at) || !isMounted(namespace, mount)) return -EINVAL;
  sweepDetached(namespace);
  const detach = (flags & MNT_DETACH) !== 0;
  const isRoot = mount === fs.root.mount;
  const busy = mount.children.size > 0 || isInUse(namespace, mount);
  if ((flags & MNT_EXPIRE) !== 0) {
    if (isRoot || (flags & (MNT_FORCE | MNT_DETACH)) !== 0) return -EINVAL;
    if (busy) return -EBUSY;
    const marked = mount.expiring;
    mount.expiring = true;
    if (!marked) return -EAGAIN;
  }
  if (isRoot && !detach) {
    const { fileSystem } = mount;
    return changeFlags(namespace, fileSystem, fileSystem.flags | MS_RDONLY);
  }
  // The first mount holds the machine's own files: it stays, as one that another user's namespace has locked.
  if (mount.at === null) return -EINVAL;
  if (busy && !detach) return -EBUSY;
  detachTree(namespace, mount);
  return 0;
}
