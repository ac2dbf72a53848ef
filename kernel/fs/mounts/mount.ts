/** The forms of mount(2), each with its refusals in the order of fs/namespace.c. The caller has CAP_SYS_ADMIN. */

import { EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOTDIR } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { FileSystem } from "../file-system.js";
import { fileSystemType } from "../types/registry.js";
import type { Location, Mount } from "../mount.js";
import type { Namespace } from "../namespace.js";
import type { MountData } from "./data.js";
import { MS_PRIVATE, MS_REC, MS_SHARED, MS_SILENT, MS_SLAVE, MS_UNBINDABLE, SB_FLAGS } from "./flags.js";
import { attach, isMounted, isRootOfMount, sweepDetached, unattach, withDescendants } from "./tree.js";

export interface NewMountRequest {
  readonly kernel: Kernel;
  readonly type: string | null;
  readonly source: string | null;
  /** MS_* bits. */
  readonly flags: number;
  /** MNT_* bits. */
  readonly own: number;
  readonly data: MountData;
}

/**
 * A file system of a type at a place (do_new_mount). EINVAL no type; ENODEV unknown; what the type says to its options;
 * ENOENT the place was removed or is in no mount of the namespace; EBUSY the one file system of a type upon
 * itself; ENOTDIR the place is no directory.
 */
export function mountNew(namespace: Namespace, at: Location, request: NewMountRequest): number {
  if (request.type === null) return -EINVAL;
  const type = fileSystemType(request.type);
  if (type === null) return -ENODEV;
  const { kernel, source, data } = request;
  const flags = ((request.flags & SB_FLAGS) | data.set) & ~data.cleared;
  const fileSystem = type.mount({ kernel, namespace, source, data, flags });
  if (typeof fileSystem === "number") return fileSystem;
  if (fileSystem.mountCount === 0) fileSystem.flags = flags;
  const refused = refusedFor(namespace, at, fileSystem, type.single);
  if (refused < 0) {
    if (type.onDevice && fileSystem.mountCount === 0) fileSystem.shutDown();
    return refused;
  }
  const mount = namespace.makeMount(fileSystem, { flags: request.own, source: source ?? "none" });
  place(namespace, [mount], at);
  return 0;
}

function refusedFor(namespace: Namespace, at: Location, fileSystem: FileSystem, single: boolean): number {
  const refused = refusedPlace(namespace, at);
  if (refused < 0) return refused;
  if (single && at.mount.fileSystem === fileSystem && isRootOfMount(at)) return -EBUSY;
  return at.dentry.inode.isDirectory ? 0 : -ENOTDIR;
}

/**
 * A part of the tree at a second place (do_loopback). ENOENT as above; EINVAL what is shown is in no mount of
 * the namespace, or unbindable; ENOTDIR one is a directory and the other is not.
 */
export function mountBind(namespace: Namespace, from: Location, at: Location, recursive: boolean): number {
  const refused = refusedPlace(namespace, at);
  if (refused < 0) return refused;
  if (!isMounted(namespace, from.mount) || from.mount.propagation === "unbindable") return -EINVAL;
  if (from.dentry.inode.isDirectory !== at.dentry.inode.isDirectory) return -ENOTDIR;
  const copies = new Map<Mount, Mount>();
  const top = copy(namespace, from.mount, from.dentry);
  copies.set(from.mount, top);
  if (recursive)
    for (const mount of withDescendants(from.mount)) {
      if (mount === from.mount || mount.at === null) continue;
      const parent = copies.get(mount.at.mount);
      const below = mount.at.mount !== from.mount || from.dentry.contains(mount.at.dentry);
      if (parent === undefined || !below || mount.propagation === "unbindable") continue;
      const made = copy(namespace, mount, mount.root);
      attach(made, { mount: parent, dentry: mount.at.dentry });
      copies.set(mount, made);
    }
  place(namespace, [...copies.values()], at);
  return 0;
}

function copy(namespace: Namespace, mount: Mount, root: Location["dentry"]): Mount {
  return namespace.makeMount(mount.fileSystem, { flags: mount.flags, source: mount.source, root });
}

/**
 * A mount to another place (do_move_mount). ENOENT as above; EINVAL what is moved is no mount's root, the first
 * mount, or attached to a shared one, or one is a directory and the other is not; ELOOP into itself.
 */
export function moveMount(namespace: Namespace, from: Location, at: Location): number {
  const refused = refusedPlace(namespace, at);
  if (refused < 0) return refused;
  const { mount } = from;
  if (!isRootOfMount(from) || !isMounted(namespace, mount) || mount.at === null) return -EINVAL;
  if (from.dentry.inode.isDirectory !== at.dentry.inode.isDirectory) return -EINVAL;
  if (mount.at.mount.propagation === "shared") return -EINVAL;
  if (
    at.mount.propagation === "shared" &&
    withDescendants(mount).some((each) => each.propagation === "unbindable")
  )
    return -EINVAL;
  for (let above: Mount | undefined = at.mount; above; above = above.at?.mount)
    if (above === mount) return -ELOOP;
  unattach(mount);
  attach(mount, at);
  return 0;
}

/**
 * What a mount passes on (do_change_type). EINVAL: not a mount's root, not exactly one kind, in no namespace. There
 * never is another namespace or a copy to pass anything on to, so "slave" is private.
 */
export function changePropagation(namespace: Namespace, { mount, dentry }: Location, flags: number): number {
  if (dentry !== mount.root) return -EINVAL;
  const kind = flags & ~(MS_REC | MS_SILENT);
  if (![MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE].includes(kind)) return -EINVAL;
  if (!isMounted(namespace, mount)) return -EINVAL;
  for (const each of (flags & MS_REC) !== 0 ? withDescendants(mount) : [mount]) {
    if (kind === MS_SHARED && each.group === 0) each.group = namespace.newGroup();
    if (kind !== MS_SHARED) each.group = 0;
    each.propagation = kind === MS_SHARED ? "shared" : kind === MS_UNBINDABLE ? "unbindable" : "private";
  }
  return 0;
}

/** Nothing can be attached to what was removed, or is in no mount of the namespace (lock_mount). */
function refusedPlace(namespace: Namespace, at: Location): number {
  return at.dentry.deleted || !isMounted(namespace, at.mount) ? -ENOENT : 0;
}

/** The first of the mounts goes to the place, the others are attached to it already. */
function place(namespace: Namespace, mounts: readonly Mount[], at: Location): void {
  attach(mounts[0], at);
  namespace.mounts.push(...mounts);
  // A mount below a shared one is shared (attach_recursive_mnt).
  if (at.mount.propagation === "shared")
    for (const mount of mounts) {
      mount.propagation = "shared";
      mount.group = namespace.newGroup();
    }
  sweepDetached(namespace);
}
