import type { Kernel } from "../../kernel.js";
import { crossDown } from "../mount.js";
import type { Namespace } from "../namespace.js";
import { GeneratedFileSystem } from "./file-system.js";
import type { Children, Node } from "./file-system.js";
import { machineFiles, systemFiles } from "./machine-files.js";
import { taskDirectory } from "./task-directory.js";

/** Mounts procfs at /proc and sysfs at /sys. To be called once, when the kernel is there. */
export function mountKernelFileSystems(namespace: Namespace, kernel: Kernel): void {
  const attach = (path: string, typeName: "proc" | "sysfs", children: () => Children): void => {
    const at = namespace.makePath(path);
    if (typeof at === "number") return;
    const fileSystem = new GeneratedFileSystem(namespace.context, typeName, namespace.newDevice(), children);
    namespace.mount(crossDown(at), fileSystem, { source: typeName });
  };
  const machine = new Map(Object.entries(machineFiles(kernel)));
  const system = new Map(Object.entries(systemFiles()));
  attach("/proc", "proc", () => processes(kernel, machine));
  attach("/sys", "sysfs", () => system);
}

function processes(kernel: Kernel, machine: Children): Children {
  const nodes = new Map<string, Node>();
  for (const task of kernel.tasks.values())
    if (task.tid === task.pid) nodes.set(`${task.pid}`, taskDirectory(kernel, task));
  for (const [name, node] of machine) nodes.set(name, node);
  nodes.set("self", { kind: "link", target: () => `${kernel.current.pid}` });
  nodes.set("thread-self", {
    kind: "link",
    target: () => `${kernel.current.pid}/task/${kernel.current.tid}`,
  });
  return nodes;
}
