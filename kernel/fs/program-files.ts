import type { Location } from "./mount.js";
import type { Task } from "../task.js";
import { openExecutable } from "./open.js";
import type { RegularOpenFile } from "./regular-open-file.js";

/** What execve asks of the file system: the kernel's `files`. */
export const programFiles = {
  openExecutable(task: Task, path: string, at?: Location): RegularOpenFile | number {
    return openExecutable(task.fs, task.credentials, path, at);
  },
};
