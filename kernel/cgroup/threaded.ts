/* Domains and threaded groups: which group may hold what (cgroup-v2.rst, "Threads"). */

import { EBUSY, EOPNOTSUPP } from "../errno.js";
import { isThreaded, type Controller, type ControlGroup } from "./control-group.js";

const hasDomainController = (group: ControlGroup): boolean =>
  [...group.subtree].some((each) => !isThreaded(each));

/** Threads of one process may be in different groups below it (cgroup_is_thread_root). */
function isThreadRoot(group: ControlGroup): boolean {
  if (group.threaded) return false;
  for (const child of group.children.values()) if (child.threaded) return true;
  return group.parent !== null && group.ownLive > 0 && [...group.subtree].some(isThreaded);
}

/** It could become one: nothing in it is divided by whole processes (cgroup_can_be_thread_root). */
function canBeThreadRoot(group: ControlGroup): boolean {
  if (group.parent === null) return true;
  for (const child of group.children.values()) if (!child.threaded && child.live > 0) return false;
  return !hasDomainController(group);
}

/** Processes may be in it: it is in nobody's threaded domain (cgroup_is_valid_domain). */
function isValidDomain(group: ControlGroup): boolean {
  if (group.parent === null) return true;
  if (group.threaded) return false;
  for (const at of group.parent.withAncestors()) if (at.threaded || isThreadRoot(at)) return false;
  return true;
}

/** cgroup.type, without the line's end. */
export function typeOf(group: ControlGroup): string {
  if (group.threaded) return "threaded";
  if (!isValidDomain(group)) return "domain invalid";
  return isThreadRoot(group) ? "domain threaded" : "domain";
}

/** "threaded" written to cgroup.type: 0 or -EOPNOTSUPP (cgroup_enable_threaded). */
export function makeThreaded(group: ControlGroup): number {
  if (group.threaded) return 0;
  const { domain } = group.parent!;
  if (group.live > 0 || hasDomainController(group)) return -EOPNOTSUPP;
  if (!isValidDomain(domain) || !canBeThreadRoot(domain)) return -EOPNOTSUPP;
  group.threaded = true;
  return 0;
}

/** May tasks come into it: 0, -EOPNOTSUPP, or -EBUSY where they would compete with groups (cgroup_migrate_vet_dst). */
export function mayEnter(group: ControlGroup): number {
  if (!isValidDomain(group.domain)) return -EOPNOTSUPP;
  if (canBeThreadRoot(group) || group.threaded) return 0;
  return group.subtree.size > 0 ? -EBUSY : 0;
}

/** May its children have these controllers: 0, -EOPNOTSUPP or -EBUSY (cgroup_vet_subtree_control_enable). */
export function mayControl(group: ControlGroup, gained: readonly Controller[]): number {
  if (gained.length === 0) return 0;
  if (!isValidDomain(group.domain)) return -EOPNOTSUPP;
  if (group.parent === null) return 0;
  if (gained.some((each) => !isThreaded(each))) {
    if (group.threaded || isThreadRoot(group)) return -EOPNOTSUPP;
  } else if (group.threaded || canBeThreadRoot(group)) return 0;
  return group.ownLive > 0 ? -EBUSY : 0;
}
