import { groupDirectory } from "../../cgroup/directory.js";
import type { Kernel } from "../../kernel.js";
import { crossDown } from "../mount.js";
import type { Namespace } from "../namespace.js";
import { directory, GeneratedFileSystem } from "./file-system.js";
import type { Children, Node } from "./file-system.js";
import { machineFiles } from "./machine-files.js";
import { systemFiles } from "./sysfs.js";
import { taskDirectory } from "./task-directory.js";

/** Mounts procfs at /proc and sysfs at /sys. To be called once, when the kernel is there. */
export function mountKernelFileSystems(namespace: Namespace, kernel: Kernel): void {
  namespace.terminals.kernel = kernel;
  namespace.joinSharedMemory(kernel.mmSettings.sharedMemory);
  const attach = (
    path: string,
    typeName: "proc" | "sysfs" | "cgroup2",
    top: Extract<Node, { kind: "directory" }>,
  ): void => {
    const at = namespace.makePath(path);
    if (typeof at === "number") return;
    const fileSystem = new GeneratedFileSystem(namespace.context, typeName, namespace.newDevice(), top);
    namespace.permanent.set(typeName, fileSystem);
    namespace.mount(crossDown(at), fileSystem, { source: typeName });
  };
  attach("/proc", "proc", processes(kernel, machineFiles(kernel)));
  attach(
    "/sys",
    "sysfs",
    directory(() => systemFiles(kernel)),
  );
  attach("/sys/fs/cgroup", "cgroup2", groupDirectory(kernel, kernel.cgroups.root));
}

/** /proc itself: files of the machine in the order of their table, then processes by number (proc_root_readdir). */
function processes(kernel: Kernel, machine: Record<string, Node>): Extract<Node, { kind: "directory" }> {
  const files = new Map(Object.entries(machine).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)));
  const self: Node = { kind: "link", target: () => `${kernel.current.pid}` };
  const thread: Node = { kind: "link", target: () => `${kernel.current.pid}/task/${kernel.current.tid}` };
  const known = new Map(files).set("self", self).set("thread-self", thread);
  const children = (): Children => {
    const nodes = new Map(known);
    for (const pid of [...kernel.processes.keys()].sort((a, b) => a - b))
      nodes.set(`${pid}`, taskDirectory(kernel, kernel.processes.get(pid)!.leader));
    return nodes;
  };
  const child = (name: string): Node | undefined => {
    if (!/^[1-9]\d{0,6}$/.test(name)) return known.get(name);
    // Any thread's number leads to a directory, though only processes are listed.
    const task = kernel.tasks.get(Number(name));
    return task && taskDirectory(kernel, task);
  };
  return { kind: "directory", children, child };
}
