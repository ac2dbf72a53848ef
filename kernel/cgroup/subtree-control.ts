import { EBUSY, EINVAL, ENODEV, ENOENT } from "../errno.js";
import type { ControlGroups } from "./control-groups.js";
import { CONTROLLERS, type Controller, type ControlGroup } from "./control-group.js";
import { mayControl } from "./threaded.js";

/**
 * A line of cgroup.subtree_control: "+memory -pids". 0, -EINVAL, -ENODEV, -ENOENT, -EBUSY or -EOPNOTSUPP
 * (cgroup_subtree_control_write).
 */
export function control(groups: ControlGroups, group: ControlGroup, line: string): number {
  const changes = new Map<Controller, boolean>();
  for (const word of line.trim().split(/\s+/)) {
    if (word === "") continue;
    const controller = CONTROLLERS.find((name) => name === word.slice(1));
    if (controller === undefined || !/^[+-]/.test(word)) return -EINVAL;
    changes.set(controller, word.startsWith("+"));
  }
  if (group.removed) return -ENODEV;
  const gained: Controller[] = [];
  for (const [controller, on] of changes) {
    if (on === group.subtree.has(controller)) continue;
    if (on && !group.has(controller)) return -ENOENT;
    if (!on && [...group.children.values()].some(({ subtree }) => subtree.has(controller))) return -EBUSY;
    if (on) gained.push(controller);
  }
  const allowed = mayControl(group, gained);
  if (allowed < 0) return allowed;
  for (const [controller, on] of changes) {
    if (on) group.subtree.add(controller);
    else group.subtree.delete(controller);
  }
  if (gained.includes("memory")) groups.startCharging();
  return 0;
}
