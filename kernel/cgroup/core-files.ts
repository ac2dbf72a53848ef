/* cgroup.*: the files that every group has (cgroup-v2.rst, "Core Interface Files"). */

import { EINVAL, EOPNOTSUPP, ERANGE } from "../errno.js";
import type { Kernel } from "../kernel.js";
import { SIGKILL } from "../signals/numbers.js";
import { kernelSignal, sendSignal } from "../signals/send.js";
import { CONTROLLERS, type ControlGroup } from "./control-group.js";
import { descendantsOf } from "./control-groups.js";
import { countLimit, flatKeys, parseNumber, parseSwitch, type FileRules } from "./file-rules.js";
import { setFreeze } from "./freezer.js";
import { move } from "./membership.js";
import { control } from "./subtree-control.js";
import { makeThreaded, typeOf } from "./threaded.js";

/** The names on one line; nothing at all where there is none (cgroup_print_ss_mask). */
const line = (names: readonly string[]): string => (names.length === 0 ? "" : `${names.join(" ")}\n`);

const numbers = (list: readonly number[]): string => list.map((each) => `${each}\n`).join("");

export const CORE_FILES: Readonly<Record<string, FileRules>> = {
  "cgroup.controllers": { read: ({ group }) => line(CONTROLLERS.filter((each) => group.has(each))) },
  "cgroup.max.depth": countLimit(
    (group) => group.maxDepth,
    (group, count) => (group.maxDepth = count),
    -ERANGE,
  ),
  "cgroup.max.descendants": countLimit(
    (group) => group.maxDescendants,
    (group, count) => (group.maxDescendants = count),
    -ERANGE,
  ),
  "cgroup.procs": {
    read: ({ kernel, group }) =>
      group.threaded ? -EOPNOTSUPP : numbers(kernel.cgroups.processesOf(group).map(({ pid }) => pid)),
    write: ({ kernel, group, opener }, text) => move(kernel, group, text, opener, true),
  },
  "cgroup.stat": { read: ({ kernel, group }) => stat(kernel, group) },
  "cgroup.subtree_control": {
    read: ({ group }) => line(CONTROLLERS.filter((each) => group.subtree.has(each))),
    write: ({ kernel, group }, text) => control(kernel.cgroups, group, text),
  },
  "cgroup.threads": {
    read: ({ kernel, group }) => numbers(kernel.cgroups.threadsOf(group)),
    write: ({ kernel, group, opener }, text) => move(kernel, group, text, opener, false),
  },
};

/** Those that the root has not. */
export const CORE_FILES_BELOW: Readonly<Record<string, FileRules>> = {
  "cgroup.events": {
    read: ({ group }) => flatKeys({ populated: group.live > 0 ? 1 : 0, frozen: group.frozen ? 1 : 0 }),
  },
  "cgroup.freeze": {
    read: ({ group }) => (group.freeze ? "1\n" : "0\n"),
    write: ({ kernel, group }, text) => {
      const value = parseSwitch(text);
      if (value < 0) return value;
      setFreeze(kernel, group, value === 1);
      return 0;
    },
  },
  "cgroup.kill": {
    mode: 0o200,
    write: ({ kernel, group }, text) => {
      const value = parseNumber(text);
      if (value === null) return -EINVAL;
      if (value !== 1) return -ERANGE;
      return group.threaded ? -EOPNOTSUPP : killAll(kernel, group);
    },
  },
  "cgroup.type": {
    read: ({ group }) => `${typeOf(group)}\n`,
    write: ({ group }, text) => (text.trim() === "threaded" ? makeThreaded(group) : -EINVAL),
  },
};

function killAll(kernel: Kernel, group: ControlGroup): number {
  for (const process of [...kernel.processes.values()]) {
    const task = process.tasks[0];
    if (task !== undefined && kernel.cgroups.domainOf(process).isWithin(group))
      sendSignal(task, kernelSignal(SIGKILL), true);
  }
  return 0;
}

/** Groups and their controllers, here (with itself) and below: those in use, and those that charges outlive. */
function stat(kernel: Kernel, group: ControlGroup): string {
  const all = [...group.withDescendants()];
  const dying = [...(kernel.cgroups.charges?.charged.values() ?? [])].filter(
    (each) => each.removed && each.isWithin(group),
  ).length;
  return flatKeys({
    nr_descendants: descendantsOf(group),
    nr_subsys_memory: all.filter((each) => each.has("memory")).length,
    nr_subsys_pids: all.filter((each) => each.has("pids")).length,
    nr_dying_descendants: dying,
    nr_dying_subsys_memory: dying,
    nr_dying_subsys_pids: 0,
  });
}
