/** Who is attached where. */

import type { Location, Mount } from "../mount.js";
import type { Namespace } from "../namespace.js";
import { isInUse } from "./in-use.js";

/** Attaches a mount that stands nowhere (attach_mnt). */
export function attach(mount: Mount, at: Location): void {
  mount.at = at;
  at.mount.children.set(at.dentry, mount);
  at.dentry.mounted++;
  at.dentry.pin();
}

/** Takes it off its place; what is attached to it stays so. */
export function unattach(mount: Mount): void {
  const { at } = mount;
  if (at === null) return;
  at.mount.children.delete(at.dentry);
  at.dentry.mounted--;
  mount.at = null;
}

/** May be mounted upon, moved and unmounted: it stands in the namespace (check_mnt). */
export function isMounted(namespace: Namespace, mount: Mount): boolean {
  return namespace.mounts.includes(mount);
}

/** The place is the root of a mount (path_mounted). */
export function isRootOfMount({ mount, dentry }: Location): boolean {
  return dentry === mount.root;
}

/** The mount and all that is attached to it and below. */
export function withDescendants(mount: Mount): Mount[] {
  return [mount, ...[...mount.children.values()].flatMap(withDescendants)];
}

/**
 * Takes a mount and everything below out of the namespace, each from its parent too (umount_tree). What nobody uses
 * goes at once, the rest when its last user has gone.
 */
export function detachTree(namespace: Namespace, top: Mount): void {
  for (const mount of withDescendants(top)) {
    unattach(mount);
    namespace.mounts.splice(namespace.mounts.indexOf(mount), 1);
    mount.detached = namespace;
    namespace.detached.add(mount);
  }
  sweepDetached(namespace);
}

/** Ends detached mounts that nobody uses any more. */
export function sweepDetached(namespace: Namespace): void {
  for (const mount of namespace.detached) {
    if (isInUse(namespace, mount)) continue;
    namespace.detached.delete(mount);
    const { fileSystem } = mount;
    const kept = [...namespace.permanent.values()].includes(fileSystem);
    if (--fileSystem.mountCount === 0 && !kept) fileSystem.shutDown();
  }
}
