import { EACCES, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../errno.js";
import { SymlinkInode } from "./inode.js";
import { S_ISVTX } from "./mode.js";
import { crossDown, parentOf, sameLocation } from "./mount.js";
import type { Location } from "./mount.js";
import { MNT_NOSYMFOLLOW } from "./mounts/flags.js";
import { MAX_SYMLINKS, NAME_MAX } from "./open-flags.js";
import type { Actor } from "./permission.js";
import { permission } from "./permission.js";

/** RESOLVE_* of openat2(2). */
const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
export const RESOLVE_CACHED = 0x20;

export interface WalkStart {
  readonly root: Location;
  /** Where a relative path begins. */
  readonly base: Location;
  readonly actor: Actor;
  /** RESOLVE_* bits. */
  readonly resolve?: number;
}

/** Why the last component is what it is. */
export type LastKind = "name" | "dot" | "dotdot" | "root";

/** What a walk up to the last component found. */
export interface ParentResult {
  readonly parent: Location;
  /** "" for the root, "." or "..". */
  readonly name: string;
  readonly kind: LastKind;
  readonly trailingSlash: boolean;
  /** Links followed so far. */
  links: number;
}

/** A symbolic link of procfs that leads to a place, not to a path. */
export interface MagicLink {
  follow(): Location | number;
}

function isMagic(inode: object): inode is MagicLink {
  return "follow" in inode && typeof inode.follow === "function";
}

/**
 * Walks all but the last component. Errors in Linux's order: ENOENT for "", then by component ENOTDIR, EACCES
 * (search permission), ENAMETOOLONG, ENOENT, ELOOP (more than 40 links).
 */
export function walkParent(start: WalkStart, path: string, links = 0): ParentResult | number {
  const resolve = start.resolve ?? 0;
  if (path === "") return -ENOENT;
  let at = start.base;
  if (path.startsWith("/")) {
    if ((resolve & RESOLVE_BENEATH) !== 0) return -EXDEV;
    at = (resolve & RESOLVE_IN_ROOT) !== 0 ? start.base : start.root;
    // A path may begin at the root from anywhere; a link may not lead there from another mount.
    const jumps = links > 0 && at.mount !== start.base.mount;
    if (jumps && (resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
  }
  const components = path.split("/").filter((part) => part !== "");
  const trailingSlash = path.endsWith("/");
  if (components.length === 0) return { parent: at, name: "", kind: "root", trailingSlash, links };
  for (let i = 0; ; i++) {
    const name = components[i];
    if (!at.dentry.inode.isDirectory) return -ENOTDIR;
    const allowed = permission(start.actor, at.dentry.inode, 1);
    if (allowed < 0) return allowed;
    const kind = name === "." ? "dot" : name === ".." ? "dotdot" : "name";
    if (kind === "name" && name.length > NAME_MAX) return -ENAMETOOLONG;
    if (i === components.length - 1) return { parent: at, name, kind, trailingSlash, links };
    const next = step(start, at, name, kind);
    if (typeof next === "number") return next;
    at = next;
    if (at.dentry.inode instanceof SymlinkInode) {
      const followed = followLink(start, at, links);
      if (typeof followed === "number") return followed;
      at = followed.location;
      links = followed.links;
    }
    if (!at.dentry.inode.isDirectory) return -ENOTDIR;
  }
}

/** Takes one component, without following it if it is a link. */
function step(start: WalkStart, at: Location, name: string, kind: LastKind): Location | number {
  const resolve = start.resolve ?? 0;
  if (kind === "dot" || kind === "root") return at;
  let next: Location;
  if (kind === "dotdot") {
    const confined = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    if (confined && sameLocation(at, start.base)) {
      if ((resolve & RESOLVE_BENEATH) !== 0) return -EXDEV;
      return at;
    }
    // Moved out of the part that a bind mount shows (path_connected).
    const { root } = at.mount;
    if (root.parent && !root.contains(at.dentry)) return -ENOENT;
    next = parentOf(at, start.root);
  } else {
    const dentry = at.dentry.lookup(name);
    if (typeof dentry === "number") return dentry;
    next = crossDown({ mount: at.mount, dentry });
  }
  if (next.mount === at.mount) return next;
  if ((resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
  next.mount.expiring = false;
  return next;
}

/** Follows the link at `at`, and links that it leads to. */
function followLink(
  start: WalkStart,
  link: Location,
  links: number,
): { location: Location; links: number } | number {
  const inode = link.dentry.inode;
  const resolve = start.resolve ?? 0;
  if (links >= MAX_SYMLINKS || (resolve & RESOLVE_NO_SYMLINKS) !== 0) return -ELOOP;
  if ((link.mount.flags & MNT_NOSYMFOLLOW) !== 0) return -ELOOP;
  if (isMagic(inode)) {
    if ((resolve & RESOLVE_NO_MAGICLINKS) !== 0) return -ELOOP;
    if ((resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) return -EXDEV;
    const location = inode.follow();
    if (typeof location === "number") return location;
    if ((resolve & RESOLVE_NO_XDEV) !== 0 && location.mount !== link.mount) return -EXDEV;
    return { location, links: links + 1 };
  }
  if (!(inode instanceof SymlinkInode)) return -EINVAL;
  if (protectedLink(start, link)) return -EACCES;
  const target = inode.readLink();
  if (typeof target === "number") return target;
  const base = parentOf(link, start.root);
  // The confinement of openat2 stays at the first directory, whatever link leads on from where.
  const inner = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0 ? start : { ...start, base };
  if (inner === start) return followConfined(start, base, target, links + 1);
  const found = walk(inner, target, true, links + 1);
  return found;
}

function followConfined(
  start: WalkStart,
  from: Location,
  target: string,
  links: number,
): { location: Location; links: number } | number {
  if (target.startsWith("/")) return walk(start, target, true, links);
  // Relative to the link's directory but confined to start.base: express it as a path from there.
  const up: string[] = [];
  for (let at = from; !sameLocation(at, start.base);) {
    const above = parentOf(at, start.root);
    if (sameLocation(above, at)) return -EXDEV;
    up.push(at.dentry.name);
    at = above;
  }
  return walk(start, [...up.reverse(), target].join("/"), true, links);
}

/** fs.protected_symlinks = 1, as distributions set it: in a sticky world-writable directory only own links count. */
function protectedLink(start: WalkStart, link: Location): boolean {
  const directory = link.dentry.parent?.inode;
  if (!directory) return false;
  const sticky = (directory.mode & (S_ISVTX | 0o002)) === (S_ISVTX | 0o002);
  const owner = link.dentry.inode.uid;
  return sticky && owner !== start.actor.uid && owner !== directory.uid;
}

/** Takes the last component of a parent walk: the place it names, following links if asked. */
export function finish(
  start: WalkStart,
  last: ParentResult,
  follow: boolean,
): { location: Location; links: number } | number {
  const next = step(start, last.parent, last.name, last.kind);
  if (typeof next === "number") return next;
  let location = next;
  let links = last.links;
  if (location.dentry.inode instanceof SymlinkInode && (follow || last.trailingSlash)) {
    const followed = followLink(start, location, links);
    if (typeof followed === "number") return followed;
    ({ location, links } = followed);
  }
  if (last.trailingSlash && !location.dentry.inode.isDirectory) return -ENOTDIR;
  return { location, links };
}

/** A whole path. With `follow` the last component's links are followed too. */
export function walk(
  start: WalkStart,
  path: string,
  follow: boolean,
  links = 0,
): { location: Location; links: number } | number {
  const last = walkParent(start, path, links);
  return typeof last === "number" ? last : finish(start, last, follow);
}
