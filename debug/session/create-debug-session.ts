import type { Machine } from "../machine.js";
import type { DebugSession, SessionOptions } from "./debug-session.js";
import { TimelineSession } from "./timeline-session.js";

/**
 * Puts a machine under a debugger that can go back: loaded, and standing. With a RewindableHost it can go back behind
 * what it read and wrote; with another one it reads and writes again.
 */
export function createDebugSession(machine: Machine, options: SessionOptions = {}): DebugSession {
  return new TimelineSession(machine, options);
}
