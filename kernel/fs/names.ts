import { EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV } from "../errno.js";
import type { Dentry } from "./dentry.js";
import type { FsContext } from "./fs-context.js";
import { DirectoryInode } from "./inode.js";
import { MAY_EXECUTE, MAY_WRITE } from "./mode.js";
import type { Location } from "./mount.js";
import { lastDentry, mayCreate } from "./namespace.js";
import { create } from "./open.js";
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "./open-flags.js";
import type { Actor } from "./permission.js";
import { CAP_FOWNER } from "../capabilities.js";
import { permission, stickyForbids } from "./permission.js";
import { walkParent } from "./walk.js";
import type { ParentResult, WalkStart } from "./walk.js";

/**
 * Where a new name is to be made: EEXIST where it is taken, ENOENT for a slash behind a name that cannot be a
 * directory, EROFS only then (filename_create).
 */
export function placeForName(start: WalkStart, path: string, forDirectory: boolean): ParentResult | number {
  const last = walkParent(start, path);
  if (typeof last === "number") return last;
  if (last.kind !== "name") return -EEXIST;
  const dentry = lastDentry(last);
  if (typeof dentry !== "number") return -EEXIST;
  if (dentry !== -ENOENT) return dentry;
  if (last.trailingSlash && !forDirectory) return -ENOENT;
  return last.parent.mount.readOnly ? -EROFS : last;
}

/** mkdir, mknod, symlink: makes a node under a new name; 0 or -errno. */
export function makeNode(
  fs: FsContext,
  start: WalkStart,
  path: string,
  mode: number,
  extra: { device?: { major: number; minor: number }; target?: string } = {},
): number {
  const place = placeForName(start, path, (mode & 0o170000) === 0o040000);
  if (typeof place === "number") return place;
  const made = create(fs, start, place.parent, place.name, mode, extra);
  return typeof made === "number" ? made : 0;
}

/** link(2): `source` has been walked already. */
export function makeLink(start: WalkStart, source: Location, path: string): number {
  const place = placeForName(start, path, false);
  if (typeof place === "number") return place;
  const { inode } = source.dentry;
  if (source.mount !== place.parent.mount) return -EXDEV;
  // fs.protected_hardlinks = 1: others' files only if they could be written anyway.
  if (!mayLink(start.actor, source)) return -EPERM;
  const allowed = mayCreate(start.actor, place.parent);
  if (allowed < 0) return allowed;
  if (inode.isDirectory) return -EPERM;
  if (inode.links === 0 && !inode.linkable) return -ENOENT;
  const directory = place.parent.dentry.inode;
  return directory instanceof DirectoryInode ? directory.link(place.name, inode) : -ENOTDIR;
}

function mayLink(actor: Actor, source: Location): boolean {
  const { inode } = source.dentry;
  if (actor.uid === inode.uid || actor.capable(CAP_FOWNER)) return true;
  const plain = inode.isRegular && (inode.mode & 0o4000) === 0 && (inode.mode & 0o2010) !== 0o2010;
  return plain && permission(actor, inode, 4 | MAY_WRITE) === 0;
}

/** fs/namei.c may_delete: may this name be taken out of its directory? */
function mayDelete(actor: Actor, parent: Location, victim: Dentry, asDirectory: boolean): number {
  const allowed = permission(actor, parent.dentry.inode, MAY_WRITE | MAY_EXECUTE);
  if (allowed < 0) return allowed;
  if (stickyForbids(actor, parent.dentry.inode, victim.inode) || victim.inode.isSwapFile) return -EPERM;
  if (asDirectory && !victim.inode.isDirectory) return -ENOTDIR;
  if (!asDirectory && victim.inode.isDirectory) return -EISDIR;
  return parent.dentry.deleted ? -ENOENT : 0;
}

function isEmpty(dentry: Dentry): number {
  const entries = (dentry.inode as DirectoryInode).entries();
  if (typeof entries === "number") return entries;
  return entries.length === 0 ? 0 : -ENOTEMPTY;
}

export function unlink(start: WalkStart, path: string): number {
  const last = walkParent(start, path);
  if (typeof last === "number") return last;
  if (last.kind !== "name") return -EISDIR;
  if (last.parent.mount.readOnly) return -EROFS;
  const victim = lastDentry(last);
  if (typeof victim === "number") return victim;
  if (last.trailingSlash) return victim.inode.isDirectory ? -EISDIR : -ENOTDIR;
  const allowed = mayDelete(start.actor, last.parent, victim, false);
  if (allowed < 0) return allowed;
  if (victim.mounted > 0) return -EBUSY;
  const result = (last.parent.dentry.inode as DirectoryInode).unlink(last.name);
  if (result === 0) last.parent.dentry.detach(victim);
  return result;
}

export function removeDirectory(start: WalkStart, path: string): number {
  const last = walkParent(start, path);
  if (typeof last === "number") return last;
  if (last.kind === "dotdot") return -ENOTEMPTY;
  if (last.kind === "dot") return -EINVAL;
  if (last.kind === "root") return -EBUSY;
  if (last.parent.mount.readOnly) return -EROFS;
  const victim = lastDentry(last);
  if (typeof victim === "number") return victim;
  const allowed = mayDelete(start.actor, last.parent, victim, true);
  if (allowed < 0) return allowed;
  if (victim.mounted > 0) return -EBUSY;
  const directory = victim.inode as DirectoryInode;
  const empty = directory.ownsEntries ? 0 : isEmpty(victim);
  if (empty < 0) return empty;
  const result = (last.parent.dentry.inode as DirectoryInode).removeDirectory(last.name);
  if (result === 0) last.parent.dentry.detach(victim);
  return result;
}

/** renameat2(2) between two walked parents, in the order of do_renameat2 and vfs_rename. */
export function rename(
  from: WalkStart,
  oldPath: string,
  to: WalkStart,
  newPath: string,
  flags: number,
): number {
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  if (exchange && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  const a = walkParent(from, oldPath);
  if (typeof a === "number") return a;
  const b = walkParent(to, newPath);
  if (typeof b === "number") return b;
  if (a.parent.mount !== b.parent.mount) return -EXDEV;
  if (a.kind !== "name") return -EBUSY;
  if (b.kind !== "name") return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  if (a.parent.mount.readOnly) return -EROFS;
  const source = lastDentry(a);
  if (typeof source === "number") return source;
  const found = lastDentry(b);
  if (typeof found === "number" && found !== -ENOENT) return found;
  const target = typeof found === "number" ? null : found;
  if (target && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  const isDirectory = source.inode.isDirectory;
  if (exchange) {
    if (!target) return -ENOENT;
    if (!target.inode.isDirectory && b.trailingSlash) return -ENOTDIR;
  }
  if (!isDirectory && (a.trailingSlash || (!exchange && b.trailingSlash))) return -ENOTDIR;
  if (source.contains(b.parent.dentry)) return -EINVAL;
  if (target?.contains(a.parent.dentry)) return exchange ? -EINVAL : -ENOTEMPTY;
  const whiteout = (flags & RENAME_WHITEOUT) !== 0;
  if (whiteout) return -EINVAL;
  if (target?.inode === source.inode) return 0;

  const { actor } = from;
  let allowed = mayDelete(actor, a.parent, source, isDirectory);
  if (allowed < 0) return allowed;
  if (target) allowed = mayDelete(actor, b.parent, target, exchange ? target.inode.isDirectory : isDirectory);
  else allowed = mayCreate(actor, b.parent);
  if (allowed < 0) return allowed;
  const otherParent = a.parent.dentry !== b.parent.dentry;
  // A directory that gets another parent has its ".." rewritten.
  if (otherParent && isDirectory) allowed = permission(actor, source.inode, MAY_WRITE);
  if (allowed === 0 && otherParent && exchange && target!.inode.isDirectory)
    allowed = permission(actor, target!.inode, MAY_WRITE);
  if (allowed < 0) return allowed;
  if (source.mounted > 0 || (target && target.mounted > 0)) return -EBUSY;
  if (target && !exchange && isDirectory) {
    const empty = isEmpty(target);
    if (empty < 0) return empty;
  }
  const result = (a.parent.dentry.inode as DirectoryInode).rename(
    a.name,
    b.parent.dentry.inode as DirectoryInode,
    b.name,
    exchange,
  );
  if (result < 0) return result;
  if (target && exchange) {
    b.parent.dentry.children.delete(b.name);
    a.parent.dentry.children.delete(a.name);
    source.parent = target.parent = null;
    b.parent.dentry.adopt(source, b.name);
    a.parent.dentry.adopt(target, a.name);
  } else {
    if (target) b.parent.dentry.detach(target);
    b.parent.dentry.adopt(source, b.name);
  }
  return 0;
}
