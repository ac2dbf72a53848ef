import { EAGAIN, EBUSY, EEXIST, EINVAL, ENODEV, ENOENT } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Process, Task } from "../task.js";
import { checkGroups } from "./check.js";
import { ControlGroup } from "./control-group.js";
import { join, leave } from "./membership.js";
import { MemoryCharges } from "./memory-charges.js";

/** The machine's control groups: a root, and what mkdir makes below it. */
export class ControlGroups {
  readonly root = new ControlGroup(0, "", null, { uid: 0, gid: 0 });
  private lastNumber = 0;
  /** Null until a group has the memory controller. */
  charges: MemoryCharges | null = null;

  constructor(private readonly kernel: Kernel) {}

  /** @returns a line for each contradiction between groups, tasks and frames (checkMachine) */
  check(): string[] {
    return checkGroups(this.kernel);
  }

  /** A group that its last charge has left beyond its limit; it is told once. */
  takeOverLimit(): ControlGroup | null {
    const group = this.charges?.overLimit ?? null;
    if (this.charges !== null) this.charges.overLimit = null;
    return group;
  }

  groupOf(task: Task): ControlGroup {
    return task.group ?? this.root;
  }

  /** What the memory of a process counts for. */
  domainOf(process: Process): ControlGroup {
    return this.groupOf(process.leader).domain;
  }

  /** Processes whose domain a group is, those that were waited for not among them; the oldest first (cgroup.procs). */
  processesOf(group: ControlGroup): Process[] {
    return [...this.kernel.processes.values()].filter(
      (each) => !each.zombie && this.domainOf(each) === group,
    );
  }

  /** The numbers of a group's tasks, as cgroup.threads has them. */
  threadsOf(group: ControlGroup): number[] {
    const numbers: number[] = [];
    for (const process of this.kernel.processes.values())
      for (const task of process.tasks) if (this.groupOf(task) === group) numbers.push(task.tid);
    return numbers;
  }

  /** Tasks here and below, with those that nobody has waited for yet (pids.current). */
  tasksWithin(group: ControlGroup): number {
    let count = 0;
    for (const task of this.kernel.tasks.values()) if (task.group?.isWithin(group) === true) count++;
    return count;
  }

  /** mkdir; 0, -ENODEV, -EINVAL, -EEXIST, or -EAGAIN where cgroup.max.* forbid it (cgroup_mkdir). */
  make(parent: ControlGroup, name: string, owner: { uid: number; gid: number }): number {
    if (parent.removed) return -ENODEV;
    if (name.includes("\n")) return -EINVAL;
    if (parent.children.has(name)) return -EEXIST;
    let level = 1;
    for (const at of [...parent.withAncestors(), this.root]) {
      if (descendantsOf(at) >= at.maxDescendants || level > at.maxDepth) return -EAGAIN;
      level++;
    }
    const group = new ControlGroup(++this.lastNumber, name, parent, { uid: owner.uid, gid: owner.gid });
    parent.children.set(name, group);
    return 0;
  }

  /** rmdir; 0, -ENOENT or -EBUSY (cgroup_destroy_locked). */
  remove(parent: ControlGroup, name: string): number {
    const group = parent.children.get(name);
    if (group === undefined) return -ENOENT;
    if (group.children.size > 0 || group.live > 0) return -EBUSY;
    parent.children.delete(name);
    group.removed = true;
    this.charges?.forget(group);
    return 0;
  }

  /** From now on frames are charged to somebody. */
  startCharging(): void {
    if (this.charges === null) this.kernel.frames.charging.by = this.charges = new MemoryCharges(this.kernel);
  }

  /** Another task is to be made in a group: 0, or -EAGAIN where pids.max forbids it (pids_can_fork). */
  mayFork(group: ControlGroup): number {
    for (const at of group.withAncestors()) {
      if (!at.has("pids")) continue;
      const tasks = this.tasksWithin(at) + 1;
      if (tasks > at.pidsMax) {
        at.pidsRefusedHere++;
        at.notify("pids.events.local");
        for (const each of at.withAncestors()) {
          each.pidsRefused++;
          each.notify("pids.events");
        }
        return -EAGAIN;
      }
      at.pidsPeak = Math.max(at.pidsPeak, tasks);
    }
    return 0;
  }

  /** A task has been made; its group is that of its parent, unless CLONE_INTO_CGROUP names another. */
  forked(task: Task, group: ControlGroup | null): void {
    if (group !== null) join(this.kernel, task, group);
  }

  /** A task has ended. */
  exited(task: Task): void {
    leave(task);
  }
}

/** Groups below. */
export function descendantsOf(group: ControlGroup): number {
  let count = group.children.size;
  for (const child of group.children.values()) count += descendantsOf(child);
  return count;
}
