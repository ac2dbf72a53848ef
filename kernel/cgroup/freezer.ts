/* cgroup.freeze: tasks of a group stand still until it thaws, or until they are killed (kernel/cgroup/freezer.c). */

import type { Kernel } from "../kernel.js";
import { defaultAction, SIG_DFL } from "../signals/numbers.js";
import { isKilled } from "../signals/send.js";
import type { Task } from "../task.js";
import type { ControlGroup } from "./control-group.js";

/** A write to cgroup.freeze. */
export function setFreeze(kernel: Kernel, group: ControlGroup, freeze: boolean): void {
  if (group.freeze === freeze) return;
  group.freeze = freeze;
  const before = group.freezing;
  for (const each of group.withDescendants())
    each.freezing =
      each.freeze || (each !== group && each.parent!.freezing) || (group.parent?.freezing ?? false);
  // Told also where nothing changes, as a group around it has the say (cgroup_freeze).
  if (group.freezing === before) return group.notify("cgroup.events");
  for (const task of kernel.tasks.values())
    if (task.state !== "dead" && task.group?.isWithin(group) === true) adapt(kernel, task);
  for (const each of [...group.withDescendants()].reverse()) updateFrozen(each);
  if (group.parent !== null) for (const each of group.parent.withAncestors()) updateFrozen(each);
  // Whoever goes on has its turn, as one who is woken has on Linux: signals that came meanwhile take effect.
  if (before) kernel.scheduler.yielding = true;
}

/** The task stops, or goes on, as its group has it now. */
export function adapt(kernel: Kernel, task: Task): void {
  const before = task.freezing;
  task.freezing = task.group?.freezing ?? false;
  if (task.freezing) {
    if (!task.frozen && task !== kernel.current) setFrozen(task, true);
  } else if (before) {
    if (task.frozen) setFrozen(task, false);
    // A stop signal's stop goes on.
    if (task.process.stopped === 0 || task.tracing !== null) task.wake();
  }
}

/**
 * A task whose group is frozen is about to run: it sleeps, unless a signal ends it, as SIGKILL does.
 * @returns true when it may not go on
 */
export function staysFrozen(kernel: Kernel, task: Task): boolean {
  if (isKilled(task) || isEnding(task)) return false;
  kernel.scheduler.sleep(task, "asleep");
  if (!task.frozen) {
    setFrozen(task, true);
    for (const each of task.group!.withAncestors()) updateFrozen(each);
  }
  return true;
}

/** A signal has come that ends the process without a core file, and that nothing handles (complete_signal). */
function isEnding({ process, signals, tracing }: Task): boolean {
  if (tracing !== null) return false;
  return [...process.pending.queue, ...signals.pending.queue].some(
    ({ signo }) =>
      !signals.blocked.has(signo) &&
      process.handlers.of(signo).handler === SIG_DFL &&
      defaultAction(signo) === "terminate",
  );
}

/** Counts it among the frozen ones of its groups; they are to be looked at afterwards (`updateFrozen`). */
export function setFrozen(task: Task, frozen: boolean): void {
  task.frozen = frozen;
  for (const each of task.group?.withAncestors() ?? []) each.frozenTasks += frozen ? 1 : -1;
}

/** Whether everything in it stands still; a change is told (cgroup_update_frozen). */
export function updateFrozen(group: ControlGroup): void {
  const frozen = group.freezing && group.frozenTasks === group.live;
  if (frozen === group.frozen) return;
  group.frozen = frozen;
  group.notify("cgroup.events");
}
