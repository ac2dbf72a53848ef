import type { FsContext } from "../fs-context.js";
import { pathOf } from "../mount.js";
import type { Mount } from "../mount.js";
import {
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_NOSYMFOLLOW,
  MNT_READONLY,
  MNT_RELATIME,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_RDONLY,
  MS_SYNCHRONOUS,
} from "../mounts/flags.js";

/** Mounts below the task's root, with their paths; spaces and the like as octal escapes. */
function visible(fs: FsContext): { mount: Mount; path: string; parent: number }[] {
  const whole = fs.root.dentry === fs.namespace.root.dentry && fs.root.mount === fs.namespace.root.mount;
  return fs.namespace.mounts.flatMap((mount) => {
    const { path, reachable } = pathOf({ mount, dentry: mount.root }, fs.root);
    const first = mount.at === null && whole;
    if (!reachable && !first) return [];
    const parent = mount.at?.mount.id ?? 1;
    return [{ mount, parent, path: first ? "/" : escape(path) }];
  });
}

/** seq_path */
function escape(path: string): string {
  return path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** A source might begin a line, and be taken for a comment (mangle). */
function escapeSource({ source }: Mount): string {
  return escape(source).replaceAll("#", "\\043");
}

/** show_mnt_opts */
const MOUNT_WORDS: readonly (readonly [number, string])[] = [
  [MNT_NOSUID, "nosuid"],
  [MNT_NODEV, "nodev"],
  [MNT_NOEXEC, "noexec"],
  [MNT_NOATIME, "noatime"],
  [MNT_NODIRATIME, "nodiratime"],
  [MNT_RELATIME, "relatime"],
  [MNT_NOSYMFOLLOW, "nosymfollow"],
];

/** show_sb_opts */
const SUPER_WORDS: readonly (readonly [number, string])[] = [
  [MS_SYNCHRONOUS, "sync"],
  [MS_DIRSYNC, "dirsync"],
  [MS_MANDLOCK, "mand"],
  [MS_LAZYTIME, "lazytime"],
];

function words(bits: number, names: readonly (readonly [number, string])[]): string {
  return names.map(([bit, name]) => ((bits & bit) === 0 ? "" : `,${name}`)).join("");
}

function access(readOnly: boolean): string {
  return readOnly ? "ro" : "rw";
}

/** /proc/pid/mounts (show_vfsmnt) */
export function mountTable(fs: FsContext): string {
  return visible(fs)
    .map(({ mount, path }) => {
      const { fileSystem } = mount;
      const flags = `${words(fileSystem.flags, SUPER_WORDS)}${words(mount.flags, MOUNT_WORDS)}`;
      const options = `${access(mount.readOnly)}${flags}${fileSystem.showOptions()}`;
      return `${escapeSource(mount)} ${path} ${fileSystem.typeName} ${options} 0 0\n`;
    })
    .join("");
}

/** /proc/pid/mountinfo (show_mountinfo) */
export function mountInfo(fs: FsContext): string {
  return visible(fs)
    .map(({ mount, path, parent }) => {
      const { fileSystem } = mount;
      const { device, typeName, flags } = fileSystem;
      const root = escape(rootPath(mount));
      const own = `${access((mount.flags & MNT_READONLY) !== 0)}${words(mount.flags, MOUNT_WORDS)}`;
      const whole = `${access((flags & MS_RDONLY) !== 0)}${words(flags, SUPER_WORDS)}${fileSystem.showOptions()}`;
      const optional =
        mount.propagation === "private"
          ? ""
          : mount.propagation === "shared"
            ? ` shared:${mount.group}`
            : " unbindable";
      return `${mount.id} ${parent} ${device.major}:${device.minor} ${root} ${path} ${own}${optional} - ${typeName} ${escapeSource(mount)} ${whole}\n`;
    })
    .join("");
}

/** Which part of its file system a mount shows. */
function rootPath({ root }: Mount): string {
  const names: string[] = [];
  for (let at = root; at.parent !== null; at = at.parent) names.unshift(at.name);
  return `/${names.join("/")}${root.deleted ? "//deleted" : ""}`;
}

/** /proc/pid/mountstats (show_vfsstat) */
export function mountStatistics(fs: FsContext): string {
  return visible(fs)
    .map(
      ({ mount, path }) =>
        `device ${escapeSource(mount)} mounted on ${path} with fstype ${mount.fileSystem.typeName}\n`,
    )
    .join("");
}
