/** Process groups and sessions (credentials(7), setpgid(2), setsid(2)). */

import type { Kernel } from "./kernel.js";
import type { Process } from "./task.js";

/** The processes of a group, those included that have ended and were not waited for. */
export function membersOf(kernel: Kernel, group: number): Process[] {
  return [...kernel.processes.values()].filter((process) => process.processGroup === group);
}

/**
 * True where no process of the group has a parent in another group of the same session: nobody is there to continue
 * it when it stops. The world outside counts as the parent of the first process only; processes that have ended do not count
 * (will_become_orphaned_pgrp).
 * @param leaving counted as gone already
 */
export function isOrphanedGroup(kernel: Kernel, group: number, leaving?: Process): boolean {
  for (const process of kernel.processes.values()) {
    if (process.processGroup !== group || process === leaving || process.zombie) continue;
    const { parent } = process;
    // The first process has the user's shell outside as its parent.
    if (parent === null && process === kernel.init) return false;
    if (parent !== null && parent.processGroup !== group && parent.session === process.session) return false;
  }
  return true;
}

/** A process of the group is stopped (has_stopped_jobs). */
export function hasStoppedMember(kernel: Kernel, group: number): boolean {
  return membersOf(kernel, group).some((process) => process.stopped !== 0);
}
