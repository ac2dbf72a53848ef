import type { Mount } from "../mount.js";
import type { Namespace } from "../namespace.js";

/** Somebody has a file of it open or mapped, or stands in it (do_refcount_check). */
export function isInUse(namespace: Namespace, mount: Mount): boolean {
  if (mount.users > 0) return true;
  for (const { fs } of namespace.terminals.kernel?.tasks.values() ?? [])
    if (fs.cwd.mount === mount || fs.root.mount === mount) return true;
  return false;
}

/** Somebody has a regular file of one of these mounts open for writing (mnt_hold_writers). */
export function haveWriters(mounts: Iterable<Mount>): boolean {
  for (const mount of mounts) if (mount.writers > 0) return true;
  return false;
}
