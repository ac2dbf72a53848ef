import type { Task } from "../task.js";
import { defaultAction, SIG_DFL, SIGNAL_MAX } from "./numbers.js";
import { isKilled } from "./send.js";

/**
 * A signal is pending that ends the process whatever it does (fatal_signal_pending): SIGKILL, or one that the task does
 * not block and that terminates by default, without a core file (complete_signal), unless a tracer may want to see it.
 */
export function isDying(task: Task): boolean {
  if (isKilled(task)) return true;
  if (!task.signals.attention || task.tracing !== null) return false;
  const { pending, handlers } = task.process;
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) {
    if (!task.signals.pending.set.has(signal) && !pending.set.has(signal)) continue;
    if (task.signals.blocked.has(signal) || handlers.of(signal).handler !== SIG_DFL) continue;
    if (defaultAction(signal) === "terminate") return true;
  }
  return false;
}
