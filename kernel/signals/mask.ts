/** A task's mask of blocked signals changes (kernel/signal.c set_current_blocked). */

import type { Task } from "../task.js";
import { SIGKILL, SIGSTOP } from "./numbers.js";
import { retargetSignals } from "./send.js";
import { SignalSet } from "./signal-set.js";

const UNBLOCKABLE = SignalSet.of(SIGKILL, SIGSTOP);

/** SIGKILL and SIGSTOP cannot be blocked. Signals for the process that this task no longer takes go to the others. */
export function setBlocked(task: Task, set: SignalSet): void {
  set.deleteAll(UNBLOCKABLE);
  task.signals.blocked.assign(set);
  task.signals.recalculate();
  retargetSignals(task);
}
