import { EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT, ESRCH } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Process } from "../task.js";
import { checkCharges } from "./check.js";
import { ControlGroup, CONTROLLERS, type Controller } from "./control-group.js";
import { MemoryCharges } from "./memory-charges.js";

/** The machine's control groups: a root, and what mkdir makes below it. */
export class ControlGroups {
  readonly root = new ControlGroup(0, "", null);
  private lastNumber = 0;
  /** Null until a group has the memory controller. */
  charges: MemoryCharges | null = null;

  constructor(private readonly kernel: Kernel) {}

  /** @returns a line for each contradiction between groups and frames (checkMachine) */
  check(): string[] {
    return checkCharges(this.kernel);
  }

  /** A group that its last charge has left beyond its limit; it is told once. */
  takeOverLimit(): ControlGroup | null {
    const group = this.charges?.overLimit ?? null;
    if (this.charges !== null) this.charges.overLimit = null;
    return group;
  }

  groupOf(process: Process): ControlGroup {
    return process.group ?? this.root;
  }

  /** Processes of a group itself, the oldest first; those that have ended count until they are waited for. */
  processesOf(group: ControlGroup): Process[] {
    return [...this.kernel.processes.values()].filter((each) => this.groupOf(each) === group);
  }

  /** Processes that have not ended, here or below (cgroup.events). */
  isPopulated(group: ControlGroup): boolean {
    for (const process of this.kernel.processes.values())
      if (!process.zombie && this.groupOf(process).isWithin(group)) return true;
    return false;
  }

  /** Tasks here and below (pids.current). */
  tasksWithin(group: ControlGroup): number {
    let count = 0;
    for (const process of this.kernel.processes.values())
      if (this.groupOf(process).isWithin(group)) count += Math.max(1, process.tasks.length);
    return count;
  }

  /** mkdir; 0, -EEXIST or -EINVAL (cgroup_mkdir). */
  make(parent: ControlGroup, name: string): number {
    if (parent.removed) return -ENOENT;
    if (name.includes("\n")) return -EINVAL;
    if (parent.children.has(name)) return -EEXIST;
    parent.children.set(name, new ControlGroup(++this.lastNumber, name, parent));
    return 0;
  }

  /** rmdir; 0, -ENOENT or -EBUSY (cgroup_destroy_locked). */
  remove(parent: ControlGroup, name: string): number {
    const group = parent.children.get(name);
    if (group === undefined) return -ENOENT;
    if (group.children.size > 0 || this.isPopulated(group)) return -EBUSY;
    parent.children.delete(name);
    group.removed = true;
    this.charges?.forget(group);
    return 0;
  }

  /** A line of cgroup.subtree_control: "+memory -pids" (cgroup_subtree_control_write). */
  control(group: ControlGroup, line: string): number {
    const changes = new Map<Controller, boolean>();
    for (const word of line.trim().split(/\s+/)) {
      if (word === "") continue;
      const controller = CONTROLLERS.find((name) => name === word.slice(1));
      if (controller === undefined || !/^[+-]/.test(word)) return -EINVAL;
      changes.set(controller, word.startsWith("+"));
    }
    for (const [controller, on] of changes) {
      if (on && !group.has(controller)) return -ENOENT;
      if (!on && [...group.children.values()].some(({ subtree }) => subtree.has(controller))) return -EBUSY;
    }
    const gains = [...changes].some(
      ([controller, on]) => on && controller === "memory" && !group.subtree.has(controller),
    );
    if (gains && group.parent !== null && this.processesOf(group).length > 0) return -EBUSY;
    for (const [controller, on] of changes) {
      if (on) group.subtree.add(controller);
      else group.subtree.delete(controller);
    }
    if (gains && this.charges === null)
      this.kernel.frames.charging.by = this.charges = new MemoryCharges(this.kernel);
    return 0;
  }

  /** A number written to cgroup.procs; 0 is whoever writes. 0, -EINVAL, -ESRCH or -EBUSY (cgroup_procs_write). */
  move(group: ControlGroup, line: string): number {
    const text = line.trim();
    if (!/^\d{1,10}$/.test(text)) return -EINVAL;
    const number = Number(text);
    const task = number === 0 ? this.kernel.current : this.kernel.tasks.get(number);
    if (task === undefined) return -ESRCH;
    if (group.parent !== null && group.subtree.has("memory")) return -EBUSY;
    task.process.group = group.parent === null ? null : group;
    return 0;
  }

  /** Another task is to be made by this process: 0, or -EAGAIN where pids.max forbids it (pids_can_fork). */
  mayFork(process: Process): number {
    if (process.group === null) return 0;
    for (let at = process.group; at.parent !== null; at = at.parent) {
      if (!at.has("pids")) continue;
      const tasks = this.tasksWithin(at) + 1;
      if (tasks > at.pidsMax) {
        for (let up = at; up.parent !== null; up = up.parent) up.pidsRefused++;
        return -EAGAIN;
      }
      at.pidsPeak = Math.max(at.pidsPeak, tasks);
    }
    return 0;
  }
}
