import type { Node, Owner } from "../fs/procfs/file-system.js";
import type { Kernel } from "../kernel.js";
import type { ControlGroup, Ownership } from "./control-group.js";
import type { FileRules } from "./file-rules.js";
import { fileNames, fileRules } from "./files.js";
import { GroupFile } from "./group-file.js";

type Directory = Extract<Node, { kind: "directory" }>;

/** What a directory of the hierarchy holds, and what mkdir and rmdir do in it. */
export function groupDirectory(kernel: Kernel, group: ControlGroup): Directory {
  const { cgroups } = kernel;
  const child = (name: string): Node | undefined => {
    if (group.removed) return undefined;
    const below = group.children.get(name);
    if (below !== undefined) return groupDirectory(kernel, below);
    const rules = fileRules(group, name);
    return rules && fileNode(kernel, group, name, rules);
  };
  return {
    kind: "directory",
    ...owned(group, "", group.parent === null ? 0o555 : 0o755),
    links: () => 2 + group.children.size,
    children: () => {
      const names = group.removed ? [] : [...fileNames(group), ...group.children.keys()];
      return new Map(names.map((name) => [name, child(name)!]));
    },
    child,
    make: (name, owner) => cgroups.make(group, name, owner),
    remove: (name) => cgroups.remove(group, name),
    group,
  };
}

function fileNode(kernel: Kernel, group: ControlGroup, name: string, rules: FileRules): Node {
  return {
    kind: "special",
    ...owned(group, name, rules.mode ?? (rules.write === undefined ? 0o444 : 0o644)),
    open: (location, flags) => new GroupFile(location, flags, kernel, group, name),
  };
}

/** Whose it is, and how chown and chmod change that (kernfs keeps both with the node). */
function owned(
  group: ControlGroup,
  name: string,
  mode: number,
): {
  owner: Owner;
  mode: number;
  changeOwner: (uid: number, gid: number) => void;
  changeMode: (mode: number) => void;
} {
  const known = group.owners.get(name);
  const change = (change: Partial<Ownership>): void => {
    const now = group.owners.get(name) ?? { ...group.owner, mode: null };
    group.owners.set(name, { ...now, ...change });
  };
  return {
    owner: known ?? group.owner,
    mode: known?.mode ?? mode,
    changeOwner: (uid, gid) => change({ uid, gid }),
    changeMode: (permissions) => change({ mode: permissions }),
  };
}
