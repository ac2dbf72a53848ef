import { RLIMIT_CORE } from "./limits.js";
import type { Task } from "./task.js";

/** The smallest limit with which a core file is begun: a page (min_coredump of binfmt_elf). */
const SMALLEST = 4096;

/** Whether a signal that dumps core leaves one, which the parent is told (vfs_coredump): RLIMIT_CORE, PR_SET_DUMPABLE. */
export function dumpsCore(task: Task): boolean {
  return task.limits.soft(RLIMIT_CORE) >= SMALLEST && task.process.dumpable === 1;
}
