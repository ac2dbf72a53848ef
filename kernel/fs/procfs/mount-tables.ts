import type { FsContext } from "../fs-context.js";
import { pathOf } from "../mount.js";
import type { Mount } from "../mount.js";

/** Mounts below the task's root, with their paths; spaces and the like as octal escapes (mangle_path). */
function visible(fs: FsContext): { mount: Mount; path: string; parent: number }[] {
  return fs.namespace.mounts.flatMap((mount) => {
    const { path, reachable } = pathOf({ mount, dentry: mount.root }, fs.namespace.root);
    const inside = reachable || mount.at === null;
    if (!inside) return [];
    const parent = mount.at?.mount.id ?? 1;
    return [{ mount, parent, path: mount.at === null ? "/" : escape(path) }];
  });
}

function escape(path: string): string {
  return path.replace(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function options(mount: Mount): string {
  return `${mount.readOnly ? "ro" : "rw"}${mount.noExec ? ",noexec" : ""},relatime`;
}

/** /proc/pid/mounts */
export function mountTable(fs: FsContext): string {
  return visible(fs)
    .map(
      ({ mount, path }) =>
        `${escape(mount.source)} ${path} ${mount.fileSystem.typeName} ${options(mount)} 0 0\n`,
    )
    .join("");
}

/** /proc/pid/mountinfo */
export function mountInfo(fs: FsContext): string {
  return visible(fs)
    .map(({ mount, path, parent }) => {
      const { device, typeName } = mount.fileSystem;
      const state = mount.readOnly ? "ro" : "rw";
      return `${mount.id} ${parent} ${device.major}:${device.minor} / ${path} ${options(mount)} - ${typeName} ${escape(mount.source)} ${state}\n`;
    })
    .join("");
}
