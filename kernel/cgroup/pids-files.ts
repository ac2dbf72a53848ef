import { EINVAL } from "../errno.js";
import { countLimit, type FileRules } from "./file-rules.js";

/** PID_MAX_LIMIT: a limit from here on is none that could be met. */
const MOST_TASKS = 4 * 2 ** 20;

/** pids.*: how many tasks a group may have (cgroup-v2.rst, "PID"). */
export const PIDS_FILES: Readonly<Record<string, FileRules>> = {
  "pids.current": { read: ({ kernel, group }) => `${kernel.cgroups.tasksWithin(group)}\n` },
  "pids.events": { read: ({ group }) => `max ${group.pidsRefused}\n` },
  "pids.events.local": { read: ({ group }) => `max ${group.pidsRefusedHere}\n` },
  "pids.max": countLimit(
    (group) => group.pidsMax,
    (group, count) => (group.pidsMax = count),
    -EINVAL,
    MOST_TASKS + 1,
  ),
  "pids.peak": { read: ({ group }) => `${group.pidsPeak}\n` },
};
