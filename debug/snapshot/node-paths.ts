import { ENOENT, ESRCH } from "../../kernel/errno.js";
import { Dentry } from "../../kernel/fs/dentry.js";
import type { Inode } from "../../kernel/fs/inode.js";
import {
  GeneratedDirectory,
  GeneratedFileSystem,
  GeneratedInode,
  GeneratedLink,
  type Node,
} from "../../kernel/fs/procfs/file-system.js";

type Generated = GeneratedDirectory | GeneratedInode | GeneratedLink;

/** An inode of procfs or sysfs: what it shows is made by functions of the kernel, which its path leads to. */
export function isGenerated(object: unknown): object is Generated {
  return (
    object instanceof GeneratedDirectory ||
    object instanceof GeneratedInode ||
    object instanceof GeneratedLink
  );
}

/** The paths of such inodes, among the objects of a machine. The root's is "". */
export function nodePaths(objects: readonly object[]): Map<Inode, string> {
  const paths = new Map<Inode, string>();
  const visit = (directory: GeneratedDirectory, path: string): void => {
    paths.set(directory, path);
    for (const [name, inode] of directory.known) {
      const at = path === "" ? name : `${path}/${name}`;
      if (inode instanceof GeneratedDirectory) visit(inode, at);
      else paths.set(inode, at);
    }
  };
  for (const object of objects) if (object instanceof GeneratedFileSystem) visit(object.root, "");
  // What a directory has forgotten may be open still.
  for (const object of objects)
    if (object instanceof Dentry && isGenerated(object.inode) && !paths.has(object.inode))
      paths.set(object.inode, pathOf(object));
  return paths;
}

function pathOf(dentry: Dentry): string {
  const names: string[] = [];
  for (let at = dentry; at.parent !== null; at = at.parent) names.unshift(at.name);
  return names.join("/");
}

/** The node that a path leads to now; one of nothing where it leads nowhere, as of a task that has ended. */
export function nodeAt(root: GeneratedDirectory, path: string, kind: Node["kind"]): Node {
  let node: Node | number | undefined = root.node;
  for (const name of path === "" ? [] : path.split("/")) {
    if (typeof node !== "object" || node.kind !== "directory") break;
    node = childOf(node, name);
  }
  return typeof node === "object" && sameKind(node.kind, kind) ? node : gone(kind);
}

function childOf(node: Extract<Node, { kind: "directory" }>, name: string): Node | number | undefined {
  if (node.child !== undefined) return node.child(name);
  const all = node.children();
  return typeof all === "number" ? all : all.get(name);
}

/** Files are of one class, whether their text is made or they are opened by themselves. */
function sameKind(a: Node["kind"], b: Node["kind"]): boolean {
  const file = (kind: Node["kind"]): string => (kind === "special" ? "file" : kind);
  return file(a) === file(b);
}

function gone(kind: Node["kind"]): Node {
  switch (kind) {
    case "directory":
      return { kind, children: () => -ENOENT };
    case "link":
      return { kind, target: () => -ENOENT };
    default:
      return { kind: "file", content: () => -ESRCH };
  }
}
