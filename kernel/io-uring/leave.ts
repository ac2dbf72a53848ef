import type { Task } from "../task.js";

/** A task ends or executes a program: what it has submitted and is not done will not be (io_uring_files_cancel). */
export function leaveRings(task: Task): void {
  if (task.rings === null) return;
  for (const ring of task.rings) ring.cancelOf(task);
  task.rings = null;
  task.work.length = 0;
}
