/* Which group a task is in, and how it comes into another. */

import { EACCES, EINVAL, ENODEV, EOPNOTSUPP, ESRCH } from "../errno.js";
import type { Credentials } from "../credentials.js";
import { DirectoryInode, type Inode } from "../fs/inode.js";
import { MAY_WRITE } from "../fs/mode.js";
import { actorOf, permission } from "../fs/permission.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import type { ControlGroup } from "./control-group.js";
import { adapt, setFrozen, updateFrozen } from "./freezer.js";
import { mayEnter } from "./threaded.js";

/** A task comes into a group: a new one, or one that has left another. */
export function join(kernel: Kernel, task: Task, group: ControlGroup): void {
  task.group = group.parent === null ? null : group;
  if (group.parent === null) {
    if (task.freezing) adapt(kernel, task);
    return;
  }
  group.ownLive++;
  for (const each of group.withAncestors()) if (++each.live === 1) each.notify("cgroup.events");
  if (group.freezing || task.freezing) adapt(kernel, task);
  for (const each of group.withAncestors()) updateFrozen(each);
}

/** A task ends, or goes elsewhere. Until then it counts as one of its group; ended, it keeps the group's name. */
export function leave(task: Task): void {
  const { group } = task;
  if (group === null) return;
  if (task.frozen) setFrozen(task, false);
  group.ownLive--;
  for (const each of group.withAncestors()) if (--each.live === 0) each.notify("cgroup.events");
  for (const each of group.withAncestors()) updateFrozen(each);
}

/**
 * A number written to cgroup.procs, or to cgroup.threads; 0 is whoever writes. 0, -EINVAL, -ESRCH, -EACCES, -EOPNOTSUPP
 * or -EBUSY (cgroup_procs_write, cgroup_threads_write).
 * @param writer who opened the file
 */
export function move(
  kernel: Kernel,
  group: ControlGroup,
  line: string,
  writer: Credentials,
  wholeProcess: boolean,
): number {
  const text = line.trim();
  if (!/^\d{1,10}$/.test(text)) return -EINVAL;
  const number = Number(text);
  const task = number === 0 ? kernel.current : kernel.tasks.get(number);
  if (task === undefined) return -ESRCH;
  const { root } = kernel.cgroups;
  const from = task.group ?? root;
  const allowed = mayAttach(kernel, from, group, writer);
  if (allowed < 0) return allowed;
  if (!wholeProcess && from.domain !== group.domain) return -EOPNOTSUPP;
  const moved = wholeProcess ? [...task.process.tasks] : [task];
  for (const each of moved) {
    if (each.state === "dead" || (each.group ?? root) === group) continue;
    leave(each);
    join(kernel, each, group);
  }
  return 0;
}

/** May somebody bring tasks from one group into another: 0, -EACCES, -EOPNOTSUPP or -EBUSY (cgroup_attach_permissions). */
export function mayAttach(kernel: Kernel, from: ControlGroup, to: ControlGroup, writer: Credentials): number {
  if (to.removed) return -ENODEV;
  for (const each of [to, from.common(to)]) {
    const inode = inodeOf(kernel, each, "cgroup.procs");
    if (inode === null || permission(actorOf(writer), inode, MAY_WRITE) < 0) return -EACCES;
  }
  return mayEnter(to);
}

/** A file of a group; null where there is none (any more). */
function inodeOf(kernel: Kernel, group: ControlGroup, file: string): Inode | null {
  const names = group.parent === null ? [] : group.path.slice(1).split("/");
  let at: Inode | undefined = kernel.current.fs.namespace.permanent.get("cgroup2")?.root;
  for (const name of [...names, file]) {
    const next: Inode | number | undefined = at instanceof DirectoryInode ? at.lookup(name) : undefined;
    if (typeof next !== "object") return null;
    at = next;
  }
  return at ?? null;
}
